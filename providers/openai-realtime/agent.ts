import type { Provider } from '#agent/provider.ts'
import { serverProvider } from '#agent/server-provider.ts'
import { Tally } from '#agent/tally.ts'
import { bunSocket, type OpenSocket } from '#agent/wire-socket.ts'
import type { Phrases } from '#speech/recorded-phrases.ts'
import type { Tool } from '#tools/tool.ts'
import { Account, type AccountDeps } from './account.ts'
import type { OpenAiRealtimeOptions } from './options.ts'
import { RealtimeSession } from './session.ts'

/** OpenAI's Realtime API, or a server that speaks it, as an agent. */
export interface OpenAiRealtimeDeps extends AccountDeps {
  readonly tools: readonly Tool[]
  /** The server breaks a reply off by itself when it hears the caller: nobody here confirms it. */
  readonly interruptsItself: boolean
  readonly recorded: Phrases
  readonly openSocket?: OpenSocket
}

export function createOpenAiRealtime(
  name: string,
  options: OpenAiRealtimeOptions,
  deps: OpenAiRealtimeDeps,
): Provider<'agent'> {
  const { clock, random, log, tools, interruptsItself, recorded } = deps
  const account = new Account(options, deps)
  const openSocket = deps.openSocket ?? bunSocket(clock)
  const tally = new Tally()
  const phrase = recorded.get.bind(recorded)
  const session = { options, account, openSocket, random, log, tally, tools, interruptsItself, recorded: phrase }
  return serverProvider({
    name,
    role: 'agent',
    what: 'realtime provider',
    turnDetection: options.turn_detection.type === 'none' ? 'engine' : 'provider',
    audioRates(legHz) {
      const hz = options.format === 'pcmu' || (options.format === 'auto' && legHz === 8000) ? 8000 : 24_000
      return { inputHz: hz, outputHz: hz }
    },
    account,
    tally,
    beside: recorded,
    open: (context) => new RealtimeSession(session, context),
  })
}
