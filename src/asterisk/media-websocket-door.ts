import { type WireFormat, wireFormats } from '#audio/format.ts'
import type { Clock, Milliseconds } from '#base/clock.ts'
import type { Log } from '#base/log.ts'
import { refusedWith } from '#base/refused-upgrade.ts'
import { failed, messageOf, ok, type Result } from '#base/result.ts'
import type { AcceptLeg, Door, MediaOrder, PreparedMedia } from './door.ts'
import { parseMediaEvent } from './media-websocket.ts'
import {
  type MediaLegCounters,
  type MediaLegOwner,
  MediaWebSocketLeg,
  noMediaLegCounters,
} from './media-websocket-leg.ts'
import {
  connectMedia,
  listenForMedia,
  type MediaConnection,
  type MediaConnectionHandler,
  type MediaConnectOptions,
  type MediaDenial,
  type MediaListener,
  type MediaListenOptions,
} from './media-websocket-link.ts'

/**
 * Media over WebSocket (Asterisk's chan_websocket), in either direction: the engine connects to Asterisk's own HTTP port,
 * or Asterisk connects to a port of the engine's, as a section of websocket_client.conf says.
 *
 * Which call a connection is for: in the first case the engine knows, by the id in the path it connects to, which is the
 * only credential that Asterisk asks for. In the second MEDIA_START says it: the id of the channel is of our own choosing.
 * The URI could carry it as well, by `v(…)` in the dial string, and must not: Asterisk keeps those parameters in the one
 * object that all calls of the section share, so that a call can arrive with the parameters of another (seen on 22.10.1:
 * a call without `v(…)` brought those of the call before it), and a caller would be heard in somebody else's call.
 *
 * The options are read at each connection, but for what is bound: a getter may change them for the next.
 */
export interface MediaWebSocketDoorOptions {
  readonly connection: MediaConnectOptions | MediaListenOptions
  /** Neither MEDIA_START nor audio within this time: the connection is given up, and its call is told. */
  readonly startTimeoutMs: Milliseconds
  /** 0: a peer may be silent for ever. It is asked once a second, so a caller on hold is no silent peer. */
  readonly silentPeerTimeoutMs: Milliseconds
  readonly connectionsMax: number
  readonly clock: Clock
  readonly log: Log
  readonly accept: AcceptLeg
}

/** Why a connection was turned away, or could not be made, before it became a leg; a metric label. */
export type MediaRejection =
  | MediaDenial
  | 'too_many_connections'
  | 'connect_failed'
  | 'start_timeout'
  | 'closed_before_start'
  | 'unknown_uuid'
  | 'duplicate_uuid'
  | 'refused'

export interface MediaWebSocketCounters extends MediaLegCounters {
  accepted: number
  readonly rejected: Partial<Record<MediaRejection, number>>
}

/** A call that has ordered its media. */
interface Ordered {
  readonly order: MediaOrder
  /** The one connection that is for it: being made, or open, or over. */
  connection: MediaConnection | null
}

const connectionIdVariable = 'MEDIA_WEBSOCKET_CONNECTION_ID'

export class MediaWebSocketDoor implements Door {
  readonly transport = 'websocket'
  readonly formats: readonly WireFormat[] = wireFormats
  readonly counters: MediaWebSocketCounters = { ...noMediaLegCounters(), accepted: 0, rejected: {} }
  private readonly options: MediaWebSocketDoorOptions
  private readonly ordered: Ordered[] = []
  private readonly open: MediaConnection[] = []
  private readonly listener: MediaListener | null
  private readonly sweep: Disposable
  private closed = false

  /** Listens at once where Asterisk is to connect; throws when the port cannot be bound, and names host and port. */
  constructor(options: MediaWebSocketDoorOptions) {
    this.options = options
    const { connection, clock } = options
    this.listener =
      connection.direction === 'listen'
        ? listenForMedia(connection, {
            ...this.handler,
            denied: (denial, peer) => this.count(denial, { peer }),
            gate: (peer) => this.gate(peer),
          })
        : null
    this.sweep = clock.every(1000, () => this.dropSilentPeers())
  }

  /** Where Asterisk connects to; null when the engine connects. */
  get port(): number | null {
    return this.listener?.port ?? null
  }

