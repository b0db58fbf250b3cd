import { describe, expect, test } from 'bun:test'
import { SentenceSplitter } from '#agent/sentences.ts'
import { seededRandom } from '#base/random.ts'

/** All pieces of a text that arrives in these parts. */
function pieces(...parts: string[]): string[] {
  const splitter = new SentenceSplitter()
  const found = parts.flatMap((part) => [...splitter.push(part)])
  const rest = splitter.flush()
  return rest === null ? found : [...found, rest]
}

describe('SentenceSplitter', () => {
  const texts: [string, string, string[]][] = [
    [
      'sentences',
      'We are open today. Would you like to come? Please do!',
      ['We are open today.', 'Would you like to come?', 'Please do!'],
    ],
    ['a short one is spoken with the next', 'Yes. We are open today. Bye.', ['Yes. We are open today.', 'Bye.']],
    ['a short one alone', 'Yes.', ['Yes.']],
    ['decimals', 'It costs 3.50 euros today. Anything else?', ['It costs 3.50 euros today.', 'Anything else?']],
    [
      'abbreviations',
      'Please ask for Dr. Smith or Mrs. Jones. Both are in.',
      ['Please ask for Dr. Smith or Mrs. Jones.', 'Both are in.'],
    ],
    [
      'German ones',
      'Wir haben Obst, z.B. Birnen und Nr. 5 davon. Gern!',
      ['Wir haben Obst, z.B. Birnen und Nr. 5 davon.', 'Gern!'],
    ],
    [
      'initials',
      'It was written by J. S. Bach in Leipzig. A fine piece.',
      ['It was written by J. S. Bach in Leipzig.', 'A fine piece.'],
    ],
    [
      'a word that only ends like an abbreviation',
      'We went to the casino. Then we slept.',
      ['We went to the casino.', 'Then we slept.'],
    ],
    [
      'marks in a row',
      'Are you quite sure?! I really am... Good then.',
      ['Are you quite sure?!', 'I really am...', 'Good then.'],
    ],
    [
      'quotation marks and brackets',
      'She said "I am here." He did not (not at all.) So be it.',
      ['She said "I am here."', 'He did not (not at all.)', 'So be it.'],
    ],
    [
      'lines',
      'First the address\nThen the telephone number\n\nand the rest',
      ['First the address', 'Then the telephone number', 'and the rest'],
    ],
    [
      'Chinese, without spaces',
      '今天天气很好我们去公园散步吧。然后我们一起去吃晚饭好不好？好',
      ['今天天气很好我们去公园散步吧。', '然后我们一起去吃晚饭好不好？', '好'],
    ],
    ['nothing but space', ' \n ', []],
  ]
  test.each(texts)('%s', (_name, text, expected) => {
    expect(pieces(text)).toEqual(expected)
  })

  test('a long first sentence is already spoken at a comma, later ones are not', () => {
    const first = 'Of course I can help you with that today,'
    const second =
      'just tell me your name. After that I will need your number, your address, and the day of your birth.'
    expect(pieces(`${first} ${second}`)).toEqual([
      first,
      'just tell me your name.',
      'After that I will need your number, your address, and the day of your birth.',
    ])
  })

  test('a comma near the beginning is no place to stop, nor is one inside a number', () => {
    const text = 'Well, the total of your order is 1,250 euros and it will be sent'
    expect(pieces(`${text} tomorrow.`)).toEqual([`${text} tomorrow.`])
  })

  test('a sentence is ready as soon as something follows it', () => {
    const splitter = new SentenceSplitter()
    expect([...splitter.push('It is three o’clock.')]).toEqual([])
    expect([...splitter.push(' ')]).toEqual(['It is three o’clock.'])
    expect([...splitter.push('And 3.')]).toEqual([])
    expect([...splitter.push('5 is a number.')]).toEqual([])
    expect(splitter.flush()).toBe('And 3.5 is a number.')
  })

  test('a text without any mark is cut at a space, in pieces of at most 240 characters', () => {
    const words = Array.from({ length: 200 }, (_, n) => `word${n}`).join(' ')
    const found = pieces(words)
    expect(found.join(' ')).toBe(words)
    for (const piece of found) expect(piece.length).toBeLessThanOrEqual(240)
  })

  test('one endless word is cut all the same', () => {
    const found = pieces('x'.repeat(1000))
    expect(found.join('')).toBe('x'.repeat(1000))
    for (const piece of found) expect(piece.length).toBeLessThanOrEqual(240)
  })

  test('after a flush the next reply begins anew: its first long sentence may stop at a comma again', () => {
    const splitter = new SentenceSplitter()
    expect([...splitter.push('A first reply of some length. And')]).toHaveLength(1)
    expect(splitter.flush()).toBe('And')
    expect([...splitter.push('Of course I can help you with that today, just')]).toEqual([
      'Of course I can help you with that today,',
    ])
  })

  test('any split of the same text gives the same pieces, with no word lost', () => {
    const random = seededRandom(21)
    const below = (limit: number) => Math.floor(random.next() * limit)
    const vocabulary = [
      'yes',
      'no',
      'Dr.',
      'e.g.',
      '3.5',
      'well,',
      'number:',
      'indeed.',
      'really?',
      'ah!',
      'A.',
      'information',
      '好。',
      'so...',
      '"quite."',
      'line\n',
      'end.\n\n',
      'and',
      'the',
      'appointment',
    ]
    for (let round = 0; round < 300; round += 1) {
      const text = Array.from({ length: 1 + below(80) }, () => vocabulary[below(vocabulary.length)]).join(' ')
      const whole = pieces(text)
      const parts: string[] = []
      for (let offset = 0; offset < text.length; ) {
        const size = 1 + below(round % 2 === 0 ? 4 : 60)
        parts.push(text.slice(offset, offset + size))
        offset += size
      }
      expect(pieces(...parts)).toEqual(whole)
      expect(whole.join(' ').replace(/\s/g, '')).toBe(text.replace(/\s/g, ''))
    }
  })
})
