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
  const lines: { level: string; message: string; fields: LogFields }[] = []
  const say =
    (level: string) =>
    (message: string, fields: LogFields = {}) =>
      void lines.push({ level, message, fields })
  const log: Log = { debug: say('debug'), info: say('info'), warn: say('warn'), error: say('error'), with: () => log }
  const records = new KeptRecords('nowhere', log)
  const metrics = new Metrics('0', new ManualClock(), metricSources(), ['local'])
  return { lines, records, metrics, observer: createCallObserver(log, metrics, records, transcripts) }
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
})
