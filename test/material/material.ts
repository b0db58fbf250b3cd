// The speech material of the turn-taking benchmarks: who cuts in, who only says "mm-hm", who coughs, and who pauses
// before going on. 8 kHz, 16 bits, mono, in a telephone's band and at a trunk's level. README.md says what it is made of.

import { seededRandom } from '#base/random.ts'
import {
  ACTIVE_LEVEL_DBFS,
  edgesOf,
  levelled,
  muLawCoded,
  type Pause,
  pausesIn,
  telephoneBand,
  toMs,
  toSamples,
} from './audio.ts'
import { babble } from './babble.ts'
import { DIALOGUES, dialogues } from './dialogues.ts'
import { twoSentences, withHesitation, withLongerGap } from './hesitations.ts'
import { kokoro } from './kokoro.ts'
import { NOISE_KINDS, type NoiseKind, noise } from './noises.ts'
import { debianFolders } from './packages.ts'
import { PROMPT_SOURCES, prompts } from './prompts.ts'
import { readings, telephoneTalk } from './readings.ts'
import { robots } from './robots.ts'
import { SHOUTS, shouts } from './shouts.ts'
import { madeSounds } from './sounds.ts'
import type { ClipLabel, How, Take } from './take.ts'
import { THINGS, things } from './things.ts'
import { type DigitTake, digitString, PAUSE_MS_MIN, trimmed, withThinkingPauses } from './turns.ts'
import { type Split, type VoiceId, voiceOf } from './voices.ts'

interface Sound {
  readonly id: string
  readonly voice: VoiceId
  readonly human: boolean
  readonly language: string
  readonly how: How
  readonly split: Split
  /** What is said, in lower case; null where it isn't known. */
  readonly text: string | null
  /** At 8 kHz, with up to 100 ms of the recording around what is said. */
  readonly samples: Int16Array
  /** First sample of what is said, and the sample after its last: by energy, to 10 ms. */
  readonly onsetSample: number
  readonly offsetSample: number
}

export interface Clip extends Sound {
  readonly label: ClipLabel
}

/**
 * `natural`: as spoken. `hesitation`: a pause in the middle of a phrase. `thinking`: a pause at a phrase's end.
 * `sentences`: two, with a pause between. `digits`: strung. `answer`: short and whole.
 */
export type TurnKind = 'natural' | 'hesitation' | 'thinking' | 'sentences' | 'digits' | 'answer'

/** An utterance that is over at `offsetSample`, and at none of its pauses. */
export interface Turn extends Sound {
  readonly kind: TurnKind
  /** Of 250 ms and more, in milliseconds from the first sample. */
  readonly pauses: readonly Pause[]
}

/** Ten seconds to be mixed under speech (`withNoise` in babble.ts), at the level of speech. */
export interface Noise {
  readonly kind: NoiseKind | 'babble'
  readonly samples: Int16Array
}

export interface Material {
  readonly clips: readonly Clip[]
  readonly turns: readonly Turn[]
  readonly noises: readonly Noise[]
}

export interface MaterialOptions {
  /** Varies made sounds, pauses and digit strings, and shuffles; recordings are the same for every seed. */
  readonly seed: number
  /** `mulaw`: as a G.711 trunk leaves it. Default linear. */
  readonly coding?: 'linear' | 'mulaw'
  /** `few`: read speech, robots and made sounds alone, which cost a small download: enough to see that all runs. */
  readonly sources?: 'all' | 'few'
  readonly onProgress?: (line: string) => void
}

/** Of the recording, kept on both sides of what is said. */
const MARGIN_MS = 100
/** An interruption is a word up to here and a phrase from here on. */
const WORD_MS_MAX = 950
const SPEECH_MS = { min: 150, max: 4500 }
/** A backchannel that lasts longer is an utterance. */
const BACKCHANNEL_MS = { min: 120, max: 1300 }
const SENTENCE_MS_MIN = 1200
const NOISE_MS = 10_000
const BABBLES = 3
const DIGIT_STRINGS_PER_VOICE = 7
/** Of the short recordings, as many again are answers: most of what callers say is short. */
const EVERY_ANSWER = 2
const ANSWER_MS_MIN = 350
/** A third of the sentences as spoken have a pause at a phrase's end already. */
const EVERY_THINKING = 3
const LOADERS = 3

/**
 * All of a split's material. The first call on a machine downloads some 380 MB and takes a few minutes; after it a
 * second or two.
 * @throws Error when a package can't be had, with its name
 */
