import { isRecord } from '../json-schema.ts'
import { listenForSessions } from '../session-listener.ts'
import { AgentSession } from './agent-session.ts'
import { FluxSession } from './flux-session.ts'
import { answerTo, protocolsOf, type SessionKind } from './handshake.ts'
import { ListenSession } from './listen-session.ts'
import { type Refusal, type Reply, type StandinOptions, standinDefaults } from './options.ts'
import type { SpeakQuery } from './query.ts'
import { badRequest, faultResponse, type HttpFault } from './refusal.ts'
import { type EncodedChunk, SpeechEncoder } from './reply-audio.ts'
import type { SessionWire } from './socket-session.ts'
import { SpeakSession } from './speak-session.ts'
import { Speech } from './speech.ts'
import { transcribed } from './transcription.ts'
import { wavHeader } from './wav-header.ts'

/**
 * A stand-in for Deepgram: the Voice Agent, both ways to listen, and Aura over a socket and over HTTP, true to the
 * documentation. It keeps sessions, finds turns, says what it was scripted to say, and refuses what the real one would
 * refuse. `options.ts` says what it can be told.
 */
export interface StandinServer {
  /** `http://127.0.0.1:8766`, as `base_url` is configured. */
  readonly baseUrl: string
  /** `ws://127.0.0.1:8766/v1/agent/converse`, as `ws_url` is configured. */
  readonly agentUrl: string
  readonly port: number
  /** Every session since the start, in order; those that are over included. */
  readonly sessions: readonly AnySession[]
  readonly agents: readonly AgentSession[]
  /** Texts that were spoken over HTTP. */
  readonly spokenTexts: readonly string[]
  /** Requests for `/v1/auth/token`, those included that were refused. */
  readonly tokenRequests: number
  /** Connections and requests that were refused. */
  readonly refused: number
  /** What is refused from now on; null: nothing. */
  refusal: Refusal | null
  /** The next session of this kind that opens, or one that has and was not asked for. */
  nextSession<Kind extends AnySession['kind']>(kind: Kind): Promise<SessionOfKind<Kind>>
  close(): Promise<void>
}

export type AnySession = AgentSession | ListenSession | FluxSession | SpeakSession
export type SessionOfKind<Kind> = Extract<AnySession, { readonly kind: Kind }>

interface SocketData {
  readonly kind: SessionKind
  session: AnySession | null
}

const messageBytesMax = 8 * 1024 * 1024
const restTextMax = 2000
const spoken: Reply = {}

export function startStandin(options: StandinOptions): StandinServer {
  return new Server(options)
}

class Server implements StandinServer {
  readonly sessions: AnySession[] = []
  readonly spokenTexts: string[] = []
  tokenRequests = 0
  refused = 0
  refusal: Refusal | null
  private readonly options: StandinOptions
  private readonly encoder: SpeechEncoder
  private readonly listener: Bun.Server<SocketData>
  private readonly waiting: { kind: AnySession['kind']; resolve: (session: AnySession) => void }[] = []
  private readonly taken = new Set<AnySession>()
  private readonly over = Promise.withResolvers<Response>()

  constructor(options: StandinOptions) {
    this.options = options
    this.refusal = options.refusal ?? null
    this.encoder = new SpeechEncoder(options.chunkMs ?? standinDefaults.chunkMs)
    this.listener = listenForSessions<SocketData>({
      hostname: options.hostname ?? standinDefaults.hostname,
      port: options.port ?? standinDefaults.port,
      messageBytesMax,
      answer: (request, listener) => this.answer(request, listener),
      opened: (socket) => this.opened(socket),
    })
  }

  get port(): number {
    return this.listener.port ?? 0
  }

  get baseUrl(): string {
    return `http://${this.listener.hostname}:${this.port}`
  }

  get agentUrl(): string {
    return `${this.baseUrl.replace('http', 'ws')}/v1/agent/converse`
  }

  get agents(): readonly AgentSession[] {
    return this.sessions.filter((session) => session.kind === 'agent')
  }

  nextSession<Kind extends AnySession['kind']>(kind: Kind): Promise<SessionOfKind<Kind>> {
    const there = this.sessions.find((session) => session.kind === kind && !this.taken.has(session))
    if (there !== undefined) {
      this.taken.add(there)
      return Promise.resolve(there as SessionOfKind<Kind>)
    }
    return new Promise((resolve) => {
      this.waiting.push({ kind, resolve: (session) => resolve(session as SessionOfKind<Kind>) })
    })
  }

