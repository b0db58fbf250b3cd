import { expect } from 'bun:test'
import { seededRandom } from '#base/random.ts'
import { ManualClock } from '../../fakes/manual-clock.ts'
import type { StandinOptions } from '../../standin/openai-realtime/options.ts'
import { type StandinServer, startStandin } from '../../standin/openai-realtime/server.ts'
import { serverEventFault } from '../../standin/openai-realtime/server-event.ts'
import type { StandinSession } from '../../standin/openai-realtime/session.ts'
import { encodeAudio, type FormatName } from '../../standin/openai-realtime/wire-audio.ts'

/** A client of the stand-in as bare as can be: it sends what it is told, and keeps what it gets. */

// biome-ignore lint/suspicious/noExplicitAny: a test reads any member of any event.
export type Seen = any

export class RealtimeClient {
  readonly events: Seen[] = []
  readonly raw: string[] = []
  readonly opened: Promise<void>
  readonly closed: Promise<{ code: number; reason: string }>
  protocol = ''
  private readonly socket: WebSocket
  private read = 0
  private wake: () => void = () => {}

  constructor(
    url: string,
    headers: Record<string, string> = { authorization: 'Bearer any' },
    protocols: string[] = [],
  ) {
    this.socket = new WebSocket(url, { headers, ...(protocols.length === 0 ? {} : { protocols }) })
    const opened = Promise.withResolvers<void>()
    this.opened = opened.promise
    this.socket.addEventListener('open', () => {
      this.protocol = this.socket.protocol
      opened.resolve()
    })
    this.socket.addEventListener('message', ({ data }) => {
      this.raw.push(String(data))
      try {
        this.events.push(JSON.parse(String(data)))
      } catch {
        // Kept as it came.
      }
      this.wake()
    })
    const { promise, resolve } = Promise.withResolvers<{ code: number; reason: string }>()
    this.closed = promise
    this.socket.addEventListener('close', ({ code, reason }) => resolve({ code, reason }))
    this.socket.addEventListener('error', () => {})
  }

  send(event: object): void {
    this.socket.send(JSON.stringify(event))
  }

  sendText(text: string): void {
    this.socket.send(text)
  }

  ping(): void {
    this.socket.ping()
  }

  append(samples: Int16Array, format: FormatName = 'audio/pcm'): void {
    this.send({ type: 'input_audio_buffer.append', audio: encodeAudio(samples, format).toBase64() })
  }

  /** The next event of this type; those before it are passed over. */
  async next(type: string): Promise<Seen> {
    for (;;) {
      const index = this.events.findIndex((event, at) => at >= this.read && event.type === type)
      if (index >= 0) {
        this.read = index + 1
        return this.events[index]
      }
      if (!(await this.more())) throw new Error(`no ${type} after ${this.types.slice(-8).join(', ')}`)
    }
  }

  /** All that was sent so far has been handled when an event that is surely answered has been answered. */
  async settled(): Promise<void> {
    this.send({ type: 'conversation.item.delete', item_id: 'settled' })
    for (;;) {
      const error = await this.next('error')
      if (error.error.code === 'item_delete_invalid_item_id') return
    }
  }

  get types(): string[] {
    return this.events.map((event) => event.type)
  }

  of(type: string): Seen[] {
    return this.events.filter((event) => event.type === type)
  }

  close(): void {
    this.socket.close(1000)
  }

  private more(): Promise<boolean> {
    return new Promise((resolve) => {
      const timer = setTimeout(() => resolve(false), 2000)
      this.wake = () => {
        clearTimeout(timer)
        resolve(true)
      }
    })
  }
}

export interface World {
  readonly clock: ManualClock
  readonly server: StandinServer
  readonly client: RealtimeClient
  readonly session: StandinSession
  [Symbol.asyncDispose](): Promise<void>
}

/** A server on a clock that stands still, and a client whose session has begun. */
export async function open(options: Partial<StandinOptions> = {}): Promise<World> {
  const clock = new ManualClock()
  const server = startStandin({ clock, random: seededRandom(7), pace: 0, ...options })
  const client = new RealtimeClient(`${server.realtimeUrl}?model=gpt-realtime`)
  const session = await server.nextSession()
  if (options.silentFromStart !== true) await client.next('session.created')
  return {
    clock,
    server,
    client,
    session,
    [Symbol.asyncDispose]: async () => {
      client.close()
      await server.close()
      expect(clock.pending).toBe(0)
      if ((options.names ?? 'ga') !== 'ga' || options.unknownEvents === true) return
      for (const event of client.events) expect([event.type, serverEventFault(event)]).toEqual([event.type, null])
    },
  }
}

export function update(audioInput: object, audioOutput: object = {}): object {
  return { type: 'session.update', session: { type: 'realtime', audio: { input: audioInput, output: audioOutput } } }
}
