import type { CallContext } from '#agent/provider.ts'
import type { SentenceVoice, Unsaid } from '#agent/sentence-queue.ts'
import { type Fetch, networkError } from '#agent/server-look.ts'
import type { Clock, Milliseconds } from '#base/clock.ts'
import type { Account } from './account.ts'
import { refusalOf, retryAfterMs } from './account-wire.ts'
import type { DeepgramOptions } from './options.ts'
import { speakUrl } from './speak-url.ts'
import { Decoder, type WireAudio, wireAudio } from './wire-audio.ts'

/** The voice of one call over HTTP: a request per sentence, its body passed on as it comes. */
export interface TtsRestDeps {
  readonly options: DeepgramOptions
  readonly account: Account
  readonly fetch?: Fetch
}

interface Failure extends Unsaid {
  /** So long the server asks to wait; it has sent no sound. */
  readonly waitMs?: Milliseconds
}

export class RestVoice implements SentenceVoice {
  private readonly deps: TtsRestDeps
  private readonly clock: Clock
  private readonly wire: WireAudio

  constructor(deps: TtsRestDeps, context: CallContext) {
    this.deps = deps
    this.clock = context.clock
    this.wire = wireAudio(deps.options.encoding, context)
  }

  async say(text: string, signal: AbortSignal, pass: (samples: Int16Array) => void): Promise<Unsaid | null> {
    const failure = await this.request(text, signal, pass)
    const waitMs = failure?.waitMs ?? 0
    // A server that asks for less than a reply may take to begin is asked once more.
    if (failure?.retryable !== true || waitMs <= 0 || waitMs >= this.deps.options.reply_timeout_ms) return failure
    await this.clock.sleep(waitMs, signal)
    return signal.aborted ? failure : this.request(text, signal, pass)
  }

  private async request(
    text: string,
    signal: AbortSignal,
    pass: (samples: Int16Array) => void,
  ): Promise<Failure | null> {
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
        signal: AbortSignal.any([signal, late.signal]),
      })
      if (!response.ok) {
        const { code, reason, hopeless } = refusalOf(response.status, await response.text())
        if (hopeless) account.refused(code, reason)
        return { code, message: reason, retryable: !hopeless, waitMs: retryAfterMs(response.headers) }
      }
      const decoder = new Decoder(this.wire)
      for await (const bytes of response.body ?? []) {
        if (signal.aborted) return null
        deadline[Symbol.dispose]()
        deadline = this.clock.after(maxMs, () => late.abort())
        const samples = decoder.decode(bytes)
        if (samples.length > 0) pass(samples)
      }
      return null
    } catch (thrown) {
      if (late.signal.aborted)
        return { code: 'timeout', message: `no audio of the voice within ${maxMs} ms`, retryable: true }
      return { code: 'unreachable', message: `the voice cannot be reached: ${networkError(thrown)}`, retryable: true }
    } finally {
      deadline[Symbol.dispose]()
    }
  }
}
