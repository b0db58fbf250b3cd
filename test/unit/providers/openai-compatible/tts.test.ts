import { afterEach, describe, expect, test } from 'bun:test'
import type { CallContext, SessionOf, TtsEvent } from '#agent/provider.ts'
import { resampleWhole } from '#audio/resample.ts'
import type { Secrets } from '#config/secrets.ts'
import { voiceOf } from '../../../fakes/openai-compatible-audio.ts'
import { PartBench, until } from './parts.ts'

const cleanups: (() => Promise<void>)[] = []
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup()
})

interface Opened {
  readonly bench: PartBench<'tts'>
  readonly session: SessionOf<'tts'>
  readonly events: TtsEvent[]
  /** Until the queue is worked off, or there is a fault. */
  say(...texts: string[]): Promise<void>
  heard(): Int16Array
}

async function open(options: object = {}, secrets: Secrets = {}, context: Partial<CallContext> = {}): Promise<Opened> {
  const bench = new PartBench('tts', options, secrets, context)
  cleanups.push(() => bench.close())
  await bench.ready()
  const session = await bench.provider.open(bench.context)
  const events: TtsEvent[] = []
  session.onEvent((event) => void events.push(event))
  const say = async (...texts: string[]) => {
    for (const text of texts) session.send({ type: 'speak', text })
    const spoken = () => events.filter(({ type }) => type === 'spoken').length
    await until(() => spoken() >= texts.length || events.some(({ type }) => type === 'fault'))
  }
  const heard = () =>
    Int16Array.from(events.flatMap((event) => (event.type === 'audio' ? [...event.frame.samples] : [])))
  return { bench, session, events, say, heard }
}

/** The largest difference of two sounds; the second may lag by what the filter adds. */
function farthest(left: Int16Array, right: Int16Array, lag: number): number {
  let worst = 0
  for (let at = 200; at < Math.min(left.length, right.length - lag) - 200; at += 1)
    worst = Math.max(worst, Math.abs((left[at] ?? 0) - (right[at + lag] ?? 0)))
  return worst
}

