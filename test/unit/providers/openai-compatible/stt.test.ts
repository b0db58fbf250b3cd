import { afterEach, describe, expect, test } from 'bun:test'
import type { CallContext, SessionOf, SttEvent } from '#agent/provider.ts'
import type { Secrets } from '#config/secrets.ts'
import { PartBench, until } from './parts.ts'

const cleanups: (() => Promise<void>)[] = []
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup()
})

interface Opened {
  readonly bench: PartBench<'stt'>
  readonly session: SessionOf<'stt'>
  readonly events: SttEvent[]
  /** So much of the caller's speech, all samples with this value. */
  speak(durationMs: number, value?: number): void
  finals(count: number): Promise<string[]>
}

async function open(options: object = {}, secrets: Secrets = {}, context: Partial<CallContext> = {}): Promise<Opened> {
  const bench = new PartBench('stt', options, secrets, context)
  cleanups.push(() => bench.close())
  await bench.ready()
  const session = await bench.provider.open(bench.context)
  const events: SttEvent[] = []
  session.onEvent((event) => void events.push(event))
  const { sampleRateHz } = bench.context
  const speak = (durationMs: number, value = 1000) => {
    for (let atMs = 0; atMs < durationMs; atMs += 20)
      session.send({ type: 'audio', frame: { sampleRateHz, samples: new Int16Array(sampleRateHz / 50).fill(value) } })
  }
  const texts = () => events.flatMap((event) => (event.type === 'transcript' && event.final ? [event.text] : []))
  const finals = async (count: number) => {
    await until(() => texts().length >= count)
    return texts()
  }
  return { bench, session, events, speak, finals }
}

