import { emptyHeader, headerBytes, payloads, readHeader, telephoneEventType, writeHeader } from '#asterisk/rtp.ts'
import { type WireFormat, wireRatesHz } from '#audio/format.ts'

/** Asterisk's end of a UnicastRTP channel, on a socket of its own: packets as it sends them, and what came back. */
export interface ReceivedPacket {
  readonly payloadType: number
  readonly marker: boolean
  readonly sequence: number
  readonly timestamp: number
  readonly ssrc: number
  readonly samples: Int16Array
  readonly bytes: number
}

export class RtpFarSide {
  readonly received: ReceivedPacket[] = []
  sequence = 65_530
  timestamp = 4_294_960_000
  ssrc = 0x1234_5678
  /** Where the last packet came from. */
  lastSourcePort = 0
  readonly format: WireFormat
  private socket: Bun.udp.Socket<'buffer'> | null = null
  private to = { port: 0, address: '127.0.0.1' }

  private constructor(format: WireFormat) {
    this.format = format
  }

  static async open(format: WireFormat, address = '127.0.0.1'): Promise<RtpFarSide> {
    const far = new RtpFarSide(format)
    far.socket = await Bun.udpSocket({
      hostname: address,
      port: 0,
      socket: {
        data: (_socket, bytes, port) => {
          far.lastSourcePort = port
          far.take(bytes)
        },
        error: () => {},
      },
    })
    return far
  }

  get port(): number {
    return this.socket?.port ?? 0
  }

  /** `host:port`, as the request to Asterisk names it. */
  sendTo(externalHost: string): void {
    const at = externalHost.lastIndexOf(':')
    this.to = { address: externalHost.slice(0, at), port: Number(externalHost.slice(at + 1)) }
  }

  /** One packet, of as many samples as there are. */
  audio(samples: Int16Array, marker = false): void {
    const payload = payloads[this.format]
    const packet = new Uint8Array(headerBytes + samples.length * payload.bytesPerSample)
    writeHeader(packet, payload.sends, marker, this.sequence, this.timestamp, this.ssrc)
    payload.encode(samples, packet.subarray(headerBytes))
    this.sequence = (this.sequence + 1) & 0xffff
    this.timestamp = (this.timestamp + samples.length) % 2 ** 32
    this.raw(packet)
  }

  /** A key press of RFC 4733: packets while it is held, and three with the end bit; all of one timestamp. */
  digit(digit: string): void {
    const step = wireRatesHz[this.format] / 50
    for (let packetIndex = 1; packetIndex <= 8; packetIndex += 1) {
      const isEnd = packetIndex > 5
      const packet = new Uint8Array(headerBytes + 4)
      writeHeader(packet, telephoneEventType, packetIndex === 1, this.sequence, this.timestamp, this.ssrc)
      packet[headerBytes] = '0123456789*#ABCD'.indexOf(digit)
      packet[headerBytes + 1] = (isEnd ? 0x80 : 0) | 10
      const duration = Math.min(packetIndex, 6) * step
      packet[headerBytes + 2] = duration >> 8
      packet[headerBytes + 3] = duration
      this.sequence = (this.sequence + 1) & 0xffff
      this.raw(packet)
    }
    this.timestamp = (this.timestamp + 8 * step) % 2 ** 32
  }

  raw(bytes: Uint8Array): void {
    try {
      this.socket?.send(bytes, this.to.port, this.to.address)
    } catch {
      // The engine's port has closed: what Asterisk sends then is lost as well.
    }
  }

  close(): void {
    this.socket?.close()
    this.socket = null
  }

  private take(bytes: Uint8Array): void {
    const header = emptyHeader()
    const malformed = readHeader(bytes, header)
    if (malformed !== null) throw new Error(`the engine sent a packet that is ${malformed}`)
    const payload = payloads[this.format]
    const body = bytes.subarray(header.payloadStart, header.payloadEnd)
    const samples = new Int16Array(body.length / payload.bytesPerSample)
    payload.decode(body, samples)
    const { payloadType, marker, sequence, timestamp, ssrc } = header
    this.received.push({ payloadType, marker, sequence, timestamp, ssrc, samples, bytes: bytes.length })
  }
}
