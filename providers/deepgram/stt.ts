import type { Provider } from '#agent/provider.ts'
import { serverProvider } from '#agent/server-provider.ts'
import { Tally } from '#agent/tally.ts'
import { bunSocket, type OpenSocket } from '#agent/wire-socket.ts'
import { Account, type AccountDeps } from './account.ts'
import { ListenOnce } from './listen-once.ts'
import type { DeepgramOptions } from './options.ts'
import { SttSession } from './stt-session.ts'

/** Deepgram's recognition as a part of a pipeline: nova over `/v1/listen`, Flux over `/v2/listen`, by the model's name. */
export interface DeepgramPartDeps extends AccountDeps {
  readonly openSocket?: OpenSocket
}

export function createDeepgramStt(name: string, options: DeepgramOptions, deps: DeepgramPartDeps): Provider<'stt'> {
  const { clock, random, log } = deps
  const account = new Account(options, deps)
  const openSocket = deps.openSocket ?? bunSocket(clock)
  const tally = new Tally()
  const once = new ListenOnce({
    options,
    account,
    clock,
    tally,
    ...(deps.fetch === undefined ? {} : { fetch: deps.fetch }),
  })
  return serverProvider({
    name,
    role: 'stt',
    what: 'recognition',
    turnDetection: 'none',
    audioRates: (legHz) => ({ inputHz: legHz, outputHz: legHz }),
    ...(options.listen.judge_overlaps ? { wordsIn: once.wordsIn.bind(once) } : {}),
    account,
    tally,
    open: (context) => new SttSession({ options, account, openSocket, random, log, tally }, context),
  })
}
