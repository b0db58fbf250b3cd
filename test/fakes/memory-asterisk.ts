import type { SocketListener, WireSocket } from '#agent/wire-socket.ts'
import type { AriChannel } from '#asterisk/ari-client.ts'
import { ariChannel } from './ari.ts'

/** What Asterisk was asked for: `POST /channels/caller-1/continue` with its query. */
export interface AriRequest {
  readonly what: string
  readonly query: Readonly<Record<string, string>>
}

/**
 * The REST interface of an Asterisk and its socket of events, in memory: callers come in when a probe sends them, every
 * channel that the engine asks for comes up at once, and what was asked for can be looked at.
 */
export class MemoryAsterisk {
  readonly requests: AriRequest[] = []
  private events: SocketListener | null = null

  /** The engine's connection for events. */
  connect(listener: SocketListener): WireSocket {
    this.events = listener
    queueMicrotask(() => listener.opened())
    return {
      send: () => {},
      waitingBytes: 0,
      close: () => {
        this.events = null
      },
    }
  }

  /** A caller enters the Stasis application. */
  enters(channel: AriChannel, args: readonly string[]): void {
    this.tell({ type: 'StasisStart', channel, args })
  }

  /** What was asked for of this channel, newest last. */
  asked(channelId: string, operation: string): AriRequest[] {
    return this.requests.filter(({ what }) => what === `POST /channels/${channelId}/${operation}`)
  }

  respond(url: URL, method: string): Response {
    const path = url.pathname.replace('/ari', '')
    const query = Object.fromEntries(url.searchParams)
    this.requests.push({ what: `${method} ${path}`, query })
    if (path === '/asterisk/info') return Response.json({ system: { version: '22.9.0' } })
    if (path === '/asterisk/modules' || (method === 'GET' && /^\/(channels|bridges)$/.test(path)))
      return Response.json([])
    // Nobody knows these any more: what has been asked about them is over.
    if (method === 'GET') return Response.json({ message: 'not found' }, { status: 404 })
    const made =
      path === '/channels/externalMedia' ? query.channelId : path.endsWith('/snoop') ? query.snoopId : undefined
    if (made !== undefined) {
      const name = path.endsWith('/snoop') ? `Snoop/${made}` : `AudioSocket/${made}`
      queueMicrotask(() => this.tell({ type: 'StasisStart', channel: ariChannel({ id: made, name }), args: [] }))
      return Response.json({ channelvars: {} })
    }
    return new Response(null, { status: 204 })
  }

  private tell(event: object): void {
    this.events?.message(JSON.stringify({ application: 'patchcord', timestamp: '', ...event }))
  }
}
