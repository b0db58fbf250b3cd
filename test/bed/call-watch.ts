// Tells each placed call when it was answered and why it ended, from one event socket to Asterisk.
// The socket hears of all channels but only these two kinds of event, so a load test isn't slowed by its own bed.

import type { BedAri } from './bed-ari.ts'

/** What Asterisk said when a channel ended. */
export interface CallEnd {
  /** Q.850 cause; 0 when Asterisk itself went away. */
  readonly cause: number
  readonly causeText: string
  readonly answered: boolean
  /** From the order to place the call until its end. */
  readonly durationMs: number
}

interface Watched {
  readonly placedAt: number
  answered: boolean
  readonly onAnswered: (answered: boolean) => void
  readonly onEnded: (end: CallEnd) => void
}

export interface CallNews {
  /** true once the called side answers, false when the call ends without. */
  readonly answered: Promise<boolean>
  readonly ended: Promise<CallEnd>
}

export class CallWatch {
  readonly #calls = new Map<string, Watched>()
  readonly #socket: WebSocket
  #closed: boolean = false

  private constructor(socket: WebSocket) {
    this.#socket = socket
    socket.addEventListener('message', (message) => this.#onMessage(String(message.data)))
    socket.addEventListener('close', () => this.#onClose())
  }

  static async open(ari: BedAri): Promise<CallWatch> {
    const application = `patchcord-bed-${crypto.randomUUID().slice(0, 8)}`
    const socket = ari.events(application)
    await new Promise<void>((resolve, reject) => {
      socket.addEventListener('open', () => resolve(), { once: true })
      socket.addEventListener('close', () => reject(new Error('Asterisk refused the event socket')), { once: true })
      socket.addEventListener('error', () => reject(new Error('the event socket failed')), { once: true })
    })
    const watch = new CallWatch(socket)
    const allowed = [{ type: 'ChannelStateChange' }, { type: 'ChannelDestroyed' }]
    await ari.must('PUT', `/applications/${application}/eventFilter`, { allowed })
    // "channel:" without an id means every channel, so no call is too short to be heard of.
    await ari.must('POST', `/applications/${application}/subscription?eventSource=channel:`)
    return watch
  }

  /** Call it before the channel is made. */
  watch(channelId: string): CallNews {
    const answered = Promise.withResolvers<boolean>()
    const ended = Promise.withResolvers<CallEnd>()
    const call: Watched = {
      placedAt: performance.now(),
      answered: false,
      onAnswered: answered.resolve,
      onEnded: ended.resolve,
    }
    this.#calls.set(channelId, call)
    if (this.#closed) this.#end(channelId, call, 0, 'Asterisk is gone')
    return { answered: answered.promise, ended: ended.promise }
  }

  /** Ends the watch of a channel that was never made. */
  forget(channelId: string): void {
    const call = this.#calls.get(channelId)
    if (call !== undefined) this.#end(channelId, call, 0, 'never placed')
  }

  close(): void {
    this.#socket.close()
    this.#onClose()
  }

  #onMessage(text: string): void {
    const event = JSON.parse(text) as {
      type: string
      channel?: { id: string; state: string }
      cause?: number
      cause_txt?: string
    }
    const id = event.channel?.id ?? ''
    const call = this.#calls.get(id)
    if (call === undefined) return
    if (event.type === 'ChannelStateChange' && event.channel?.state === 'Up') {
      call.answered = true
      call.onAnswered(true)
    } else if (event.type === 'ChannelDestroyed') {
      this.#end(id, call, event.cause ?? 0, event.cause_txt ?? '')
    }
  }

  #onClose(): void {
    this.#closed = true
    for (const [id, call] of this.#calls) this.#end(id, call, 0, 'Asterisk is gone')
  }

  #end(id: string, call: Watched, cause: number, causeText: string): void {
    this.#calls.delete(id)
    call.onAnswered(call.answered)
    call.onEnded({ cause, causeText, answered: call.answered, durationMs: performance.now() - call.placedAt })
  }
}
