import { describe, expect, test } from 'bun:test'
import { Gate, gateReasons, gateTokens } from '#call/gate.ts'
import { ManualClock } from '../../fakes/manual-clock.ts'

const setUp = () => {
  const changes: boolean[] = []
  const expired: string[] = []
  const clock = new ManualClock()
  const gate = new Gate(clock, {
    changed: (closed) => changes.push(closed),
    expired: (reason) => expired.push(reason),
  })
  return { changes, expired, clock, gate }
}

describe('Gate', () => {
  test('is shut while any reason holds, and tells only what changes', () => {
    const { gate, changes } = setUp()
    expect(gate.closed).toBe(false)
    gate.close('opening')
    gate.close('agent_speaking')
    gate.open('opening')
    expect([gate.closed, changes]).toEqual([true, [true]])
    gate.open('agent_speaking')
    expect([gate.closed, changes]).toEqual([false, [true, false]])
  })

  test('a reason held twice is held once', () => {
    const { gate, changes } = setUp()
    gate.close('agent_speaking')
    gate.close('agent_speaking')
    gate.open('agent_speaking')
    expect([gate.closed, changes]).toEqual([false, [true, false]])
  })

  test('opening for a reason that is not held changes nothing', () => {
    const { gate, changes } = setUp()
    gate.open('opening')
    gate.close('agent_speaking')
    gate.open('opening')
    expect([gate.closed, changes]).toEqual([true, [true]])
  })

  test('all reasons go at once, and only where there are some', () => {
    const { gate, changes } = setUp()
    gate.openAll()
    gate.close('opening')
    gate.close('agent_speaking')
    gate.openAll()
    gate.openAll()
    expect([gate.closed, changes]).toEqual([false, [true, false]])
  })

  test('every reason has an owner and an end: held for longer, it holds no more, and is told', () => {
    for (const reason of gateReasons) {
      const { gate, clock, changes, expired } = setUp()
      gate.close(reason)
      expect(gate.reasons).toEqual([reason])
      clock.advance(gateTokens[reason].limitMs - 1)
      expect([gate.closed, expired]).toEqual([true, []])
      clock.advance(1)
      expect([gate.closed, gate.reasons, expired, changes]).toEqual([false, [], [reason], [true, false]])
    }
  })

  test('a reason that is held again holds for its whole time anew, and leaves no timer when it is open', () => {
    const { gate, clock, expired } = setUp()
    gate.close('opening')
    clock.advance(gateTokens.opening.limitMs - 1)
    gate.close('opening')
    clock.advance(gateTokens.opening.limitMs - 1)
    expect([gate.closed, expired]).toEqual([true, []])
    gate.openAll()
    expect(clock.pending).toBe(0)
  })

  test('only what the configuration mutes is muted, and the floor goes without it', () => {
    const { gate, changes } = setUp()
    gate.close('agent_speaking')
    expect(gate.muted).toBe(false)
    gate.close('muted_tool')
    gate.openFloor()
    expect([gate.muted, gate.closed, changes]).toEqual([true, true, [true]])
    gate.open('muted_tool')
    expect([gate.muted, changes]).toEqual([false, [true, false]])
  })
})
