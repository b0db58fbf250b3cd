// Kokoro's voices: neural, of an actor each, at 24 kHz before the telephone. The model's weights and voices come from
// packages. One run takes one to two seconds of a core, so what it says is rationed, and kept in the cache.

import { existsSync, writeFileSync } from 'node:fs'
import { cpus } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { withFileLock } from '../bed/file-lock.ts'
import { ensureCommand, mustRun } from '../bed/host.ts'
import { readWav } from '../bed/wav-file.ts'
import { KOKORO_ENTRY, KOKORO_PARTS } from './kokoro-files.ts'
import { materialFolder, registryFiles } from './packages.ts'
import { isTake, type Take, type TakeUse, takePath, wordsOf } from './take.ts'
import {
  ANSWERS,
  BACKCHANNELS,
  HESITATIONS,
  hesitationShare,
  INTERRUPTION_PHRASES,
  INTERRUPTION_WORDS,
  MURMUR_PHONEMES,
  SENTENCES,
  spokenHesitation,
} from './texts.ts'
import { type TrainingShare, trainingTextsOf } from './training-languages.ts'
import { TRAINING_BACKCHANNELS, TRAINING_MURMURS, TRAINING_PHRASES, TRAINING_WORDS } from './training-texts.ts'
import { type Split, VOICES, type VoiceId, voiceOf, voicesOf } from './voices.ts'

export interface KokoroJob {
  readonly phonemes: string
  readonly voicePath: string
  readonly speed: number
  readonly to: string
}

export interface KokoroOrder {
  readonly modelPath: string
  readonly vocabPath: string
  readonly jobs: readonly KokoroJob[]
}

/** Phrases of each kind for one voice; a half is one for every second voice. */
const PLAN: readonly (readonly [TakeUse, Readonly<Record<string, readonly string[]>>, number])[] = [
  ['backchannel', BACKCHANNELS, 3],
  ['speech', INTERRUPTION_WORDS, 2],
  ['speech', INTERRUPTION_PHRASES, 1],
  ['sentence', SENTENCES, 0.5],
  ['answer', ANSWERS, 0.5],
]
const TRAINING_PLAN: readonly (readonly [TakeUse, readonly string[], number])[] = [
  ['backchannel', TRAINING_BACKCHANNELS, 13],
  ['speech', TRAINING_WORDS, 13],
  ['speech', TRAINING_PHRASES, 5],
]
const TRAINING_MURMURS_PER_VOICE = 3
/** Of each language beside English, by each training voice. */
const TRAINING_SHARE: TrainingShare = { backchannels: 1, words: 1, phrases: 0 }
const TRAINING_SPEEDS = [1, 1.15, 1.3, 1.05, 0.85] as const
const MURMURS_PER_VOICE = 2
const HESITATIONS_PER_VOICE = 4
const SPEEDS = [0.9, 1, 1.1, 1.25] as const

interface Planned {
  readonly take: Omit<Take, 'load'>
  readonly spoken: string | { readonly phonemes: string }
  /** Of eSpeak NG, which gives the phonemes; the voice's own where there is none. */
  readonly language?: string
  readonly speed: number
}

const isKokoro = (voice: VoiceId) => voice.startsWith('kokoro-')