  get connections(): number {
    return this.open.length
  }

  async prepare(order: MediaOrder): Promise<Result<PreparedMedia, string>> {
    const { connection, connectionsMax } = this.options
    if (this.closed) return failed('no media WebSocket is opened any more: the engine is stopping')
    if (this.open.length >= connectionsMax) {
      return failed(
        `${connectionsMax} media WebSockets are open, the most allowed: raise media_websocket.max_connections`,
      )
    }
    if (this.ordered.some((each) => each.order.channelId === order.channelId)) {
      return failed(`the media channel ${order.channelId} is ordered already`)
    }
    const ordered: Ordered = { order, connection: null }
    this.ordered.push(ordered)
    return ok({
      request: requestFor(connection, order),
      made: (variables) => this.made(ordered, variables),
      release: () => this.release(ordered),
    })
  }

  close(): void {
    if (this.closed) return
    this.closed = true
    this.sweep[Symbol.dispose]()
    this.listener?.stop()
    for (const ordered of [...this.ordered]) this.release(ordered)
    // Those that have not named their call yet.
    for (const connection of [...this.open]) if (connection.leg === null) this.turnAway(connection)
  }

  private made(ordered: Ordered, variables: Readonly<Record<string, string>>): void {
    const { connection: to } = this.options
    if (to.direction === 'listen' || ordered.connection !== null || !this.ordered.includes(ordered)) return
    try {
      const connection = connectMedia(to, variables[connectionIdVariable] ?? '', this.handler)
      ordered.connection = connection
      this.admit(connection)
      this.startLeg(connection, ordered)
    } catch (thrown) {
      // An address that is none.
      this.count('connect_failed', { why: messageOf(thrown) })
    }
  }

  private release(ordered: Ordered): void {
    const index = this.ordered.indexOf(ordered)
    if (index >= 0) this.ordered.splice(index, 1)
    const { connection } = ordered
    if (connection?.leg == null || connection.handedOver) return
    connection.done = true
    void connection.leg.close('setup_failed')
  }

  // ── connections, in either direction ──────────────────────────────────────────────────────────────────────────

  /** Before the upgrade, where a refusal can still say why: no call waits for media, or there are too many. */
  private gate(peer: string): 404 | 503 | null {
    if (!this.ordered.some(({ connection }) => connection === null)) {
      this.count('unknown_uuid', { peer })
      return 404
    }
    if (this.open.length < this.options.connectionsMax) return null
    this.count('too_many_connections', { peer })
    return 503
  }

  private readonly handler: MediaConnectionHandler = {
    opened: (connection) => {
      // One that the engine makes has its leg from the start.
      if (connection.leg === null) this.admit(connection)
    },
    text: (connection, text) => {
      if (connection.leg === null && !connection.done) this.identifyBy(connection, text)
      connection.leg?.receiveText(text)
    },
    audio: (connection, bytes) => connection.leg?.receiveAudio(bytes),
    closed: (connection, clean, why) => this.connectionClosed(connection, clean, why),
    broke: (connection, why) => {
      this.options.log.error('a fault of the engine ends a media connection', { why })
      if (connection.leg === null) connection.socket.terminate()
      else connection.leg.lost('internal_error')
    },
  }

  private admit(connection: MediaConnection): void {
    this.open.push(connection)
    connection.silentMaxMs = this.options.silentPeerTimeoutMs
    connection.timer = this.options.clock.after(this.options.startTimeoutMs, () => this.startedTooLate(connection))
  }

  private startedTooLate(connection: MediaConnection): void {
    this.count('start_timeout', { peer: connection.peer })
    if (connection.leg === null) this.turnAway(connection)
    else connection.leg.lost('media_lost')
  }

  /** What comes before MEDIA_START is dropped: nobody knows whose it is. */
  private identifyBy(connection: MediaConnection, text: string): void {
    const event = parseMediaEvent(text)
    if (event === 'unknown') this.counters.unknownEvents += 1
    else if (event === 'malformed') this.counters.malformedEvents += 1
    else if (event.type === 'media_start') this.identified(connection, event.channelId)
  }

