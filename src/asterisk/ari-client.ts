import type { Milliseconds } from '#base/clock.ts'
import { failed, messageOf, ok, type Result } from '#base/result.ts'
import type { DialplanPlace } from '#call/dialplan-place.ts'

/**
 * Asterisk's REST interface as a thin wrapper over `fetch`: each request has a deadline, and a failure is a value that
 * says what Asterisk answered. Only the requests that patchcord makes are here. Source: Asterisk's rest-api api-docs.
 */
export interface AriError {
  /** `http`: Asterisk answered with `status`; the others: it did not answer. */
  readonly kind: 'http' | 'timeout' | 'unreachable'
  readonly status: number | null
  /** Method and path, and Asterisk's own words; no credentials. */
  readonly message: string
}

export type AriResult<Value> = Result<Value, AriError>

export interface AriChannel {
  readonly id: string
  readonly name: string
  readonly state: string
  readonly caller: { readonly name: string; readonly number: string }
  /** Variables that `channelvars` of ari.conf names; empty ones as well. */
  readonly channelvars?: Readonly<Record<string, string>>
  readonly dialplan: {
    readonly context: string
    readonly exten: string
    readonly priority: number
    /** What the channel runs now, and with what arguments. */
    readonly app_name?: string
    readonly app_data?: string
  }
}

export interface AriBridge {
  readonly id: string
  readonly channels: readonly string[]
}

export interface AriClientOptions {
  readonly host: string
  readonly port: number
  readonly username: string
  readonly password: string
  readonly requestTimeoutMs: Milliseconds
}

export interface ExternalMediaRequest {
  readonly channelId: string
  readonly app: string
  /** What the door asks for: transport, format, where to. */
  readonly media: Readonly<Record<string, string>>
}

/**
 * Requests under way at once. Asterisk's HTTP server keeps at most ten connections waiting to be accepted; beyond that
 * the kernel drops them and a request takes a second longer, just when many calls begin together.
 */
const requestsMax = 6

type Query = Readonly<Record<string, string | number | undefined>>

export class AriClient {
  private readonly base: string
  private readonly authorization: string
  private readonly timeoutMs: Milliseconds
  private underWay = 0
  private readonly waiting: (() => void)[] = []

  constructor(options: AriClientOptions) {
    this.base = `http://${bracketed(options.host)}:${options.port}/ari`
    this.authorization = basicAuthorization(options.username, options.password)
    this.timeoutMs = options.requestTimeoutMs
  }

  asteriskVersion(): Promise<AriResult<string>> {
    return this.request('GET', '/asterisk/info', { only: 'system' }, (body) => {
      const system = (body as { system?: { version?: unknown } }).system
      return typeof system?.version === 'string' ? system.version : 'unknown'
    })
  }

  /** Names of the loaded modules, such as `chan_websocket.so`. */
  modules(): Promise<AriResult<readonly string[]>> {
    return this.request('GET', '/asterisk/modules', {}, (body) =>
      (list(body) as { name: string; status: string }[])
        .filter(({ status }) => status === 'Running')
        .map(({ name }) => name),
    )
  }

  channels(): Promise<AriResult<readonly AriChannel[]>> {
    return this.request('GET', '/channels', {}, (body) => list(body) as AriChannel[])
  }

  channel(channelId: string): Promise<AriResult<AriChannel>> {
    return this.request('GET', `/channels/${encodeURIComponent(channelId)}`, {}, (body) => body as AriChannel)
  }

  /** Whether somebody is connected for this Stasis application. */
  async applicationTaken(application: string): Promise<boolean> {
    const result = await this.request('GET', `/applications/${encodeURIComponent(application)}`, {}, nothing)
    return result.ok || result.error.status !== 404
  }

  bridges(): Promise<AriResult<readonly AriBridge[]>> {
    return this.request('GET', '/bridges', {}, (body) => list(body) as AriBridge[])
  }

