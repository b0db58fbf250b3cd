import { describe, expect, test } from 'bun:test'
import { SpokenCut } from '#providers/local/llm-spoken.ts'

/** What is said of a text that comes in pieces of this many characters, and whether the cut ended it. */
function said(
  text: string,
  size = 3,
  earlier: readonly string[] = [],
  complete = true,
): { text: string; ended: boolean } {
  const cut = new SpokenCut(earlier)
  let out = ''
  for (let offset = 0; offset < text.length; offset += size) {
    const piece = cut.push(text.slice(offset, offset + size))
    out += piece.text
    if (piece.end) return { text: out, ended: true }
  }
  return { text: out + cut.end(complete), ended: false }
}

describe('an answer that is spoken', () => {
  test.each([
    ['one sentence', 'The capital is Paris.', 'The capital is Paris.'],
    ['a full stop that is missing is added', 'The capital is Paris', 'The capital is Paris.'],
    ['two of three sentences', 'One. Two! Three?', 'One. Two!'],
    ['a line break ends a sentence', 'Here you are\nMore', 'Here you are. More.'],
    [
      'titles, numbers and abbreviations end none',
      'Mr. Smith paid 3.5 at 9 a.m. today. Bye.',
      'Mr. Smith paid 3.5 at 9 a.m. today. Bye.',
    ],
    ['the numbers of a list end none', 'Do this: 1. Open it. 2. Close it. 3. Go.', 'Do this: 1. Open it. Close it.'],
    ['a sentence said twice is said once', 'I can help. I can help. What is it?', 'I can help. What is it?'],
    ['a quote after the stop belongs to it', 'He said "no." Then he left.', 'He said "no." Then he left.'],
    ['a number first is not spoken', '1. Bananas - 10 stars', 'Bananas - 10 stars.'],
    ['a part named first is not spoken', 'A: Sure thing.', 'Sure thing.'],
    ['what nobody should hear is left out', 'What about sex? I can help.', 'I can help.'],
    ['and words that only contain it are not', 'Essex assesses cocktails.', 'Essex assesses cocktails.'],
  ])('%s', (_, text, expected) => {
    for (const size of [1, 3, 1000]) expect(said(text, size).text).toBe(expected)
  })

  test('one sentence is enough when it is long', () => {
    const long = `${'word '.repeat(24)}end.`
    expect(said(`${long} And more.`)).toEqual({ text: long, ended: true })
  })

  test('a sentence without end is closed at its last comma', () => {
    const { text, ended } = said(`First there is this, ${'and then that, '.repeat(20)}`)
    expect(ended).toBe(true)
    expect(text.length).toBeLessThanOrEqual(181)
    expect(text).toMatch(/^First there is this, .*and then that\.$/)
  })

  test('what the agent said before is not said again, whatever its case and signs', () => {
    expect(
      said("I'm glad, you're here! How are you?", 3, ['Hm. I’m glad you’re here.', "i'm glad you're here"]).text,
    ).toBe('How are you?')
    expect(said('Hello! How can I help you?', 3, ['Hello! How can I help you?']).text).toBe('')
  })

  test('a sentence broken off by the length is left out, unless it is the only one', () => {
    expect(said('All is well. And then we', 3, [], false).text).toBe('All is well.')
    expect(said('And then we went, ', 3, [], false).text).toBe('And then we went.')
    expect(said('All is well.', 3, [], false).text).toBe('All is well.')
  })
})
