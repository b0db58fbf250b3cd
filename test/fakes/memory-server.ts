import type { OpenSocket } from '#agent/wire-socket.ts'

/** A vendor's server without a network: what is asked of a socket comes one turn of the event loop later. */
export interface MemoryWire {
  send(data: string | Uint8Array): void
  close(code: number, reason: string): void
  terminate(): void
}

/** The stand-in's side of one socket. */
export interface MemorySession {
  open(): void
  closed(code: number): void
}

export abstract class MemoryServer<Session extends MemorySession> {
  readonly sessions: Session[] = []
  readonly urls: string[] = []
  readonly headers: Readonly<Record<string, string>>[] = []
  /** The status of each upgrade from now on; null: it is the stand-in's own. */
  refuse: number | null = null
  /** Upgrades are never answered. */
  silent = false

  /** A session, or the status with which it is refused. */
  protected abstract begin(url: string, headers: Readonly<Record<string, string>>, wire: MemoryWire): Session | number
  /** What the client has sent. */
  protected abstract receive(session: Session | null, data: string | Uint8Array): void

  readonly openSocket: OpenSocket = (url, headers, listener) => {
    this.urls.push(url)
    this.headers.push(headers)
    let open = true
    let session: Session | null = null
    const lost = (why: string, status: number | null) => {
      if (!open) return
      open = false
      session?.closed(1006)
      listener.lost(why, status)
    }
    const later = (action: () => void) => void Promise.resolve().then(() => open && action())
    later(() => {
      if (this.silent) return
      const wire: MemoryWire = {
        send: (data) => {
          if (typeof data === 'string') return later(() => listener.message(data))
          const bytes = new Uint8Array(data)
          later(() => listener.audio?.(bytes))
        },
        close: (code, reason) => later(() => lost(reason || `closed with code ${code}`, null)),
        terminate: () => later(() => lost('closed with code 1006', null)),
      }
      const begun = this.refuse ?? this.begin(url, headers, wire)
      if (typeof begun === 'number') return lost(`Expected 101 status code: ${begun}`, begun)
      session = begun
      this.sessions.push(session)
      listener.opened()
      session.open()
    })
    return {
      send: (data) => {
        const copy = typeof data === 'string' ? data : new Uint8Array(data)
        later(() => this.receive(session, copy))
      },
      waitingBytes: 0,
      close: () => {
        open = false
        session?.closed(1000)
      },
    }
  }
}
