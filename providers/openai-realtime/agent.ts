import type { Provider } from '#agent/provider.ts'
import { Tally } from '#agent/tally.ts'
import { bunSocket, type OpenSocket } from '#agent/wire-socket.ts'
import type { SampleRateHz } from '#audio/format.ts'
import type { Clock } from '#base/clock.ts'
import type { Log } from '#base/log.ts'
import type { Random } from '#base/random.ts'
import type { Secrets } from '#config/secrets.ts'
import type { Tool } from '#tools/tool.ts'
import { Account, type Fetch } from './account.ts'
import type { OpenAiRealtimeOptions } from './options.ts'
import { RealtimeSession } from './session.ts'

/** OpenAI's Realtime API, or a server that speaks it, as an agent. */
export interface OpenAiRealtimeDeps {
  readonly clock: Clock
  readonly random: Random
  readonly log: Log
  readonly secrets: Secrets
  readonly tools: readonly Tool[]
  /** The server breaks a reply off by itself when it hears the caller: nobody here confirms it. */
  readonly interruptsItself: boolean
  /** Phrases in the engine's own voice. */
  readonly recorded: {
    start(): void
    get(text: string, sampleRateHz: SampleRateHz): Int16Array | null
    close(): Promise<void>
  }
  readonly openSocket?: OpenSocket
  readonly fetch?: Fetch
}

export function createOpenAiRealtime(
  name: string,
  options: OpenAiRealtimeOptions,
  deps: OpenAiRealtimeDeps,
): Provider<'agent'> {
  const { clock, random, log, secrets, tools, interruptsItself, recorded } = deps
  const account = new Account(options, {
    clock,
    random,
    log,
    secrets,
    ...(deps.fetch === undefined ? {} : { fetch: deps.fetch }),
  })
  const openSocket = deps.openSocket ?? bunSocket(clock)
  const tally = new Tally()
  let closed = false
  return {
    name,
    role: 'agent',
    turnDetection: options.turn_detection.type === 'none' ? 'engine' : 'provider',
    readiness: () => account.state.readiness,
    audioRates(legHz) {
      const hz = options.format === 'pcmu' || (options.format === 'auto' && legHz === 8000) ? 8000 : 24_000
      return { inputHz: hz, outputHz: hz }
    },
    events: () => tally.all,
    start() {
      account.start()
      recorded.start()
    },
    open(context) {
      if (closed) return Promise.reject(new Error('the realtime provider is closed'))
      const session = new RealtimeSession(
        {
          options,
          account,
          openSocket,
          random,
          log,
          tally,
          tools,
          interruptsItself,
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
