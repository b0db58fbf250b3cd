import * as v from 'valibot'
import type { OpenSocket } from '#agent/wire-socket.ts'
import { type DeepgramOptions, deepgramOptions } from '#providers/deepgram/options.ts'
import { AgentSession } from '../standin/deepgram/agent-session.ts'
import { FluxSession } from '../standin/deepgram/flux-session.ts'
import { answerTo, type SessionKind } from '../standin/deepgram/handshake.ts'
import { ListenSession } from '../standin/deepgram/listen-session.ts'
import type { StandinOptions } from '../standin/deepgram/options.ts'
import { SpeechEncoder } from '../standin/deepgram/reply-audio.ts'
import type { AnySession, SessionOfKind } from '../standin/deepgram/server.ts'
import type { SessionWire } from '../standin/deepgram/socket-session.ts'
import { SpeakSession } from '../standin/deepgram/speak-session.ts'

/** The stand-in for Deepgram without a network: what is asked of a socket comes one turn of the event loop later. */
export class MemoryDeepgram {
  readonly sessions: AnySession[] = []
  readonly urls: string[] = []
  readonly headers: Readonly<Record<string, string>>[] = []
  /** The status of each upgrade from now on; null: it is the stand-in's own. */
  refuse: number | null = null
  /** Upgrades are never answered. */
  silent = false
  /** What the client sends is lost where this says so. */
  loses: (data: string | Uint8Array) => boolean = () => false
  private readonly options: StandinOptions
  private readonly encoder: SpeechEncoder

  constructor(options: StandinOptions) {
    this.options = options
    this.encoder = new SpeechEncoder(options.chunkMs ?? 100)
  }

  last<Kind extends AnySession['kind']>(kind: Kind): SessionOfKind<Kind> {
    const found = this.sessions.findLast((session) => session.kind === kind)
    if (found === undefined) throw new Error(`no session of ${kind} was opened`)
    return found as SessionOfKind<Kind>
  }

  /** Everything that any session has refused. */
  get errors(): string[] {
    return this.sessions.flatMap(({ record }) => record.errors.map(({ code, description }) => `${code} ${description}`))
  }

  readonly openSocket: OpenSocket = (url, headers, listener) => {
    this.urls.push(url)
    this.headers.push(headers)
    let open = true
    let session: AnySession | null = null
    const lost = (why: string, status: number | null) => {
      if (!open) return
      open = false
      session?.closed(1006)
      listener.lost(why, status)
    }
    const later = (action: () => void) => void Promise.resolve().then(() => open && action())
    later(() => {
      if (this.silent) return
      const answer = answerTo(new Request(url.replace(/^ws/, 'http'), { headers }), this.options, null)
      const status = this.refuse ?? (answer.kind === 'refused' ? answer.fault.status : null)
      if (status !== null) return lost(`Expected 101 status code: ${status}`, status)
      if (answer.kind !== 'session') return lost('Expected 101 status code: 404', 404)
      session = this.make(answer.session, {
        send: (data) => {
          if (typeof data === 'string') later(() => listener.message(data))
          else {
            const bytes = new Uint8Array(data)
            later(() => listener.audio?.(bytes))
          }
        },
        close: (code, reason) => later(() => lost(reason || `closed with code ${code}`, null)),
        terminate: () => later(() => lost('closed with code 1006', null)),
      })
      this.sessions.push(session)
      listener.opened()
      session.open()
    })
    return {
      send: (data) => {
        const copy = typeof data === 'string' ? data : new Uint8Array(data)
        later(() => (this.loses(copy) ? undefined : session?.receive(copy)))
      },
      waitingBytes: 0,
      close: () => {
        open = false
        session?.closed(1000)
      },
    }
  }

  private make(kind: SessionKind, wire: SessionWire): AnySession {
    switch (kind.kind) {
      case 'agent':
        return new AgentSession(this.options, wire, this.encoder)
      case 'listen':
        return new ListenSession(this.options, wire, kind.query)
      case 'flux':
        return new FluxSession(this.options, wire, kind.query)
      case 'speak':
        return new SpeakSession(this.options, wire, kind.query, this.encoder)
    }
  }
}

export const deepgramOptionsOf = (overrides: Readonly<Record<string, unknown>> = {}): DeepgramOptions =>
  v.parse(deepgramOptions, overrides)

/** `GET /v1/auth/token`, as the stand-in or somebody else answers it. */
export interface TokenAnswer {
  status: number
  body: string
  headers: Record<string, string>
}

export const goodToken = (): TokenAnswer => ({ status: 200, body: '{}', headers: {} })
