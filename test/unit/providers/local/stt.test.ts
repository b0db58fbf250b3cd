import { describe, expect, test } from 'bun:test'
import type { SttEvent } from '#agent/provider.ts'
import { LocalSttSession, type Transcriber } from '#providers/local/stt.ts'
import type { SpeechFailure } from '#speech/speech-failure.ts'
import { contextOf, settle } from './sessions.ts'

interface Job {
  readonly samples: Int16Array
  readonly signal: AbortSignal
  readonly answer: (text: string) => void
  readonly fail: (code: SpeechFailure['code']) => void
}

function setUp() {
  const jobs: Job[] = []
  const transcriber: Transcriber = {
    transcribe(samples, _rate, signal) {
      return new Promise((resolve) => {
        const fail = (code: SpeechFailure['code']) => resolve({ ok: false, error: { code, message: code } })
        signal.addEventListener('abort', () => fail('cancelled'))
        const answer = (text: string) =>
          resolve({ ok: true, value: { text, audioMs: samples.length / 8, durationMs: 1, looped: false } })
        jobs.push({ samples, signal, answer, fail })
      })
    },
  }
  const events: SttEvent[] = []
  const call = new AbortController()
  const session = new LocalSttSession(contextOf(call.signal), transcriber)
  session.onEvent((event) => events.push(event))
  const hear = (ms: number, value = 1000) => {
    for (let at = 0; at < ms; at += 20)
      session.send({ type: 'audio', frame: { sampleRateHz: 8000, samples: new Int16Array(160).fill(value) } })
  }
  const job = (index: number) => {
    const found = jobs[index]
    if (found === undefined) throw new Error(`no job ${index}`)
    return found
  }
  const finals = () => events.flatMap((event) => (event.type === 'transcript' && event.final ? [event.text] : []))
  return { session, events, hear, jobs, job, finals, call }
}

describe('LocalSttSession', () => {
  test('a pause begins recognition, and finalize finds it done', async () => {
    const { session, hear, job, jobs, finals, events } = setUp()
    hear(1000)
    session.send({ type: 'speech_started', agoMs: 200 })
    hear(600)
    session.send({ type: 'speech_stopped' })
    // From 500 ms before the detection (200 + 300 of lead) to the pause.
    expect(job(0).samples.length).toBe((500 + 600) * 8)
    job(0).answer('hello')
    await settle()
    expect(events).toEqual([{ type: 'transcript', final: false, text: 'hello' }])
    session.send({ type: 'finalize' })
    await settle()
    expect(finals()).toEqual(['hello'])
    expect(jobs.length).toBe(1)
  })

  test('speech after the pause makes the guess stale: the whole turn is recognised anew', async () => {
    const { session, hear, job, finals, events } = setUp()
    session.send({ type: 'speech_started', agoMs: 0 })
    hear(500)
    session.send({ type: 'speech_stopped' })
    hear(300)
    session.send({ type: 'speech_started', agoMs: 0 })
    expect(job(0).signal.aborted).toBe(true)
    hear(500)
    session.send({ type: 'speech_stopped' })
    session.send({ type: 'finalize' })
    expect(job(1).samples.length).toBe(1300 * 8)
    job(1).answer('the whole of it')
    await settle()
    expect(finals()).toEqual(['the whole of it'])
    expect(events.filter((event) => event.type === 'transcript' && !event.final)).toEqual([])
  })

  test('finalize without a pause before it', async () => {
    const { session, hear, job, finals } = setUp()
    session.send({ type: 'speech_started', agoMs: 0 })
    hear(400)
    session.send({ type: 'finalize' })
    await settle()
    job(0).answer('cut off')
    await settle()
    expect(finals()).toEqual(['cut off'])
  })

  test('nothing was said: one final, and it is empty', async () => {
    const { session, hear, jobs, finals } = setUp()
    hear(3000)
    session.send({ type: 'finalize' })
    await settle()
    for (const job of jobs) job.answer('')
    await settle()
    expect(finals()).toEqual([''])
  })

  test('a long turn is sealed at its quietest point and comes out in one text', async () => {
    const { session, hear, job, jobs, finals } = setUp()
    session.send({ type: 'speech_started', agoMs: 0 })
    hear(21_000)
    hear(400, 0)
    hear(8_600)
    expect(jobs.length).toBe(1)
    const sealedMs = job(0).samples.length / 8
    expect(sealedMs).toBeGreaterThan(21_000)
    expect(sealedMs).toBeLessThan(21_400)
    session.send({ type: 'finalize' })
    await settle()
    expect(job(0).samples.length + job(1).samples.length).toBe(30_000 * 8)
    job(1).answer('second part')
    job(0).answer('first part')
    await settle()
    expect(finals()).toEqual(['first part second part'])
  })

  test('finals come in the order they were asked for', async () => {
    const { session, hear, job, finals } = setUp()
    for (let turn = 0; turn < 2; turn++) {
      session.send({ type: 'speech_started', agoMs: 0 })
      hear(200)
      session.send({ type: 'finalize' })
    }
    await settle()
    job(1).answer('two')
    await settle()
    expect(finals()).toEqual([])
    job(0).answer('one')
    await settle()
    expect(finals()).toEqual(['one', 'two'])
  })

  test('a turn hears nothing of the one before', async () => {
    const { session, hear, job } = setUp()
    session.send({ type: 'speech_started', agoMs: 0 })
    hear(1000)
    session.send({ type: 'finalize' })
    await settle()
    hear(100)
    session.send({ type: 'speech_started', agoMs: 500 })
    session.send({ type: 'speech_stopped' })
    expect(job(1).samples.length).toBe(100 * 8)
  })

  test('a guess that found the queue full is made again when it counts', async () => {
    const { session, hear, job, finals, events } = setUp()
    session.send({ type: 'speech_started', agoMs: 0 })
    hear(500)
    session.send({ type: 'speech_stopped' })
    job(0).fail('overloaded')
    await settle()
    session.send({ type: 'finalize' })
    await settle()
    job(1).answer('at last')
    await settle()
    expect(finals()).toEqual(['at last'])
    expect(events.some((event) => event.type === 'fault')).toBe(false)
  })

  test('a failure is a fault, and the final that was owed comes empty after it', async () => {
    const { session, hear, job, events } = setUp()
    session.send({ type: 'speech_started', agoMs: 0 })
    hear(500)
    session.send({ type: 'finalize' })
    await settle()
    job(0).fail('overloaded')
    await settle()
    expect(events).toEqual([
      { type: 'fault', code: 'overloaded', message: 'overloaded', retryable: true },
      { type: 'transcript', final: true, text: '' },
    ])
  })

  test('the end of the call stops everything; closed comes last and nothing after', async () => {
    const { session, hear, job, events, call } = setUp()
    session.send({ type: 'speech_started', agoMs: 0 })
    hear(500)
    session.send({ type: 'finalize' })
    await settle()
    call.abort()
    await session.close()
    expect(job(0).signal.aborted).toBe(true)
    expect(events).toEqual([{ type: 'closed' }])
    expect(session.send({ type: 'finalize' })).toBe('closed')
    job(0).answer('too late')
    await settle()
    expect(events.length).toBe(1)
  })
})
