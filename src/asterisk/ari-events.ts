import { Backoff } from '#base/backoff.ts'
import type { Clock, Milliseconds } from '#base/clock.ts'
import type { Log } from '#base/log.ts'
import type { Random } from '#base/random.ts'
import { refusedWith } from '#base/refused-upgrade.ts'
import type { AriChannel, AriClientOptions } from './ari-client.ts'
import { basicAuthorization, bracketed } from './ari-client.ts'

/**
 * The event socket of one Stasis application. It stays connected: a ping finds a dead peer, a capped backoff spares an
 * Asterisk that is down. Being connected is what registers the application: while it is not, `Stasis()` in the dialplan
 * falls through.
 */
export type AriEvent =
  | { readonly type: 'StasisStart'; readonly args: readonly string[]; readonly channel: AriChannel }
  | { readonly type: 'StasisEnd'; readonly channel: AriChannel }
  | { readonly type: 'ChannelHangupRequest'; readonly channel: AriChannel }
  | { readonly type: 'ChannelDestroyed'; readonly channel: AriChannel }
  | { readonly type: 'ChannelDtmfReceived'; readonly digit: string; readonly channel: AriChannel }
  | { readonly type: 'PlaybackStarted'; readonly playback: AriPlayback }
  | { readonly type: 'PlaybackFinished'; readonly playback: AriPlayback }
  | { readonly type: 'ApplicationReplaced' }

export interface AriPlayback {
  readonly id: string
  /** `playing` at its start; at its end `failed`, or `done`, also when it was stopped. */
  readonly state: string
}

const eventTypes: readonly string[] = [
  'StasisStart',
  'StasisEnd',
  'ChannelHangupRequest',
  'ChannelDestroyed',
  'ChannelDtmfReceived',
  'PlaybackStarted',
  'PlaybackFinished',
  'ApplicationReplaced',
] satisfies AriEvent['type'][]

export interface AriEventsOptions extends AriClientOptions {
  readonly application: string
  readonly pingIntervalMs: Milliseconds
  readonly pingTimeoutMs: Milliseconds
  readonly reconnectMaxMs: Milliseconds
}

export interface AriEventsListener {
  event(event: AriEvent): void
  connected(): void
  /** Asked after another engine has taken the application over: is it connected still? */
  applicationTaken(): Promise<boolean>
  disconnected(): void
}

export interface AriEventCounters {
  received: number
  /** Types we have no use for: each Asterisk release adds some. */
  ignored: number
  /** Messages that are no JSON object with a type, or lack what their type promises. */
  malformed: number
  reconnects: number
}

const firstReconnectMs = 250
/** A connection that stood so long was a good one: the next loss is retried quickly again. */
const steadyMs = 5000
/** Two engines that take one application from each other in turn would harm every call: the one that lost it waits. */
const takenCheckMs = 3000

export class AriEvents {
  readonly counters: AriEventCounters = { received: 0, ignored: 0, malformed: 0, reconnects: 0 }
  connected = false
  /** Why there is no connection, in plain words; for /ready and the log. */
  problem = 'not connected yet'
  private readonly options: AriEventsOptions
  private readonly listener: AriEventsListener
  private readonly clock: Clock
  private readonly log: Log
  private readonly backoff: Backoff
  private socket: WebSocket | null = null
  private pinging: Disposable | null = null
  private steady: Disposable | null = null
  private retry: Disposable | null = null
  private lastPongMs = 0
  private stopped = false
  private lastLogged = ''

  constructor(options: AriEventsOptions, listener: AriEventsListener, clock: Clock, log: Log, random: Random) {
    this.options = options
    this.listener = listener
    this.clock = clock
    this.log = log
    this.backoff = new Backoff(firstReconnectMs, options.reconnectMaxMs, random)
  }

  start(): void {
    if (!this.stopped && this.socket === null) this.connect()
  }

  stop(): void {
    this.stopped = true
    this.retry?.[Symbol.dispose]()
    this.pinging?.[Symbol.dispose]()
    this.steady?.[Symbol.dispose]()
    this.socket?.close()
    this.socket = null
    this.connected = false
  }

  private connect(): void {
    const { host, port, application, username, password } = this.options
    const url = `ws://${bracketed(host)}:${port}/ari/events?app=${encodeURIComponent(application)}`
    // The credentials go in a header, so that no log of a URL can hold them. Compression would only cost time.
    const socket = new WebSocket(url, {
      headers: { authorization: basicAuthorization(username, password) },
      perMessageDeflate: false,
    } as unknown as string[])
    this.socket = socket
    // An upgrade that is never answered must not wait for ever.
    const opening = this.clock.after(this.options.pingTimeoutMs, () => this.lost(socket, 'no answer to the upgrade'))
    socket.addEventListener('open', () => {
      opening[Symbol.dispose]()
      if (this.socket === socket) this.opened(socket)
    })
    socket.addEventListener('message', (message) => {
      if (this.socket === socket) this.received(socket, message.data)
    })
    socket.addEventListener('pong', () => {
      this.lastPongMs = this.clock.now()
    })
    socket.addEventListener('error', (event) => {
      opening[Symbol.dispose]()
      this.lost(socket, 'message' in event ? String(event.message) : 'connection failed')
    })
    socket.addEventListener('close', (event) => {
      opening[Symbol.dispose]()
      this.lost(socket, event.reason || `closed with code ${event.code}`)
    })
  }

