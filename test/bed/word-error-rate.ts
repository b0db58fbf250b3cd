// How many words a recogniser got wrong. Pure. Spelling that says the same thing is no error: case, punctuation,
// and numbers, which one recogniser writes as "42" and the next as "forty two".

export interface WordErrors {
  readonly substitutions: number
  readonly insertions: number
  readonly deletions: number
  /** Words of the reference. */
  readonly words: number
  /** Errors per word of the reference; can pass 1. 0 for two empty texts. */
  readonly rate: number
}

const ONES = [
  'zero',
  'one',
  'two',
  'three',
  'four',
  'five',
  'six',
  'seven',
  'eight',
  'nine',
  'ten',
  'eleven',
  'twelve',
  'thirteen',
  'fourteen',
  'fifteen',
  'sixteen',
  'seventeen',
  'eighteen',
  'nineteen',
]
const TENS = ['', '', 'twenty', 'thirty', 'forty', 'fifty', 'sixty', 'seventy', 'eighty', 'ninety']
const SCALES: readonly (readonly [number, string])[] = [
  [1_000_000_000, 'billion'],
  [1_000_000, 'million'],
  [1_000, 'thousand'],
]
const NUMBER_WORDS = new Set([...ONES, ...TENS.slice(2), 'hundred', ...SCALES.map(([, name]) => name)])
/** Above this a numeral is a telephone number or a code, and nobody says it as one number. */
const CARDINAL_MAX = 999_999_999_999

/** Ways to say a numeral: 4213 is "four thousand two hundred thirteen", "four two one three", "forty two thirteen". */
type Reading = (numeral: string) => string[]
const READINGS: readonly Reading[] = [asCardinal, asDigits, asPairs]

/** Compares a recognised text with what was said. Of the ways to read numerals, the kindest counts. */
export function wordErrors(reference: string, recognised: string): WordErrors {
  const references = READINGS.map((reading) => normaliseWords(reference, reading))
  const candidates = READINGS.map((reading) => normaliseWords(recognised, reading))
  let best: WordErrors | undefined
  for (const expected of references) {
    for (const actual of candidates) {
      const errors = align(expected, actual)
      if (best === undefined || errors.rate < best.rate) best = errors
    }
  }
  return best ?? align([], [])
}

/** Errors of many texts together: long ones weigh more, as is usual. */
export function totalErrors(each: readonly WordErrors[]): WordErrors {
  const sum = (pick: (errors: WordErrors) => number) => each.reduce((total, errors) => total + pick(errors), 0)
  return withRate(
    sum((e) => e.substitutions),
    sum((e) => e.insertions),
    sum((e) => e.deletions),
    sum((e) => e.words),
  )
}

