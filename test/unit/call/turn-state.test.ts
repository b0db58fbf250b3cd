import { describe, expect, test } from 'bun:test'
import { nextTurn, type TurnEvent, type TurnState, turnEvents, turnStates } from '#call/turn-state.ts'
import { listed, tableInComment } from './table-comment.ts'

const rows = tableInComment('call/turn-state.ts').map(([state = '', event = '', next = '', effects = '']) => ({
  states: state === 'any' ? turnStates.filter((each) => each !== 'ended') : [state],
  event,
  next,
  effects: listed(effects),
}))

const expected = (state: TurnState, event: TurnEvent) => {
  const found = rows.filter((row) => row.event === event && row.states.includes(state))
  expect(found.length).toBeLessThanOrEqual(1)
  const [row] = found
  return row === undefined ? null : { state: row.next, effects: row.effects }
}

describe('the turn table', () => {
  test('its comment has a row for each thing that can happen, in words that exist', () => {
    expect(rows).toHaveLength(27)
    const states: readonly string[] = turnStates
    const events: readonly string[] = turnEvents
    for (const row of rows) {
      for (const state of [...row.states, row.next]) expect(states).toContain(state)
      expect(events).toContain(row.event)
    }
  })

  const pairs = turnStates.flatMap((state) => turnEvents.map((event) => [state, event] as const))
  test.each(pairs)('%s × %s is what the comment says, or nothing', (state, event) => {
    const transition = nextTurn(state, event)
    const told = transition === null ? null : { state: transition.state, effects: [...transition.effects] }
    expect<unknown>(told).toEqual(expected(state, event))
  })

  test('every state but the first can be reached, and the call can end from each', () => {
    const reached: TurnState[] = ['opening']
    for (const state of reached) {
      for (const event of turnEvents) {
        const next = nextTurn(state, event)?.state
        if (next !== undefined && !reached.includes(next)) reached.push(next)
      }
    }
    expect(new Set(reached)).toEqual(new Set(turnStates))
    for (const state of turnStates) expect(nextTurn(state, 'call_ended')?.state ?? 'ended').toBe('ended')
  })

  test('each limit that is started is stopped, or runs out, on every way out of its state', () => {
    // The pause's timer may not outlive `endpointing`, nor the overlap `overlap`, nor the guard `guarding`, nor the
    // wait for the caller `listening`.
    const owners = [
      ['endpointing', 'stop_endpointing', 'nothing: stopped each time'],
      ['overlap', 'end_overlap', 'speech_'],
      ['guarding', 'stop_guard', 'guard_over'],
      ['listening', 'stop_waiting', 'nothing: stopped each time'],
    ] as const
    for (const [state, stop, ranOut] of owners) {
      for (const event of turnEvents) {
        const transition = nextTurn(state, event)
        if (transition === null || event.startsWith(ranOut) || event === 'call_ended') continue
        expect({ state, event, effects: transition.effects }).toMatchObject({ effects: expect.arrayContaining([stop]) })
      }
    }
  })
})
