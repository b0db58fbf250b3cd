import { describe, expect, test } from 'bun:test'
import type { Log, LogFields } from '#base/log.ts'
import { callSteps } from '#call/observer.ts'
import { createCallObserver } from '#telemetry/call-observer.ts'
import { CallRecordFile } from '#telemetry/call-record.ts'
import { Metrics } from '#telemetry/metrics.ts'
import { callFacts, turnRecord } from '../../fakes/call-facts.ts'
import { ManualClock } from '../../fakes/manual-clock.ts'
import { metricSources } from '../../fakes/metric-sources.ts'

class KeptRecords extends CallRecordFile {
  readonly lines: string[] = []
  override append(line: string): void {
    this.lines.push(line)
  }
}

function setUp(transcripts: boolean) {
  const local = {
    per_call: 0.01,
    per_minute: 0.06,
    per_1000_characters: 0.1,
    per_million_input_tokens: 0,
    per_million_output_tokens: 0,
  }
  const openai_compatible = { ...local, per_call: 0, per_million_input_tokens: 2, per_million_output_tokens: 8 }
  const prices = { currency: 'EUR', providers: { local, openai_compatible } }
  const lines: { level: string; message: string; fields: LogFields }[] = []
  const say =
    (level: string) =>
    (message: string, fields: LogFields = {}) =>
      void lines.push({ level, message, fields })
  const log: Log = { debug: say('debug'), info: say('info'), warn: say('warn'), error: say('error'), with: () => log }
  const records = new KeptRecords('nowhere', log)
  const metrics = new Metrics('0', new ManualClock(), metricSources())
  return { lines, records, metrics, observer: createCallObserver(log, metrics, records, transcripts, prices) }
}

describe('what a call reports', () => {
  test('one info line for each step, in whole milliseconds; steps that come back in each turn are no news', () => {
    const { observer, lines } = setUp(false)
    for (const step of callSteps) observer.step('c-1', step, 12.6)
    observer.step('c-1', 'gate_closed', 20, 'again')
    observer.step('c-1', 'hangup', 30, 'caller')
    expect(lines.map((line) => line.level)).toEqual([...callSteps.map(() => 'info'), 'debug', 'info'])
    expect(lines.map((line) => line.fields.step)).toEqual([...callSteps, 'gate_closed', 'hangup'])
    expect(lines[0]?.fields).toEqual({ call: 'c-1', step: 'admitted', at_ms: 13 })
    expect(lines.at(-1)?.fields.detail).toBe('caller')
    expect(new Set(lines.map((line) => line.message)).size).toBe(callSteps.length)
  })

  test.each([
    [true, 1],
    [false, 0],
  ])('words with transcripts %p', (transcripts, count) => {
    const { observer, lines, records } = setUp(transcripts)
    observer.transcript('c-1', 'caller', 'my secret words')
    observer.turn('c-1', 'local', turnRecord())
    observer.finished(callFacts())
    expect(lines.filter((line) => line.message === 'transcript')).toHaveLength(count)
    expect(JSON.stringify(lines).includes('secret')).toBe(transcripts)
    expect(records.lines.join().includes('secret')).toBe(transcripts)
    expect(records.lines).toHaveLength(1)
  })

  test('a fault is a warning with its why, and its code is counted', async () => {
    const { observer, lines, metrics } = setUp(false)
    observer.fault('c-1', 'local', 'unreachable', 'nobody at :11434')
    expect(lines).toMatchObject([
      { level: 'warn', fields: { call: 'c-1', provider: 'local', code: 'unreachable', why: 'nobody at :11434' } },
    ])
    expect((await metrics.scrape()).text).toContain(
      'ai_agent_provider_faults_total{provider="local",code="unreachable"} 1',
    )
  })

  test('a call that is over is one info line with its stream, and no name, number or word of the caller', () => {
    const { observer, lines } = setUp(true)
    const turns = [
      turnRecord({ responseMs: 850.4 }),
      turnRecord({ responseMs: 1200.6 }),
      turnRecord({ responseMs: null }),
    ]
    observer.finished(callFacts({ turns, turnsDropped: 2, oneWay: ['digital_silence', 'agent_not_sent'] }))
    expect(lines).toHaveLength(1)
    expect(lines[0]).toMatchObject({ level: 'info', message: 'call summary' })
    expect(lines[0]?.fields).toEqual({
      call: 'call-id-7f3a',
      cause: 'caller',
      duration_s: 61,
      provider: 'local',
      transport: 'audiosocket',
      turns: 5,
      response_ms_max: 1201,
      barge_ins: 1,
      faults: 3,
      one_way: 'digital_silence,agent_not_sent',
      frames_in: 10,
      frames_out: 11,
      frames_refused: 2,
      underruns: 3,
      overruns: 4,
      fallbacks: 6,
      files_failed: 7,
      restarts: 8,
      low_frames: 9,
      depth_max_ms: 1235,
      drift_ms: -40,
      lost: 12,
      late: 13,
      duplicates: 14,
      reordered: 15,
      concealed: 16,
      detector_full: 5,
    })
    for (const private_ of ['4312345', 'Ada', 'secret', 'answer to them']) {
      expect(JSON.stringify(lines)).not.toContain(private_)
    }
  })

  test('a call without a turn and without trouble says so', () => {
    const { observer, lines } = setUp(false)
    observer.finished(callFacts({ turns: [], turnsDropped: 0 }))
    expect(lines[0]?.fields).toMatchObject({ turns: 0, response_ms_max: null, one_way: 'no' })
  })

  test('the audio path is one info line; each conversion to spare a warning, and all are counted', async () => {
    const { observer, lines, metrics } = setUp(false)
    observer.alignment('c-1', 'in: … out: …', ['set this', 'set that'])
    expect(lines).toMatchObject([
      { level: 'info', fields: { call: 'c-1', path: 'in: … out: …', conversions_to_spare: 2 } },
      { level: 'warn', fields: { call: 'c-1', advice: 'set this' } },
      { level: 'warn', fields: { call: 'c-1', advice: 'set that' } },
    ])
    expect((await metrics.scrape()).text).toContain('ai_agent_conversions_to_spare_total 2')
  })

  test('one-way audio is a warning with its cause and its cure, and is counted by its kind', async () => {
    const { observer, lines, metrics } = setUp(false)
    observer.oneWay('c-1', 'digital_silence', { cause: 'a muted telephone', cure: 'try another' })
    expect(lines).toMatchObject([
      {
        level: 'warn',
        fields: { call: 'c-1', kind: 'digital_silence', cause: 'a muted telephone', cure: 'try another' },
      },
    ])
    expect((await metrics.scrape()).text).toContain('ai_agent_one_way_audio_total{finding="digital_silence"} 1')
  })

  test('a reply that falls back is a warning with its reason, and is counted by it', async () => {
    const { observer, lines, metrics } = setUp(false)
    observer.fellBack('c-1', 'leg_stuck')
    expect(lines).toMatchObject([{ level: 'warn', fields: { call: 'c-1', reason: 'leg_stuck' } }])
    expect((await metrics.scrape()).text).toContain('ai_agent_fallbacks_total{trigger="leg_stuck"} 1')
  })

  test('a media path that is made anew is a warning', () => {
    const { observer, lines } = setUp(false)
    observer.restarted('c-1')
    expect(lines).toMatchObject([{ level: 'warn', fields: { call: 'c-1' } }])
  })
})

