import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Resampler, resampleWhole } from '#audio/resample.ts'
import { ensureCommand, mustRun } from '../bed/host.ts'
import { readSpeech } from '../bed/speech.ts'
import { readWav, writeWav } from '../bed/wav-file.ts'

/**
 * Our resampler against `sox rate -v`, whose filter is far longer and has no delay to keep. Both are compared in the band
 * that ours promises, 0.85 of the lower Nyquist frequency (3,400 Hz on a telephone): above it their filters differ by
 * design. The speech holds nothing above 4 kHz, so a sweep over the whole of the source's band is compared beside it.
 */
const rates = [8000, 16000, 24000, 48000]
const pairs = rates.flatMap((from) => rates.filter((to) => to !== from).map((to): [number, number] => [from, to]))
const bandShare = 0.85
const errorMaxDb = -50

let folder = ''
let speech: Int16Array
let speechRateHz = 0

beforeAll(async () => {
  await ensureCommand('sox')
  folder = mkdtempSync(join(tmpdir(), 'patchcord-sox-'))
  const [first] = await readSpeech()
  if (first === undefined) throw new Error('there is no read speech')
  const wav = await readWav(first.path)
  speech = wav.samples.subarray(0, wav.sampleRateHz * 4).map((sample) => sample / 2)
  speechRateHz = wav.sampleRateHz
})

afterAll(() => rmSync(folder, { recursive: true, force: true }))

/** sox's best, without the noise that it else adds against rounding. */
async function bySox(samples: Int16Array, from: number, to: number): Promise<Int16Array> {
  if (from === to) return samples
  const name = join(folder, crypto.randomUUID())
  await writeWav(`${name}.in.wav`, { sampleRateHz: from, samples })
  await mustRun(['sox', '-D', `${name}.in.wav`, '-b', '16', `${name}.out.wav`, 'rate', '-v', String(to)])
  return (await readWav(`${name}.out.wav`)).samples
}

/** 50 Hz to the end of the band, at −9 dBFS, 4 s. */
function sweep(rateHz: number): Int16Array {
  const samples = rateHz * 4
  const highestHz = rateHz / 2 - 50
  return Int16Array.from({ length: samples }, (_, n) => {
    const seconds = n / rateHz
    const phase = 2 * Math.PI * (50 * seconds + ((highestHz - 50) * seconds * seconds) / 8)
    return Math.round(11600 * Math.sin(phase) * Math.min(1, n / 800, (samples - n) / 800))
  })
}

/** Keeps what lies below `hz`: a windowed sinc of 16 ms, steeper than what it judges. */
function below(hz: number, rateHz: number, samples: ArrayLike<number>): Float64Array {
  const half = rateHz / 125
  const taps = Float64Array.from({ length: 2 * half + 1 }, (_, index) => {
    const x = index - half
    const window = 0.42 + 0.5 * Math.cos((Math.PI * x) / half) + 0.08 * Math.cos((2 * Math.PI * x) / half)
    return window * (x === 0 ? (2 * hz) / rateHz : Math.sin((2 * Math.PI * hz * x) / rateHz) / (Math.PI * x))
  })
  return Float64Array.from({ length: Math.max(0, samples.length - 2 * half) }, (_, index) => {
    let sum = 0
    for (let tap = 0; tap < taps.length; tap += 1) sum += (taps[tap] as number) * (samples[index + tap] as number)
    return sum
  })
}

const power = (samples: Float64Array) => samples.reduce((sum, sample) => sum + sample * sample, 0)

function errorDb(ours: Int16Array, sox: Int16Array, from: number, to: number): number {
  const length = Math.min(ours.length, sox.length)
  const bandHz = (bandShare * Math.min(from, to)) / 2
  const difference = Float64Array.from({ length }, (_, n) => (ours[n] as number) - (sox[n] as number))
  return 10 * Math.log10(power(below(bandHz, to, difference)) / power(below(bandHz, to, sox)))
}

describe('the resampler against sox rate -v', () => {
  test.each(pairs)('%d → %d Hz: speech differs by less than a three-hundredth', async (from, to) => {
    const source = await bySox(speech, speechRateHz, from)
    const error = errorDb(resampleWhole(source, from, to), await bySox(source, from, to), from, to)
    expect(error).toBeLessThan(errorMaxDb)
  })

  test.each(pairs)('%d → %d Hz: so does a sweep over all that the source can hold', async (from, to) => {
    const source = sweep(from)
    const error = errorDb(resampleWhole(source, from, to), await bySox(source, from, to), from, to)
    expect(error).toBeLessThan(errorMaxDb)
  })

  test.each(pairs)('%d → %d Hz: as a stream it lags behind sox by the delay it states', async (from, to) => {
    const source = await bySox(speech, speechRateHz, from)
    const sox = await bySox(source, from, to)
    const resampler = new Resampler(from, to)
    const stream = resampler.process(source)
    const correlation = (lag: number) => {
      let sum = 0
      for (let n = 0; n < to; n += 1) sum += (stream[to + n + lag] as number) * (sox[to + n] as number)
      return sum
    }
    const lags = Array.from({ length: to / 100 }, (_, lag) => lag)
    const best = lags.reduce((most, lag) => (correlation(lag) > correlation(most) ? lag : most), 0)
    expect(Math.abs((best * 1000) / to - resampler.delayMs)).toBeLessThanOrEqual(1000 / to)
  })
})
