import type { Provider } from '#agent/provider.ts'
import { SystemClock } from '#base/clock.ts'
import type { Log } from '#base/log.ts'
import { systemRandom as random } from '#base/random.ts'
import type { Configuration } from '#config/schema.ts'
import { createDeepgramAgent } from '#providers/deepgram/agent.ts'
import { createOpenAiRealtime } from '#providers/openai-realtime/agent.ts'
import type { VendorsConfiguration } from '#providers/schemas.ts'
import { runEngine } from './engine-process.ts'
import type { ProviderEngineJob } from './provider-wire.ts'

/** The engine process of `just bench provider`: the real engine and the real provider, whose server is a stand-in. */
const job = JSON.parse(process.argv[2] ?? '{}') as ProviderEngineJob
const clock = new SystemClock()
// Making phrases in the engine's own voice takes the CPU of minutes of calls, once.
const recorded = { start: () => {}, get: () => null, close: () => Promise.resolve() }

await runEngine(job, clock, (settings, log) => {
  const provider = providerOf(settings, log)
  return {
    name: provider.name,
    // By what it is told of its caller, the stand-in says whose session it is.
    provider: { ...provider, open: (context) => provider.open({ ...context, prompt: context.callId }) },
    settings: { barge_in: { ...settings.barge_in, confirm: job.vad } },
  }
})

function providerOf({ providers }: Configuration<VendorsConfiguration>, log: Log): Provider<'agent'> {
  const { baseUrl, format } = job
  const deps = { clock, random, log, secrets: {}, tools: [], recorded }
  if (format === 'mulaw' || format === 'linear16') {
    const wsUrl = `${baseUrl.replace('http', 'ws')}/v1/agent/converse`
    const options = { ...providers.deepgram, ws_url: wsUrl, base_url: baseUrl, encoding: format, api_key_env: '' }
    return createDeepgramAgent('deepgram', options, deps)
  }
  const options = { ...providers.openai_realtime, base_url: baseUrl, format, api_key_env: '' }
  return createOpenAiRealtime('openai_realtime', options, { ...deps, interruptsItself: !job.vad })
}