/** Lower-case words without punctuation, numerals spelled out. */
export function normaliseWords(text: string, reading: Reading = asCardinal): string[] {
  const plain = text
    .toLowerCase()
    .normalize('NFKC')
    .replace(/[’'`]/g, '')
    .replace(/(\d),(?=\d{3}\b)/g, '$1')
    .replace(/(\d)\.(?=\d)/g, '$1 point ')
    .replace(/(\d+)(?:st|nd|rd|th)\b/g, (_, digits: string) => ordinal(digits))
    .replace(/\d+/g, (digits) => ` ${reading(digits).join(' ')} `)
    .replace(/[^\p{L}\p{N}\s]/gu, ' ')
  const found = plain.split(/\s+/).filter((word) => word !== '')
  return found.map(zeroForOh).filter((word, i, all) => !isNumberAnd(word, i, all))
}

/** "oh" beside a digit is how a zero is said in a telephone number. */
function zeroForOh(word: string, i: number, all: readonly string[]): string {
  if (word !== 'oh' && word !== 'o') return word
  const isNumber = (other: string | undefined) => other !== undefined && (NUMBER_WORDS.has(other) || other === word)
  return isNumber(all[i - 1]) || isNumber(all[i + 1]) ? 'zero' : word
}

/** "one hundred and five" and "one hundred five" are the same number. */
function isNumberAnd(word: string, i: number, all: readonly string[]): boolean {
  const before = all[i - 1] ?? ''
  return word === 'and' && (before === 'hundred' || before === 'thousand') && NUMBER_WORDS.has(all[i + 1] ?? '')
}

function asDigits(numeral: string): string[] {
  return [...numeral].map((digit) => ONES[Number(digit)] ?? digit)
}

function asPairs(numeral: string): string[] {
  if (numeral.length < 3 || numeral.length % 2 !== 0) return asCardinal(numeral)
  const pairs = numeral.match(/../g) ?? []
  return pairs.flatMap((pair) => (pair.startsWith('0') ? asDigits(pair) : asCardinal(pair)))
}

function asCardinal(numeral: string): string[] {
  // A leading zero is never part of one number: "007" is a code.
  if (numeral.length > 1 && numeral.startsWith('0')) return asDigits(numeral)
  const value = Number(numeral)
  return value > CARDINAL_MAX ? asDigits(numeral) : cardinal(value)
}

function cardinal(value: number): string[] {
  for (const [scale, name] of SCALES) {
    if (value >= scale) return [...cardinal(Math.floor(value / scale)), name, ...rest(value % scale)]
  }
  if (value >= 100) return [ONES[Math.floor(value / 100)] ?? '', 'hundred', ...rest(value % 100)]
  if (value >= 20) return [TENS[Math.floor(value / 10)] ?? '', ...rest(value % 10)]
  return [ONES[value] ?? '']
}

function rest(value: number): string[] {
  return value === 0 ? [] : cardinal(value)
}

const IRREGULAR_ORDINALS = new Map([
  ['one', 'first'],
  ['two', 'second'],
  ['three', 'third'],
  ['five', 'fifth'],
  ['eight', 'eighth'],
  ['nine', 'ninth'],
  ['twelve', 'twelfth'],
])

function ordinal(digits: string): string {
  const spelled = asCardinal(digits)
  const last = spelled.pop() ?? ''
  const regular = last.endsWith('y') ? `${last.slice(0, -1)}ieth` : `${last}th`
  return [...spelled, IRREGULAR_ORDINALS.get(last) ?? regular].join(' ')
}

interface Cell {
  readonly cost: number
  readonly substitutions: number
  readonly insertions: number
  readonly deletions: number
}

/** Levenshtein over words, one row at a time, counting the kinds of error along the cheapest path. */
function align(expected: readonly string[], actual: readonly string[]): WordErrors {
  const start: Cell = { cost: 0, substitutions: 0, insertions: 0, deletions: 0 }
  const inserted = (cell: Cell): Cell => ({ ...cell, cost: cell.cost + 1, insertions: cell.insertions + 1 })
  const deleted = (cell: Cell): Cell => ({ ...cell, cost: cell.cost + 1, deletions: cell.deletions + 1 })
  const replaced = (cell: Cell): Cell => ({ ...cell, cost: cell.cost + 1, substitutions: cell.substitutions + 1 })
  let above: Cell[] = [start]
  for (let j = 0; j < actual.length; j++) above.push(inserted(above[j] ?? start))
  for (const word of expected) {
    const row: Cell[] = [deleted(above[0] ?? start)]
    for (let j = 0; j < actual.length; j++) {
      const diagonal = above[j] ?? start
      const options = [
        word === actual[j] ? diagonal : replaced(diagonal),
        deleted(above[j + 1] ?? start),
        inserted(row[j] ?? start),
      ]
      row.push(options.reduce((best, option) => (option.cost < best.cost ? option : best)))
    }
    above = row
  }
  const end = above[actual.length] ?? start
  return withRate(end.substitutions, end.insertions, end.deletions, expected.length)
}

function withRate(substitutions: number, insertions: number, deletions: number, words: number): WordErrors {
  const errors = substitutions + insertions + deletions
  const rate = words > 0 ? errors / words : Number(errors > 0)
  return { substitutions, insertions, deletions, words, rate }
}
