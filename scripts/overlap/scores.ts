import type { Random } from '../../src/base/random.ts'
import { type OverlapJudgement, overlapVerdict } from '../../src/call/overlap-verdict.ts'
import { createOverlapModel, type WordsJudge } from '../../src/speech/overlap.ts'
import { onLine } from './augment.ts'
import type { LabelledClip, OverlapMaterial } from './clips.ts'

/** What the model says of clips, as a call would ask it: every 20 ms, from an onset that a detector found late. */
export interface Course {
  readonly clip: LabelledClip
  readonly spokenMs: number
  /** p(interruption), p(backchannel), p(noise) by 20 ms since the onset; null before there is a score. */
  readonly scores: readonly (readonly [number, number, number] | null)[]
}

export const frameMs = 20
export const checkpointsMs = [250, 350, 450, 550, 700, 'end'] as const
export type Checkpoint = (typeof checkpointsMs)[number]
const samplesPerMs = 8
const frameSamples = frameMs * samplesPerMs
/** Heard of a clip, at most. */
const courseMs = 1400
/** When a detector's word of the onset comes, and how far off it is. */
const detectedMs = { min: 60, max: 160 }
const onsetOffMs = 40
/** `end`: so long after the last of the voice. */
const endAfterMs = 120

/** The two judges; without the second the first speaks alone, without the first's weights those that are shipped. */
export interface Judges {
  readonly weights?: Float32Array
  readonly words?: WordsJudge
}

/** An answer takes so long to come: a run of the encoder, and what waits before it. */
const answerFrames = 2

export async function courseOf(
  { weights, words }: Judges,
  clip: LabelledClip,
  under: OverlapMaterial['under'],
  random: Random,
): Promise<Course> {
  const heard = onLine(clip, under, random)
  const answers: { readonly dueFrame: number; readonly give: () => Promise<void> }[] = []
  let frame = 0
  const later: WordsJudge = (samples, sampleRateHz) =>
    new Promise((resolve) => {
      const give = async () => resolve((await words?.(samples, sampleRateHz)) ?? null)
      answers.push({ dueFrame: frame + answerFrames, give })
    })
  const model = createOverlapModel({
    ...(weights === undefined ? {} : { weights }),
    words: words === undefined ? null : later,
  })
  const listener = model.open(8000)
  if (listener === null) throw new Error('the model does not hear 8 kHz')
  const detected = Math.round(detectedMs.min + random.next() * (detectedMs.max - detectedMs.min)) * samplesPerMs
  const offMs = (random.next() * 2 - 1) * onsetOffMs
  listener.begin(heard.samples.slice(0, heard.onset + detected), detected / samplesPerMs + offMs)
  const scores: (readonly [number, number, number] | null)[] = []
  let at = heard.onset + detected
  for (frame = 1; frame * frameMs <= courseMs; frame++) {
    const until = heard.onset + frame * frameSamples
    if (until > at) {
      listener.push(heard.samples.subarray(at, until))
      at = until
    }
    while ((answers[0]?.dueFrame ?? Number.POSITIVE_INFINITY) <= frame) {
      await answers.shift()?.give()
      // The listener hears of it in a later turn of the loop.
      await new Promise(setImmediate)
    }
    const { score } = listener
    const known = score !== null && until >= heard.onset + detected
    scores.push(known ? [score.interruption, score.backchannel, score.noise] : null)
  }
  return { clip, spokenMs: (heard.offset - heard.onset) / samplesPerMs, scores }
}

export function scoreAt(course: Course, checkpoint: Checkpoint): readonly [number, number, number] | null {
  const ms = checkpoint === 'end' ? course.spokenMs + endAfterMs : checkpoint
  return course.scores[Math.min(course.scores.length, Math.floor(ms / frameMs)) - 1] ?? null
}

/** Of two lists, how often a value of the first is above one of the second: 1 always, 0.5 by chance. */
export function separation(higher: readonly number[], lower: readonly number[]): number {
  let wins = 0
  for (const one of higher) for (const other of lower) wins += one > other ? 1 : one === other ? 0.5 : 0
  return wins / (higher.length * lower.length)
}

export interface Confusion {
  readonly group: string
  readonly kind: 'interruption' | 'backchannel' | 'noise'
  readonly checkpoint: Checkpoint
  readonly clips: number
  /** How many of them the policy takes for what, by the sound alone. */
  readonly verdicts: Readonly<Record<OverlapJudgement, number>>
  /** How often the score of an interruption lies above one of these: 1 always, 0.5 by chance; of interruptions null. */
  readonly separation: number | null
}

const kinds = ['interruption', 'backchannel', 'noise'] as const

export async function confusionOf(
  judges: Judges,
  clips: readonly LabelledClip[],
  under: OverlapMaterial['under'],
  random: Random,
): Promise<Confusion[]> {
  const courses: Course[] = []
  for (const clip of clips) courses.push(await courseOf(judges, clip, under, random))
  const groups = [
    { group: 'human', courses: courses.filter(({ clip }) => clip.human) },
    { group: 'synthetic', courses: courses.filter(({ clip }) => !clip.human) },
    { group: 'all', courses },
  ]
  return groups.flatMap((of) =>
    kinds.flatMap((kind, label) =>
      checkpointsMs.map((checkpoint) => {
        const own = of.courses.filter(({ clip }) => clip.label === label)
        const verdicts = { interruption: 0, backchannel: 0, noise: 0, undecided: 0 }
        for (const course of own) verdicts[verdictAt(course, checkpoint)] += 1
        const scores = (list: readonly Course[]) => list.map((course) => scoreAt(course, checkpoint)?.[0] ?? 0.5)
        const interruptions = of.courses.filter(({ clip }) => clip.label === 0)
        const apart = label === 0 ? null : separation(scores(interruptions), scores(own))
        return { group: of.group, kind, checkpoint, clips: own.length, verdicts, separation: apart }
      }),
    ),
  )
}

/** As the policy would have it, with nothing but the sound. */
function verdictAt(course: Course, checkpoint: Checkpoint): OverlapJudgement {
  const score = scoreAt(course, checkpoint)
  const sinceOnsetMs = checkpoint === 'end' ? course.spokenMs + endAfterMs : checkpoint
  const voicedMs = Math.min(sinceOnsetMs, course.spokenMs)
  return overlapVerdict(
    {
      sinceOnsetMs,
      voicedMs,
      ended: checkpoint === 'end',
      score: score === null ? null : { interruption: score[0], backchannel: score[1], noise: score[2] },
      words: null,
      wordsDue: false,
      language: null,
    },
    [],
  )
}

export function printConfusion(rows: readonly Confusion[]): void {
  console.log('voices     what          at   clips  interruption  backchannel  noise  undecided  separation')
  for (const { group, kind, checkpoint, clips, verdicts, separation: apart } of rows) {
    if (clips === 0) continue
    const share = (count: number) => `${Math.round((100 * count) / clips)} %`
    const cells = [
      group.padEnd(10),
      kind.padEnd(12),
      String(checkpoint).padStart(3),
      String(clips).padStart(7),
      share(verdicts.interruption).padStart(13),
      share(verdicts.backchannel).padStart(12),
      share(verdicts.noise).padStart(6),
      share(verdicts.undecided).padStart(10),
      apart === null || Number.isNaN(apart) ? '' : apart.toFixed(3).padStart(11),
    ]
    console.log(cells.join(' ').trimEnd())
  }
}
