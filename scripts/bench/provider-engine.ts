import { SystemClock } from '#base/clock.ts'
import { systemRandom } from '#base/random.ts'
import { createOpenAiRealtime } from '#providers/openai-realtime/agent.ts'
import { runEngine } from './engine-process.ts'
import type { ProviderEngineJob } from './provider-wire.ts'

/** The engine process of `just bench provider`: the real engine and the real provider, whose server is a stand-in. */
const job = JSON.parse(process.argv[2] ?? '{}') as ProviderEngineJob
const clock = new SystemClock()
await runEngine(job, clock, (settings, log) => {
  const options = { ...settings.providers.openai_realtime, base_url: job.baseUrl, format: job.format, api_key_env: '' }
  const provider = createOpenAiRealtime('openai_realtime', options, {
    clock,
    random: systemRandom,
    log,
    env: {},
    tools: [],
    interruptsItself: !job.vad,
    // Making phrases in the engine's own voice takes the CPU of minutes of calls, once.
    recorded: { start: () => {}, get: () => null, close: () => Promise.resolve() },
  })
  return {
    name: provider.name,
    // By what it is told of its caller, the stand-in says whose session it is.
    provider: { ...provider, open: (context) => provider.open({ ...context, prompt: context.callId }) },
    settings: { barge_in: { ...settings.barge_in, confirm: job.vad } },
  }
})
