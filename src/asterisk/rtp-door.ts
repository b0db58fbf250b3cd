import type { WireFormat } from '#audio/format.ts'
import type { Clock } from '#base/clock.ts'
import type { Log } from '#base/log.ts'
import type { Random } from '#base/random.ts'
import { failed, messageOf, ok, type Result } from '#base/result.ts'
import type { Pacer } from '#call/pacer.ts'
import type { AllowList } from './allow-list.ts'
import type { Acceptance, AcceptLeg, Door, MediaOrder, PreparedMedia } from './door.ts'
import { type Dropped, type Endpoint, plainAddress } from './remote-endpoint.ts'
import { headerBytes } from './rtp.ts'
import { type RtpCounters, RtpLeg } from './rtp-leg.ts'
import { RtpPorts, type RtpSocket } from './rtp-ports.ts'

/**
 * External media over RTP (`UnicastRTP`). Asterisk always sends to the `external_host` of the request, so the port is
 * bound before Asterisk is asked; and it takes at once what comes from that same port, so the leg sends from there.
 *
 * `per_call` tells calls apart by our port, which nothing of the far side can confuse. `shared` has one port to open in
 * a firewall, and tells them apart by the far side's: the address and port that Asterisk announced, or the same port at
 * another address, or, where sources may change, the SSRC. What fits no call, or more than one, is dropped rather than
 * guessed: a guess is one caller hearing another. A NAT that changes ports therefore needs `per_call`.
 */
/**
 * Of the formats that Asterisk sends over RTP these are the ones that it takes. UnicastRTP has no SDP, and without one
 * `ast_rtp_codecs_get_payload` knows payload types up to 34 only: slin16 (118), slin24 and slin48 are received and
 * dropped without a word, seen with Asterisk 22.10.1. The caller would hear nothing.
 */
const takenByAsterisk: readonly WireFormat[] = ['ulaw', 'alaw', 'slin']

/** Read when a leg is opened, but for what binds the ports: a getter may change it for the next. */
export interface RtpDoorOptions {
  readonly host: string
  /** Where Asterisk reaches `host`: the address in `external_host`. */
  readonly advertiseHost: string
  readonly portMin: number
  readonly portMax: number
  readonly ports: 'per_call' | 'shared'
  readonly allowList: AllowList
  /** False: a source that changes in mid-call is followed, as long as its SSRC stays. */
  readonly lockRemote: boolean
  readonly jitterBufferMaxMs: number
  /** 0: a peer may be silent for ever. */
  readonly silentPeerTimeoutMs: number
  readonly clock: Clock
  readonly random: Random
  readonly log: Log
  readonly pacer: Pacer
  readonly accept: AcceptLeg
}

export interface RtpDoorCounters extends RtpCounters {
  /** Legs whose call took them. */
  accepted: number
  readonly rejected: Partial<Record<Exclude<Acceptance, 'accepted'>, number>>
  /** Calls that got no port: the range is used up, or the address is not ours. */
  bindFailures: number
  /** ICMP answers to what was sent: the far side has gone. */
  refusals: number
}

/** What a socket's packets go to: the one leg of a port of its own. */
interface Seat {
  leg: RtpLeg | null
}

export class RtpDoor implements Door {
  readonly transport = 'externalmedia'
  readonly formats = takenByAsterisk
  readonly counters: RtpDoorCounters = {
    packetsIn: 0,
    packetsOut: 0,
    dropped: {},
    unsent: { refused: 0, full: 0, no_remote: 0 },
    streams: { ssrcChanges: 0, sequenceRestarts: 0, timestampJumps: 0, shortened: 0 },
    accepted: 0,
    rejected: {},
    bindFailures: 0,
    refusals: 0,
  }
  private readonly options: RtpDoorOptions
  private readonly ports: RtpPorts
  private shared: Promise<Result<RtpSocket, string>> | null = null
  /** Legs on the shared port. */
  private readonly sharedLegs: RtpLeg[] = []
  private closed = false

  constructor(options: RtpDoorOptions) {
    this.options = options
    const { host, portMin } = options
    // A firewall that is open for the one port would stop any other.
    const portMax = options.ports === 'shared' ? portMin : options.portMax
    const refused = () => {
      this.counters.refusals += 1
    }
    this.ports = new RtpPorts({ host, portMin, portMax, refused })
  }

  /** UDP ports that are bound now. */
  get openPorts(): number {
    return this.ports.open
  }

  async prepare(order: MediaOrder): Promise<Result<PreparedMedia, string>> {
    if (this.closed) return failed('the engine is stopping and takes no new media')
    if (!takenByAsterisk.includes(order.format)) {
      return failed(
        `Asterisk takes no ${order.format} over RTP: set external_media.format to one of ${takenByAsterisk.join(', ')}, ` +
          'or take another transport for wideband',
      )
    }
    const seat: Seat = { leg: null }
    const isShared = this.options.ports === 'shared'
    const bound = await (isShared ? this.bindShared() : this.ports.bind(this.receiverOf(seat)))
    if (!bound.ok) {
      this.counters.bindFailures += 1
      return bound
    }
    const socket = bound.value
    if (this.closed) {
      if (isShared) void this.closeShared()
      else socket.close()
      return failed('the engine is stopping and takes no new media')
    }
    const close = isShared ? () => {} : () => socket.close()
    let state: 'prepared' | 'made' | 'released' = 'prepared'
    return ok({
      request: {
        external_host: `${inUrl(this.options.advertiseHost)}:${socket.port}`,
        format: order.format,
        encapsulation: 'rtp',
        transport: 'udp',
        connection_type: 'client',
        direction: 'both',
      },
      made: (variables) => {
        if (state !== 'prepared') return
        state = 'made'
        this.open(order, seat, socket, close, variables)
      },
      release: () => {
        if (state === 'prepared') close()
        state = 'released'
      },
    })
  }

