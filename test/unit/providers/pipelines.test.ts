import { afterEach, describe, expect, test } from 'bun:test'
import type { AgentEvent, Provider } from '#agent/provider.ts'
import { SystemClock } from '#base/clock.ts'
import { silentLog } from '#base/log.ts'
import { seededRandom } from '#base/random.ts'
import { loadConfiguration } from '#config/load.ts'
import { formatProblem } from '#config/problem.ts'
import { planProviders } from '#providers/index.ts'
import { planPipeline } from '#providers/pipelines.ts'
import { vendorSchemas } from '#providers/schemas.ts'
import { callContext } from '../../fakes/context.ts'
import { OpenAiCompatibleServer } from '../../fakes/openai-compatible-server.ts'
import { until } from './openai-compatible/parts.ts'

const clock = new SystemClock()
const cleanups: (() => Promise<void>)[] = []
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup()
})

function providersOf(text: string, env = {}): Record<string, Provider<'agent'>> {
  const loaded = loadConfiguration({ text, env, vendors: vendorSchemas })
  if (!loaded.ok) throw new Error(loaded.error.map(formatProblem).join('\n'))
  const { configuration } = loaded.value
  const plans = planProviders({ configuration, env, secrets: env, log: silentLog, clock, random: seededRandom(1) })
  const providers = Object.fromEntries(Object.entries(plans).map(([name, plan]) => [name, plan.make()]))
  cleanups.push(async () => {
    await Promise.all(Object.values(providers).map((provider) => provider.close()))
  })
  return providers
}

const inline = '{ provider: openai_compatible, base_url: "http://127.0.0.1:9/v1" }'

describe('pipelines', () => {
  test('are agents beside the providers, under their names; the engine finds their turns', () => {
    const providers = providersOf(`pipelines: { front: {}, back: { stt: [deepgram, ${inline}], llm: ${inline} } }\n`)
    expect(Object.keys(providers)).toEqual(['local', 'openai_realtime', 'deepgram', 'loopback', 'front', 'back'])
    const { front, back } = providers
    expect([front?.name, front?.role, front?.turnDetection]).toEqual(['front', 'agent', 'engine'])
    expect(back?.readiness().ready).toBeFalse()
    // Words over the agent are written down where the recogniser can.
    expect([front?.wordsIn !== undefined, back?.wordsIn !== undefined]).toEqual([true, false])
  })

  test('take the parts of a section by its name, and tell them the language of the pipeline', async () => {
    const server = new OpenAiCompatibleServer({ pieces: ['Um neun Uhr.'] })
    cleanups.push(() => server.close())
    server.transcribe = () => ({ text: 'Wann öffnen Sie?' })
    const all = 'stt: openai_compatible, llm: openai_compatible, tts: [openai_compatible, local]'
    const { front } = providersOf(
      `providers:
  openai_compatible:
    base_url: "${server.baseUrl}"
    api_key_env: MY_KEY
    stt: { model: ears }
    llm: { model: wits }
    tts: { model: mouth, voice: ash }
pipelines: { front: { ${all}, options: { language: de-AT } } }
`,
      { MY_KEY: 'sk-1' },
    )
    if (front === undefined) throw new Error('there is no such pipeline')
    front.start()
    await until(() => front.readiness().ready)
    const session = await front.open(callContext(clock))
    const events: AgentEvent[] = []
    session.onEvent((event) => void events.push(event))
    session.send({ type: 'speech_started', agoMs: 0 })
    for (let frame = 0; frame < 30; frame += 1)
      session.send({ type: 'audio', frame: { sampleRateHz: 8000, samples: new Int16Array(160).fill(900) } })
    session.send({ type: 'turn_committed' })
    await until(() => events.some(({ type }) => type === 'reply_done'))
    const words = events.flatMap((event) => (event.type === 'transcript' ? [`${event.side}: ${event.text}`] : []))
    expect(words).toEqual(['caller: Wann öffnen Sie?', 'agent: Um neun Uhr.'])
    expect(server.transcriptions[0]).toMatchObject({ model: 'ears', language: 'de', authorization: 'Bearer sk-1' })
    expect(server.requests[0]).toMatchObject({ body: { model: 'wits' }, authorization: 'Bearer sk-1' })
    expect(server.speeches[0]).toMatchObject({ model: 'mouth', voice: 'ash', authorization: 'Bearer sk-1' })
    expect(server.problems).toEqual([])
    await session.close()
  })

  test('have another voice and other tools in a call that is given them', async () => {
    const server = new OpenAiCompatibleServer({ pieces: ['Yes.'] })
    cleanups.push(() => server.close())
    const part = `{ provider: openai_compatible, base_url: "${server.baseUrl}", model: m }`
    const all = `stt: ${part}, llm: ${part}, tts: ${part}, tools: [terminate_call]`
    const { front } = providersOf(
      `pipelines: { front: { ${all} } }\ntransfer: { destinations: { a: { context: c, extension: e } } }\n`,
    )
    if (front === undefined) throw new Error('there is no such pipeline')
    front.start()
    await until(() => front.readiness().ready)
    for (const given of [{}, { voice: 'nova', tools: ['transfer_call'] }, { tools: [] }]) {
      const session = await front.open(callContext(clock, given))
      const events: AgentEvent[] = []
      session.onEvent((event) => void events.push(event))
      session.send({ type: 'speech_started', agoMs: 0 })
      session.send({ type: 'audio', frame: { sampleRateHz: 8000, samples: new Int16Array(4000).fill(900) } })
      session.send({ type: 'turn_committed' })
      await until(() => events.some(({ type }) => type === 'reply_done'))
      await session.close()
    }
    expect(server.speeches.map(({ voice }) => voice)).toEqual(['alloy', 'nova', 'alloy'])
    const names = server.requests.map(({ body }) =>
      ((body.tools ?? []) as { function: { name: string } }[]).map(({ function: { name } }) => name),
    )
    expect(names).toEqual([['terminate_call'], ['transfer_call'], []])
  })

  test('send no key to a server in place that names none', async () => {
    const server = new OpenAiCompatibleServer({})
    cleanups.push(() => server.close())
    const { front } = providersOf(
      `pipelines: { front: { tts: { provider: openai_compatible, base_url: "${server.baseUrl}" } } }\n`,
      { OPENAI_API_KEY: 'sk-secret' },
    )
    front?.start()
    await until(() => server.modelsRequests > 0)
    expect(server.modelsKeys).toEqual([null])
  })
})

