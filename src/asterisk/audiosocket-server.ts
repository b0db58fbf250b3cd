import type { Socket, TCPSocketListener } from 'bun'
import type { SampleRateHz } from '#audio/format.ts'
import type { Clock } from '#base/clock.ts'
import type { Log } from '#base/log.ts'
import type { HangupCause } from '#call/leg.ts'
import type { AllowList } from './allow-list.ts'
import { AudioSocketParser, terminateMessage, type Violation } from './audiosocket.ts'
import { AudioSocketLeg } from './audiosocket-leg.ts'
import type { Acceptance } from './door.ts'
import { unsentBytes } from './unsent-bytes.ts'

/**
 * The TCP port that Asterisk connects to. It checks who comes, waits for the UUID, and hands a leg to whoever owns the
 * call with that UUID; what is wrong with one connection ends that connection, is counted, and touches no other.
 */

/** Why a connection was turned away before it became a leg; a metric label. */
export type Rejection =
  | 'not_allowed'
  | 'too_many_connections'
  | 'uuid_timeout'
  | 'closed_before_uuid'
  | 'unknown_uuid'
  | 'duplicate_uuid'
  | 'refused'
  | Violation

/** Read at each connection, but for host and port: a getter may change it for the next. */
export interface AudioSocketServerOptions {
  readonly host: string
  readonly port: number
  readonly sampleRateHz: SampleRateHz
  readonly uuidTimeoutMs: number
  /** 0: a peer may be silent for ever. */
  readonly silentPeerTimeoutMs: number
  readonly connectionsMax: number
  readonly allowList: AllowList
  readonly clock: Clock
  readonly log: Log
  /**
   * Who takes the connection with this UUID? The owner sets its listener before it returns.
   * `unknown_uuid`: nobody waits for it. `refused`: no further call is taken now.
   */
  readonly accept: (uuid: string, leg: AudioSocketLeg, peer: string) => Acceptance
}

export interface AudioSocketCounters {
  accepted: number
  unknownKinds: number
  readonly rejected: Partial<Record<Rejection, number>>
  readonly violations: Partial<Record<Violation, number>>
}

interface Connection {
  leg: AudioSocketLeg | null
  readonly parser: AudioSocketParser
  /** Waits for the UUID; once the connection is turned away, for the peer to close its side. */
  timer: Disposable
  /** Turned away or broken: what still arrives is not looked at. */
  done: boolean
  /** Closed and counted out. */
  gone: boolean
}

/** A leg, and for how long it may be silent. */
interface Seat {
  readonly leg: AudioSocketLeg
  readonly silentMaxMs: number
}

type ConnectionSocket = Socket<Connection>

export class AudioSocketServer {
  readonly counters: AudioSocketCounters = { accepted: 0, unknownKinds: 0, rejected: {}, violations: {} }
  private readonly options: AudioSocketServerOptions
  private readonly listener: TCPSocketListener<Connection>
  private readonly sweep: Disposable
  private readonly seats: Seat[] = []
  private open = 0

  /** Listens at once. Throws when the port cannot be bound; the message names host and port. */
  constructor(options: AudioSocketServerOptions) {
    this.options = options
    try {
      this.listener = Bun.listen<Connection>({
        hostname: options.host,
        port: options.port,
        socket: {
          open: (socket) => this.opened(socket),
          data: (socket, chunk) => {
            if (!socket.data.done) socket.data.parser.push(chunk)
          },
          drain: (socket) => socket.data.leg?.drained(),
          close: (socket) => this.gone(socket.data),
          error: (socket, error) => this.failed(socket, error),
        },
      })
    } catch (thrown) {
      const why = thrown instanceof Error ? thrown.message : String(thrown)
      throw new Error(
        `AudioSocket cannot listen on ${options.host}:${options.port} (${why}): is another engine running?`,
      )
    }
    this.sweep = options.clock.every(1000, () => this.dropSilentPeers())
  }

  get port(): number {
    return this.listener.port
  }

  get connections(): number {
    return this.open
  }

  /** Stops accepting; legs that are open stay with their owners. */
  close(): void {
    this.sweep[Symbol.dispose]()
    this.listener.stop(false)
  }

