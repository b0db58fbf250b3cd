import { describe, expect, test } from 'bun:test'
import type { LogLevel } from '#base/log.ts'
import { createLog, joinLogs } from '#telemetry/log.ts'
import { ManualClock } from '../../fakes/manual-clock.ts'

function setUp(format: 'json' | 'pretty', level: LogLevel = 'debug') {
  const lines: string[] = []
  const clock = new ManualClock(0, Date.UTC(2026, 0, 2, 3, 4, 5, 678))
  return { lines, log: createLog({ level, format, clock, write: (line) => lines.push(line) }) }
}

describe('a log', () => {
  test.each([
    ['debug', ['debug', 'info', 'warn', 'error']],
    ['info', ['info', 'warn', 'error']],
    ['warn', ['warn', 'error']],
    ['error', ['error']],
  ] as const)('at level %s writes %p', (level, expected) => {
    const { log, lines } = setUp('json', level)
    for (const each of ['debug', 'info', 'warn', 'error'] as const) log[each]('x')
    expect(lines.map((line) => (JSON.parse(line) as { level: string }).level)).toEqual([...expected])
  })

  test('as JSON: one object a line, whatever the fields hold', () => {
    const { log, lines } = setUp('json')
    log.info('call admitted', { call: 'a\nb"c', at_ms: 12, known: true, detail: null, absent: undefined })
    expect(lines).toHaveLength(1)
    expect(lines[0]).not.toContain('\n')
    expect(JSON.parse(lines[0] ?? '')).toEqual({
      time: '2026-01-02T03:04:05.678Z',
      level: 'info',
      message: 'call admitted',
      call: 'a\nb"c',
      at_ms: 12,
      known: true,
      detail: null,
    })
  })

  test('pretty: one line for a reader, and text with spaces in quotes', () => {
    const { log, lines } = setUp('pretty')
    log.warn('a part is missing', { part: 'voice', why: 'not fetched\nyet', n: 3, absent: undefined })
    expect(lines).toEqual(['03:04:05.678 WARN  a part is missing part=voice why="not fetched\\nyet" n=3'])
  })

  test('with fields: they are in each line, and the nearer ones win', () => {
    const { log, lines } = setUp('json')
    const bound = log.with({ call: 'a', part: 'x' }).with({ part: 'y' })
    bound.info('one')
    bound.info('two', { call: 'b' })
    log.info('three')
    expect(lines.map((line) => JSON.parse(line) as object)).toMatchObject([
      { call: 'a', part: 'y' },
      { call: 'b', part: 'y' },
      { message: 'three' },
    ])
    expect(lines[2]).not.toContain('part')
  })

  test('two logs that are joined both hear everything, each at its own level', () => {
    const one = setUp('json', 'debug')
    const other = setUp('json', 'error')
    const log = joinLogs(one.log, other.log).with({ call: 'a' })
    for (const level of ['debug', 'info', 'warn', 'error'] as const) log[level]('x', { n: 1 })
    expect([one.lines.length, other.lines.length]).toEqual([4, 1])
    expect(JSON.parse(other.lines[0] ?? '')).toMatchObject({ level: 'error', call: 'a', n: 1 })
  })
})
