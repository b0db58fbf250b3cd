import { describe, expect, test } from 'bun:test'
import { heardText } from '#agent/heard-text.ts'

// Four words in 400 ms and two in 1000 ms.
const pieces = [
  { text: 'one two three four', durationMs: 400 },
  { text: 'five six', durationMs: 1000 },
]

describe('heardText', () => {
  test.each([
    [0, ''],
    [-5, ''],
    [99, ''],
    [100, 'one'],
    [250, 'one two'],
    [399, 'one two three'],
    [400, 'one two three four'],
    [899, 'one two three four'],
    [900, 'one two three four five'],
    [1399, 'one two three four five'],
    [1400, 'one two three four five six'],
    [60_000, 'one two three four five six'],
  ])('of %d ms the caller heard: %p', (heardMs, expected) => {
    expect(heardText(pieces, heardMs)).toBe(expected)
  })

  test('of nothing, nothing', () => {
    expect(heardText([], 1000)).toBe('')
  })

  test('a piece without audio was heard once the ones before it were', () => {
    const silent = [{ text: 'hm', durationMs: 0 }, ...pieces]
    expect([heardText(silent, 0), heardText(silent, 100)]).toEqual(['', 'hm one'])
  })

  test('gaps and line breaks between words count for nothing', () => {
    expect(heardText([{ text: 'one  two\nthree four', durationMs: 400 }], 300)).toBe('one two three')
  })
})
