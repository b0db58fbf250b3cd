import { RealFft } from '#audio/fft.ts'

/**
 * What the overlap model hears of a telephone's audio: every 20 ms the loudness of 24 bands, how far it lies below the
 * loudest moment so far, how much the sound repeats itself (a voice does, a cough doesn't), and at which pitch.
 * Bands are taken relative to that loudest moment, so that a quiet line is heard as a loud one.
 *
 * Samples go in one by one and windows lie at fixed places, so a frame's size changes nothing.
 *
 * Arithmetic: a window of 256 samples is 32 ms, a step of 160 is 20 ms; the bands are triangles, evenly spaced in mel
 * from 150 to 3,700 Hz. 25 µs a window.
 */
export const overlapRateHz = 8000
export const windowSamples = 256
export const stepSamples = 160
export const bandCount = 24
/** The bands, then: loudness below the loudest so far, likeness of one period and the next, pitch. */
export const featureCount = bandCount + 3

const lowestHz = 150
const highestHz = 3700
/** Power of a band below which nothing is told apart: digital silence, −70 dB of full scale. */
const powerFloor = 1e-7
/** 400 Hz down to 70 Hz. */
const lagMin = 20
const lagMax = 114
const longerWorseBy = 0.0015
const comparedSamples = windowSamples - lagMax
/** 200 Hz, the middle of speaking voices. */
const middleLag = 40
/** Power of `comparedSamples` samples that count as sound: −70 dB of full scale. */
const soundFloor = 1e-7 * comparedSamples

export class OverlapFeatures {
  /** The newest window's; valid after `push` gave true. */
  readonly values = new Float32Array(featureCount)
  private readonly fft = new RealFft(windowSamples)
  private readonly spectrum = new Float64Array(windowSamples)
  private readonly window = new Float64Array(windowSamples)
  private filled = 0
  private loudest = Number.NEGATIVE_INFINITY

  reset(): void {
    this.filled = 0
    this.loudest = Number.NEGATIVE_INFINITY
  }

  /**
   * One sample at 8 kHz.
   * @param sample −1 to 1
   * @returns whether it completed a window
   */
  push(sample: number): boolean {
    this.window[this.filled++] = sample
    if (this.filled < windowSamples) return false
    this.measure()
    this.window.copyWithin(0, stepSamples)
    this.filled = windowSamples - stepSamples
    return true
  }

  private measure(): void {
    const { fft, spectrum, window, values } = this
    for (let index = 0; index < windowSamples; index++) {
      spectrum[index] = (window[index] as number) * (hann[index] as number)
    }
    fft.forward(spectrum)
    let mean = 0
    for (let band = 0; band < bandCount; band++) {
      let power = 0
      const last = bandEnds[band] as number
      for (let bin = bandStarts[band] as number, at = bandOffsets[band] as number; bin < last; bin++, at++) {
        const re = spectrum[2 * bin] as number
        const im = spectrum[2 * bin + 1] as number
        power += (re * re + im * im) * (bandWeights[at] as number)
      }
      const loudness = Math.log(power / windowSamples + powerFloor)
      values[band] = loudness
      mean += loudness
    }
    mean /= bandCount
    if (mean > this.loudest) this.loudest = mean
    for (let band = 0; band < bandCount; band++) values[band] = (values[band] as number) - this.loudest
    values[bandCount] = mean - this.loudest
    this.measurePitch()
  }

  /** The lag at which the window's beginning is most like what follows it. */
  private measurePitch(): void {
    const { window, values } = this
    let energy = soundFloor
    let shifted = soundFloor
    for (let index = 0; index < comparedSamples; index++) {
      const one = window[index] as number
      const other = window[index + lagMin] as number
      energy += one * one
      shifted += other * other
    }
    let best = 0
    let bestLag = middleLag
    let bestPreferred = 0
    for (let lag = lagMin; lag <= lagMax; lag++) {
      let product = 0
      for (let index = 0; index < comparedSamples; index++) {
        product += (window[index] as number) * (window[index + lag] as number)
      }
      const likeness = product / Math.sqrt(energy * shifted)
      // A sound repeats itself after two periods as after one: the longer lag must be better by something.
      const preferred = likeness - longerWorseBy * lag
      if (preferred > bestPreferred) {
        bestPreferred = preferred
        best = likeness
        bestLag = lag
      }
      const leaves = window[lag] as number
      const enters = lag < lagMax ? (window[lag + comparedSamples] as number) : 0
      shifted += enters * enters - leaves * leaves
      if (shifted < soundFloor) shifted = soundFloor
    }
    values[bandCount + 1] = best
    // Where nothing repeats itself there is no pitch to speak of.
    values[bandCount + 2] = best * Math.log2(middleLag / bestLag)
  }
}

const hann = Float64Array.from(
  { length: windowSamples },
  (_, index) => 0.5 - 0.5 * Math.cos((2 * Math.PI * (index + 0.5)) / windowSamples),
)

const mel = (hz: number) => 2595 * Math.log10(1 + hz / 700)
const hertz = (mels: number) => 700 * (10 ** (mels / 2595) - 1)
const corners = Array.from({ length: bandCount + 2 }, (_, index) =>
  hertz(mel(lowestHz) + ((mel(highestHz) - mel(lowestHz)) * index) / (bandCount + 1)),
)

/** Each band's share of the bins that its triangle covers; a triangle between two bins takes the nearer one. */
function triangle(band: number): { readonly first: number; readonly shares: readonly number[] } {
  const [low = 0, middle = 0, high = 0] = corners.slice(band, band + 3)
  const binHz = overlapRateHz / windowSamples
  const first = Math.ceil(low / binHz)
  const heights: number[] = []
  for (let bin = first; bin * binHz < high; bin++) {
    const hz = bin * binHz
    heights.push(Math.min((hz - low) / (middle - low), (high - hz) / (high - middle)))
  }
  const sum = heights.reduce((total, height) => total + height, 0)
  if (sum < 0.05) return { first: Math.round(middle / binHz), shares: [1] }
  return { first, shares: heights.map((height) => height / sum) }
}

const triangles = Array.from({ length: bandCount }, (_, band) => triangle(band))
const bandStarts = Int32Array.from(triangles, ({ first }) => first)
const bandEnds = Int32Array.from(triangles, ({ first, shares }) => first + shares.length)
const bandWeights = Float64Array.from(triangles.flatMap(({ shares }) => shares))
const bandOffsets = Int32Array.from(triangles, (_, band) =>
  triangles.slice(0, band).reduce((total, { shares }) => total + shares.length, 0),
)