export async function material(split: Split, options: MaterialOptions): Promise<Material> {
  const { seed, sources = 'all', onProgress = () => {} } = options
  const spoken =
    split === 'train'
      ? [...robots(), ...kokoro(split)]
      : sources === 'few'
        ? [...(await readings()), ...robots()]
        : [...(await recordedTakes(onProgress)), ...robots(), ...kokoro(split)]
  const takes = spoken.filter((take) => voiceOf(take.voice).split === split)
  const all = split === 'train' ? takes : [...takes, ...madeSounds(split, seed)]
  onProgress(`${split}: loading ${all.length} takes (made once, the neural voices slowly)`)
  const loaded = await loadAll(all)
  const finish = finisher(options)
  const clips = loaded.flatMap(({ take, samples }) => clipOf(take, samples, finish))
  const turns = [...turnsOf(loaded, seed, finish), ...hesitatingTurns(loaded, seed, finish)]
  const random = seededRandom(seed)
  const shuffled = <T>(values: readonly T[]): T[] =>
    values
      .map((value) => ({ value, order: random.next() }))
      .sort((a, b) => a.order - b.order)
      .map(({ value }) => value)
  return { clips: shuffled(clips), turns: shuffled(turns), noises: noisesOf(clips, seed) }
}

let recorded: Promise<Take[]> | undefined

/** All recordings, of both splits. */
async function recordedTakes(onProgress: (line: string) => void): Promise<Take[]> {
  recorded ??= (async () => {
    onProgress('looking for recordings')
    const readingTakes = await readings()
    const folders = await debianFolders([SHOUTS, THINGS, DIALOGUES.cs, DIALOGUES.nl, ...PROMPT_SOURCES])
    const folderOf = (source: Parameters<typeof folders.get>[0]) => folders.get(source) ?? source.folder
    return [
      ...readingTakes,
      ...(await telephoneTalk()),
      ...shouts(folderOf(SHOUTS)),
      ...things(folderOf(THINGS)),
      ...dialogues({ cs: folderOf(DIALOGUES.cs), nl: folderOf(DIALOGUES.nl) }),
      ...prompts(folders),
    ]
  })()
  return await recorded
}

interface Loaded {
  readonly take: Take
  readonly samples: Float64Array
}

async function loadAll(takes: readonly Take[]): Promise<Loaded[]> {
  const loaded: Loaded[] = []
  let next = 0
  const loader = async () => {
    for (let at = next++; at < takes.length; at = next++) {
      const take = takes[at]
      if (take !== undefined) loaded[at] = { take, samples: telephoneBand(await take.load()) }
    }
  }
  await Promise.all(Array.from({ length: LOADERS }, loader))
  return loaded
}

type Finish = (take: Take, samples: Float64Array) => Sound

/** Trims, levels and codes; the edges are taken from the clean clip before it is coded. */
function finisher({ coding = 'linear' }: MaterialOptions): Finish {
  return (take, samples) => {
    const rough = edgesOf(samples)
    const from = Math.max(0, rough.onsetSample - toSamples(MARGIN_MS))
    const clean = levelled(samples.slice(from, rough.offsetSample + toSamples(MARGIN_MS)), ACTIVE_LEVEL_DBFS)
    const { human, language, split } = voiceOf(take.voice)
    const { name: id, voice, how, text } = take
    const coded = coding === 'mulaw' ? muLawCoded(clean) : clean
    return { id, voice, human, language, how, split, text, samples: coded, ...edgesOf(clean) }
  }
}

export const durationMs = ({ onsetSample, offsetSample }: Sound): number => toMs(offsetSample - onsetSample)

function clipOf(take: Take, samples: Float64Array, finish: Finish): Clip[] {
  const { use } = take
  if (use === 'sentence' || use === 'answer' || use === 'digit' || use === 'hesitation') return []
  const sound = finish(take, samples)
  const ms = durationMs(sound)
  if (use === 'backchannel')
    return ms >= BACKCHANNEL_MS.min && ms <= BACKCHANNEL_MS.max ? [{ ...sound, label: use }] : []
  if (use !== 'speech') return ms > 0 ? [{ ...sound, label: use }] : []
  if (ms < SPEECH_MS.min || ms > SPEECH_MS.max) return []
  return [{ ...sound, label: ms <= WORD_MS_MAX ? 'interruption_word' : 'interruption_phrase' }]
}