  private identified(connection: MediaConnection, channelId: string): void {
    const ordered = this.ordered.find(({ order }) => order.channelId === channelId)
    if (ordered === undefined || ordered.connection !== null) {
      this.count(ordered === undefined ? 'unknown_uuid' : 'duplicate_uuid', { peer: connection.peer })
      return this.turnAway(connection)
    }
    ordered.connection = connection
    this.startLeg(connection, ordered)
  }

  private startLeg(connection: MediaConnection, { order }: Ordered): void {
    const { clock, log } = this.options
    const owner: MediaLegOwner = {
      began: (leg, failing) => this.handOver(connection, leg, order, failing),
      gone: () => this.forget(connection),
    }
    const { counters } = this
    const { socket } = connection
    connection.leg = new MediaWebSocketLeg({ socket, format: order.format, owner, counters, clock, log })
  }

  private handOver(connection: MediaConnection, leg: MediaWebSocketLeg, order: MediaOrder, failing: boolean): void {
    connection.timer?.[Symbol.dispose]()
    connection.handedOver = true
    const acceptance = this.options.accept(order.uuid, leg, connection.peer)
    if (acceptance === 'accepted') {
      if (!failing) this.counters.accepted += 1
      return
    }
    if (!failing) this.count(acceptance, { peer: connection.peer })
    void leg.close('setup_failed')
  }

  private connectionClosed(connection: MediaConnection, clean: boolean, why: string): void {
    const { leg } = connection
    if (leg === null) {
      if (!connection.done) this.count('closed_before_start', { peer: connection.peer })
      return this.forget(connection)
    }
    if (!connection.handedOver && !connection.done && this.open.includes(connection)) this.sayWhyNot(connection, why)
    leg.socketClosed(clean)
  }

  private sayWhyNot(connection: MediaConnection, why: string): void {
    const connecting = this.options.connection.direction === 'connect'
    const { peer } = connection
    this.count(connecting ? 'connect_failed' : 'closed_before_start', {
      peer,
      why: connecting ? adviceFor(why, peer) : why,
    })
  }

  /** Says goodbye to a connection that has no leg; a peer that keeps its side open must not keep ours. */
  private turnAway(connection: MediaConnection): void {
    connection.done = true
    connection.timer?.[Symbol.dispose]()
    // Armed first: the goodbye may close the socket at once.
    connection.timer = this.options.clock.after(1000, () => connection.socket.terminate())
    connection.socket.close()
  }

  private forget(connection: MediaConnection): void {
    connection.timer?.[Symbol.dispose]()
    connection.done = true
    const index = this.open.indexOf(connection)
    if (index >= 0) this.open.splice(index, 1)
  }

  /** Counted, and said at the first, second, fourth, eighth … time: whoever knocks all day must not fill the log. */
  private count(reason: MediaRejection, seen: Readonly<Record<string, string>>): void {
    const times = (this.counters.rejected[reason] ?? 0) + 1
    this.counters.rejected[reason] = times
    if (Number.isInteger(Math.log2(times))) {
      this.options.log.warn('media websocket came to nothing', { reason, ...seen, times })
    }
  }

  private dropSilentPeers(): void {
    for (const { leg, silentMaxMs } of [...this.open]) {
      if (leg !== null && silentMaxMs > 0 && leg.quietMs() > silentMaxMs) leg.lost('media_lost')
    }
  }
}

/** An Asterisk that knows no `transport_data` ignores it, and speaks the plain form. */
function requestFor(to: MediaConnectOptions | MediaListenOptions, order: MediaOrder): Readonly<Record<string, string>> {
  return {
    transport: 'websocket',
    encapsulation: 'none',
    format: order.format,
    transport_data: 'f(json)',
    ...(to.direction === 'connect'
      ? { connection_type: 'server', external_host: 'INCOMING' }
      : { connection_type: 'client', external_host: to.section }),
  }
}

function adviceFor(why: string, where: string): string {
  const status = refusedWith(why)
  if (status === 404) {
    return `Asterisk at ${where} knows no such media channel: it has ended, or chan_websocket is not loaded, or this is another Asterisk than ARI's`
  }
  if (status === 409) return `Asterisk at ${where} has a media connection for this channel already`
  return `Asterisk at ${where} does not take a media WebSocket (${why}): are http.conf and the address right?`
}
