import { describe, expect, test } from 'bun:test'
import type { Told } from '../../../scripts/bench/turns-caller.ts'
import { echoOutcome } from '../../../scripts/bench/turns-echo.ts'

describe('what an echo did, as `just bench turns` counts it', () => {
  const spoken = [
    { onsetMs: 0, offsetMs: 1000 },
    { onsetMs: 10_000, offsetMs: 12_000 },
  ]
  const told = (event: Told['event'], ...at: number[]): Told[] => at.map((atMs) => ({ event, atMs }))
  const outcome = (...all: Told[][]) => echoOutcome(spoken, all.flat(), 40, 4000)

  test('nothing where each turn has its answer', () => {
    expect(outcome(told('committed', 970, 12_400))).toEqual({ turns: 2, selfAnswers: 0, brokenOff: 0, unanswered: 0 })
  })

  test('a turn that nobody has spoken, before an answer or after it', () => {
    expect(outcome(told('committed', 1400, 5000, 12_400, 13_000))).toMatchObject({ selfAnswers: 2, unanswered: 0 })
    expect(outcome(told('committed', 1400, 9000))).toMatchObject({ selfAnswers: 1, unanswered: 1 })
  })

  test('a reply that is broken off while nobody speaks', () => {
    const interrupted = told('interrupted', 3000, 12_500)
    expect(outcome(told('committed', 1400, 12_600), interrupted)).toMatchObject({ brokenOff: 1, selfAnswers: 0 })
  })

  test('not a caller who is cut off in a pause, goes on, and interrupts the reply to the first half', () => {
    expect(outcome(told('committed', 1400, 11_000, 12_600), told('interrupted', 11_300))).toEqual({
      turns: 2,
      selfAnswers: 0,
      brokenOff: 0,
      unanswered: 0,
    })
  })

  test('a turn that is never answered, or only to its first half', () => {
    expect(outcome(told('committed', 1400))).toMatchObject({ unanswered: 1, selfAnswers: 0 })
    expect(outcome(told('committed', 1400, 11_000))).toMatchObject({ unanswered: 1, selfAnswers: 0 })
  })
})
