import * as v from 'valibot'
import type { AgentEvent, AgentInput, CallContext, Provider, SessionOf } from '#agent/provider.ts'
import type { OpenSocket } from '#agent/wire-socket.ts'
import type { Clock, Milliseconds } from '#base/clock.ts'
import { type Log, silentLog } from '#base/log.ts'
import { seededRandom } from '#base/random.ts'
import { createOpenAiRealtime } from '#providers/openai-realtime/agent.ts'
import { type OpenAiRealtimeOptions, openAiRealtimeOptions } from '#providers/openai-realtime/options.ts'
import type { Tool } from '#tools/tool.ts'
import type { StandinOptions } from '../standin/openai-realtime/options.ts'
import { ReplyEncoder } from '../standin/openai-realtime/reply-audio.ts'
import { StandinSession } from '../standin/openai-realtime/session.ts'
import { callContext } from './context.ts'
import { ManualClock, settle } from './manual-clock.ts'

/** The stand-in for the Realtime API without a network, on a clock that stands still until a test moves it. */
export class MemoryStandin {
  readonly sessions: StandinSession[] = []
  readonly urls: string[] = []
  readonly headers: Readonly<Record<string, string>>[] = []
  /** The status of each upgrade from now on; null: it succeeds. */
  refuse: number | null = null
  /** Upgrades are never answered. */
  silent = false
  /** What the client sends is lost where this says so. */
  loses: (text: string) => boolean = () => false
  /** What the client sends comes as this. */
  replaces: (text: string) => string = (text) => text
  private readonly options: StandinOptions
  private readonly encoder: ReplyEncoder

  constructor(options: StandinOptions) {
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

  readonly openSocket: OpenSocket = (url, headers, listener) => {
    this.urls.push(url)
    this.headers.push(headers)
    let open = true
    let session: StandinSession | null = null
    const lost = (why: string, status: number | null) => {
      if (!open) return
      open = false
      session?.closed(1006)
      listener.lost(why, status)
    }
    const later = (action: () => void) => void Promise.resolve().then(() => open && action())
    later(() => {
      if (this.silent) return
      if (this.refuse !== null) return lost(`Expected 101 status code: ${this.refuse}`, this.refuse)
      session = new StandinSession(
        this.options,
        {
          send: (text) => later(() => listener.message(text)),
          close: (code, reason) => later(() => lost(reason || `closed with code ${code}`, null)),
          terminate: () => later(() => lost('closed with code 1006', null)),
        },
        this.encoder,
        'gpt-realtime',
      )
      this.sessions.push(session)
      listener.opened()
      session.open()
    })
    return {
      send: (data) => {
        const text = String(data)
        later(() => (this.loses(text) ? undefined : session?.receive(this.replaces(text))))
      },
      waitingBytes: 0,
      close: () => {
        open = false
        session?.closed(1000)
      },
    }
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

/** A provider and one session of it, with a caller who is silent, hums or keeps still. */
export class RealtimeBench {
  private readonly manual: ManualClock | null
  readonly server: MemoryStandin
  readonly provider: Provider<'agent'>
  readonly events: AgentEvent[] = []
  /** What `GET /models` answers. */
  readonly models: { status: number; body: string; headers: Record<string, string> }
  modelRequests = 0
  session: SessionOf<'agent'> | null = null
  /** Of a hum of 200 Hz. */
  private phase = 0

  constructor(options: RealtimeBenchOptions = {}, clock: Clock = new ManualClock()) {
    this.manual = clock instanceof ManualClock ? clock : null
    this.models = { status: 200, body: '{"data":[{"id":"gpt-realtime"}]}', headers: {}, ...options.models }
    this.server = new MemoryStandin({ clock, random: seededRandom(7), ...options.standin })
    this.provider = createOpenAiRealtime('openai_realtime', realtimeOptions(options.options), {
      clock,
      random: seededRandom(11),
      log: options.log ?? silentLog,
      secrets: options.secrets ?? { OPENAI_API_KEY: 'sk-test' },
      tools: options.tools ?? [],
      interruptsItself: options.interruptsItself ?? false,
      recorded: {
        start: () => {},
        get(text, sampleRateHz) {
          const ms = options.recorded?.[text]
          return ms === undefined ? null : new Int16Array((ms * sampleRateHz) / 1000).fill(1000)
        },
        close: () => Promise.resolve(),
      },
      openSocket: this.server.openSocket,
      fetch: () => {
        this.modelRequests += 1
        const { status, body, headers } = this.models
        return Promise.resolve(new Response(body, { status, headers }))
      },
    })
    this.context = options.context ?? {}
  }

  private readonly context: Partial<CallContext>

  get clock(): ManualClock {
    if (this.manual === null) throw new Error('this bench has a clock of somebody else')
    return this.manual
  }

  /** The session is there when this resolves, and has agreed where the server lets it. */
  async open(): Promise<this> {
    this.session = await this.provider.open(callContext(this.clock, this.context))
    this.session.onEvent((event) => this.events.push(event))
    await settle(60)
    return this
  }

  send(input: AgentInput): void {
    this.session?.send(input)
  }

  /** Time passes, with the line quiet, or humming as a caller who speaks. */
  async pass(durationMs: Milliseconds, line: 'still' | 'quiet' | 'hum' = 'still'): Promise<void> {
    for (let passed = 0; passed < durationMs; passed += 20) {
      this.clock.advance(Math.min(20, durationMs - passed))
      if (line !== 'still') this.send({ type: 'audio', frame: { sampleRateHz: 8000, samples: this.frame(line) } })
      await settle(30)
    }
  }

  /** What has come since the last time: types of events, without audio. */
  taken(): string[] {
    return this.events.splice(0).flatMap(({ type }) => (['audio', 'stage', 'usage'].includes(type) ? [] : [type]))
  }

  of<Type extends AgentEvent['type']>(type: Type): Extract<AgentEvent, { type: Type }>[] {
    return this.events.filter((event): event is Extract<AgentEvent, { type: Type }> => event.type === type)
  }

  get audioMs(): Milliseconds {
    return this.of('audio').reduce((sum, { frame }) => sum + (frame.samples.length * 1000) / frame.sampleRateHz, 0)
  }

  /** Client events that a session of the server has got, by type, appends left out. */
  received(session: StandinSession = this.server.last): string[] {
    return session.record.received.map(({ event }) => event.type).filter((type) => type !== 'input_audio_buffer.append')
  }

  private frame(line: 'quiet' | 'hum'): Int16Array {
    const samples = new Int16Array(160)
    if (line === 'quiet') return samples
    for (let index = 0; index < samples.length; index += 1) {
      samples[index] = Math.round(8000 * Math.sin(this.phase))
      this.phase += (2 * Math.PI * 200) / 8000
    }
    return samples
  }
}
