import type { Provider } from '#agent/provider.ts'
import { serverProvider } from '#agent/server-provider.ts'
import { Tally } from '#agent/tally.ts'
import { bunSocket, type OpenSocket } from '#agent/wire-socket.ts'
import type { Phrases } from '#speech/recorded-phrases.ts'
import type { Tool } from '#tools/tool.ts'
import { Account, type AccountDeps } from './account.ts'
import { AgentSession } from './agent-session.ts'
import type { DeepgramOptions } from './options.ts'

/** Deepgram's Voice Agent as an agent: it hears, thinks with a model of anybody's, and speaks, over one socket per call. */
export interface DeepgramAgentDeps extends AccountDeps {
  readonly tools: readonly Tool[]
  readonly recorded: Phrases
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
  const phrase = recorded.get.bind(recorded)
  const session = { options, account, openSocket, random, log, tally, secrets, tools, recorded: phrase }
  return serverProvider({
    name,
    role: 'agent',
    what: 'agent',
    turnDetection: 'provider',
    audioRates: (legHz) => ({ inputHz: legHz, outputHz: legHz }),
    account,
    tally,
    beside: recorded,
    open: (context) => new AgentSession(session, context),
  })
}
