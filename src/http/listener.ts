import type { Server } from 'bun'
import type { ConnectionBindings } from './connection.ts'

export type RequestHandler = (request: Request, connection: ConnectionBindings) => Response | Promise<Response>

/**
 * The HTTP port, bound before the rest of the engine is even loaded: a supervisor that asks /live gets its answer at
 * once, and a port that is taken is known at once. Until the API is attached everything else answers 503.
 */
export class Listener {
  private readonly server: Server<undefined>
  private readonly host: string
  private handler: RequestHandler = starting

  /** Listens when it returns. Throws when the port is taken; the message names it. Port 0 is any free one. */
  constructor(host: string, port: number) {
    this.host = host
    try {
      this.server = Bun.serve({
        hostname: host,
        port,
        fetch: (request, server) => {
          const wait = (seconds: number) => server.timeout(request, seconds)
          return this.handler(this.addressed(request), { wait })
        },
        // What Bun says of a fault by itself names files of this machine.
        development: false,
        // Without development Bun would let a second engine listen beside this one.
        reusePort: false,
        error: () => Response.json({ error: 'a fault of the engine' }, { status: 500 }),
      })
    } catch (thrown) {
      const why = thrown instanceof Error ? thrown.message : String(thrown)
      throw new Error(`HTTP cannot listen on ${host}:${port} (${why}): is another engine running?`)
    }
  }

  get port(): number {
    return this.server.port ?? 0
  }

  get url(): string {
    return `http://${this.host.includes(':') ? `[${this.host}]` : this.host}:${this.server.port}`
  }

  /** HTTP/1.0, as simple probes speak it, has no Host: what it asks for has no origin then. */
  private addressed(request: Request): Request {
    return request.url.startsWith('/') ? new Request(`${this.url}${request.url}`, request) : request
  }

  attach(handler: RequestHandler): void {
    this.handler = handler
  }

  async close(): Promise<void> {
    await this.server.stop(true)
  }
}

function starting(request: Request): Response {
  if (new URL(request.url).pathname === '/live') return Response.json({ status: 'live' })
  return Response.json({ status: 'not_ready', reasons: ['the engine is starting'] }, { status: 503 })
}
