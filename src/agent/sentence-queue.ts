import type { Accepted, CallContext, Fault, SessionOf, TtsEvent, TtsInput } from './provider.ts'
import { SessionLife } from './session-life.ts'

/**
 * The session of a voice that is asked for one sentence after another: what waits, what is cancelled, how it ends. How a
 * sentence becomes sound is the voice's own.
 */
export type Unsaid = Pick<Fault, 'code' | 'message' | 'retryable'>

export interface SentenceVoice {
  /**
   * Makes one sentence, and passes its audio on as it comes, at the leg's rate; null: all of it. Never rejects. Once the
   * signal has aborted nothing of it is heard any more, and what is answered counts for nothing.
   */
  say(text: string, signal: AbortSignal, pass: (samples: Int16Array) => void): Promise<Unsaid | null>
  /** All that waited is dropped: what was made ready for it is void. */
  dropped?(): void
}

/** A reply of more sentences than this, unspoken, is a model that runs away. */
const queueMax = 64

export class SentenceQueue implements SessionOf<'tts'> {
  private readonly context: CallContext
  private readonly voice: SentenceVoice
  private readonly life: SessionLife
  private listener: (event: TtsEvent) => void = () => {}
  private queue: string[] = []
  /** Aborts what is said now, and all that was to follow it. */
  private run = new AbortController()
  /** The loop that works the queue off; resolves when there is nothing left. */
  private working: Promise<void> | null = null

  constructor(context: CallContext, voice: SentenceVoice) {
    this.context = context
    this.voice = voice
    this.life = new SessionLife(context.signal, () => this.end())
  }

  /** The first that waits; undefined: none does. */
  get next(): string | undefined {
    return this.queue[0]
  }

  /** That of the sentence which is said now, and of those behind it. */
  get signal(): AbortSignal {
    return this.run.signal
  }

  onEvent(listener: (event: TtsEvent) => void): void {
    this.listener = listener
  }

  send(input: TtsInput): Accepted {
    if (this.life.over) return 'closed'
    if (input.type === 'cancel') {
      this.drop()
      return 'sent'
    }
    if (this.queue.length >= queueMax) return 'full'
    this.queue.push(input.text)
    this.working ??= this.work()
    return 'sent'
  }

  close(): Promise<void> {
    return this.life.close()
  }

  private async end(): Promise<void> {
    this.drop()
    await this.working
    const { listener } = this
    this.listener = () => {}
    listener({ type: 'closed' })
  }

  private drop(): void {
    this.queue = []
    this.voice.dropped?.()
    this.run.abort()
    this.run = new AbortController()
  }

  private async work(): Promise<void> {
    // The sender hears nothing of a sentence from within its own `send`.
    await Promise.resolve()
    for (let text = this.queue.shift(); text !== undefined; text = this.queue.shift()) await this.say(text)
    this.working = null
  }

  private async say(text: string): Promise<void> {
    const { signal } = this.run
    const { sampleRateHz } = this.context
    const unsaid = await this.voice.say(text, signal, (samples) => {
      if (!signal.aborted) this.listener({ type: 'audio', frame: { sampleRateHz, samples } })
    })
    if (signal.aborted) return
    if (unsaid === null) return this.listener({ type: 'spoken', text })
    // What comes after a sentence that is missing would make no sense.
    this.drop()
    const { code, message, retryable } = unsaid
    this.listener({ type: 'fault', code, message, retryable })
  }
}