  answer(channelId: string): Promise<AriResult<void>> {
    return this.request('POST', `/channels/${encodeURIComponent(channelId)}/answer`, {}, nothing)
  }

  hangup(channelId: string, reason: 'normal' | 'failure' = 'normal'): Promise<AriResult<void>> {
    return this.request('DELETE', `/channels/${encodeURIComponent(channelId)}`, { reason }, nothing)
  }

  setVariable(channelId: string, variable: string, value: string): Promise<AriResult<void>> {
    return this.request('POST', `/channels/${encodeURIComponent(channelId)}/variable`, { variable, value }, nothing)
  }

  /** @param signal nobody waits for the answer any more */
  getVariable(channelId: string, variable: string, signal?: AbortSignal): Promise<AriResult<string>> {
    const path = `/channels/${encodeURIComponent(channelId)}/variable`
    return this.request('GET', path, { variable }, (body) => String((body as { value?: unknown }).value ?? ''), signal)
  }

  /** The channel goes on in the dialplan where it left it, or at this place. */
  continueInDialplan(channelId: string, place: DialplanPlace | null = null): Promise<AriResult<void>> {
    return this.request('POST', `/channels/${encodeURIComponent(channelId)}/continue`, { ...place }, nothing)
  }

  /**
   * `dtmf_events` and `proxy_media` keep Asterisk from joining the two channels behind our back. With `sendsAlways` each
   * channel is sent a frame every 20 ms by Asterisk's own clock, whatever the others send: `video_sfu` is the only way to
   * ask for the mixing technology that does so for two channels. Without it the frames of one go to the other as they come.
   */
  createBridge(bridgeId: string, sendsAlways = false): Promise<AriResult<void>> {
    const type = `mixing,dtmf_events,proxy_media${sendsAlways ? ',video_sfu' : ''}`
    return this.request('POST', `/bridges/${encodeURIComponent(bridgeId)}`, { type, name: bridgeId }, nothing)
  }

  addToBridge(bridgeId: string, channelId: string): Promise<AriResult<void>> {
    return this.request('POST', `/bridges/${encodeURIComponent(bridgeId)}/addChannel`, { channel: channelId }, nothing)
  }

  /** Each playback waits for the one before it on this channel. */
  playOnChannel(channelId: string, playbackId: string, media: string): Promise<AriResult<void>> {
    return this.request('POST', `/channels/${encodeURIComponent(channelId)}/play`, { media, playbackId }, nothing)
  }

  /** `queued`, `playing`, `continuing`, `done` or `failed`; 404 once it has ended, since Asterisk then forgets it. */
  playback(playbackId: string): Promise<AriResult<{ readonly state: string }>> {
    return this.request('GET', `/playbacks/${encodeURIComponent(playbackId)}`, {}, (body) => {
      const { state } = body as { state?: unknown }
      return { state: typeof state === 'string' ? state : 'unknown' }
    })
  }

  /** Holds it where it is, or lets it go on from there. */
  pausePlayback(playbackId: string, paused: boolean): Promise<AriResult<void>> {
    const operation = paused ? 'pause' : 'unpause'
    return this.request('POST', `/playbacks/${encodeURIComponent(playbackId)}/control`, { operation }, nothing)
  }

  /** What is playing, or waiting to, is heard no more. */
  stopPlayback(playbackId: string): Promise<AriResult<void>> {
    return this.request('DELETE', `/playbacks/${encodeURIComponent(playbackId)}`, {}, nothing)
  }

  /** Makes a channel in `app`: what is played on it is added to what `channelId` hears, and to nothing else. */
  whisperTo(channelId: string, whisperChannelId: string, app: string): Promise<AriResult<void>> {
    const query = { app, whisper: 'out', snoopId: whisperChannelId }
    return this.request('POST', `/channels/${encodeURIComponent(channelId)}/snoop`, query, nothing)
  }

