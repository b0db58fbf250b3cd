import { describe, expect, test } from 'bun:test'
import { repeatedTail } from '#speech/repetition.ts'

/** As the decoder does it: token by token, until the guard speaks. */
function decode(tokens: readonly number[]): number[] {
  const written: number[] = []
  for (const token of tokens) {
    written.push(token)
    const drop = repeatedTail(written)
    if (drop > 0) {
      written.length -= drop
      break
    }
  }
  return written
}

describe('repeatedTail', () => {
  test('a phrase that comes again and again is cut back to one copy', () => {
    const loop = Array.from({ length: 20 }, () => [7, 8, 9, 10]).flat()
    expect(decode([1, 2, 3, ...loop])).toEqual([1, 2, 3, 7, 8, 9, 10])
  })

  test('one token without end', () => {
    expect(decode([5, ...Array.from({ length: 40 }, () => 6)])).toEqual([5, 6])
  })

  test('a long sentence, said over and over', () => {
    const sentence = Array.from({ length: 18 }, (_, index) => 100 + index)
    expect(decode([1, ...sentence, ...sentence, ...sentence, ...sentence, ...sentence])).toEqual([1, ...sentence])
  })

  test('what people say stays: digits twice or four times, no no no', () => {
    for (const said of [[4, 4, 4, 4, 4, 4], [9, 8, 9, 8, 9, 8], [3, 3], [1, 2, 3, 1, 2, 3], []]) {
      expect(decode(said)).toEqual(said)
    }
  })
})
