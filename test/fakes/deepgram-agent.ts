import type { AgentEvent, AgentInput, CallContext, Provider, SessionOf } from '#agent/provider.ts'
import type { Clock, Milliseconds } from '#base/clock.ts'
import { type Log, silentLog } from '#base/log.ts'
import { seededRandom } from '#base/random.ts'
import { createDeepgramAgent } from '#providers/deepgram/agent.ts'
import type { Tool } from '#tools/tool.ts'
import type { AgentSession } from '../standin/deepgram/agent-session.ts'
import type { StandinOptions } from '../standin/deepgram/options.ts'
import { callContext } from './context.ts'
import { deepgramOptionsOf, goodToken, MemoryDeepgram } from './deepgram-standin.ts'
import { ManualClock, settle } from './manual-clock.ts'

export interface AgentBenchOptions {
  readonly standin?: Partial<StandinOptions>
  readonly options?: Readonly<Record<string, unknown>>
  readonly context?: Partial<CallContext>
  readonly tools?: readonly Tool[]
  /** Phrases in the engine's own voice, by their length in milliseconds. */
  readonly recorded?: Readonly<Record<string, number>>
  readonly secrets?: Readonly<Record<string, string>>
  readonly log?: Log
}

/** A provider and one session of it, with a caller who is silent, hums or keeps still. */
export class AgentBench {
  readonly server: MemoryDeepgram
  readonly provider: Provider<'agent'>
  readonly events: AgentEvent[] = []
  readonly token = goodToken()
  session: SessionOf<'agent'> | null = null
  private readonly manual: ManualClock | null
  private readonly context: Partial<CallContext>
  /** Of a hum of 200 Hz. */
  private phase = 0

  constructor(options: AgentBenchOptions = {}, clock: Clock = new ManualClock()) {
    this.manual = clock instanceof ManualClock ? clock : null
    this.context = options.context ?? {}
    this.server = new MemoryDeepgram({ clock, random: seededRandom(7), ...options.standin })
    this.provider = createDeepgramAgent('deepgram', deepgramOptionsOf(options.options), {
      clock,
      random: seededRandom(11),
      log: options.log ?? silentLog,
      secrets: options.secrets ?? { DEEPGRAM_API_KEY: 'dg-test' },
      tools: options.tools ?? [],
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
        const { status, body, headers } = this.token
        return Promise.resolve(new Response(body, { status, headers }))
      },
    })
  }

  get clock(): ManualClock {
    if (this.manual === null) throw new Error('this bench has a clock of somebody else')
    return this.manual
  }

  get last(): AgentSession {
    return this.server.last('agent')
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
    return this.events.splice(0).flatMap(({ type }) => (type === 'audio' || type === 'stage' ? [] : [type]))
  }

  of<Type extends AgentEvent['type']>(type: Type): Extract<AgentEvent, { type: Type }>[] {
    return this.events.filter((event): event is Extract<AgentEvent, { type: Type }> => event.type === type)
  }

  /** Final words, with who said them. */
  get words(): string[] {
    return this.of('transcript').map(({ side, text }) => `${side}: ${text}`)
  }

  get audioMs(): Milliseconds {
    return this.of('audio').reduce((sum, { frame }) => sum + (frame.samples.length * 1000) / frame.sampleRateHz, 0)
  }

  /** Messages that a session of the server has got, by type. */
  received(session: AgentSession = this.last): string[] {
    return session.record.received.map(({ message }) => message.type)
  }

  async close(): Promise<void> {
    await this.session?.close()
    await this.provider.close()
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
