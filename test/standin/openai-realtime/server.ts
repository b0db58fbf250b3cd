import { listenForSessions } from '../session-listener.ts'
import { type ApiError, invalidRequest } from './api-error.ts'
import { answerTo, type ClosedWith } from './handshake.ts'
import { type Refusal, type StandinOptions, standinDefaults } from './options.ts'
import { ReplyEncoder } from './reply-audio.ts'
import { StandinSession } from './session.ts'

/**
 * A stand-in for OpenAI's Realtime API over WebSocket, true to its documentation: it keeps sessions, finds turns, speaks
 * what it was scripted to speak, and refuses what the real one would refuse. `options.ts` says what it can be told.
 */
export interface StandinServer {
  /** As it is configured, with the version: `http://127.0.0.1:8765/v1`. */
  readonly baseUrl: string
  /** The same for a WebSocket: `ws://127.0.0.1:8765/v1/realtime`. */
  readonly realtimeUrl: string
  readonly port: number
  /** Every session since the start, in order; those that are over included. */
  readonly sessions: readonly StandinSession[]
  /** Requests for `/models`, those included that were refused. */
  readonly modelRequests: number
  /** Connections that were refused, before the upgrade or after it. */
  readonly refused: number
  /** What is refused from now on; null: nothing. */
  refusal: Refusal | null
  /** The next session that opens, or one that has and was not asked for. */
  nextSession(): Promise<StandinSession>
  close(): Promise<void>
}

interface SocketData {
  readonly model: string
  readonly refusal: ClosedWith | null
  session: StandinSession | null
}

/** 15 MiB of audio in base64, and what is around it. */
const messageBytesMax = 21 * 1024 * 1024

export function startStandin(options: StandinOptions): StandinServer {
  const server = new Server(options)
  return server
}

class Server implements StandinServer {
  readonly sessions: StandinSession[] = []
  modelRequests = 0
  refused = 0
  refusal: Refusal | null
  private readonly options: StandinOptions
  private readonly encoder: ReplyEncoder
  private readonly listener: Bun.Server<SocketData>
  private readonly waiting: ((session: StandinSession) => void)[] = []
  private taken = 0
  private readonly over = Promise.withResolvers<Response>()

  constructor(options: StandinOptions) {
    this.options = options
    this.refusal = options.refusal ?? null
    this.encoder = new ReplyEncoder(options.deltaMs ?? standinDefaults.deltaMs)
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
    const prefix = this.options.azure === true ? '/openai/v1' : '/v1'
    return `http://${this.listener.hostname}:${this.port}${prefix}`
  }

  get realtimeUrl(): string {
    return `${this.baseUrl.replace('http', 'ws')}/realtime`
  }

  nextSession(): Promise<StandinSession> {
    const index = this.taken
    this.taken += 1
    const there = this.sessions[index]
    if (there !== undefined) return Promise.resolve(there)
    return new Promise((resolve) => this.waiting.push(resolve))
  }

  async close(): Promise<void> {
    this.over.resolve(new Response(null, { status: 503 }))
    for (const session of this.sessions) session.closed(1001)
    await this.listener.stop(true)
  }

  private answer(request: Request, listener: Bun.Server<SocketData>): Response | Promise<Response> | undefined {
    const answer = answerTo(request, this.options, this.refusal)
    const forModels = new URL(request.url).pathname.includes('/models')
    if (forModels && answer.kind !== 'not_found') this.modelRequests += 1
    switch (answer.kind) {
      case 'not_found':
        return errorResponse(
          404,
          invalidRequest('unknown_url', `Invalid URL (${request.method} ${new URL(request.url).pathname})`),
        )
      case 'refused': {
        if (!forModels) this.refused += 1
        const { retryAfterSeconds } = answer
        const headers = retryAfterSeconds === undefined ? {} : { 'retry-after': String(retryAfterSeconds) }
        return errorResponse(answer.status, answer.error, headers)
      }
      case 'never':
        return this.over.promise
      case 'models': {
        const models = this.options.models ?? ['gpt-realtime']
        const data = models.map((id) => ({ id, object: 'model', created: 0, owned_by: 'stand-in' }))
        return Response.json({ object: 'list', data })
      }
      case 'session': {
        const { model, protocol, refusal } = answer
        const headers = protocol === null ? {} : { 'sec-websocket-protocol': protocol }
        if (listener.upgrade(request, { data: { model, refusal, session: null }, headers })) return undefined
        return errorResponse(426, invalidRequest('upgrade_required', 'This URL is for WebSocket connections.'))
      }
    }
  }

  private opened(socket: Bun.ServerWebSocket<SocketData>): void {
    const { refusal, model } = socket.data
    if (refusal !== null) {
      this.refused += 1
      const { error, code } = refusal
      socket.send(JSON.stringify({ type: 'error', event_id: 'event_refused', error: { ...error, event_id: null } }))
      socket.close(code, `${error.type}.${error.code ?? 'unknown'}`)
      return
    }
    const wire = {
      send: (text: string) => void socket.send(text),
      close: (code: number, reason: string) => socket.close(code, reason),
      terminate: () => socket.terminate(),
    }
    const session = new StandinSession(this.options, wire, this.encoder, model)
    socket.data.session = session
    this.sessions.push(session)
    this.options.onSession?.(session)
    session.open()
    this.waiting.shift()?.(session)
  }
}

function errorResponse(status: number, error: ApiError, headers: Record<string, string> = {}): Response {
  return Response.json({ error }, { status, headers })
}
