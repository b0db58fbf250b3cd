import type { Provider } from '#agent/provider.ts'
import { Tally } from '#agent/tally.ts'
import { bunSocket, type OpenSocket } from '#agent/wire-socket.ts'
import type { SampleRateHz } from '#audio/format.ts'
import type { Tool } from '#tools/tool.ts'
import { Account, type AccountDeps } from './account.ts'
import { AgentSession } from './agent-session.ts'
import type { DeepgramOptions } from './options.ts'

/** Deepgram's Voice Agent as an agent: it hears, thinks with a model of anybody's, and speaks, over one socket per call. */
export interface DeepgramAgentDeps extends AccountDeps {
  readonly tools: readonly Tool[]
  /** Phrases in the engine's own voice. */
  readonly recorded: {
    start(): void
    get(text: string, sampleRateHz: SampleRateHz): Int16Array | null
    close(): Promise<void>
  }
  readonly openSocket?: OpenSocket
}

export function createDeepgramAgent(
  name: string,
  options: DeepgramOptions,
  deps: DeepgramAgentDeps,
): Provider<'agent'> {
  const { clock, random, log, secrets, tools, recorded } = deps
  const account = new Account(options, deps)
  const openSocket = deps.openSocket ?? bunSocket(clock)
  const tally = new Tally()
  let closed = false
  return {
    name,
    role: 'agent',
    turnDetection: 'provider',
    readiness: () => account.state.readiness,
    audioRates: (legHz) => ({ inputHz: legHz, outputHz: legHz }),
    events: () => tally.all,
    start() {
      account.start()
      recorded.start()
    },
    open(context) {
      if (closed) return Promise.reject(new Error('the agent is closed'))
      const session = new AgentSession(
        {
          options,
          account,
          openSocket,
          random,
          log,
          tally,
          secrets,
          tools,
          recorded: (text, sampleRateHz) => recorded.get(text, sampleRateHz),
        },
        context,
      )
      return Promise.resolve(session)
    },
    async close() {
      closed = true
      await Promise.all([account.close(), recorded.close()])
    },
  }
}
