import type { Clock } from '#base/clock.ts'
import type { Random } from '#base/random.ts'

/**
 * A bad network on loopback, between Asterisk and the engine's port. What it did to the packets on their way to the
 * engine is on record, packet by packet; the way back is left alone.
 */
export interface Faults {
  /** Share of packets that vanish. */
  readonly loss: number
  /** Share of packets that are delivered twice. */
  readonly duplicates: number
  /** Each delivery is held back for up to this long; what is longer than a packet reorders. */
  readonly jitterMs: number
}

export const noFaults: Faults = { loss: 0, duplicates: 0, jitterMs: 0 }

export interface ProxyRecord {
  received: number
  dropped: number
  delivered: number
  /** Second deliveries. */
  duplicated: number
  /** First deliveries that came behind the delivery of a later packet. */
  overtaken: number
}

export class RtpProxy {
  readonly record: ProxyRecord = { received: 0, dropped: 0, delivered: 0, duplicated: 0, overtaken: 0 }
  faults: Faults = noFaults
  private readonly clock: Clock
  private readonly random: Random
  private socket: Bun.udp.Socket<'buffer'> | null = null
  private enginePort = 0
  private farPort = 0
  private newest = -1
  private underWay = 0

  private constructor(clock: Clock, random: Random) {
    this.clock = clock
    this.random = random
  }

  static async open(clock: Clock, random: Random): Promise<RtpProxy> {
    const proxy = new RtpProxy(clock, random)
    proxy.socket = await Bun.udpSocket({
      hostname: '127.0.0.1',
      port: 0,
      socket: {
        data: (_socket, bytes, port) => {
          if (port === proxy.enginePort) proxy.send(bytes, proxy.farPort)
          else proxy.take(Uint8Array.from(bytes), port)
        },
        error: () => {},
      },
    })
    return proxy
  }

  get port(): number {
    return this.socket?.port ?? 0
  }

  /** Packets that are still held back. */
  get pending(): number {
    return this.underWay
  }

  forwardTo(enginePort: number): void {
    this.enginePort = enginePort
  }

  close(): void {
    this.socket?.close()
    this.socket = null
  }

  private take(bytes: Uint8Array, port: number): void {
    const { record, random, faults } = this
    this.farPort = port
    record.received += 1
    if (random.next() < faults.loss) {
      record.dropped += 1
      return
    }
    // Of two copies the one that overtakes the other is the first delivery.
    let isDelivered = false
    const copies = random.next() < faults.duplicates ? 2 : 1
    for (let copy = 0; copy < copies; copy += 1) {
      this.underWay += 1
      const deliver = () => {
        this.underWay -= 1
        this.deliver(bytes, isDelivered)
        isDelivered = true
      }
      const delayMs = random.next() * faults.jitterMs
      if (delayMs === 0) deliver()
      else this.clock.after(delayMs, deliver)
    }
  }

  private deliver(bytes: Uint8Array, isSecond: boolean): void {
    const { record } = this
    this.send(bytes, this.enginePort)
    record.delivered += 1
    if (isSecond) {
      record.duplicated += 1
      return
    }
    const sequence = ((bytes[2] as number) << 8) | (bytes[3] as number)
    const isBehind = this.newest >= 0 && ((sequence - this.newest) << 16) >> 16 < 0
    if (isBehind) record.overtaken += 1
    else this.newest = sequence
  }

  private send(bytes: Uint8Array, port: number): void {
    try {
      this.socket?.send(bytes, port, '127.0.0.1')
    } catch {
      // Whoever it was for has gone.
    }
  }
}
