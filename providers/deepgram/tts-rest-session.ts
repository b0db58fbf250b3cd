import type { Accepted, CallContext, SessionOf, TtsEvent, TtsInput } from '#agent/provider.ts'
import { SessionLife } from '#agent/session-life.ts'
import type { SampleRateHz } from '#audio/format.ts'
import type { Clock, Milliseconds } from '#base/clock.ts'
import { messageOf } from '#base/result.ts'
import type { Account, Fetch } from './account.ts'
import { refusalOf, retryAfterMs } from './account-wire.ts'
import type { DeepgramOptions } from './options.ts'
import { speakUrl } from './speak-url.ts'
import { Decoder, type WireAudio, wireAudio } from './wire-audio.ts'

/** The voice of one call over HTTP: a request per sentence, its body spoken as it comes. */
export interface TtsRestDeps {
  readonly options: DeepgramOptions
  readonly account: Account
  readonly fetch?: Fetch
}

interface Failure {
  readonly code: string
  readonly message: string
  readonly retryable: boolean
  /** So long the server asks to wait; it has sent no sound. */
  readonly waitMs?: Milliseconds
}

/** A reply of more sentences than this, unspoken, is a model that runs away. */
const queueMax = 64

export class TtsRestSession implements SessionOf<'tts'> {
  private readonly deps: TtsRestDeps
  private readonly clock: Clock
  private readonly sampleRateHz: SampleRateHz
  private readonly wire: WireAudio
  private readonly life: SessionLife
  private listener: (event: TtsEvent) => void = () => {}
  private queue: string[] = []
  private current: AbortController | null = null
  /** The loop that works the queue off; resolves when there is nothing left. */
  private working: Promise<void> | null = null

  constructor(deps: TtsRestDeps, context: CallContext) {
    this.deps = deps
    this.clock = context.clock
    this.sampleRateHz = context.sampleRateHz
    this.wire = wireAudio(deps.options.encoding, context)
    this.life = new SessionLife(context.signal, () => this.end())
  }

  onEvent(listener: (event: TtsEvent) => void): void {
    this.listener = listener
  }

  send(input: TtsInput): Accepted {
    if (this.life.over) return 'closed'
    if (input.type === 'cancel') {
      this.cancel()
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
    this.cancel()
    await this.working
    const { listener } = this
    this.listener = () => {}
    listener({ type: 'closed' })
  }

  private cancel(): void {
    this.queue = []
    this.current?.abort()
  }

  private async work(): Promise<void> {
    // The sender hears nothing of a sentence from within its own `send`.
    await Promise.resolve()
    for (let text = this.queue.shift(); text !== undefined; text = this.queue.shift()) await this.say(text)
    this.working = null
  }

  private async say(text: string): Promise<void> {
    const current = new AbortController()
    this.current = current
    let failure = await this.request(text, current)
    const waitMs = failure?.waitMs ?? 0
    // A server that asks for less than a reply may take to begin is asked once more.
    if (failure?.retryable === true && waitMs > 0 && waitMs < this.deps.options.reply_timeout_ms) {
      await this.clock.sleep(waitMs, current.signal)
      if (!current.signal.aborted) failure = await this.request(text, current)
    }
    if (current.signal.aborted) return
    if (failure === null) {
      this.listener({ type: 'spoken', text })
      return
    }
    // What comes after a sentence that is missing would make no sense.
    this.queue = []
    const { code, message, retryable } = failure
    this.listener({ type: 'fault', code, message, retryable })
  }

  private async request(text: string, current: AbortController): Promise<Failure | null> {
    const { account, options } = this.deps
    const headers = account.headers()
    if (headers === undefined) return { code: 'no_key', message: 'there is no API key', retryable: false }
    const late = new AbortController()
    const { reply_timeout_ms: maxMs } = options
    let deadline = this.clock.after(maxMs, () => late.abort())
    try {
      const response = await (this.deps.fetch ?? fetch)(speakUrl(account.baseUrl, options, this.wire, true), {
        method: 'POST',
        headers: { ...headers, 'content-type': 'application/json' },
        body: JSON.stringify({ text }),
        signal: AbortSignal.any([current.signal, late.signal]),
      })
      if (!response.ok) {
        const { code, reason, hopeless } = refusalOf(response.status, await response.text())
        if (hopeless) account.refused(code, reason)
        return { code, message: reason, retryable: !hopeless, waitMs: retryAfterMs(response.headers) }
      }
      const decoder = new Decoder(this.wire)
      for await (const bytes of response.body ?? []) {
        if (current.signal.aborted) return null
        deadline[Symbol.dispose]()
        deadline = this.clock.after(maxMs, () => late.abort())
        const samples = decoder.decode(bytes)
        if (samples.length > 0) this.listener({ type: 'audio', frame: { sampleRateHz: this.sampleRateHz, samples } })
      }
      return null
    } catch (thrown) {
      if (late.signal.aborted)
        return { code: 'timeout', message: `no audio of the voice within ${maxMs} ms`, retryable: true }
      const why = messageOf(thrown).split(/[.?] /)[0]
      return { code: 'unreachable', message: `the voice cannot be reached: ${why}`, retryable: true }
    } finally {
      deadline[Symbol.dispose]()
    }
  }
}
