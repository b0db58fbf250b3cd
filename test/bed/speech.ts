// Speech with known words, at telephone quality, from Debian's packages. Made once, then read from the cache folder.

import { existsSync, mkdirSync, readFileSync, statSync } from 'node:fs'
import { basename, join } from 'node:path'
import { cacheFolder, canChroot, debianRoot } from './asterisk-root.ts'
import { ensureCommand, mustRun, namesIn, readIfThere } from './host.ts'
import { toTelephoneWav } from './sox.ts'
import { audibleStretches } from './wav-analysis.ts'
import { readWav, writeWav } from './wav-file.ts'

export const SPEECH_RATE_HZ = 8000

export interface Utterance {
  readonly name: string
  /** An 8 kHz, 16-bit, mono WAV. */
  readonly path: string
  /** What is said, in lower case and without punctuation. */
  readonly words: string
}

const DIGIT_WORDS = ['zero', 'one', 'two', 'three', 'four', 'five', 'six', 'seven', 'eight', 'nine']
const SOUNDS = '/usr/share/asterisk/sounds/en_US_f_Allison'
const SOUND_TEXTS = '/usr/share/doc/asterisk-core-sounds-en/core-sounds-en.txt.gz'
const TEST_DATA = '/usr/share/pocketsphinx/test/data'
/** Sense and Sensibility, read for LibriVox; the other set, `cards`, is five short commands. */
const READINGS = ['librivox', 'cards'] as const

/** Ten human utterances of 1 to 7 s: five sentences of a novel, then five commands. */
export async function readSpeech(): Promise<Utterance[]> {
  const folder = await dataPath(TEST_DATA, 'pocketsphinx-testdata')
  const sources = READINGS.flatMap((set) => transcriptions(join(folder, set)))
  return await Promise.all(
    sources.map(async ({ source, words }) => {
      const name = basename(source, '.wav')
      return { name, words, path: await cached(`read-${name}`, (to) => toTelephoneWav(source, to, SPEECH_RATE_HZ)) }
    }),
  )
}

/** Lines of a set: `<s> words </s> (file)`, in a file named `transcription` or `<set>.transcription`. */
function transcriptions(folder: string): { source: string; words: string }[] {
  const file = namesIn(folder).find((name) => name.endsWith('transcription'))
  const lines = readIfThere(join(folder, file ?? 'transcription')).split('\n')
  const found: { source: string; words: string }[] = []
  for (const line of lines) {
    const parts = /^<s>\s*(.*?)\s*<\/s>\s*\((.*)\)$/.exec(line.trim())
    if (parts?.[1] !== undefined && parts[2] !== undefined) {
      found.push({ words: parts[1], source: join(folder, `${parts[2]}.wav`) })
    }
  }
  return found
}

