import { seededRandom } from '../../src/base/random.ts'
import { type Clip, material, type Turn } from '../../test/material/material.ts'
import type { Split } from '../../test/material/voices.ts'
import type { Spoken } from './augment.ts'
import { piecesOf } from './pieces.ts'

/** The speech material as the overlap model's three things, with noises and voices to lay under it. */
export interface LabelledClip extends Spoken {
  /** 0 an interruption, 1 a backchannel, 2 a noise: the order of `OverlapNetwork.probabilities`. */
  readonly label: 0 | 1 | 2
  readonly kind: string
  readonly voice: string
  readonly human: boolean
  readonly text: string | null
}

export interface OverlapMaterial {
  readonly clips: readonly LabelledClip[]
  readonly under: { readonly noises: readonly Float32Array[]; readonly voices: readonly Float32Array[] }
}

/** Voices in the background, one of them perhaps the agent's. */
const voicesMax = 60
const voiceSamplesMin = 12_000

export async function overlapMaterial(split: Split, seed: number): Promise<OverlapMaterial> {
  const onProgress = (line: string) => console.error(line)
  const { clips, turns, noises } = await material(split, { seed, coding: 'linear', onProgress })
  const labelled = clips.map((clip) => withLabel(clip, labelOf(clip), clip.label))
  // Whoever speaks a whole sentence over the agent interrupts it. Strung digits and made pauses are like none of these.
  const sentences = turns
    .filter(({ kind }) => kind === 'natural' || kind === 'answer')
    .map((turn) => withLabel(turn, 0, 'sentence'))
  const floats = (samples: Int16Array) => Float32Array.from(samples, (sample) => sample / 32768)
  const voices = labelled.filter(({ label, samples }) => label === 0 && samples.length >= voiceSamplesMin)
  return {
    clips: [...labelled, ...sentences],
    under: {
      noises: noises.map(({ samples }) => floats(samples)),
      voices: voices.slice(0, voicesMax).map(({ samples }) => floats(samples)),
    },
  }
}

/** Of each human sentence, so many words are cut out of its middle. */
const piecesPerSentence = 2

/**
 * What models are trained on: the `tune` split, words cut out of its people's sentences, and the voices that are there for
 * training alone.
 */
export async function trainingMaterial(seed: number): Promise<OverlapMaterial> {
  const { clips, under } = await overlapMaterial('tune', seed)
  const more = await material('train', { seed, coding: 'linear', onProgress: (line) => console.error(line) })
  const random = seededRandom(seed)
  const pieces = clips
    .filter(({ human, kind }) => human && (kind === 'sentence' || kind === 'interruption_phrase'))
    .flatMap((clip) => piecesOf(clip, piecesPerSentence, random))
  return {
    clips: [...clips, ...pieces, ...more.clips.map((clip) => withLabel(clip, labelOf(clip), 'training'))],
    under,
  }
}

/** Not what callers cut in with, but what stands for it in training. */
export const standsIn = ({ kind }: LabelledClip): boolean => ['sentence', 'piece', 'acted', 'training'].includes(kind)

function labelOf({ label }: Clip): 0 | 1 | 2 {
  if (label === 'backchannel') return 1
  return label === 'interruption_word' || label === 'interruption_phrase' ? 0 : 2
}

function withLabel(sound: Clip | Turn, label: 0 | 1 | 2, kind: string): LabelledClip {
  const { samples, onsetSample, offsetSample, voice, human, text } = sound
  return { samples, onsetSample, offsetSample, label, kind, voice, human, text }
}

/** What each class weighs in the loss, however many clips it has. */
const classShares = [1, 1, 0.7] as const

/** What a clip of a kind weighs; 1 where nothing is said. */
export type Importance = Readonly<Record<string, number>>

/** What was not cut in with, and by whom there is not, teaches less: found on voices left out in turn. */
export const soundImportance: Importance = { piece: 0.3, training: 0.5 }
/** The same for the judge of words: made voices teach it less of people than actors do. */
export const wordsImportance: Importance = { piece: 0.3, acted: 0.25, training: 0.15 }

export const importanceOf = ({ kind }: LabelledClip, importance: Importance): number => importance[kind] ?? 1

/** What one utterance of each class weighs beside its importance, 1 in the mean, when a clip is heard `copies` times. */
export function shares(
  clips: readonly LabelledClip[],
  copies: (clip: LabelledClip) => number,
  importance: Importance,
): readonly number[] {
  const weight = (clip: LabelledClip) => copies(clip) * importanceOf(clip, importance)
  const heard = (of: readonly LabelledClip[]) => of.reduce((sum, clip) => sum + weight(clip), 0)
  const all = classShares.reduce((sum, share) => sum + share, 0)
  return classShares.map((share, label) => {
    const own = heard(clips.filter((clip) => clip.label === label))
    return own === 0 ? 0 : (share * heard(clips)) / (all * own)
  })
}