  private opened(socket: ConnectionSocket): void {
    const { options } = this
    const connection: Connection = {
      leg: null,
      done: false,
      gone: false,
      timer: options.clock.after(options.uuidTimeoutMs, () => this.reject(socket, connection, 'uuid_timeout')),
      parser: new AudioSocketParser({
        uuid: (uuid) => this.identified(socket, connection, uuid),
        audio: (sampleRateHz, pcm) => {
          if (sampleRateHz !== options.sampleRateHz) this.violated(socket, connection, 'unexpected_rate')
          else if (connection.leg?.receiveAudio(pcm) === 'flood') this.violated(socket, connection, 'flood')
        },
        dtmf: (digit) => connection.leg?.receiveDtmf(digit),
        terminated: () => connection.leg?.lost('caller'),
        unknown: () => {
          this.counters.unknownKinds += 1
        },
        violation: (violation) => this.violated(socket, connection, violation),
      }),
    }
    socket.data = connection
    socket.setNoDelay(true)
    socket.setKeepAlive(true, 5000)
    if (!options.allowList.allows(socket.remoteAddress)) return this.shutOut(socket, connection)
    this.open += 1
    if (this.open > options.connectionsMax) this.reject(socket, connection, 'too_many_connections')
  }

  /** Who is not on the list gets no word and takes no place. */
  private shutOut(socket: ConnectionSocket, connection: Connection): void {
    connection.done = true
    connection.gone = true
    connection.timer[Symbol.dispose]()
    this.count('not_allowed', socket.remoteAddress)
    socket.terminate()
  }

  private identified(socket: ConnectionSocket, connection: Connection, uuid: string): void {
    connection.timer[Symbol.dispose]()
    const { sampleRateHz, clock, silentPeerTimeoutMs: silentMaxMs } = this.options
    const leg = new AudioSocketLeg(socket, sampleRateHz, clock, () => unsentBytes(socket))
    connection.leg = leg
    // Before its owner has it: a leg that is closed at once must find itself in the list to leave it.
    this.seats.push({ leg, silentMaxMs })
    const acceptance = this.options.accept(uuid, leg, socket.remoteAddress)
    if (acceptance !== 'accepted') {
      connection.leg = null
      this.drop(leg)
      return this.reject(socket, connection, acceptance)
    }
    this.counters.accepted += 1
  }

  private violated(socket: ConnectionSocket, connection: Connection, violation: Violation): void {
    if (connection.leg === null) return this.reject(socket, connection, violation)
    if (connection.done) return
    this.counters.violations[violation] = (this.counters.violations[violation] ?? 0) + 1
    connection.done = true
    this.options.log.warn('audiosocket peer broke the protocol', { violation, peer: socket.remoteAddress })
    connection.leg.lost('protocol_error')
  }

  private reject(socket: ConnectionSocket, connection: Connection, reason: Rejection): void {
    if (connection.done) return
    connection.done = true
    connection.timer[Symbol.dispose]()
    this.count(reason, socket.remoteAddress)
    // A peer that keeps its side open must not keep ours. Armed first: the end may close the socket at once.
    connection.timer = this.options.clock.after(1000, () => socket.terminate())
    socket.write(terminateMessage)
    socket.end()
  }

  /** A reset is how a caller's hang-up looks when our last frame was under way; what a handler throws comes here too. */
  private failed(socket: ConnectionSocket, error: Error): void {
    const ourBug = !('code' in error)
    if (ourBug) this.options.log.error('a fault of the engine ends a media connection', { why: error.message })
    socket.terminate()
    this.gone(socket.data, ourBug ? 'internal_error' : 'caller')
  }

  /** `error` may be followed by `close`: only the first of them counts. */
  private gone(connection: Connection | undefined, cause: HangupCause = 'caller'): void {
    if (connection === undefined || connection.gone) return
    connection.gone = true
    this.open -= 1
    connection.timer[Symbol.dispose]()
    const { leg } = connection
    if (leg === null) {
      if (!connection.done) this.count('closed_before_uuid', '')
      return
    }
    connection.leg = null
    this.drop(leg)
    leg.end(cause)
  }

  private drop(leg: AudioSocketLeg): void {
    const index = this.seats.findIndex((seat) => seat.leg === leg)
    if (index >= 0) this.seats.splice(index, 1)
  }

  /** Counted, and said at the first, second, fourth, eighth … time: whoever knocks all day must not fill the log. */
  private count(reason: Rejection, peer: string): void {
    const times = (this.counters.rejected[reason] ?? 0) + 1
    this.counters.rejected[reason] = times
    if (Number.isInteger(Math.log2(times))) {
      this.options.log.warn('audiosocket connection turned away', { reason, peer, times })
    }
  }

  private dropSilentPeers(): void {
    for (const { leg, silentMaxMs } of [...this.seats]) {
      if (silentMaxMs > 0 && leg.quietMs() > silentMaxMs) leg.lost('media_lost')
    }
  }
}
