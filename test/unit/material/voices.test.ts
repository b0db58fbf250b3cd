import { describe, expect, test } from 'bun:test'
import { kokoroPlan, kokoroTrainingPlan } from '../../material/kokoro.ts'
import { KOKORO_ENTRY } from '../../material/kokoro-files.ts'
import { robots } from '../../material/robots.ts'
import { madeSounds } from '../../material/sounds.ts'
import { CLIP_LABELS, wordsOf } from '../../material/take.ts'
import { TRAINING_BACKCHANNELS, TRAINING_PHRASES, TRAINING_WORDS } from '../../material/training-texts.ts'
import { VOICES, type VoiceId, voiceOf, voicesOf } from '../../material/voices.ts'

const ids = Object.keys(VOICES) as VoiceId[]

describe('the splits', () => {
  test('each has human and synthetic voices, and all voices are in one of them', () => {
    for (const split of ['tune', 'report'] as const) {
      const kinds = voicesOf(split).map((id) => voiceOf(id).human)
      expect(kinds.filter((human) => human).length).toBeGreaterThan(10)
      expect(kinds.filter((human) => !human).length).toBeGreaterThan(10)
    }
    expect(voicesOf('tune').length + voicesOf('report').length + voicesOf('train').length).toBe(ids.length)
    // Whoever is there for training alone is made: people are too few.
    expect(voicesOf('train').every((id) => !voiceOf(id).human)).toBe(true)
  })

  test('one person under several names stands on one side', () => {
    for (const persons of [
      ['allison', 'allison-es'],
      ['hog-default', 'hog-classic'],
      ['hog-polish', 'hog-russian-polish'],
    ] as const) {
      expect(new Set(persons.map((id) => voiceOf(id).split)).size).toBe(1)
    }
  })

  test('no variant of a robot is on both sides', () => {
    const sideOf = new Map<string, string>()
    for (const id of ids.filter((name) => name.startsWith('espeak-'))) {
      const variant = id.split('-').at(-1) ?? ''
      expect(sideOf.get(variant) ?? voiceOf(id).split, id).toBe(voiceOf(id).split)
      sideOf.set(variant, voiceOf(id).split)
    }
  })
})

describe('what is said for training', () => {
  test('is said by voices of that split alone, and each text by somebody', () => {
    const planned = kokoroTrainingPlan().map(({ take }) => take)
    expect(new Set(planned.map(({ voice }) => voiceOf(voice).split))).toEqual(new Set(['train']))
    const said = new Set(planned.map(({ text }) => text))
    for (const text of [...TRAINING_BACKCHANNELS, ...TRAINING_WORDS, ...TRAINING_PHRASES]) {
      expect(said.has(wordsOf(text)), text).toBe(true)
    }
  })

  test('does not call the same thing assent and interruption', () => {
    const assent = new Set(TRAINING_BACKCHANNELS.map(wordsOf))
    for (const text of [...TRAINING_WORDS, ...TRAINING_PHRASES]) expect(assent.has(wordsOf(text)), text).toBe(false)
  })
})

describe('takes', () => {
  test('no two share a name, in one split or across both', () => {
    const names = [
      ...robots().map(({ name }) => name),
      ...kokoroPlan().map(({ take }) => take.name),
      ...kokoroTrainingPlan().map(({ take }) => take.name),
      ...madeSounds('tune', 1).map(({ name }) => name),
      ...madeSounds('report', 1).map(({ name }) => name),
    ]
    expect(new Set(names).size).toBe(names.length)
  })

  test('made sounds of a split are of its voices, and every noise class is there', () => {
    const takes = madeSounds('report', 4)
    for (const take of takes) expect(voiceOf(take.voice).split).toBe('report')
    const uses = new Set<string>(takes.map(({ use }) => use))
    const recordedOnly = new Set(['interruption_word', 'interruption_phrase', 'exclamation'])
    for (const label of CLIP_LABELS) expect(uses.has(label) || recordedOnly.has(label), label).toBe(true)
  })

  test('every neural voice has its file, and speaks', () => {
    const files = new Set(KOKORO_ENTRY.files.map(({ path }) => path))
    const speaking = new Set([...kokoroPlan(), ...kokoroTrainingPlan()].map(({ take }) => take.voice))
    for (const id of ids.filter((name) => name.startsWith('kokoro-'))) {
      expect(files.has(`${id.replace('kokoro-', '')}.bin`), id).toBe(true)
      expect(speaking.has(id), id).toBe(true)
    }
  })
})
