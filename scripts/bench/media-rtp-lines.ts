import type { udp } from 'bun'
import { headerBytes, writeHeader } from '#asterisk/rtp.ts'
import { encodeMuLaw } from '#audio/g711.ts'
import { Arrivals } from './media-arrivals.ts'
import type { Line, Lines } from './media-load.ts'
import { callerCycle } from './media-speech.ts'
import { askSwitchboard } from './media-switchboard.ts'

/** Asterisk's side of external media: one UDP socket a call, µ-law, as UnicastRTP has it. */
const frameSamples = 160
const muLawPayloadType = 0

export async function rtpLines(switchboardPort: number): Promise<Lines> {
  const payloads = cyclePayloads(await callerCycle(8000))
  return { open: (framesMax) => joined(new RtpLine(switchboardPort, payloads, framesMax)) }
}

export async function joined(line: RtpLine): Promise<Line> {
  const { uuid, switchboardPort } = line
  const request = await askSwitchboard(switchboardPort, { step: 'prepare', uuid, variables: {} })
  if (request.format !== 'ulaw') throw new Error(`the callers speak ulaw, and not ${request.format}`)
  const [hostname = '', port = ''] = (request.external_host ?? '').split(':')
  const socket = await Bun.udpSocket({
    hostname: '127.0.0.1',
    port: 0,
    connect: { hostname, port: Number(port) },
    socket: { data: (_socket, packet) => line.received(packet), error: () => {} },
  })
  line.socket = socket
  const variables = { UNICASTRTP_LOCAL_ADDRESS: '127.0.0.1', UNICASTRTP_LOCAL_PORT: String(socket.port) }
  await askSwitchboard(switchboardPort, { step: 'made', uuid, variables })
  return line
}

export class RtpLine implements Line {
  readonly arrivals: Arrivals
  frames = 0
  /** Nothing on the wire says that a stream has ended: it shows in the frames, and in the engine's own count of calls. */
  readonly lost = false
  socket: udp.ConnectedSocket<'buffer'> | null = null
  readonly uuid: string
  readonly switchboardPort: number
  protected readonly payloads: readonly Uint8Array[]
  private readonly packet = new Uint8Array(headerBytes + frameSamples)
  private readonly ssrc = Math.floor(Math.random() * 2 ** 32)
  private next = 0

  constructor(
    switchboardPort: number,
    payloads: readonly Uint8Array[],
    framesMax: number,
    uuid: string = crypto.randomUUID(),
  ) {
    this.uuid = uuid
    this.switchboardPort = switchboardPort
    this.payloads = payloads
    this.arrivals = new Arrivals(framesMax)
  }

  received(packet: Uint8Array): void {
    this.frames += 1
    // A sample in mid-frame; silence is 0xff in µ-law.
    this.arrivals.frame(performance.now(), packet[headerBytes + 1] !== 0xff)
  }

  sendFrame(): void {
    if (this.socket === null) return
    const { packet, next } = this
    this.sending()
    writeHeader(packet, muLawPayloadType, next === 0, next & 0xffff, next * frameSamples, this.ssrc)
    packet.set(this.payloadOf(next), headerBytes)
    this.next += 1
    try {
      this.socket.send(packet)
    } catch {
      // The engine's port has closed: what is missing is counted in frames.
    }
  }

  protected payloadOf(frame: number): Uint8Array {
    return this.payloads[frame % this.payloads.length] as Uint8Array
  }

  /** A frame is about to leave. */
  protected sending(): void {}

  hangUp(): void {
    void askSwitchboard(this.switchboardPort, { step: 'gone', uuid: this.uuid, variables: {} })
    this.socket?.close()
    this.socket = null
  }
}

export function cyclePayloads(samples: Int16Array): Uint8Array[] {
  return Array.from({ length: samples.length / frameSamples }, (_, index) => {
    const payload = new Uint8Array(frameSamples)
    encodeMuLaw(samples.subarray(index * frameSamples, (index + 1) * frameSamples), payload)
    return payload
  })
}
