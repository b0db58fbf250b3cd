import { describe, expect, test } from 'bun:test'
import { speakable, splitPieces } from '#speech/spoken-text.ts'

describe('speakable', () => {
  const cases: [string, string, string][] = [
    ['marks of layout', '**Great!** It is *really* `simple`.', 'Great! It is really simple.'],
    ['a list', '- one\n- two\n- three', 'one. two. three'],
    ['a numbered list', '1. Press the button\n2. Wait', 'Press the button. Wait'],
    ['a heading', '## Opening hours\nNine to five.', 'Opening hours. Nine to five.'],
    ['a link keeps its words', 'See [our site](https://example.com/a?b=c).', 'See our site.'],
    ['an address of the web', 'Go to https://www.example.com/path?x=1.', 'Go to www dot example dot com'],
    ['an address of mail', 'Write to jo.doe@example.org now', 'Write to jo dot doe at example dot org now'],
    ['pictures', 'Hello 😀👍🏽 there ❤️', 'Hello there'],
    ['a telephone number', 'Call 555-1234.', 'Call 5 5 5, 1 2 3 4.'],
    ['an international number', 'Call +1 202 555 0143 now', 'Call plus 1, 2 0 2, 5 5 5, 0 1 4 3 now'],
    ['money and years stay numbers', 'It costs $12.50 since 2024', 'It costs $12.50 since 2024'],
    ['a dash is a breath', 'Yes — of course', 'Yes, of course'],
    ['typographic quotes', '“It’s fine”', "It's fine"],
    ['code is not read out', 'Run this: ```rm -rf x``` Done.', 'Run this: Done.'],
    ['nothing to say', ' 🎉 *** ', ''],
  ]
  for (const [name, text, spoken] of cases) test(name, () => expect(speakable(text)).toBe(spoken))
})

const pieces = (text: string) =>
  splitPieces(text).map((piece) => piece.map((clause) => clause.words + clause.end).join(' '))

describe('splitPieces', () => {
  test('sentences are spoken one by one', () => {
    expect(pieces('Hello there. How are you? Fine!')).toEqual(['Hello there.', 'How are you?', 'Fine!'])
  })

  test('the first piece ends at the first breath worth it', () => {
    expect(pieces('Your appointment is on Tuesday, the fourteenth of March, at half past two.')[0]).toBe(
      'Your appointment is on Tuesday,',
    )
  })

  test('a short opening goes with what follows', () => {
    expect(pieces('Sure, one moment.')).toEqual(['Sure, one moment.'])
  })

  test('points inside numbers and abbreviations end nothing', () => {
    expect(pieces('Dr. Miller pays 12.50 today.')).toEqual(['Dr. Miller pays 12.50 today.'])
  })

  test('a text without any punctuation is cut between words', () => {
    const words = Array.from({ length: 100 }, () => 'seven').join(' ')
    const cut = pieces(words)
    expect(cut.length).toBeGreaterThan(2)
    for (const piece of cut) expect(piece.length).toBeLessThanOrEqual(201)
    expect(cut.join(' ').replace(/[,.]/g, '')).toBe(words)
  })

  test('no words, no pieces', () => {
    expect(pieces('')).toEqual([])
    expect(pieces('...')).toEqual([])
  })
})