  private opened(socket: WebSocket): void {
    this.steady = this.clock.after(steadyMs, () => this.backoff.reset())
    this.connected = true
    this.problem = ''
    this.lastLogged = ''
    this.lastPongMs = this.clock.now()
    this.log.info('connected to Asterisk', { application: this.options.application })
    this.pinging = this.clock.every(this.options.pingIntervalMs, () => {
      const { pingIntervalMs, pingTimeoutMs } = this.options
      if (this.clock.now() - this.lastPongMs > pingIntervalMs + pingTimeoutMs) this.lost(socket, 'no answer to a ping')
      else socket.ping()
    })
    this.listener.connected()
  }

  private lost(socket: WebSocket, why: string): void {
    if (this.socket !== socket) return
    this.drop(socket)
    if (this.stopped) return
    const { host, port } = this.options
    this.say(adviceFor(why, `${host}:${port}`))
    this.retry = this.clock.after(this.backoff.next(), () => {
      this.counters.reconnects += 1
      if (!this.stopped) this.connect()
    })
  }

  /** Asterisk keeps the socket open and sends it nothing more; only a new connection gets the application back. */
  private replaced(socket: WebSocket): void {
    this.drop(socket)
    const { application } = this.options
    this.say(
      `another engine has taken over the Stasis application ${application}: stop one of the two, or give each its own asterisk.app_name`,
    )
    this.awaitRelease()
  }

  private awaitRelease(): void {
    this.retry = this.clock.after(takenCheckMs, () => {
      void this.listener.applicationTaken().then((taken) => {
        if (this.stopped || this.socket !== null) return
        if (taken) this.awaitRelease()
        else this.connect()
      })
    })
  }

  private drop(socket: WebSocket): void {
    this.socket = null
    const wasConnected = this.connected
    this.connected = false
    this.pinging?.[Symbol.dispose]()
    this.pinging = null
    this.steady?.[Symbol.dispose]()
    socket.close()
    if (wasConnected) this.listener.disconnected()
  }

  /** The same trouble is said once, not at every attempt. */
  private say(problem: string): void {
    this.problem = problem
    if (problem !== this.lastLogged) this.log.warn('no connection to Asterisk', { why: problem })
    this.lastLogged = problem
  }

  private received(socket: WebSocket, data: unknown): void {
    this.counters.received += 1
    const event = parseAriEvent(data)
    if (event === 'ignored' || event === 'malformed') {
      this.counters[event] += 1
      return
    }
    if (event.type === 'ApplicationReplaced') this.replaced(socket)
    this.listener.event(event)
  }
}

function adviceFor(why: string, where: string): string {
  const status = refusedWith(why)
  if (status === 401)
    return `Asterisk at ${where} refuses the ARI user: check ASTERISK_ARI_USERNAME and _PASSWORD against ari.conf`
  if (status === 403 || status === 404)
    return `${where} answers, but not with ARI: is http.conf enabled and res_ari loaded?`
  return `Asterisk at ${where} does not answer on its ARI port (${why})`
}

export function parseAriEvent(data: unknown): AriEvent | 'ignored' | 'malformed' {
  if (typeof data !== 'string') return 'malformed'
  let parsed: unknown
  try {
    parsed = JSON.parse(data)
  } catch {
    return 'malformed'
  }
  if (typeof parsed !== 'object' || parsed === null || !('type' in parsed)) return 'malformed'
  const { type } = parsed
  if (typeof type !== 'string') return 'malformed'
  if (!eventTypes.includes(type)) return 'ignored'
  const event = parsed as { channel?: { id?: unknown; name?: unknown }; playback?: unknown }
  if (type.startsWith('Playback')) return isPlayback(event.playback) ? (parsed as AriEvent) : 'malformed'
  if (type === 'ApplicationReplaced') return { type }
  if (typeof event.channel?.id !== 'string' || typeof event.channel.name !== 'string') return 'malformed'
  if (type === 'StasisStart' && !isStasisStart(parsed)) return 'malformed'
  return parsed as AriEvent
}

function isPlayback(playback: unknown): boolean {
  if (typeof playback !== 'object' || playback === null) return false
  const { id, state } = playback as { id?: unknown; state?: unknown }
  return typeof id === 'string' && typeof state === 'string'
}

/** Who called and what was dialled are read from this event alone. */
function isStasisStart(event: object): boolean {
  const { args, channel } = event as {
    args?: unknown
    channel: { caller?: { name?: unknown; number?: unknown }; dialplan?: { exten?: unknown } }
  }
  const words = [channel.caller?.name, channel.caller?.number, channel.dialplan?.exten]
  return Array.isArray(args) && words.every((word) => typeof word === 'string')
}