test('the cost of a call is in its record and in a metric; where nothing is known of it, in neither', async () => {
  const { observer, records, metrics } = setUp(false)
  // 0.01 + 0.06 × 1.5 minutes + 0.1 × 0.5 thousand characters.
  observer.finished(callFacts({ sessionMs: 90_000, spokenCharacters: 500 }))
  observer.finished(callFacts({ provider: 'loopback' }))
  const [priced, unpriced] = records.lines.map((line) => JSON.parse(line) as Record<string, unknown>)
  expect(priced).toMatchObject({ cost: 0.15, currency: 'EUR', session_ms: 90_000, spoken_characters: 500 })
  expect(Object.keys(unpriced ?? {}).filter((key) => ['cost', 'currency'].includes(key))).toEqual([])
  const { text } = await metrics.scrape()
  expect(text.split('\n').filter((line) => line.startsWith('ai_agent_cost_total'))).toEqual([
    'ai_agent_cost_total{provider="local",currency="EUR"} 0.15',
  ])
})

test('tokens are in the record and in metrics, and what they cost in both; what is not told is said to be so', async () => {
  const { observer, records, metrics } = setUp(false)
  const tokens = { input: 4000, cached_input: 0, audio_input: 0, cached_audio_input: 0, output: 500, audio_output: 0 }
  const model = { provider: 'openai_compatible', audioMs: 0, characters: 0, tokens, untold: 0 }
  const voice = { provider: 'deepgram', audioMs: 0, characters: 120, tokens: null, untold: 0 }
  observer.finished(callFacts({ provider: 'front', usage: [model, voice] }))
  observer.finished(callFacts({ provider: 'front', usage: [{ ...model, untold: 2 }] }))
  observer.finished(callFacts({ provider: 'front', usage: [{ ...model, tokens: null, untold: 3 }] }))
  observer.finished(callFacts({ provider: 'deepgram' }))
  const [told, partly, untold, nobody] = records.lines.map((line) => JSON.parse(line) as Record<string, unknown>)
  // 4000 × 2 and 500 × 8, by the million.
  expect(told).toMatchObject({ cost: 0.012, tokens_known: true })
  expect(told?.usage).toEqual([
    { provider: 'openai_compatible', audio_ms: 0, characters: 0, tokens, answers_untold: 0 },
    { provider: 'deepgram', audio_ms: 0, characters: 120, tokens: null, answers_untold: 0 },
  ])
  expect(partly).toMatchObject({ cost: 0.012, tokens_known: false, usage: [{ answers_untold: 2 }] })
  expect(untold).toMatchObject({ cost: 0, tokens_known: false, usage: [{ tokens: null, answers_untold: 3 }] })
  expect(nobody).toMatchObject({ tokens_known: false, usage: [] })
  const { text } = await metrics.scrape()
  const lines = text.split('\n').filter((line) => /^ai_agent_(cost|tokens|answers)/.test(line) && !line.endsWith(' 0'))
  expect(lines.toSorted()).toEqual([
    'ai_agent_answers_without_tokens_total{provider="openai_compatible"} 5',
    'ai_agent_cost_total{provider="openai_compatible",currency="EUR"} 0.024',
    'ai_agent_tokens_total{provider="openai_compatible",token_type="input"} 8000',
    'ai_agent_tokens_total{provider="openai_compatible",token_type="output"} 1000',
  ])
})
