import { afterAll, beforeAll, expect, test } from 'bun:test'
import { SystemClock } from '#base/clock.ts'
import { silentLog } from '#base/log.ts'
import { seededRandom } from '#base/random.ts'
import { ModelStore, modelsFolder } from '#speech/model-store.ts'
import { OverlapJudge, overlapModelId } from '#speech/overlap-judge.ts'
import type { LabelledClip } from '../../scripts/overlap/clips.ts'
import { type Course, courseOf, scoreAt, separation } from '../../scripts/overlap/scores.ts'
import { readSpeech } from '../bed/speech.ts'
import { readWav } from '../bed/wav-file.ts'
import { edgesOf, levelled, telephoneBand } from '../material/audio.ts'
import { madeSounds } from '../material/sounds.ts'

/**
 * The shipped weights and the real encoder in its worker, on voices that neither was trained on: readers who begin a
 * sentence or say a command, against hums and coughs. The whole material, words of assent among it, is measured in
 * `scripts/bench/overlap-model.ts`.
 */
const clock = new SystemClock()
const store = new ModelStore({ folder: modelsFolder(process.env), clock, log: silentLog, env: process.env })
const judge = new OverlapJudge({ clock, log: silentLog, store })
/** Noise that no line has, and that none is under: every other line is as quiet as can be. */
const under = { noises: [Float32Array.of(0.001, -0.001)], voices: [] }
let clips: readonly LabelledClip[]

const clipOf = (samples: Float64Array, label: 0 | 1 | 2, kind: string): LabelledClip => {
  const clean = levelled(telephoneBand(samples))
  return { samples: clean, ...edgesOf(clean), label, kind, voice: kind, human: label === 0, text: null }
}

beforeAll(async () => {
  const fetched = await store.ensure([overlapModelId], () => {})
  if (!fetched.ok) throw new Error(fetched.error.map((failure) => failure.message).join('\n'))
  const spoken = await Promise.all(
    (await readSpeech()).map(async ({ path }) => Float64Array.from((await readWav(path)).samples)),
  )
  const made = madeSounds('report', 1)
  const some = async (use: string, label: 1 | 2) => {
    const takes = made.filter((take) => take.use === use).slice(0, 8)
    return await Promise.all(takes.map(async (take) => clipOf(await take.load(), label, use)))
  }
  clips = [
    ...spoken.map((samples) => clipOf(samples, 0, 'speech')),
    ...(await some('backchannel', 1)),
    ...(await some('cough', 2)),
  ]
  judge.start()
  for (let tries = 0; tries < 2000 && !judge.readiness().ready; tries++) await Bun.sleep(10)
  expect(judge.readiness()).toEqual({ ready: true })
}, 300_000)

afterAll(() => judge.close())

test('speech, hums and coughs are told apart within 700 ms', async () => {
  const courses: Course[] = []
  const words = (samples: Int16Array<ArrayBuffer>, sampleRateHz: number) => judge.judge(samples, sampleRateHz)
  for (const clip of clips) courses.push(await courseOf({ words }, clip, under, seededRandom(courses.length)))
  const of = (label: number) =>
    courses.filter(({ clip }) => clip.label === label).map((course) => scoreAt(course, 700)?.[0] ?? 0.5)
  const [speech, hums, coughs] = [of(0), of(1), of(2)]
  expect([speech.length, hums.length, coughs.length]).toEqual([10, 8, 8])
  expect(separation(speech, hums)).toBeGreaterThan(0.8)
  expect(separation(speech, coughs)).toBeGreaterThan(0.8)
  // A machine that is busy may answer late, but not always.
  expect(judge.stats.judged).toBeGreaterThan(courses.length)
}, 120_000)