/** Telephone prompts of a human voice whose text is known, 1 to 15 s each. `limit` is the most that are returned. */
export async function prompts(limit: number): Promise<Utterance[]> {
  const folder = await dataPath(SOUNDS, 'asterisk-core-sounds-en-wav')
  const texts = new TextDecoder().decode(
    Bun.gunzipSync(readFileSync(await dataPath(SOUND_TEXTS, 'asterisk-core-sounds-en'))),
  )
  const found: Utterance[] = []
  for (const line of texts.split('\n')) {
    const [, name, text] = /^([a-z0-9-]+):\s+(\S.*)$/.exec(line) ?? []
    // Brackets hold notes to the speaker, and a numeral or a symbol doesn't say how it is spoken.
    if (name === undefined || text === undefined || /[^A-Za-z ,.'!?-]/.test(text)) continue
    const path = join(folder, `${name}.wav`)
    if (!existsSync(path) || text.split(' ').length < 4) continue
    const words = text
      .toLowerCase()
      .replace(/[^a-z' ]+/g, ' ')
      .replace(/\s+/g, ' ')
      .trim()
    found.push({ name, path, words })
    if (found.length === limit) break
  }
  return found
}

/**
 * `count` strings of 4 to 7 digits, said by a human with natural gaps. The same seed gives the same strings.
 * `words` are the digits' names: "four two one seven".
 */
export async function digitStrings(count: number, seed: number): Promise<Utterance[]> {
  const random = seeded(seed)
  const made: Utterance[] = []
  for (let i = 0; i < count; i++) {
    const length = 4 + Math.floor(random() * 4)
    const digits = Array.from({ length }, () => Math.floor(random() * 10))
    // 80 to 150 ms, as a person reads a number out.
    const gapsMs = digits.map(() => 80 + Math.floor(random() * 71))
    made.push(await spokenDigits(digits.join(''), gapsMs))
  }
  return made
}

/** A given digit string, said by a human. `gapsMs[i]` follows digit i. */
export async function spokenDigits(digits: string, gapsMs: readonly number[] = []): Promise<Utterance> {
  const folder = await dataPath(join(SOUNDS, 'digits'), 'asterisk-core-sounds-en-wav')
  const gaps = [...digits].map((_, i) => gapsMs[i] ?? 110)
  const name = `digits-${digits}`
  const path = await cached(`${name}-${Bun.hash(gaps.join()).toString(36)}`, async (to) => {
    const parts: Int16Array[] = []
    for (const [i, digit] of [...digits].entries()) {
      const { samples, sampleRateHz } = await readWav(join(folder, `${digit}.wav`))
      parts.push(withoutSilence(samples, sampleRateHz))
      parts.push(new Int16Array(Math.round(((gaps[i] ?? 0) * sampleRateHz) / 1000)))
    }
    await writeWav(to, { sampleRateHz: SPEECH_RATE_HZ, samples: joined(parts) })
  })
  return { name, path, words: [...digits].map((digit) => DIGIT_WORDS[Number(digit)] ?? '').join(' ') }
}

/** Any sentence, by eSpeak NG: a robot's voice, clear enough for recognisers. Words are the text's own. */
export async function synthetic(text: string): Promise<Utterance> {
  const name = `synthetic-${Bun.hash(text).toString(36)}`
  const path = await cached(name, async (to) => {
    await ensureCommand('espeak-ng')
    const spoken = `${to}.espeak.wav`
    await mustRun(['espeak-ng', '-v', 'en-us', '-s', '150', '-w', spoken, '--stdin'], { stdin: text })
    await toTelephoneWav(spoken, to, SPEECH_RATE_HZ)
    await Bun.file(spoken).delete()
  })
  const words = text
    .toLowerCase()
    .replace(/[^\p{L}\p{N}']+/gu, ' ')
    .trim()
  return { name, path, words }
}

/** A package's file on this machine, or in the Debian root, which is made when there is none. */
async function dataPath(path: string, packageName: string): Promise<string> {
  if (existsSync(path)) return path
  if (!canChroot()) throw new Error(`${path} is missing; install the Debian package ${packageName}`)
  const root = await debianRoot((line) => console.error(`bed: ${line}`))
  const inRoot = join(root.folder, path)
  if (!existsSync(inRoot)) await root.ensurePackages([packageName])
  if (!existsSync(inRoot)) throw new Error(`${packageName} brought no ${path}`)
  return inRoot
}

/** Path of a WAV in the cache, made by `make` unless it is there. `make` gets a name that is not yet the final one. */
async function cached(name: string, make: (to: string) => Promise<void>): Promise<string> {
  const folder = join(cacheFolder(), 'speech')
  mkdirSync(folder, { recursive: true })
  const path = join(folder, `${name}.wav`)
  if (existsSync(path) && statSync(path).size > 44) return path
  const partial = join(folder, `.${name}.${process.pid}.${crypto.randomUUID().slice(0, 8)}.wav`)
  await make(partial)
  await mustRun(['mv', partial, path])
  return path
}

/** Margins kept around a word: consonants begin below the threshold, and vowels fade out under it. */
const LEAD_MS = 30
const TAIL_MS = 50

function withoutSilence(samples: Int16Array, sampleRateHz: number): Int16Array {
  const heard = audibleStretches(samples, { sampleRateHz, thresholdDbfs: -42, joinGapMs: 400 })
  const at = (ms: number) => Math.round((ms * sampleRateHz) / 1000)
  const startMs = (heard[0]?.startMs ?? 0) - LEAD_MS
  const endMs = (heard.at(-1)?.endMs ?? Number.POSITIVE_INFINITY) + TAIL_MS
  return samples.subarray(Math.max(0, at(startMs)), Math.min(samples.length, at(endMs)))
}

function joined(parts: readonly Int16Array[]): Int16Array {
  const all = new Int16Array(parts.reduce((total, part) => total + part.length, 0))
  let at = 0
  for (const part of parts) {
    all.set(part, at)
    at += part.length
  }
  return all
}

/** Mulberry32: small, and the same everywhere. */
function seeded(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296
  }
}