describe('the plan of a pipeline', () => {
  const base = (role: string) => `pipelines: { front: { ${role} } }\n`
  const inputsOf = (text: string) => {
    const loaded = loadConfiguration({ text, env: {}, vendors: vendorSchemas })
    if (!loaded.ok) throw new Error(loaded.error.map(formatProblem).join('\n'))
    const { configuration } = loaded.value
    const { front } = configuration.pipelines
    return front === undefined ? '' : JSON.stringify(planPipeline('front', front, configuration).inputs)
  }

  test('is equal where all that shapes it is equal, wherever it is said', () => {
    const inPlace = inputsOf(base('stt: { provider: deepgram, model: nova-2 }'))
    expect(inputsOf(`${base('stt: deepgram')}providers: { deepgram: { listen: { model: nova-2 } } }\n`)).toBe(
      inPlace.replace('"provider":"deepgram",', ''),
    )
    expect(inputsOf(`${base('tts: openai_compatible')}barge_in: { enabled: false }\n`)).toBe(
      inputsOf(base('tts: openai_compatible')),
    )
  })

  test.each([
    ['its own tools', base('llm: openai_compatible, tools: [terminate_call]')],
    ['its options', base('llm: openai_compatible, options: { language: de }')],
    [
      'the section of a vendor',
      `${base('llm: openai_compatible')}providers: { openai_compatible: { llm: { model: x } } }\n`,
    ],
    [
      'where a vendor is reached',
      `${base('llm: openai_compatible')}providers: { openai_compatible: { api_key_env: K } }\n`,
    ],
    ['a phrase that the local voice prepares', `${base('llm: openai_compatible')}llm: { apology: Pardon? }\n`],
  ])('differs with %s', (_what, text) => {
    expect(inputsOf(text)).not.toBe(inputsOf(base('llm: openai_compatible')))
  })
})