function turnsOf(loaded: readonly Loaded[], seed: number, finish: Finish): Turn[] {
  const random = seededRandom(seed + 1)
  const turns: Turn[] = []
  let sentences = 0
  let phrases = 0
  const digits = new Map<VoiceId, { take: Take; digits: DigitTake[] }>()
  for (const { take, samples } of loaded) {
    if (take.use === 'answer') turns.push(turn(take, samples, 'answer', finish))
    if (take.use === 'speech' && take.how === 'recorded' && toMs(samples.length) > ANSWER_MS_MIN) {
      if (phrases++ % EVERY_ANSWER === 0)
        turns.push(turn({ ...take, name: `${take.name}-whole` }, samples, 'answer', finish))
    }
    if (take.use === 'sentence') {
      // Human sentences come as spoken too; a synthesiser's own pauses teach nothing.
      const paused = sentences++ % EVERY_THINKING === 0 ? withThinkingPauses(samples, random) : null
      if (take.how === 'recorded' && toMs(samples.length) > SENTENCE_MS_MIN)
        turns.push(turn(take, samples, 'natural', finish))
      if (paused !== null)
        turns.push(turn({ ...take, name: `${take.name}-thinking` }, paused.samples, 'thinking', finish))
    }
    if (take.use === 'digit') {
      const own = digits.get(take.voice) ?? { take, digits: [] }
      own.digits.push({ digit: take.text ?? '', samples })
      digits.set(take.voice, own)
      // One digit alone is a whole answer as well.
      if (Number(take.text) % 3 === 0)
        turns.push(turn({ ...take, name: `${take.name}-alone` }, trimmed(samples), 'answer', finish))
    }
  }
  for (const { take, digits: own } of digits.values()) {
    for (let i = 0; i < DIGIT_STRINGS_PER_VOICE; i++) {
      const string = digitString(own, random)
      const named: Take = {
        ...take,
        name: `${take.voice}-string-${string.digits}`,
        how: 'spliced',
        text: [...string.digits].join(' '),
      }
      turns.push(turn(named, string.samples, 'digits', finish))
    }
  }
  return turns
}

/** Of the human sentences, every so many is followed by another in the same turn. */
const EVERY_PAIR = 5
const PAIRED_MS_MAX = 5500

/** Every human sentence with a hesitation in it, the synthetic ones that are written for it, and pairs of sentences. */
function hesitatingTurns(loaded: readonly Loaded[], seed: number, finish: Finish): Turn[] {
  const random = seededRandom(seed + 3)
  const turns: Turn[] = []
  const sentences = loaded.filter(({ take }) => take.use === 'sentence' && take.how === 'recorded')
  for (const [index, { take, samples }] of sentences.entries()) {
    const paused = withHesitation(samples, random)
    const named: Take = { ...take, name: `${take.name}-hesitation`, how: 'spliced' }
    if (paused !== null) turns.push(turn(named, paused.samples, 'hesitation', finish))
    const next = sentences[index + 1]
    if (index % EVERY_PAIR !== 0 || next?.take.voice !== take.voice) continue
    if (Math.max(toMs(samples.length), toMs(next.samples.length)) > PAIRED_MS_MAX) continue
    const both: Take = {
      ...take,
      name: `${take.name}-and-next`,
      how: 'spliced',
      text: take.text === null || next.take.text === null ? null : `${take.text} ${next.take.text}`,
    }
    turns.push(turn(both, twoSentences(samples, next.samples, random).samples, 'sentences', finish))
  }
  for (const { take, samples } of loaded) {
    if (take.use !== 'hesitation') continue
    const paused = withLongerGap(samples, take.pauseShare ?? 0.5, random)
    if (paused !== null) turns.push(turn(take, paused.samples, 'hesitation', finish))
  }
  return turns
}

function turn(take: Take, samples: Float64Array, kind: TurnKind, finish: Finish): Turn {
  const sound = finish(take, samples)
  // Measured in the finished samples: the trimming has moved them, and a recording's own pauses count as well.
  return { ...sound, kind, pauses: pausesIn(sound.samples, PAUSE_MS_MIN) }
}

function noisesOf(clips: readonly Clip[], seed: number): Noise[] {
  const random = seededRandom(seed + 2)
  const finished = (samples: Float64Array) => levelled(telephoneBand(samples))
  const talk = clips.filter(({ label }) => label === 'interruption_phrase' || label === 'interruption_word')
  return [
    ...NOISE_KINDS.map((kind) => ({ kind, samples: finished(noise(kind, NOISE_MS, random)) })),
    ...Array.from({ length: BABBLES }, () => ({
      kind: 'babble' as const,
      samples: finished(babble(talk, NOISE_MS, random)),
    })),
  ]
}
