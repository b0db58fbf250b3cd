import type { CallContext, Provider } from '#agent/provider.ts'
import type { Clock } from '#base/clock.ts'
import { type Log, silentLog } from '#base/log.ts'
import { seededRandom } from '#base/random.ts'
import { createDeepgramAgent } from '#providers/deepgram/agent.ts'
import type { Tool } from '#tools/tool.ts'
import type { AgentSession } from '../standin/deepgram/agent-session.ts'
import type { StandinOptions } from '../standin/deepgram/options.ts'
import { phrasesOf, VendorAgentBench } from './agent-bench.ts'
import { deepgramOptionsOf, goodToken, MemoryDeepgram } from './deepgram-standin.ts'
import { ManualClock } from './manual-clock.ts'

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

/** A provider and one session of it. */
export class AgentBench extends VendorAgentBench {
  readonly server: MemoryDeepgram
  readonly provider: Provider<'agent'>
  readonly token = goodToken()

  constructor(options: AgentBenchOptions = {}, clock: Clock = new ManualClock()) {
    super(clock, options.context)
    this.server = new MemoryDeepgram({ clock, random: seededRandom(7), ...options.standin })
    this.provider = createDeepgramAgent('deepgram', deepgramOptionsOf(options.options), {
      clock,
      random: seededRandom(11),
      log: options.log ?? silentLog,
      secrets: options.secrets ?? { DEEPGRAM_API_KEY: 'dg-test' },
      tools: options.tools ?? [],
      recorded: phrasesOf(options.recorded),
      openSocket: this.server.openSocket,
      fetch: () => {
        const { status, body, headers } = this.token
        return Promise.resolve(new Response(body, { status, headers }))
      },
    })
  }

  get last(): AgentSession {
    return this.server.last('agent')
  }

  /** What has come since the last time: types of events, without audio. */
  taken(): string[] {
    return this.events.splice(0).flatMap(({ type }) => (type === 'audio' || type === 'stage' ? [] : [type]))
  }

  /** Final words, with who said them. */
  get words(): string[] {
    return this.of('transcript').map(({ side, text }) => `${side}: ${text}`)
  }

  /** Messages that a session of the server has got, by type. */
  received(session: AgentSession = this.last): string[] {
    return session.record.received.map(({ message }) => message.type)
  }

  async close(): Promise<void> {
    await this.session?.close()
    await this.provider.close()
  }
}