  async close(): Promise<void> {
    this.over.resolve(new Response(null, { status: 503 }))
    for (const session of this.sessions) session.closed(1001)
    await this.listener.stop(true)
  }

  private answer(request: Request, listener: Bun.Server<SocketData>): Response | Promise<Response> | undefined {
    const answer = answerTo(request, this.options, this.refusal)
    const id = this.options.random.uuid()
    if (new URL(request.url).pathname === '/v1/auth/token') this.tokenRequests += 1
    switch (answer.kind) {
      case 'not_found':
        return faultResponse({ status: 404, code: 'NOT_FOUND', message: 'No such path.' }, id)
      case 'refused':
        this.refused += 1
        return faultResponse(answer.fault, id)
      case 'never':
        return this.over.promise
      case 'token':
        return Response.json({ api_key_id: id, scopes: ['usage:write'], created: '2026-01-01T00:00:00Z' })
      case 'transcribe':
        return transcribed(request, answer.query, this.options, id)
      case 'speak':
        return this.speak(request, answer.query, id)
      case 'session': {
        const protocol = protocolsOf(request)
        const headers: Record<string, string> = {
          'dg-request-id': id,
          ...(protocol === null ? {} : { 'sec-websocket-protocol': protocol.name }),
        }
        if (listener.upgrade(request, { data: { kind: answer.session, session: null }, headers })) return undefined
        return faultResponse(badRequest('This URL is for WebSocket connections.'), id)
      }
    }
  }

  /** Aura over HTTP: the body is the speech, as it is made. */
  private async speak(request: Request, query: SpeakQuery, id: string): Promise<Response> {
    const fault = (each: HttpFault) => {
      this.refused += 1
      return faultResponse(each, id)
    }
    let body: unknown
    try {
      body = await request.json()
    } catch {
      return fault(badRequest('Content-type was application/json, but we could not process the JSON payload.'))
    }
    const text = isRecord(body) && typeof body.text === 'string' ? body.text : null
    const [other] = isRecord(body) ? Object.keys(body).filter((name) => name !== 'text') : []
    if (text === null || other !== undefined)
      return fault(badRequest('The body is an object with a text, and no more.'))
    if (text.length > restTextMax) {
      return fault({ status: 413, code: 'Payload Too Large', message: `A text may have ${restTextMax} characters.` })
    }
    const number = this.spokenTexts.length
    this.spokenTexts.push(text)
    const { options, encoder } = this
    const encoded = encoder.encoded(spoken, number, query.audio, text)
    const body_ = new ReadableStream<Uint8Array>({
      start: (controller) => {
        if (query.container === 'wav') controller.enqueue(wavHeader(query.audio))
        const host = {
          clock: options.clock,
          sendChunk: (chunk: EncodedChunk) => controller.enqueue(chunk.bytes),
        }
        const speech = new Speech(host, {
          number,
          encoded,
          pace: options.pace ?? standinDefaults.pace,
          firstChunkAfterMs: options.firstChunkAfterMs ?? standinDefaults.firstChunkAfterMs,
          done: () => controller.close(),
        })
        request.signal.addEventListener('abort', () => speech.stop())
        speech.start()
      },
    })
    const headers = {
      'content-type': query.container === 'wav' ? 'audio/wav' : `audio/${query.audio.encoding}`,
      'dg-request-id': id,
      'dg-model-name': query.model,
      'dg-char-count': String(text.length),
    }
    return new Response(body_, { headers })
  }

  private opened(socket: Bun.ServerWebSocket<SocketData>): void {
    const wire: SessionWire = {
      send: (data) => void socket.send(data),
      close: (code, reason) => socket.close(code, reason),
      terminate: () => socket.terminate(),
    }
    const session = this.make(socket.data.kind, wire)
    socket.data.session = session
    this.sessions.push(session)
    this.options.onSession?.(session)
    session.open()
    const index = this.waiting.findIndex(({ kind }) => kind === session.kind)
    if (index < 0) return
    this.taken.add(session)
    this.waiting.splice(index, 1)[0]?.resolve(session)
  }

  private make(kind: SessionKind, wire: SessionWire): AnySession {
    const { options, encoder } = this
    switch (kind.kind) {
      case 'agent':
        return new AgentSession(options, wire, encoder)
      case 'listen':
        return new ListenSession(options, wire, kind.query)
      case 'flux':
        return new FluxSession(options, wire, kind.query)
      case 'speak':
        return new SpeakSession(options, wire, kind.query, encoder)
    }
  }
}
