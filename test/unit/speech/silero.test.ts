import { expect, test } from 'bun:test'
import { join } from 'node:path'
import { seededRandom } from '#base/random.ts'
import { contextSamples, type DetectionRateHz, windowSamples } from '#speech/detection-memory.ts'
import { createSession, loadOnnx } from '#speech/onnx.ts'
import { Silero } from '#speech/silero.ts'
import { SileroStream } from '#speech/silero-stream.ts'

/** The graph of our own gives the verdicts of the model as it is published. */
const published = join(import.meta.dir, '../../../models/silero_vad.onnx')
/** What is seen is 3e-6: sums are made in another order. */
const verdictErrorMax = 1e-4

/** Vowels as a voice makes them: pulses through two resonances, in syllables, with pauses and some hiss. */
function voice(seconds: number, rateHz: number, pitchHz: number, seed: number): Int16Array {
  const random = seededRandom(seed)
  const resonances = [
    { hz: 500 + 200 * random.next(), gain: 1 },
    { hz: 1200 + 800 * random.next(), gain: 0.6 },
  ].map(({ hz, gain }) => ({ turn: 2 * 0.97 * Math.cos((2 * Math.PI * hz) / rateHz), gain, last: 0, before: 0 }))
  return Int16Array.from({ length: seconds * rateHz }, (_, index) => {
    const at = index / rateHz
    const speaks = at % 1.6 < 1
    const pulse = index % Math.round(rateHz / (pitchHz * (1 + 0.1 * Math.sin(at * 9)))) === 0 ? 1 : 0
    const syllable = Math.max(0, Math.sin(2 * Math.PI * 4 * at))
    let sum = 0
    for (const each of resonances) {
      const now = (speaks ? pulse * syllable : 0) + each.turn * each.last - 0.97 * 0.97 * each.before
      each.before = each.last
      each.last = now
      sum += each.gain * now
    }
    return sum * 4000 + (random.next() - 0.5) * 60
  })
}

/** The published model over one signal, window by window. */
async function publishedVerdicts(samples: Int16Array, rateHz: DetectionRateHz): Promise<number[]> {
  const { Tensor } = await loadOnnx()
  const session = await createSession(published, { threads: 1 })
  const [context, fresh] = [contextSamples(rateHz), windowSamples(rateHz)]
  let state = new Float32Array(2 * 128)
  const verdicts: number[] = []
  for (let at = 0; at + fresh <= samples.length; at += fresh) {
    const input = Float32Array.from({ length: context + fresh }, (_, index) => {
      return (samples[at - context + index] ?? 0) / 32768
    })
    const answer = await session.run({
      input: new Tensor('float32', input, [1, input.length]),
      state: new Tensor('float32', state, [2, 1, 128]),
      sr: new Tensor('int64', BigInt64Array.of(BigInt(rateHz)), []),
    })
    state = Float32Array.from(answer.stateN?.data as Float32Array)
    verdicts.push(Number(answer.output?.data[0]))
  }
  return verdicts
}

for (const rateHz of [8000, 16000] as const) {
  test(`many calls in one run get the published model's verdicts, at ${rateHz} Hz`, async () => {
    const calls = [90, 140, 220].map((pitchHz, index) => voice(4, rateHz, pitchHz, index + 1))
    const length = 4 * rateHz
    const samples = new Int16Array(calls.length * length)
    for (const [index, call] of calls.entries()) samples.set(call, index * length)
    const silero = await Silero.load()
    const streams = calls.map(() => new SileroStream())
    const probabilities = new Float32Array(calls.length)
    const wanted = await Promise.all(calls.map((call) => publishedVerdicts(call, rateHz)))
    let worst = 0
    for (let window = 0; (window + 1) * windowSamples(rateHz) <= length; window++) {
      const offsets = calls.map((_, index) => index * length + window * windowSamples(rateHz))
      await silero.run(rateHz, streams, samples, offsets, probabilities)
      for (const [index, verdicts] of wanted.entries()) {
        worst = Math.max(worst, Math.abs((verdicts[window] as number) - (probabilities[index] as number)))
      }
    }
    expect(worst).toBeLessThan(verdictErrorMax)
    // The signals are worth asking about: some windows are speech, some are not.
    expect(Math.max(...wanted.flat())).toBeGreaterThan(0.7)
    expect(Math.min(...wanted.flat())).toBeLessThan(0.1)
  }, 30_000)
}
