import type { CallContext, Provider, Roles, SessionOf } from '#agent/provider.ts'
import { silentLog } from '#base/log.ts'
import { seededRandom } from '#base/random.ts'
import { createDeepgramStt } from '#providers/deepgram/stt.ts'
import { createDeepgramTts } from '#providers/deepgram/tts.ts'
import type { StandinOptions } from '../standin/deepgram/options.ts'
import { CallerLine } from './caller-line.ts'
import { callContext } from './context.ts'
import { deepgramOptionsOf, goodToken, MemoryDeepgram } from './deepgram-standin.ts'
import { ManualClock, settle } from './manual-clock.ts'

export interface PartBenchOptions {
  readonly standin?: Partial<StandinOptions>
  readonly options?: Readonly<Record<string, unknown>>
  readonly context?: Partial<CallContext>
  readonly secrets?: Readonly<Record<string, string>>
}

/** A part of a pipeline, and one session of it, on a clock that stands still until a test moves it. */
export class PartBench<Part extends 'stt' | 'tts'> {
  readonly clock = new ManualClock()
  readonly server: MemoryDeepgram
  readonly provider: Provider<Part>
  readonly token = goodToken()
  readonly events: Roles[Part]['event'][] = []
  session: SessionOf<Part> | null = null
  private readonly context: Partial<CallContext>
  private readonly caller = new CallerLine()

  constructor(role: Part, { standin, options, context, secrets }: PartBenchOptions = {}) {
    const { clock } = this
    this.server = new MemoryDeepgram({ clock, random: seededRandom(7), pace: 0, ...standin })
    this.context = context ?? {}
    const deps = {
      clock,
      random: seededRandom(11),
      log: silentLog,
      secrets: secrets ?? { DEEPGRAM_API_KEY: 'dg-test' },
      openSocket: this.server.openSocket,
      fetch: () => {
        const { status, body, headers } = this.token
        return Promise.resolve(new Response(body, { status, headers }))
      },
    }
    const create = role === 'stt' ? createDeepgramStt : createDeepgramTts
    this.provider = create('deepgram', deepgramOptionsOf(options), deps) as Provider<Part>
  }

  /** The session is there when this resolves, and connected where the server lets it. */
  async open(): Promise<this> {
    const session = await this.provider.open(callContext(this.clock, this.context))
    this.session = session
    session.onEvent((event) => this.events.push(event))
    await settle(60)
    return this
  }

  /** Time passes; with a line the session is given audio: a voice, or silence. */
  async pass(durationMs: number, line: 'still' | 'quiet' | 'hum' = 'still'): Promise<void> {
    for (let passed = 0; passed < durationMs; passed += 20) {
      this.clock.advance(Math.min(20, durationMs - passed))
      if (line !== 'still') {
        const frame = { sampleRateHz: 8000 as const, samples: this.caller.frame(line) }
        ;(this.session as { send(input: object): unknown } | null)?.send({ type: 'audio', frame })
      }
      await settle(20)
    }
  }

  taken(): Roles[Part]['event'][] {
    return this.events.splice(0)
  }

  async close(): Promise<void> {
    await this.session?.close()
    await this.provider.close()
  }
}