  /** Every channel in the bridge hears it. */
  playOnBridge(bridgeId: string, playbackId: string, media: string): Promise<AriResult<void>> {
    return this.request('POST', `/bridges/${encodeURIComponent(bridgeId)}/play`, { media, playbackId }, nothing)
  }

  destroyBridge(bridgeId: string): Promise<AriResult<void>> {
    return this.request('DELETE', `/bridges/${encodeURIComponent(bridgeId)}`, {}, nothing)
  }

  /** The new channel's variables: where Asterisk listens for RTP, the id of its WebSocket. */
  externalMedia(request: ExternalMediaRequest): Promise<AriResult<Readonly<Record<string, string>>>> {
    const query = { channelId: request.channelId, app: request.app, ...request.media }
    return this.request('POST', '/channels/externalMedia', query, (body) => {
      const { channelvars } = body as { channelvars?: Readonly<Record<string, string>> }
      return channelvars ?? {}
    })
  }

  private async request<Value>(
    method: string,
    path: string,
    query: Query,
    read: (body: unknown) => Value,
    signal?: AbortSignal,
  ): Promise<AriResult<Value>> {
    const parameters = new URLSearchParams()
    for (const [name, value] of Object.entries(query)) if (value !== undefined) parameters.set(name, String(value))
    const text = parameters.size === 0 ? '' : `?${parameters}`
    await this.turn()
    const timeout = AbortSignal.timeout(this.timeoutMs)
    try {
      const response = await fetch(`${this.base}${path}${text}`, {
        method,
        headers: { authorization: this.authorization },
        signal: signal === undefined ? timeout : AbortSignal.any([timeout, signal]),
      })
      const body = await response.text()
      if (response.ok) return readBody(body, read, `${method} ${path}`, response.status)
      return failed({
        kind: 'http',
        status: response.status,
        message: `${method} ${path}: ${response.status} ${asteriskWords(body)}`,
      })
    } catch (thrown) {
      const timedOut = thrown instanceof Error && thrown.name === 'TimeoutError'
      const why = timedOut ? `no answer within ${this.timeoutMs} ms` : messageOf(thrown)
      return failed({ kind: timedOut ? 'timeout' : 'unreachable', status: null, message: `${method} ${path}: ${why}` })
    } finally {
      // The place is handed on rather than freed, so that nobody can slip in between.
      const next = this.waiting.shift()
      if (next === undefined) this.underWay -= 1
      else next()
    }
  }

  /** Resolves when this request may be made; first come, first served. */
  private async turn(): Promise<void> {
    if (this.underWay >= requestsMax) return await new Promise<void>((resolve) => this.waiting.push(resolve))
    this.underWay += 1
  }
}

/** What is gone need not be taken down: a 404 on a removal is what was wanted. */
export function goneOrDone(result: AriResult<void>): boolean {
  return result.ok || result.error.status === 404
}

export function basicAuthorization(username: string, password: string): string {
  return `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`
}

export function bracketed(host: string): string {
  return host.includes(':') && !host.startsWith('[') ? `[${host}]` : host
}

const nothing = (): void => undefined

function list(body: unknown): unknown[] {
  if (!Array.isArray(body)) throw new Error('expected a list')
  return body
}

/** An answer that makes no sense is Asterisk's failure and no connection's. */
function readBody<Value>(body: string, read: (body: unknown) => Value, what: string, status: number): AriResult<Value> {
  try {
    return ok(read(body === '' ? null : JSON.parse(body)))
  } catch (thrown) {
    return failed({ kind: 'http', status, message: `${what}: an answer that cannot be read (${messageOf(thrown)})` })
  }
}

/** Asterisk says `message`, and in one case `error`. */
function asteriskWords(body: string): string {
  try {
    const parsed = JSON.parse(body) as { message?: unknown; error?: unknown }
    return String(parsed.message ?? parsed.error ?? '')
  } catch {
    return body.slice(0, 200)
  }
}