/** What each voice says: the lists are dealt out in turn, so that all of a list is heard from somebody. */
export function kokoroPlan(): Planned[] {
  const voices = (Object.keys(VOICES) as VoiceId[]).filter(
    (voice) => isKokoro(voice) && voiceOf(voice).split !== 'train',
  )
  const dealt = new Map<readonly unknown[], number>()
  const deal = <T>(list: readonly T[]): T | undefined => {
    const at = dealt.get(list) ?? 0
    dealt.set(list, at + 1)
    return list[at % list.length]
  }
  return voices.flatMap((voice, number) => {
    const speed = SPEEDS[number % SPEEDS.length] ?? 1
    const planned: Planned[] = []
    const add = (use: TakeUse, text: string, spoken: Planned['spoken']) => {
      const name = `${voice}-${wordsOf(text).replace(/[^a-z]+/g, '_')}-${planned.length}`
      const place = use === 'hesitation' ? { pauseShare: hesitationShare(text) } : {}
      planned.push({ take: { name, use, voice, how: 'synthesised', text: wordsOf(text), ...place }, spoken, speed })
    }
    for (const [use, lists, count] of PLAN) {
      for (let i = 0; i < shareOf(count, use, number); i++) {
        const text = deal(lists[voiceOf(voice).language] ?? [])
        if (text !== undefined) add(use, text, text)
      }
    }
    for (let i = 0; i < MURMURS_PER_VOICE; i++) {
      const murmur = deal(MURMUR_PHONEMES)
      if (murmur !== undefined) add('backchannel', murmur[0], { phonemes: murmur[1] })
    }
    for (let i = 0; i < HESITATIONS_PER_VOICE; i++) {
      const { split, language } = voiceOf(voice)
      const text = split === 'train' ? undefined : deal(HESITATIONS[split][language] ?? [])
      if (text !== undefined) add('hesitation', text, spokenHesitation(text))
    }
    return planned
  })
}

/** The same for the voices that models are trained on: hundreds of words, each by some of them. */
export function kokoroTrainingPlan(): Planned[] {
  const planned: Planned[] = []
  const dealt = { murmurs: 0, at: TRAINING_PLAN.map(() => 0) }
  for (const [number, voice] of voicesOf('train').filter(isKokoro).entries()) {
    const add = (use: TakeUse, text: string, spoken: Planned['spoken']) => {
      const speed = TRAINING_SPEEDS[(planned.length + number) % TRAINING_SPEEDS.length] ?? 1
      const name = `${voice}-${wordsOf(text).replace(/[^a-z]+/g, '_')}-${planned.length}`
      planned.push({ take: { name, use, voice, how: 'synthesised', text: wordsOf(text) }, spoken, speed })
    }
    for (const [index, [use, list, count]] of TRAINING_PLAN.entries()) {
      const from = dealt.at[index] ?? 0
      dealt.at[index] = from + count
      for (let at = from; at < from + count; at++) add(use, list[at % list.length] ?? '', list[at % list.length] ?? '')
      if (use !== 'backchannel') continue
      for (let murmur = 0; murmur < TRAINING_MURMURS_PER_VOICE; murmur++) {
        const [text, phonemes] = TRAINING_MURMURS[dealt.murmurs++ % TRAINING_MURMURS.length] ?? ['', '']
        add(use, text, { phonemes })
      }
    }
  }
  return [...planned, ...foreignPlan()]
}

/** The training voices in other languages, with the accents that they have. */
function foreignPlan(): Planned[] {
  return voicesOf('train')
    .filter(isKokoro)
    .flatMap((voice, number) =>
      trainingTextsOf(number, TRAINING_SHARE).map(({ use, language, espeak, text }, index): Planned => {
        const speed = TRAINING_SPEEDS[(4 * (number + 1) + index) % TRAINING_SPEEDS.length] ?? 1
        const name = `${voice}-${language}-${Bun.hash(`${text} ${speed}`).toString(36)}`
        const take = { name, use, voice, how: 'synthesised' as const, text: wordsOf(text) }
        return { take, spoken: text, speed, language: espeak }
      }),
    )
}

/** Of the halves, even voices get the sentences and odd ones the answers. */
function shareOf(count: number, use: TakeUse, number: number): number {
  if (count >= 1) return count
  return (use === 'sentence') === (number % 2 === 0) ? 1 : 0
}

/** Every take of the plan, made by as many processes as there are cores when the first one is loaded. */
export function kokoro(split: Split): Take[] {
  const plan = split === 'train' ? kokoroTrainingPlan() : kokoroPlan()
  let made: Promise<void> | undefined
  return plan.map(({ take }) => ({
    ...take,
    load: async () => {
      made ??= makeMissing(plan)
      await made
      return Float64Array.from((await readWav(takePath(take.name))).samples)
    },
  }))
}

const missingOf = (plan: readonly Planned[]) => plan.filter(({ take }) => !isTake(takePath(take.name)))

