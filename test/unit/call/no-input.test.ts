import { describe, expect, test } from 'bun:test'
import { noInputStep } from '#call/no-input.ts'

const settings = { afterMs: 8000, checkIns: ['Are you there?', 'Hello?'], farewell: 'Goodbye.' }

describe('what is done in silence', () => {
  test('a check-in for each, a farewell, and the end', () => {
    expect([1, 2, 3, 4, 5].map((silences) => noInputStep(silences, settings))).toEqual([
      { do: 'check_in', say: 'Are you there?' },
      { do: 'check_in', say: 'Hello?' },
      { do: 'farewell', say: 'Goodbye.' },
      { do: 'hang_up' },
      { do: 'hang_up' },
    ])
  })

  test('without a farewell, or without check-ins, the end comes sooner', () => {
    expect(noInputStep(3, { ...settings, farewell: '' })).toEqual({ do: 'hang_up' })
    expect(noInputStep(1, { ...settings, checkIns: [] })).toEqual({ do: 'farewell', say: 'Goodbye.' })
    expect(noInputStep(1, { afterMs: 8000, checkIns: [], farewell: '' })).toEqual({ do: 'hang_up' })
  })
})
