import { describe, expect, test } from 'bun:test'
import { normaliseWords, totalErrors, wordErrors } from '../../bed/word-error-rate.ts'

describe('what counts as the same words', () => {
  const same: readonly (readonly [string, string])[] = [
    ['Hello, World!', 'hello world'],
    ['4 2 1', 'four two one'],
    ['421', 'four two one'],
    ['421', 'four hundred twenty-one'],
    ['42', 'forty two'],
    ['4213', 'forty-two thirteen'],
    ['four hundred and twenty one', '421'],
    ['one thousand and five', '1,005'],
    ['oh four one', '0 4 1'],
    ['007', 'zero zero seven'],
    ["don't", 'dont'],
    ['don’t', "don't"],
    ['the 2nd of May', 'the second of may'],
    ['the 30th', 'the thirtieth'],
    ['the 21st', 'the twenty first'],
    ['3.5 percent', 'three point five percent'],
    ['', ' … '],
  ]
  test.each(same)('%p is %p', (reference, recognised) => {
    expect(wordErrors(reference, recognised).rate).toBe(0)
    expect(wordErrors(recognised, reference).rate).toBe(0)
  })

  test('different numbers stay different', () => {
    expect(wordErrors('42', 'four two').rate).toBe(0)
    expect(wordErrors('forty two', 'four two').rate).toBeGreaterThan(0)
    expect(wordErrors('421', '412').rate).toBeGreaterThan(0)
  })

  test('"oh" alone is a word, and so is "and" between other words', () => {
    expect(normaliseWords('oh dear')).toEqual(['oh', 'dear'])
    expect(normaliseWords('two and three')).toEqual(['two', 'and', 'three'])
  })
})

describe('errors', () => {
  test('each kind is counted', () => {
    expect(wordErrors('the cat sat', 'the dog sat')).toEqual({
      substitutions: 1,
      insertions: 0,
      deletions: 0,
      words: 3,
      rate: 1 / 3,
    })
    expect(wordErrors('the cat sat', 'the cat sat down')).toMatchObject({
      insertions: 1,
      substitutions: 0,
      deletions: 0,
    })
    expect(wordErrors('the cat sat', 'cat sat')).toMatchObject({ deletions: 1, substitutions: 0, insertions: 0 })
  })

  test('silence where words were said is all deletions; words out of nothing are a rate of one', () => {
    expect(wordErrors('one two three', '').rate).toBe(1)
    expect(wordErrors('', 'thank you').rate).toBe(1)
  })

  test('a repetition loop can pass one', () => {
    expect(wordErrors('yes', 'yes yes yes yes').rate).toBe(3)
  })

  test('a total weighs by words', () => {
    const total = totalErrors([wordErrors('a b c d e f g h i', 'a b c d e f g h i'), wordErrors('yes', 'no')])
    expect(total.rate).toBe(0.1)
  })
})
