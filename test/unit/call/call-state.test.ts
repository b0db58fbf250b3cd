import { describe, expect, test } from 'bun:test'
import { callStateEvents, callStates, nextCallState } from '#call/call-state.ts'
import { listed, tableInComment } from './table-comment.ts'

const rows = tableInComment('call/call-state.ts').map(([states = '', event = '', next = '']) => ({
  states: listed(states),
  event,
  next,
}))

describe('the table of a call', () => {
  test('its comment has the four ways on', () => {
    expect(rows.map(({ event, next }) => [event, next])).toEqual([
      ['answered', 'answered'],
      ['bridged', 'bridged'],
      ['end', 'draining'],
      ['cleaned', 'ended'],
    ])
  })

  const pairs = callStates.flatMap((state) => callStateEvents.map((event) => [state, event] as const))
  test.each(pairs)('%s × %s is what the comment says, or nothing', (state, event) => {
    const row = rows.find((each) => each.event === event && each.states.includes(state))
    expect(nextCallState(state, event) as string | null).toBe(row?.next ?? null)
  })
})
