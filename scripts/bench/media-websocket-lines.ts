import type { ServerWebSocket } from 'bun'
import { ptimeMs } from '#audio/format.ts'
import { Arrivals } from './media-arrivals.ts'
import type { Line, Lines } from './media-load.ts'
import { callerCycle } from './media-speech.ts'
import { askSwitchboard } from './media-switchboard.ts'

/** Asterisk's side of chan_websocket: the engine connects to it, once it has the id of the connection. */
const sampleRateHz = 8000
const frameSamples = 160
const frameBytes = frameSamples * 2

export async function webSocketLines(switchboardPort: number, port: number): Promise<Lines> {
  const payloads = cyclePayloads(await callerCycle(sampleRateHz))
  const waiting = new Map<string, WebSocketLine>()
  Bun.serve<WebSocketLine>({
    hostname: '127.0.0.1',
    port,
    fetch(request, server) {
      const id = new URL(request.url).pathname.split('/').at(-1) ?? ''
      const line = waiting.get(id)
      waiting.delete(id)
      const headers = { 'sec-websocket-protocol': 'media' }
      if (line !== undefined && server.upgrade(request, { data: line, headers })) return
      return new Response(null, { status: 404 })
    },
    websocket: {
      perMessageDeflate: false,
      sendPings: false,
      idleTimeout: 0,
      open: (socket) => socket.data.opened(socket),
      message: (socket, data) => {
        if (typeof data === 'string') socket.data.asked(data)
        else socket.data.received(data)
      },
      close: (socket) => socket.data.closed(),
    },
  })
  return {
    async open(framesMax) {
      const uuid = crypto.randomUUID()
      const request = await askSwitchboard(switchboardPort, { step: 'prepare', uuid, variables: {} })
      if (request.format !== 'slin') throw new Error(`the callers speak slin, and not ${request.format}`)
      const line = new WebSocketLine(uuid, switchboardPort, payloads, framesMax)
      waiting.set(uuid, line)
      const variables = { MEDIA_WEBSOCKET_CONNECTION_ID: uuid }
      await askSwitchboard(switchboardPort, { step: 'made', uuid, variables })
      return line
    },
  }
}

class WebSocketLine implements Line {
  readonly arrivals: Arrivals
  frames = 0
  lost = false
  private readonly uuid: string
  private readonly switchboardPort: number
  private readonly payloads: readonly Uint8Array[]
  private socket: ServerWebSocket<WebSocketLine> | null = null
  private next = 0
  private firstMs = 0

  constructor(uuid: string, switchboardPort: number, payloads: readonly Uint8Array[], framesMax: number) {
    this.uuid = uuid
    this.switchboardPort = switchboardPort
    this.payloads = payloads
    this.arrivals = new Arrivals(framesMax)
  }

  opened(socket: ServerWebSocket<WebSocketLine>): void {
    this.socket = socket
    const start = { connection_id: this.uuid, channel: `WebSocket/${this.uuid}`, channel_id: this.uuid, format: 'slin' }
    this.say({ event: 'MEDIA_START', ...start, optimal_frame_size: frameBytes, ptime: ptimeMs })
  }

  received(bytes: Uint8Array): void {
    const nowMs = performance.now()
    if (this.frames === 0) this.firstMs = nowMs
    this.frames += 1
    this.arrivals.frame(nowMs, bytes[2] !== 0 || bytes[3] !== 0)
  }

  /** Asterisk plays one frame a ptime: what has come and has not been played is its queue. */
  asked(text: string): void {
    const { command, correlation_id } = JSON.parse(text) as { command: string; correlation_id?: string }
    if (command === 'MARK_MEDIA') this.say({ event: 'MEDIA_MARK_PROCESSED', correlation_id })
    if (command !== 'GET_STATUS') return
    const played = Math.floor((performance.now() - this.firstMs) / ptimeMs)
    const queue_length = Math.max(0, this.frames - played)
    this.say({ event: 'STATUS', queue_length, queue_full: false, media_paused: false })
  }

  sendFrame(): void {
    if (this.socket === null) return
    this.socket.sendBinary(this.payloads[this.next++ % this.payloads.length] as Uint8Array<ArrayBuffer>)
  }

  hangUp(): void {
    const { socket } = this
    this.socket = null
    socket?.close(1000)
    void askSwitchboard(this.switchboardPort, { step: 'gone', uuid: this.uuid, variables: {} })
  }

  closed(): void {
    if (this.socket !== null) this.lost = true
    this.socket = null
  }

  private say(event: Readonly<Record<string, unknown>>): void {
    this.socket?.sendText(JSON.stringify(event))
  }
}

function cyclePayloads(samples: Int16Array): Uint8Array[] {
  return Array.from({ length: samples.length / frameSamples }, (_, index) => {
    const part = samples.slice(index * frameSamples, (index + 1) * frameSamples)
    return new Uint8Array(part.buffer)
  })
}