describe('recognition over HTTP', () => {
  test('a turn is sent whole, as WAV at the rate of the call, with language and words to expect', async () => {
    const { bench, session, speak, finals } = await open(
      { model: 'whisper-1', prompt: 'Derailleur', api_key_env: 'KEY' },
      { KEY: 'sk-1' },
      { language: 'de-AT' },
    )
    bench.server.transcribe = () => ({ text: ' Grüß Gott. ' })
    speak(500, 1)
    session.send({ type: 'speech_started', agoMs: 200 })
    speak(600, 2)
    session.send({ type: 'finalize' })
    expect(await finals(1)).toEqual(['Grüß Gott.'])
    expect(bench.server.problems).toEqual([])
    const [sent] = bench.server.transcriptions
    expect(sent).toMatchObject({
      model: 'whisper-1',
      language: 'de',
      prompt: 'Derailleur',
      sampleRateHz: 8000,
      authorization: 'Bearer sk-1',
    })
    // 600 ms, the 200 ms before, and 300 ms of lead.
    expect((sent?.samples.length ?? 0) / 8).toBe(1100)
  })

  test('is begun at the pause; where nothing is said after it, it is not asked again', async () => {
    const { bench, session, events, speak, finals } = await open()
    session.send({ type: 'speech_started', agoMs: 0 })
    speak(400)
    session.send({ type: 'speech_stopped' })
    await until(() => events.length === 1)
    expect(events).toEqual([{ type: 'transcript', final: false, text: 'Hello.' }])
    speak(300, 0)
    session.send({ type: 'finalize' })
    expect(await finals(1)).toEqual(['Hello.'])
    expect(bench.server.transcriptions).toHaveLength(1)
  })

  test('what goes on after a pause is sent whole', async () => {
    const { bench, session, speak, finals } = await open()
    bench.server.transcribe = ({ samples }) => ({ text: `${samples.length / 8} ms`, delayMs: 30 })
    session.send({ type: 'speech_started', agoMs: 0 })
    speak(400)
    session.send({ type: 'speech_stopped' })
    await until(() => bench.server.transcriptions.length === 1)
    session.send({ type: 'speech_started', agoMs: 0 })
    speak(200)
    session.send({ type: 'finalize' })
    expect(await finals(1)).toEqual(['600 ms'])
  })

  test('without start_at_pause nothing is sent before the end', async () => {
    const { bench, session, speak, finals } = await open({ start_at_pause: false, language: 'auto' })
    session.send({ type: 'speech_started', agoMs: 0 })
    speak(40)
    session.send({ type: 'speech_stopped' })
    await Bun.sleep(30)
    expect(bench.server.transcriptions).toEqual([])
    session.send({ type: 'finalize' })
    expect(await finals(1)).toEqual(['Hello.'])
    // Less than a server takes is lengthened.
    expect(bench.server.transcriptions[0]).toMatchObject({ language: null })
    expect(bench.server.problems).toEqual([])
  })

  test('a turn that never began has no words, and nobody is asked', async () => {
    const { bench, session, finals } = await open()
    session.send({ type: 'finalize' })
    expect(await finals(1)).toEqual([''])
    expect(bench.server.transcriptions).toEqual([])
  })

  test.each([
    ['a refusal', { status: 401, body: { error: { message: 'bad key sk-1' } } }, 'unauthorized', false],
    ['no such model', { status: 404, body: { error: { message: 'model not found' } } }, 'model_not_found', false],
    ['a server in trouble', { status: 503, body: 'overloaded' }, 'server_error', true],
    ['an answer of another kind', { answer: '<html>' }, 'bad_answer', true],
    ['an answer without end', { answer: `{"text":"${'x'.repeat(2_000_000)}"}` }, 'bad_answer', true],
    ['silence', { neverAnswers: true }, 'timeout', true],
  ] as const)('%s is one fault and one empty final', async (_what, answer, code, retryable) => {
    const { bench, session, events, speak, finals } = await open({ timeout_ms: 200 })
    bench.server.transcribe = () => answer
    session.send({ type: 'speech_started', agoMs: 0 })
    speak(400)
    session.send({ type: 'speech_stopped' })
    session.send({ type: 'finalize' })
    expect(await finals(1)).toEqual([''])
    expect(events.map((event) => (event.type === 'fault' ? event.code : event.type))).toEqual([code, 'transcript'])
    const [fault] = events
    expect(fault).toMatchObject({ type: 'fault', retryable })
    expect(JSON.stringify(fault)).not.toMatch(/sk-1|xxx|html/)
  })

  test('a server that cannot be reached', async () => {
    const { bench, session, events, speak, finals } = await open()
    await bench.server.close()
    session.send({ type: 'speech_started', agoMs: 0 })
    speak(400)
    session.send({ type: 'finalize' })
    await finals(1)
    expect(events[0]).toMatchObject({ type: 'fault', code: 'unreachable', retryable: true })
    await until(() => !bench.provider.readiness().ready)
  })

  test('a guess that failed is asked for once more when the words are wanted', async () => {
    const { bench, session, speak, finals } = await open()
    bench.server.transcribe = (_seen, index) => (index === 0 ? { status: 500 } : { text: 'Hello.' })
    session.send({ type: 'speech_started', agoMs: 0 })
    speak(400)
    session.send({ type: 'speech_stopped' })
    await until(() => bench.server.transcriptions.length === 1)
    session.send({ type: 'finalize' })
    expect(await finals(1)).toEqual(['Hello.'])
  })

  test('the end of the call breaks off what is under way', async () => {
    const { bench, session, events, speak } = await open()
    bench.server.transcribe = () => ({ neverAnswers: true })
    session.send({ type: 'speech_started', agoMs: 0 })
    speak(400)
    session.send({ type: 'finalize' })
    await until(() => bench.server.transcriptions.length === 1)
    bench.call.abort()
    await session.close()
    expect(events).toEqual([{ type: 'closed' }])
    await until(() => bench.server.aborted === 1)
    expect(session.send({ type: 'finalize' })).toBe('closed')
  })

  test('a key that is missing says which', async () => {
    const bench = new PartBench('stt', { api_key_env: 'NO_KEY' })
    cleanups.push(() => bench.close())
    bench.provider.start()
    await until(() => !JSON.stringify(bench.provider.readiness()).includes('not been asked'))
    expect(bench.provider.readiness()).toEqual({
      ready: false,
      reason: 'the environment variable NO_KEY (providers.*.stt.api_key_env) is not set',
    })
    await expect(bench.provider.open(bench.context)).rejects.toThrow(/NO_KEY/)
  })
})
