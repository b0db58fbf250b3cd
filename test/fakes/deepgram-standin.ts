import * as v from 'valibot'
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
import { MemoryServer, type MemoryWire } from './memory-server.ts'

/** The stand-in for Deepgram without a network. */
export class MemoryDeepgram extends MemoryServer<AnySession> {
  /** What the client sends is lost where this says so. */
  loses: (data: string | Uint8Array) => boolean = () => false
  private readonly options: StandinOptions
  private readonly encoder: SpeechEncoder

  constructor(options: StandinOptions) {
    super()
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

  protected begin(url: string, headers: Readonly<Record<string, string>>, wire: MemoryWire): AnySession | number {
    const answer = answerTo(new Request(url.replace(/^ws/, 'http'), { headers }), this.options, null)
    if (answer.kind === 'refused') return answer.fault.status
    return answer.kind === 'session' ? this.make(answer.session, wire) : 404
  }

  protected receive(session: AnySession | null, data: string | Uint8Array): void {
    if (!this.loses(data)) session?.receive(data)
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
