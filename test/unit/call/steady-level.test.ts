import { describe, expect, test } from 'bun:test'
import { SteadyLevel } from '#call/steady-level.ts'

describe('a level that no voice has', () => {
  const heard = (levels: readonly number[]) => {
    const level = new SteadyLevel()
    for (const dbfs of levels) level.add(dbfs)
    return level
  }
  const frames = (count: number, dbfs: (index: number) => number) => Array.from({ length: count }, (_, at) => dbfs(at))

  test('stays as it is for 300 ms; of less nothing is known', () => {
    expect(heard(frames(14, () => -20)).steady).toBe(false)
    expect(heard(frames(15, () => -20)).steady).toBe(true)
    expect(heard(frames(60, (at) => -20 + (at % 2))).steady).toBe(true)
  })

  test('moves in a voice, also in one that is held', () => {
    expect(heard(frames(60, (at) => -20 - (at % 4) / 2)).steady).toBe(false)
    expect(heard(frames(60, (at) => -20 - at / 8)).steady).toBe(false)
  })

  test('is the tone’s, though frames at its edges are quieter', () => {
    expect(heard([...frames(12, () => -20), -31, -24, ...frames(10, () => -20)]).steady).toBe(true)
    expect(heard([...frames(9, () => -20), -31, -24, -26, -28, -20, -20]).steady).toBe(false)
  })

  test('is looked at anew with another sound', () => {
    const level = heard(frames(30, () => -20))
    level.restart()
    for (const dbfs of frames(14, () => -20)) level.add(dbfs)
    expect(level.steady).toBe(false)
  })
})
