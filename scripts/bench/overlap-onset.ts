import { parseArgs } from 'node:util'
import { seededRandom } from '#base/random.ts'
import { windowSamples } from '#speech/detection-memory.ts'
import { Silero } from '#speech/silero.ts'
import { RenewedStream } from '#speech/silero-stream.ts'
import { SpeechGate } from '#speech/speech-gate.ts'
import { onLine } from '../overlap/augment.ts'
import { type LabelledClip, overlapMaterial, standsIn } from '../overlap/clips.ts'
import { percentile } from './figures.ts'

/**
 * What the speech detector begins to listen to over the agent's voice, by its threshold: a voice that it does not take
 * for one is judged by nobody. Over quiet lines and over noise at 0 to 20 dB, which the detector has heard nothing else
 * on for as long as is asked for and up to 3 s more; with its streams renewed, as the engine does it, or with one for the whole line.
 *
 *   scripts/bun scripts/bench/overlap-onset.ts [--split report] [--seed 1] [--min-speech-ms 96] [--quiet-ms 10000] [--one-stream]
 */
const { values } = parseArgs({
  options: {
    split: { type: 'string', default: 'report' },
    seed: { type: 'string', default: '1' },
    'min-speech-ms': { type: 'string', default: '96' },
    'quiet-ms': { type: 'string', default: '10000' },
    'one-stream': { type: 'boolean', default: false },
  },
})
const rateHz = 8000
const thresholds = [0.6, 0.5, 0.4, 0.3, 0.2, 0.1] as const
/** A detector that begins so much before the voice, or after its end, has found something else. */
const [earlyMs, lateMs] = [60, 100]
const renewalMs = 3000

interface Found {
  readonly clip: LabelledClip
  /** From the onset to when it was known, for each threshold; null: it was not found. */
  readonly knownMs: readonly (number | null)[]
  /** How often speech began on the line before it. */
  readonly before: readonly number[]
  readonly quietMs: number
}

const { clips, under } = await overlapMaterial(values.split === 'tune' ? 'tune' : 'report', Number(values.seed))
const random = seededRandom(Number(values.seed))
const silero = await Silero.load()
const found: Found[] = []
for (const clip of clips) {
  if (!standsIn(clip)) found.push(await listen(clip))
}
for (const [index, threshold] of thresholds.entries()) {
  const said = [
    group('people who interrupt', index, ({ label, human }) => label === 0 && human),
    group('made voices that interrupt', index, ({ label, human }) => label === 0 && !human),
    group('backchannels', index, ({ label }) => label === 1),
    group('noises', index, ({ label }) => label === 2),
    `begins ${beginsAMinute(index)} times a minute on the line before`,
  ]
  console.log(`threshold ${threshold}: ${said.join(' · ')}`)
}
process.exit(0)

async function listen(clip: LabelledClip): Promise<Found> {
  // At any moment between two renewals, and of a window.
  const quietMs = Number(values['quiet-ms']) + Math.floor(random.next() * renewalMs)
  const { samples, onset, offset } = onLine(clip, under, random, quietMs)
  const window = windowSamples(rateHz)
  const streams = new RenewedStream()
  const probability = new Float32Array(1)
  const minSpeechMs = Number(values['min-speech-ms'])
  const gates = thresholds.map(
    (threshold) => new SpeechGate({ sampleRateHz: rateHz, threshold, minSpeechMs, minSilenceMs: 192 }),
  )
  const knownMs = thresholds.map((): number | null => null)
  const before = thresholds.map(() => 0)
  const ms = (sample: number) => (sample * 1000) / rateHz
  for (let at = 0; at + window <= samples.length; at += window) {
    const { stream, alongside } = streams
    if (alongside !== null) await silero.run(rateHz, [alongside], samples, [at], probability)
    await silero.run(rateHz, [stream], samples, [at], probability)
    if (!values['one-stream']) streams.judged(probability[0] as number)
    const end = at + window
    for (const [index, gate] of gates.entries()) {
      const event = gate.push(probability[0] as number, end)
      const isBefore = ms(end - onset) < -earlyMs
      if (event?.type === 'speech_started' && isBefore) before[index] = (before[index] as number) + 1
      // What began before, in a babble, goes on into the voice and is judged with it.
      if (gate.speaking && !isBefore && ms(at - offset) <= lateMs) knownMs[index] ??= ms(Math.max(0, end - onset))
    }
  }
  return { clip, knownMs, before, quietMs }
}

function group(name: string, index: number, belongs: (clip: LabelledClip) => boolean): string {
  const mine = found.filter(({ clip }) => belongs(clip))
  const known = mine.flatMap(({ knownMs }) => knownMs[index] ?? [])
  const at = (share: number) => Math.round(percentile(known, share))
  return `${name} ${percent(mine, ({ knownMs }) => knownMs[index] !== null)} of ${mine.length}, after ${at(0.5)} / ${at(0.9)} ms`
}

function beginsAMinute(index: number): string {
  const begun = found.reduce((sum, { before }) => sum + (before[index] as number), 0)
  const quietMs = found.reduce((sum, one) => sum + one.quietMs, 0)
  return ((begun * 60_000) / quietMs).toFixed(2)
}

function percent<T>(all: readonly T[], holds: (one: T) => boolean): string {
  return `${((100 * all.filter(holds).length) / all.length).toFixed(1)} %`
}
