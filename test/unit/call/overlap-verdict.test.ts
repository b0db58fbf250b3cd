import { expect, test } from 'bun:test'
import { type HeardOverlap, type OverlapPolicy, overlapVerdict, valueAt } from '#call/overlap-verdict.ts'

const policy: OverlapPolicy = {
  interruptionFrom: [
    [200, 0.9],
    [600, 0.5],
  ],
  harmlessUpTo: [
    [200, 0.1],
    [600, 0.3],
  ],
  endedQuietMs: 150,
  endedFrom: 0.4,
  cuttingWordsFrom: 0.05,
  otherWordsFrom: 0.2,
  assentUpTo: 0.9,
  backchannelMsMax: 1300,
}
const score = (interruption: number, noise = 0) => ({ interruption, noise, backchannel: 1 - interruption - noise })
const heard = (parts: Partial<HeardOverlap>): HeardOverlap => ({
  sinceOnsetMs: 400,
  voicedMs: 400,
  score: score(0.5),
  ended: false,
  words: null,
  wordsDue: false,
  language: null,
  ...parts,
})
const verdict = (parts: Partial<HeardOverlap>) => overlapVerdict(heard(parts), [], policy)
const words = (text: string, language = 'en') => ({ words: text, language })

test('the sound decides where it is sure enough for the time', () => {
  // At 400 ms the lines are half way: 0.7 and 0.2.
  expect(verdict({ score: score(0.71) })).toBe('interruption')
  expect(verdict({ score: score(0.69) })).toBe('undecided')
  expect(verdict({ score: score(0.21) })).toBe('undecided')
  expect(verdict({ score: score(0.19) })).toBe('backchannel')
  expect(verdict({ score: score(0.19, 0.6) })).toBe('noise')
  expect(verdict({ score: score(0.71), sinceOnsetMs: 210, voicedMs: 210 })).toBe('undecided')
  expect(verdict({ score: score(0.51), sinceOnsetMs: 1000, voicedMs: 1000 })).toBe('interruption')
})

test('when the voice is over and no words are due there is always a verdict', () => {
  expect(verdict({ ended: true, score: score(0.41) })).toBe('interruption')
  expect(verdict({ ended: true, score: score(0.39) })).toBe('backchannel')
  expect(verdict({ voicedMs: 240, score: score(0.39, 0.5) })).toBe('noise')
  expect(verdict({ voicedMs: 260, score: score(0.5) })).toBe('undecided')
})

test('an unsure voice that is over waits for words that are on their way, and for no others', () => {
  // At 400 ms 0.7 is sure.
  const over = { ended: true, wordsDue: true }
  expect(verdict({ ...over, score: score(0.69) })).toBe('undecided')
  expect(verdict({ ...over, score: score(0.71) })).toBe('interruption')
  expect(verdict({ ...over, score: score(0.39) })).toBe('backchannel')
  expect(verdict({ ...over, score: score(0.69), wordsDue: false })).toBe('interruption')
  // Some have come, and the rest of them is on its way.
  expect(verdict({ ...over, ...words('Humble'), score: score(0.5) })).toBe('interruption')
  expect(verdict({ ...over, ...words('Yeah'), score: score(0.5) })).toBe('backchannel')
})

test('a word that is never assent decides, unless the sound is sure that it was none', () => {
  expect(verdict({ ...words('Stop'), score: score(0.06) })).toBe('interruption')
  expect(verdict({ ...words('No'), score: score(0.04) })).toBe('backchannel')
  expect(verdict({ ...words('okay but'), score: null })).toBe('interruption')
  expect(verdict({ ...words('ja aber', 'de'), score: score(0.05) })).toBe('interruption')
})

test('other words need the sound’s leave', () => {
  expect(verdict({ ...words('my order'), score: score(0.25) })).toBe('interruption')
  expect(verdict({ ...words('Humble'), score: score(0.1) })).toBe('backchannel')
  expect(verdict({ ...words('Watching'), score: score(0.1, 0.8) })).toBe('noise')
})

test('assent is assent unless the sound is very sure of the contrary', () => {
  expect(verdict({ ...words('yeah'), score: score(0.8) })).toBe('backchannel')
  expect(verdict({ ...words('yeah'), score: score(0.95) })).toBe('interruption')
  expect(verdict({ ...words('vale, vale', 'es'), score: null })).toBe('backchannel')
})

test('a configuration may know more words of listeners', () => {
  const more = overlapVerdict(
    heard({ ...words('roger, roger that'), score: score(0.6) }),
    ['roger', 'roger that'],
    policy,
  )
  expect(more).toBe('backchannel')
  expect(verdict({ ...words('roger that'), score: score(0.6) })).toBe('interruption')
})

test('what may become either waits for the sound', () => {
  expect(verdict({ ...words('I'), score: score(0.5) })).toBe('undecided')
  expect(verdict({ ...words(''), score: score(0.1) })).toBe('backchannel')
})

test('length decides only beyond what assent can last, and not for noise', () => {
  for (const ms of [210, 390]) expect(verdict({ sinceOnsetMs: ms, voicedMs: ms, score: score(0.5) })).toBe('undecided')
  expect(verdict({ sinceOnsetMs: 1400, voicedMs: 1400, score: score(0.3) })).toBe('interruption')
  expect(verdict({ sinceOnsetMs: 1400, voicedMs: 1400, score: score(0.1, 0.8) })).toBe('noise')
  expect(verdict({ sinceOnsetMs: 1400, voicedMs: 1400, score: score(0.1), ...words('yeah, okay, I see') })).toBe(
    'backchannel',
  )
})

test('without a model only words and the lasting decide', () => {
  expect(verdict({ score: null })).toBe('undecided')
  expect(verdict({ score: null, ended: true })).toBe('undecided')
  expect(verdict({ score: null, sinceOnsetMs: 1400, voicedMs: 1400 })).toBe('interruption')
  expect(verdict({ score: null, words: 'splendid' })).toBe('interruption')
  expect(verdict({ score: null, words: 'stop' })).toBe('interruption')
  expect(verdict({ score: null, words: 'okay' })).toBe('backchannel')
})

test('a course runs in straight lines and is level outside', () => {
  const course = [
    [100, 0],
    [200, 1],
    [200, 3],
  ] as const
  expect([0, 100, 150, 199.9, 200, 999].map((at) => valueAt(course, at))).toEqual([
    0,
    0,
    0.5,
    expect.closeTo(0.999),
    3,
    3,
  ])
  expect(valueAt([], 5)).toBe(0)
})