  close(): void {
    if (this.closed) return
    this.closed = true
    void this.closeShared()
  }

  private bindShared(): Promise<Result<RtpSocket, string>> {
    this.shared ??= this.ports.bind((bytes, port, address) => this.demultiplex(bytes, port, plainAddress(address)))
    const binding = this.shared
    // A port that could not be had is asked for again by the next call.
    void binding.then((bound) => {
      if (!bound.ok && this.shared === binding) this.shared = null
    })
    return binding
  }

  /** The shared port is of use as long as a leg is open. */
  private async closeShared(): Promise<void> {
    const bound = await this.shared
    if (bound?.ok === true && this.closed && this.sharedLegs.length === 0) bound.value.close()
  }

  private open(
    order: MediaOrder,
    seat: Seat,
    socket: RtpSocket,
    close: () => void,
    variables: Readonly<Record<string, string>>,
  ): void {
    const { options } = this
    const announced = announcedEndpoint(variables)
    if (announced === null) {
      options.log.warn('asterisk does not say where it takes rtp: its first packet will', { channel: order.channelId })
    }
    const leg = new RtpLeg({
      format: order.format,
      announced,
      lockRemote: options.lockRemote,
      allowList: options.allowList,
      jitterBufferMaxMs: options.jitterBufferMaxMs,
      silentPeerTimeoutMs: options.silentPeerTimeoutMs,
      clock: options.clock,
      random: options.random,
      pacer: options.pacer,
      log: options.log,
      counters: this.counters,
      send: (bytes, port, address) => socket.send(bytes, port, address),
      closed: () => {
        seat.leg = null
        this.drop(leg)
        close()
      },
    })
    seat.leg = leg
    if (options.ports === 'shared') this.sharedLegs.push(leg)
    const acceptance = this.offer(order.uuid, leg, announced?.address ?? '')
    if (acceptance === 'accepted') {
      this.counters.accepted += 1
      return
    }
    this.counters.rejected[acceptance] = (this.counters.rejected[acceptance] ?? 0) + 1
    void leg.close('setup_failed')
  }

  /** A fault of whoever takes legs is that call's own: the answer of Asterisk is read for others too. */
  private offer(uuid: string, leg: RtpLeg, peer: string): Acceptance {
    try {
      return this.options.accept(uuid, leg, peer)
    } catch (thrown) {
      this.options.log.error('a fault of the engine refuses a media connection', { why: messageOf(thrown) })
      return 'refused'
    }
  }

  private drop(leg: RtpLeg): void {
    const index = this.sharedLegs.indexOf(leg)
    if (index >= 0) this.sharedLegs.splice(index, 1)
    if (this.closed) void this.closeShared()
  }

  private receiverOf(seat: Seat): (bytes: Uint8Array, port: number, address: string) => void {
    return (bytes, port, address) => {
      if (seat.leg === null) this.count('no_call')
      else seat.leg.receive(bytes, port, plainAddress(address))
    }
  }

  private demultiplex(bytes: Uint8Array, port: number, address: string): void {
    const leg = this.legAt(port, address) ?? this.legBehindNat(port) ?? this.legThatMoved(bytes)
    if (leg === null) this.count('unknown_source')
    else leg.receive(bytes, port, address)
  }

  /** A list and no map: a few hundred comparisons of numbers cost less than making a key out of address and port. */
  private legAt(port: number, address: string): RtpLeg | null {
    for (const leg of this.sharedLegs) {
      const { current } = leg.remote
      if (current !== null && current.port === port && current.address === address) return leg
    }
    return null
  }

  /** The announced port at another address than announced, and only one call that has not been heard waits for it. */
  private legBehindNat(port: number): RtpLeg | null {
    return only(this.sharedLegs, (leg) => leg.remote.isOpen && leg.remote.current?.port === port)
  }

  private legThatMoved(bytes: Uint8Array): RtpLeg | null {
    if (bytes.length < headerBytes) return null
    const ssrc = new DataView(bytes.buffer, bytes.byteOffset).getUint32(8)
    return only(this.sharedLegs, (leg) => !leg.lockRemote && leg.remoteSsrc === ssrc)
  }

  private count(reason: Dropped): void {
    this.counters.dropped[reason] = (this.counters.dropped[reason] ?? 0) + 1
  }
}

/** The one leg of which this is true; null when there is none, or another. */
function only(legs: readonly RtpLeg[], holds: (leg: RtpLeg) => boolean): RtpLeg | null {
  let found: RtpLeg | null = null
  for (const leg of legs) {
    if (!holds(leg)) continue
    if (found !== null) return null
    found = leg
  }
  return found
}

/** Where UnicastRTP takes our packets, by its own channel variables. */
function announcedEndpoint(variables: Readonly<Record<string, string>>): Endpoint | null {
  const address = variables.UNICASTRTP_LOCAL_ADDRESS ?? ''
  const port = Number(variables.UNICASTRTP_LOCAL_PORT ?? '')
  // A name could not be sent to without being resolved, and Asterisk gives none.
  const isAddress = /^[\d.]+$|:/.test(address)
  return isAddress && Number.isInteger(port) && port > 0 && port < 65_536 ? { address, port } : null
}

function inUrl(host: string): string {
  return host.includes(':') ? `[${host}]` : host
}
