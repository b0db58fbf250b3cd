import type { Fetch } from '#agent/server-look.ts'
import type { Tally } from '#agent/tally.ts'
import { encodeWav } from '#audio/wav.ts'
import type { Clock, Milliseconds } from '#base/clock.ts'
import type { Account } from './account.ts'
import { retryAfterMs } from './account-wire.ts'
import { isFlux } from './listen-url.ts'
import { readTranscript } from './listen-wire.ts'
import type { DeepgramOptions } from './options.ts'

/**
 * The words in a stretch of audio at once, over HTTP (`POST /v1/listen`): what is said over the agent is judged by them. An
 * answer that comes late is of no use, and a server that refuses is left alone for as long as it asks.
 */
export interface ListenOnceDeps {
  readonly options: DeepgramOptions
  readonly account: Account
  readonly clock: Clock
  readonly tally: Tally
  readonly fetch?: Fetch
}

const answerMaxMs: Milliseconds = 800
/** After a refusal that names no time. */
const restMs: Milliseconds = 30_000
/** Flux listens to streams only. */
const modelBesideFlux = 'nova-3'

export class ListenOnce {
  private readonly deps: ListenOnceDeps
  private restsUntilMs: Milliseconds = 0

  constructor(deps: ListenOnceDeps) {
    this.deps = deps
  }

  /** Empty: none were heard; null: it cannot say now. Never rejects. */
  async wordsIn(samples: Int16Array<ArrayBuffer>, sampleRateHz: number, signal: AbortSignal): Promise<string | null> {
    const { account, clock, tally } = this.deps
    const headers = account.headers()
    if (headers === undefined || signal.aborted || clock.now() < this.restsUntilMs) return null
    const late = new AbortController()
    using _ = clock.after(answerMaxMs, () => late.abort())
    try {
      const response = await (this.deps.fetch ?? fetch)(this.url, {
        method: 'POST',
        headers: { ...headers, 'content-type': 'audio/wav' },
        body: encodeWav({ samples, sampleRateHz }) as Uint8Array<ArrayBuffer>,
        signal: AbortSignal.any([signal, late.signal]),
      })
      const text = await response.text()
      if (response.ok) return readTranscript(text)
      tally.count(`words_refused_${response.status}`)
      this.restsUntilMs = clock.now() + (retryAfterMs(response.headers) || restMs)
      return null
    } catch {
      if (!signal.aborted) tally.count(late.signal.aborted ? 'words_late' : 'words_unreachable')
      return null
    }
  }

  private get url(): string {
    const { account, options } = this.deps
    const { listen, tags, mip_opt_out: optOut } = options
    const params = new URLSearchParams()
    params.set('model', isFlux(listen.model) ? modelBesideFlux : listen.model)
    // Whose call it is, is not known here.
    params.set('language', listen.language || 'multi')
    for (const tag of tags) params.append('tag', tag)
    if (optOut) params.set('mip_opt_out', 'true')
    return `${account.baseUrl}/v1/listen?${params}`
  }
}
