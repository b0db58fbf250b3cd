import * as v from 'valibot'
import type { CallContext, Provider } from '#agent/provider.ts'
import { SystemClock } from '#base/clock.ts'
import { silentLog } from '#base/log.ts'
import { seededRandom } from '#base/random.ts'
import type { Secrets } from '#config/secrets.ts'
import { openAiCompatibleInline } from '#providers/openai-compatible/options.ts'
import type { ServerDeps } from '#providers/openai-compatible/server.ts'
import { createOpenAiCompatibleStt } from '#providers/openai-compatible/stt.ts'
import { createOpenAiCompatibleTts } from '#providers/openai-compatible/tts.ts'
import { callContext } from '../../../fakes/context.ts'
import { OpenAiCompatibleServer } from '../../../fakes/openai-compatible-server.ts'

/** A part with its stand-in, and what is to be closed after the test. */
export class PartBench<R extends 'stt' | 'tts'> {
  readonly clock = new SystemClock()
  readonly server = new OpenAiCompatibleServer({})
  readonly call = new AbortController()
  readonly provider: Provider<R>
  readonly context: CallContext

  constructor(role: R, options: object = {}, secrets: Secrets = {}, context: Partial<CallContext> = {}) {
    const given = { provider: 'openai_compatible', base_url: this.server.baseUrl, ...options }
    const deps: ServerDeps = { clock: this.clock, random: seededRandom(1), log: silentLog, secrets }
    const made: Provider<'stt'> | Provider<'tts'> =
      role === 'stt'
        ? createOpenAiCompatibleStt(v.parse(openAiCompatibleInline.stt, given), deps)
        : createOpenAiCompatibleTts(v.parse(openAiCompatibleInline.tts, given), deps)
    this.provider = made as Provider<R>
    this.context = callContext(this.clock, { signal: this.call.signal, ...context })
  }

  async ready(): Promise<void> {
    this.provider.start()
    await until(() => this.provider.readiness().ready)
  }

  async close(): Promise<void> {
    this.call.abort()
    await this.provider.close()
    await this.server.close()
  }
}

export async function until(condition: () => boolean): Promise<void> {
  for (let tries = 0; !condition(); tries += 1) {
    if (tries > 1000) throw new Error('it did not come to pass')
    await Bun.sleep(5)
  }
}
