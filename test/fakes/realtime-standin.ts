import * as v from 'valibot'
import type { CallContext, Provider } from '#agent/provider.ts'
import type { Clock } from '#base/clock.ts'
import { type Log, silentLog } from '#base/log.ts'
import { seededRandom } from '#base/random.ts'
import { createOpenAiRealtime } from '#providers/openai-realtime/agent.ts'
import { type OpenAiRealtimeOptions, openAiRealtimeOptions } from '#providers/openai-realtime/options.ts'
import type { Tool } from '#tools/tool.ts'
import type { StandinOptions } from '../standin/openai-realtime/options.ts'
import { ReplyEncoder } from '../standin/openai-realtime/reply-audio.ts'
import { StandinSession } from '../standin/openai-realtime/session.ts'
import { phrasesOf, VendorAgentBench } from './agent-bench.ts'
import { ManualClock } from './manual-clock.ts'
import { MemoryServer, type MemoryWire } from './memory-server.ts'

/** The stand-in for the Realtime API without a network, on a clock that stands still until a test moves it. */
export class MemoryStandin extends MemoryServer<StandinSession> {
  /** What the client sends is lost where this says so. */
  loses: (text: string) => boolean = () => false
  /** What the client sends comes as this. */
  replaces: (text: string) => string = (text) => text
  private readonly options: StandinOptions
  private readonly encoder: ReplyEncoder

  constructor(options: StandinOptions) {
    super()
    this.options = options
    this.encoder = new ReplyEncoder(options.deltaMs ?? 100)
  }

  get last(): StandinSession {
    const session = this.sessions.at(-1)
    if (session === undefined) throw new Error('no session was opened')
    return session
  }

  /** Every error that any session has sent. */
  get errors(): string[] {
    return this.sessions.flatMap(({ record }) => record.errors.map(({ error }) => error.code ?? error.type))
  }

  protected begin(_url: string, _headers: object, wire: MemoryWire): StandinSession {
    return new StandinSession(this.options, wire, this.encoder, 'gpt-realtime')
  }

  protected receive(session: StandinSession | null, data: string | Uint8Array): void {
    const text = String(data)
    if (!this.loses(text)) session?.receive(this.replaces(text))
  }
}

export interface RealtimeBenchOptions {
  readonly standin?: Partial<StandinOptions>
  readonly options?: Readonly<Record<string, unknown>>
  readonly context?: Partial<CallContext>
  readonly tools?: readonly Tool[]
  readonly interruptsItself?: boolean
  readonly recorded?: Readonly<Record<string, number>>
  readonly models?: { status: number; body?: string; headers?: Record<string, string> }
  readonly secrets?: Readonly<Record<string, string>>
  readonly log?: Log
}

export const realtimeOptions = (overrides: Readonly<Record<string, unknown>> = {}): OpenAiRealtimeOptions =>
  v.parse(openAiRealtimeOptions, overrides)

/** A provider and one session of it. */
export class RealtimeBench extends VendorAgentBench {
  readonly server: MemoryStandin
  readonly provider: Provider<'agent'>
  /** What `GET /models` answers. */
  readonly models: { status: number; body: string; headers: Record<string, string> }
  modelRequests = 0

  constructor(options: RealtimeBenchOptions = {}, clock: Clock = new ManualClock()) {
    super(clock, options.context)
    this.models = { status: 200, body: '{"data":[{"id":"gpt-realtime"}]}', headers: {}, ...options.models }
    this.server = new MemoryStandin({ clock, random: seededRandom(7), ...options.standin })
    this.provider = createOpenAiRealtime('openai_realtime', realtimeOptions(options.options), {
      clock,
      random: seededRandom(11),
      log: options.log ?? silentLog,
      secrets: options.secrets ?? { OPENAI_API_KEY: 'sk-test' },
      tools: options.tools ?? [],
      interruptsItself: options.interruptsItself ?? false,
      recorded: phrasesOf(options.recorded),
      openSocket: this.server.openSocket,
      fetch: () => {
        this.modelRequests += 1
        const { status, body, headers } = this.models
        return Promise.resolve(new Response(body, { status, headers }))
      },
    })
  }

  /** What has come since the last time: types of events, without audio. */
  taken(): string[] {
    return this.events.splice(0).flatMap(({ type }) => (['audio', 'stage', 'usage'].includes(type) ? [] : [type]))
  }

  /** Client events that a session of the server has got, by type, appends left out. */
  received(session: StandinSession = this.server.last): string[] {
    return session.record.received.map(({ event }) => event.type).filter((type) => type !== 'input_audio_buffer.append')
  }
}
