import { describe, expect, test } from 'bun:test'
import { followSignals } from '#cli/run-signals.ts'
import { ManualClock } from '../../fakes/manual-clock.ts'

function setUp(terminal: boolean) {
  const clock = new ManualClock()
  const done: string[] = []
  const world = { terminal }
  // keyed by: signal
  const listeners = new Map<string, () => void>()
  followSignals({
    clock,
    actions: {
      stop: (signal) => done.push(`stop ${signal}`),
      hurry: () => done.push('hurry'),
      reload: () => done.push('reload'),
    },
    on: (signal, listener) => void listeners.set(signal, listener),
    hasTerminal: () => world.terminal,
  })
  return { clock, done, world, send: (signal: string) => listeners.get(signal)?.() }
}

describe('the signals of a running engine', () => {
  test('the first stops it, another within the same second is the same request, a later one hurries', () => {
    const { clock, done, send } = setUp(true)
    send('SIGTERM')
    clock.advance(900)
    send('SIGINT')
    expect(done).toEqual(['stop SIGTERM'])
    clock.advance(200)
    send('SIGINT')
    expect(done).toEqual(['stop SIGTERM', 'stop SIGINT', 'hurry'])
  })

  test('SIGHUP reads the configuration anew, with a terminal and without one', () => {
    for (const terminal of [true, false]) {
      const { done, send } = setUp(terminal)
      send('SIGHUP')
      send('SIGHUP')
      expect(done).toEqual(['reload', 'reload'])
    }
  })

  test('SIGHUP stops an engine whose terminal has been closed', () => {
    const { done, world, send } = setUp(true)
    world.terminal = false
    send('SIGHUP')
    expect(done).toEqual(['stop SIGHUP'])
  })
})