/** Two processes that ask at once make it once; where all is there, nobody waits for anybody. */
async function makeMissing(plan: readonly Planned[]): Promise<void> {
  if (missingOf(plan).length === 0) return
  await withFileLock(join(materialFolder(), 'kokoro.lock'), async () => await make(missingOf(plan)))
}

async function make(missing: readonly Planned[]): Promise<void> {
  if (missing.length === 0) return
  const folder = await registryFiles(KOKORO_ENTRY)
  const modelPath = join(folder, 'kokoro.onnx')
  if (!existsSync(modelPath)) {
    const parts = await Promise.all(KOKORO_PARTS.map(({ path }) => Bun.file(join(folder, path)).arrayBuffer()))
    await Bun.write(`${modelPath}.part`, new Blob(parts))
    await mustRun(['mv', `${modelPath}.part`, modelPath])
  }
  const jobs: KokoroJob[] = []
  for (const { take, spoken, speed, language } of missing) {
    const phonemes =
      typeof spoken === 'string' ? await phonemesOf(spoken, language ?? languageOf(take.voice)) : spoken.phonemes
    const voicePath = join(folder, `${take.voice.replace('kokoro-', '')}.bin`)
    jobs.push({ phonemes, voicePath, speed, to: takePath(take.name) })
  }
  const workers = Math.max(1, Math.min(cpus().length, 4))
  const child = fileURLToPath(new URL('kokoro-child.ts', import.meta.url))
  await Promise.all(
    Array.from({ length: workers }, async (_, worker) => {
      const share: KokoroOrder = {
        modelPath,
        vocabPath: join(folder, 'vocab.json'),
        jobs: jobs.filter((_, i) => i % workers === worker),
      }
      const order = join(materialFolder(), `kokoro-order-${worker}.json`)
      writeFileSync(order, JSON.stringify(share))
      await mustRun([process.execPath, child, order])
    }),
  )
}

const ESPEAK_NAMES: Readonly<Record<string, string>> = {
  af: 'en-us',
  am: 'en-us',
  bf: 'en-gb',
  bm: 'en-gb',
  ef: 'es',
  em: 'es',
  ff: 'fr',
  if: 'it',
  im: 'it',
}

const languageOf = (voice: VoiceId): string =>
  ESPEAK_NAMES[voice.slice('kokoro-'.length, 'kokoro-'.length + 2)] ?? 'en-us'

/** IPA as the model was trained on it: eSpeak NG's, with its own signs for a few sounds, clause by clause. */
async function phonemesOf(text: string, language: string): Promise<string> {
  await ensureCommand('espeak-ng')
  let all = ''
  for (const [, clause = '', mark = ''] of text.matchAll(/([^,.!?]+)([,.!?]*)/g)) {
    const ipa = await mustRun(['espeak-ng', '-q', '--ipa', '-v', language, clause.trim()])
    all += `${kokoroSigns(ipa, language)}${mark.slice(0, 1)} `
  }
  return all.trim().replace(/[^,.!?]$/, '$&.')
}

function kokoroSigns(ipa: string, language: string): string {
  const plain = ipa
    .trim()
    .replace(/\s*\n\s*/g, ' ')
    .replace(/\([a-z-]+\)/g, '')
    .replaceAll('g', 'ɡ')
  if (!language.startsWith('en')) return plain
  const signed = ENGLISH_SIGNS.reduce((text, [from, to]) => text.replaceAll(from, to), plain)
  return language === 'en-us' ? signed.replaceAll('ː', '') : signed
}

/** The model's English writes a diphthong and an affricate as one sign each. */
const ENGLISH_SIGNS: readonly (readonly [string, string])[] = [
  ['aɪ', 'I'],
  ['aʊ', 'W'],
  ['eɪ', 'A'],
  ['ɔɪ', 'Y'],
  ['oʊ', 'O'],
  ['əʊ', 'Q'],
  ['dʒ', 'ʤ'],
  ['tʃ', 'ʧ'],
  ['ɚ', 'əɹ'],
  ['r', 'ɹ'],
  ['x', 'k'],
]
