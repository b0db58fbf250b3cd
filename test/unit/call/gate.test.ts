import { describe, expect, test } from 'bun:test'
import { Gate } from '#call/gate.ts'

const setUp = () => {
  const changes: boolean[] = []
  return { changes, gate: new Gate((closed) => changes.push(closed)) }
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
})
