// Stands between the engine and Asterisk's HTTP port, so that a test can break the connection for a while: the event
// socket and the requests. A media WebSocket comes through the same port and is left alone, as on a machine where audio
// takes another way.

import { connect, createServer, type Server, type Socket } from 'node:net'
import type { AriAddress } from './bed-ari.ts'

/** Of a media WebSocket the first words of its request say so. */
const mediaRequest = 'GET /media/'

export class AriProxy {
  /** What the engine is to be told. */
  readonly address: AriAddress
  /** Event sockets that were broken. */
  cuts = 0
  /** Requests that begin so are answered with 503, and Asterisk never sees them; null: all go through. */
  refuses: string | null = null
  /** Requests that were refused. */
  refusals = 0
  private readonly server: Server
  private readonly pairs: Pair[] = []
  private isAway = false

  private constructor(server: Server, address: AriAddress) {
    this.server = server
    this.address = address
  }

  static async open(asterisk: AriAddress): Promise<AriProxy> {
    const server = createServer({ noDelay: true })
    const listening = Promise.withResolvers<void>()
    server.listen(0, '127.0.0.1', listening.resolve)
    server.once('error', listening.reject)
    await listening.promise
    const bound = server.address()
    if (bound === null || typeof bound === 'string') throw new Error('the proxy has no port')
    const proxy = new AriProxy(server, { ...asterisk, port: bound.port })
    server.on('connection', (near) => proxy.join(near, asterisk))
    return proxy
  }

  /** Breaks all but media at once; for so long nobody gets through. */
  async cut(awayMs: number): Promise<void> {
    this.cuts += 1
    this.isAway = true
    for (const pair of [...this.pairs]) if (pair.isMedia === false) pair.end()
    await Bun.sleep(awayMs)
    this.isAway = false
  }

  close(): void {
    this.server.close()
    for (const pair of [...this.pairs]) pair.end()
  }

  private join(near: Socket, asterisk: AriAddress): void {
    const far = connect({ host: asterisk.host, port: asterisk.port, noDelay: true })
    const pair: Pair = {
      isMedia: null,
      end: () => {
        const index = this.pairs.indexOf(pair)
        if (index >= 0) this.pairs.splice(index, 1)
        near.destroy()
        far.destroy()
      },
    }
    this.pairs.push(pair)
    // A request's first words begin a chunk: the engine waits for each answer on its connection.
    const pass = (chunk: Buffer) => {
      const { refuses } = this
      if (refuses === null || pair.isMedia === true || chunk.toString('latin1', 0, refuses.length) !== refuses) {
        far.write(chunk)
        return
      }
      this.refusals += 1
      near.write('HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n')
    }
    near.once('data', (first: Buffer) => {
      pair.isMedia = first.toString('latin1', 0, mediaRequest.length) === mediaRequest
      if (this.isAway && pair.isMedia === false) return pair.end()
      near.on('data', pass)
      pass(first)
    })
    far.pipe(near)
    for (const socket of [near, far]) {
      socket.on('error', pair.end)
      socket.on('close', pair.end)
    }
  }
}

interface Pair {
  /** Null until its first words have come. */
  isMedia: boolean | null
  readonly end: () => void
}