describe('a voice over HTTP', () => {
  test('speaks sentence by sentence, in order, at the rate of the call', async () => {
    const { bench, events, say, heard } = await open({ voice: 'ash', api_key_env: 'KEY' }, { KEY: 'sk-1' })
    await say('One.', 'Two, and more.')
    expect(events.flatMap((event) => (event.type === 'spoken' ? [event.text] : []))).toEqual(['One.', 'Two, and more.'])
    expect(bench.server.problems).toEqual([])
    expect(bench.server.speeches[0]).toMatchObject({
      model: 'gpt-4o-mini-tts',
      voice: 'ash',
      input: 'One.',
      format: 'pcm',
      speed: null,
      instructions: null,
      authorization: 'Bearer sk-1',
    })
    const wanted = resampleWhole(voiceOf('One.'), 24_000, 8000)
    // 3.5 ms of the filter, at 8 kHz.
    expect(farthest(wanted, heard(), 28)).toBeLessThan(20)
  })

  test.each([
    ['pcm, whatever the sizes of the reads', { response_format: 'pcm' }, { chunkBytes: 999 }],
    ['wav, at a rate of its own', { response_format: 'wav' }, { sampleRateHz: 22_050, chunkBytes: 1001 }],
    ['pcm at another rate', { pcm_rate_hz: 16_000 }, { sampleRateHz: 16_000 }],
  ] as const)('%s', async (_what, options, answer) => {
    const { bench, say, heard } = await open(options)
    bench.server.speak = () => answer
    await say('A sentence.')
    const rateHz = 'sampleRateHz' in answer ? answer.sampleRateHz : 24_000
    const wanted = resampleWhole(voiceOf('A sentence.', rateHz), rateHz, 8000)
    const sound = heard()
    const lag = Math.abs(sound.length - wanted.length)
    expect(lag).toBeLessThan(80)
    const energy = (samples: Int16Array) => samples.reduce((sum, sample) => sum + sample * sample, 0)
    expect(energy(sound) / energy(wanted)).toBeCloseTo(1, 1)
  })

  test('speed and instructions are sent where they are wanted', async () => {
    const { bench, say } = await open({ speed: 1.2, instructions: 'Friendly.' })
    await say('Hello.')
    expect(bench.server.speeches[0]).toMatchObject({ speed: 1.2, instructions: 'Friendly.' })
  })

  test('audio is passed on before the sentence is whole', async () => {
    const { bench, session, events } = await open()
    bench.server.speak = () => ({ pieceDelayMs: 20 })
    session.send({ type: 'speak', text: 'A sentence of some length.' })
    await until(() => events.length > 2)
    expect(events.every(({ type }) => type === 'audio')).toBeTrue()
  })

  test('the next sentence is asked for while one is spoken, also where it comes late; never more than one', async () => {
    const { bench, session, events } = await open()
    bench.server.speak = () => ({ pieceDelayMs: 10 })
    session.send({ type: 'speak', text: 'One sentence.' })
    await until(() => events.length > 1)
    for (const text of ['Two.', 'Three.']) session.send({ type: 'speak', text })
    await until(() => bench.server.speeches.length === 2)
    expect(events.some(({ type }) => type === 'spoken')).toBeFalse()
    expect(bench.server.speeches.map(({ input }) => input)).toEqual(['One sentence.', 'Two.'])
    await until(() => events.filter(({ type }) => type === 'spoken').length === 3)
    expect(events.flatMap((event) => (event.type === 'spoken' ? [event.text] : []))).toEqual([
      'One sentence.',
      'Two.',
      'Three.',
    ])
    // Of each all of its audio, before the next begins.
    expect(bench.server.speeches).toHaveLength(3)
  })

  test('what is cancelled stays silent, and what comes then is spoken', async () => {
    const { bench, session, events, say } = await open()
    bench.server.speak = (_seen, index) => (index < 2 ? { pieceDelayMs: 20 } : {})
    session.send({ type: 'speak', text: 'A sentence of some length.' })
    session.send({ type: 'speak', text: 'Never.' })
    await until(() => events.length > 1)
    session.send({ type: 'cancel' })
    const before = events.length
    await Bun.sleep(50)
    expect(events.length).toBe(before)
    await say('Then.')
    expect(events.flatMap((event) => (event.type === 'spoken' ? [event.text] : []))).toEqual(['Then.'])
    // The one that was being spoken, and the one that was asked for meanwhile.
    await until(() => bench.server.aborted === 2)
  })

  test.each([
    ['a refusal', { status: 403, body: { error: { message: 'sk-1' } } }, 'unauthorized', false],
    ['too much', { status: 429, body: { error: { message: 'slow down' } } }, 'rate_limited', true],
    ['nothing', { samples: new Int16Array(0) }, 'bad_answer', true],
    ['something compressed', { bytes: new TextEncoder().encode('ID3 and so on') }, 'bad_answer', false],
    ['words instead of a sound', { bytes: new TextEncoder().encode('{"error":"x"}') }, 'bad_answer', false],
    ['silence', { neverAnswers: true }, 'timeout', true],
    ['a stall within the sentence', { stallAfterBytes: 9600 }, 'timeout', true],
  ] as const)('%s is a fault, and drops what was to follow', async (_what, answer, code, retryable) => {
    const { bench, events, say } = await open({ timeout_ms: 200 })
    bench.server.speak = () => answer
    await say('One.', 'Two.')
    expect(events.at(-1)).toMatchObject({ type: 'fault', code, retryable })
    expect(JSON.stringify(events.at(-1))).not.toMatch(/sk-1|slow down|One|Two/)
    await Bun.sleep(20)
    expect(events.filter(({ type }) => type === 'fault' || type === 'spoken')).toHaveLength(1)
  })

  test('a connection that breaks within a sentence is a fault', async () => {
    const { bench, session, events } = await open()
    bench.server.speak = () => ({ pieceDelayMs: 20 })
    session.send({ type: 'speak', text: 'A sentence of some length.' })
    await until(() => events.length > 1)
    await bench.server.close()
    await until(() => events.at(-1)?.type === 'fault')
    expect(events.at(-1)).toMatchObject({ code: 'unreachable', retryable: true })
    await until(() => !bench.provider.readiness().ready)
  })

  test('a text that no server takes is not sent', async () => {
    const { bench, events, say } = await open()
    await say('x'.repeat(5000))
    expect(events.at(-1)).toMatchObject({ type: 'fault', code: 'bad_request' })
    expect(bench.server.speeches).toEqual([])
  })

  test('the end of the call breaks off what is under way', async () => {
    const { bench, session, events } = await open()
    bench.server.speak = () => ({ neverAnswers: true })
    session.send({ type: 'speak', text: 'One.' })
    await until(() => bench.server.speeches.length === 1)
    await session.close()
    expect(events).toEqual([{ type: 'closed' }])
    expect(session.send({ type: 'speak', text: 'x' })).toBe('closed')
  })
})
