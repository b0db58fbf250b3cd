/**
 * Whisper's log-mel features, as Smart Turn v3 was trained on them: 8 s at 16 kHz → 80 bands × 800 frames. The steps are
 * those of WhisperFeatureExtractor (Hugging Face transformers) with `do_normalize`, as pipecat calls it: the audio ends
 * where the window ends and silence fills its beginning; the whole window, that silence included, is brought to mean 0
 * and variance 1; then frames of 25 ms each 10 ms around samples 0, 160, 320 …, mirrored at both ends, a Hann window,
 * power, mel bands, log10, no deeper than 8 below the greatest, (x + 4) / 4.
 *
 * A window of 400 real samples is one complex transform of 200 points, even samples as real and odd ones as imaginary
 * parts, in three passes: 5 × 5 × 8. All tables are made once, and no buffer after the first call.
 */
export const melRateHz = 16_000
export const melBands = 80
export const melFrames = 800
const hopSamples = 160
const windowSamples = 400
/** 8 s. */
export const melSamples = melFrames * hopSamples

const half = windowSamples / 2
const bins = half + 1
/** `np.pad(…, mode='reflect')` of half a window. */
const padSamples = half
const varianceFloor = 1e-7
const powerFloor = 1e-10
/** log10: what lies further below the loudest is raised to this. */
const depth = 8

/** Periodic Hann window. */
const hann = Float64Array.from(
  { length: windowSamples },
  (_, n) => 0.5 - 0.5 * Math.cos((2 * Math.PI * n) / windowSamples),
)

/** cos and −sin of 2πn/400: every root of unity that a transform of 200 points and its unpacking need. */
const rootReal = Float64Array.from({ length: windowSamples }, (_, n) => Math.cos((2 * Math.PI * n) / windowSamples))
const rootImaginary = Float64Array.from(
  { length: windowSamples },
  (_, n) => -Math.sin((2 * Math.PI * n) / windowSamples),
)
const cos72 = Math.cos((2 * Math.PI) / 5)
const sin72 = Math.sin((2 * Math.PI) / 5)
const cos144 = Math.cos((4 * Math.PI) / 5)
const sin144 = Math.sin((4 * Math.PI) / 5)

interface MelFilters {
  /** First bin of each band, and how many follow with a weight above 0. */
  readonly first: Int32Array
  readonly count: Int32Array
  /** The weights of all bands, one after the other. */
  readonly weights: Float64Array
}

const filters = slaneyFilters()

/** Holds what lies between the steps: one call at a time. */
export class MelFeatures {
  private readonly padded = new Float64Array(melSamples + 2 * padSamples)
  private readonly aReal = new Float64Array(half)
  private readonly aImaginary = new Float64Array(half)
  private readonly bReal = new Float64Array(half)
  private readonly bImaginary = new Float64Array(half)
  private readonly power = new Float64Array(bins)

  /**
   * @param samples 16 kHz; of more than 8 s the last 8 s count
   * @param into receives the features at `offset`, one band after the other, 800 frames each
   */
  compute(samples: Int16Array, into: Float32Array, offset = 0): void {
    const audible = Math.min(samples.length, melSamples)
    const silentSamples = melSamples - audible
    this.normalise(samples.subarray(samples.length - audible), silentSamples)
    // Frames that hold nothing but the silence before the audio are alike: only the last of them is computed.
    const alike = Math.max(0, Math.floor((silentSamples - half) / hopSamples) + 1)
    let greatest = powerFloor
    for (let frame = alike > 0 ? alike - 1 : 0; frame < melFrames; frame++) {
      this.transform(frame * hopSamples)
      greatest = Math.max(greatest, this.bandsOf(into, offset + frame))
    }
    const floor = Math.max(powerFloor, greatest * 10 ** -depth)
    logarithms(into, offset, floor, alike)
  }

  /** Mean 0, variance 1, mirrored at both ends. */
  private normalise(samples: Int16Array, silentSamples: number): void {
    const { padded } = this
    let sum = 0
    let squares = 0
    for (let index = 0; index < samples.length; index++) {
      const sample = samples[index] as number
      sum += sample
      squares += sample * sample
    }
    const mean = sum / melSamples
    // Whole numbers below 2⁵³: both sums are exact, and so is their difference but for the last digits.
    const variance = (squares / melSamples - mean * mean) / 32768 ** 2
    const scale = 1 / (32768 * Math.sqrt(variance + varianceFloor))
    padded.fill(-mean * scale, padSamples, padSamples + silentSamples)
    const begin = padSamples + silentSamples
    for (let index = 0; index < samples.length; index++) {
      padded[begin + index] = ((samples[index] as number) - mean) * scale
    }
    const last = padSamples + melSamples - 1
    for (let index = 1; index <= padSamples; index++) {
      padded[padSamples - index] = padded[padSamples + index] as number
      padded[last + index] = padded[last - index] as number
    }
  }

  /** Power of one frame. @param start of the frame in `padded` */
  private transform(start: number): void {
    const { padded, aReal, aImaginary, bReal, bImaginary } = this
    for (let index = 0, from = start, at = 0; index < half; index++, from += 2, at += 2) {
      aReal[index] = (padded[from] as number) * (hann[at] as number)
      aImaginary[index] = (padded[from + 1] as number) * (hann[at + 1] as number)
    }
    fives(aReal, aImaginary, bReal, bImaginary, 40, 1)
    fives(bReal, bImaginary, aReal, aImaginary, 8, 5)
    eights(aReal, aImaginary, bReal, bImaginary)
    unpack(bReal, bImaginary, this.power)
  }

  /** Mel powers of the frame, one band each 800 places. @returns the greatest */
  private bandsOf(into: Float32Array, at: number): number {
    const { power } = this
    const { first, count, weights } = filters
    let greatest = 0
    let weight = 0
    for (let band = 0, place = at; band < melBands; band++, place += melFrames) {
      let sum = 0
      const end = (first[band] as number) + (count[band] as number)
      for (let bin = first[band] as number; bin < end; bin++) {
        sum += (weights[weight++] as number) * (power[bin] as number)
      }
      into[place] = sum
      if (sum > greatest) greatest = sum
    }
    return greatest
  }
}

/** Powers in place to features. @param alike frames at the beginning that are as the last of them */
function logarithms(into: Float32Array, offset: number, floor: number, alike: number): void {
  const perPower = 1 / (4 * Math.LN10)
  const least = Math.log(floor) * perPower + 1
  for (let band = 0; band < melBands; band++) {
    const begin = offset + band * melFrames
    const end = begin + melFrames
    for (let place = begin + Math.max(0, alike - 1); place < end; place++) {
      const power = into[place] as number
      into[place] = power > floor ? Math.log(power) * perPower + 1 : least
    }
    if (alike > 1) into.fill(into[begin + alike - 1] as number, begin, begin + alike - 1)
  }
}

/**
 * One pass of a self-sorting transform (Stockham, decimation in frequency): five parts of `parts` × `stride` points are
 * put together, and turned for the passes to come.
 */
function fives(
  real: Float64Array,
  imaginary: Float64Array,
  toReal: Float64Array,
  toImaginary: Float64Array,
  parts: number,
  stride: number,
): void {
  // The pass works on 5 × parts points, so its roots lie this far apart in a table of 400.
  const rootStep = windowSamples / (5 * parts)
  const distance = stride * parts
  for (let part = 0; part < parts; part++) {
    const r1 = rootReal[part * rootStep] as number
    const i1 = rootImaginary[part * rootStep] as number
    const r2 = rootReal[2 * part * rootStep] as number
    const i2 = rootImaginary[2 * part * rootStep] as number
    const r3 = rootReal[3 * part * rootStep] as number
    const i3 = rootImaginary[3 * part * rootStep] as number
    const r4 = rootReal[4 * part * rootStep] as number
    const i4 = rootImaginary[4 * part * rootStep] as number
    let from = stride * part
    let to = 5 * stride * part
    for (const end = from + stride; from < end; from++, to++) {
      const x0r = real[from] as number
      const x0i = imaginary[from] as number
      const x1r = real[from + distance] as number
      const x1i = imaginary[from + distance] as number
      const x2r = real[from + 2 * distance] as number
      const x2i = imaginary[from + 2 * distance] as number
      const x3r = real[from + 3 * distance] as number
      const x3i = imaginary[from + 3 * distance] as number
      const x4r = real[from + 4 * distance] as number
      const x4i = imaginary[from + 4 * distance] as number
      const outerR = x1r + x4r
      const outerI = x1i + x4i
      const innerR = x2r + x3r
      const innerI = x2i + x3i
      const outerDr = x1r - x4r
      const outerDi = x1i - x4i
      const innerDr = x2r - x3r
      const innerDi = x2i - x3i
      const evenR1 = x0r + cos72 * outerR + cos144 * innerR
      const evenI1 = x0i + cos72 * outerI + cos144 * innerI
      const evenR2 = x0r + cos144 * outerR + cos72 * innerR
      const evenI2 = x0i + cos144 * outerI + cos72 * innerI
      const oddR1 = sin72 * outerDi + sin144 * innerDi
      const oddI1 = sin72 * outerDr + sin144 * innerDr
      const oddR2 = sin144 * outerDi - sin72 * innerDi
      const oddI2 = sin144 * outerDr - sin72 * innerDr
      toReal[to] = x0r + outerR + innerR
      toImaginary[to] = x0i + outerI + innerI
      const y1r = evenR1 + oddR1
      const y1i = evenI1 - oddI1
      toReal[to + stride] = y1r * r1 - y1i * i1
      toImaginary[to + stride] = y1r * i1 + y1i * r1
      const y2r = evenR2 + oddR2
      const y2i = evenI2 - oddI2
      toReal[to + 2 * stride] = y2r * r2 - y2i * i2
      toImaginary[to + 2 * stride] = y2r * i2 + y2i * r2
      const y3r = evenR2 - oddR2
      const y3i = evenI2 + oddI2
      toReal[to + 3 * stride] = y3r * r3 - y3i * i3
      toImaginary[to + 3 * stride] = y3r * i3 + y3i * r3
      const y4r = evenR1 - oddR1
      const y4i = evenI1 + oddI1
      toReal[to + 4 * stride] = y4r * r4 - y4i * i4
      toImaginary[to + 4 * stride] = y4r * i4 + y4i * r4
    }
  }
}

/** The last pass: 25 transforms of eight points, none of them turned. */
function eights(real: Float64Array, imaginary: Float64Array, toReal: Float64Array, toImaginary: Float64Array): void {
  const stride = half / 8
  for (let at = 0; at < stride; at++) {
    const s04r = (real[at] as number) + (real[at + 4 * stride] as number)
    const s04i = (imaginary[at] as number) + (imaginary[at + 4 * stride] as number)
    const d04r = (real[at] as number) - (real[at + 4 * stride] as number)
    const d04i = (imaginary[at] as number) - (imaginary[at + 4 * stride] as number)
    const s15r = (real[at + stride] as number) + (real[at + 5 * stride] as number)
    const s15i = (imaginary[at + stride] as number) + (imaginary[at + 5 * stride] as number)
    const d15r = (real[at + stride] as number) - (real[at + 5 * stride] as number)
    const d15i = (imaginary[at + stride] as number) - (imaginary[at + 5 * stride] as number)
    const s26r = (real[at + 2 * stride] as number) + (real[at + 6 * stride] as number)
    const s26i = (imaginary[at + 2 * stride] as number) + (imaginary[at + 6 * stride] as number)
    const d26r = (real[at + 2 * stride] as number) - (real[at + 6 * stride] as number)
    const d26i = (imaginary[at + 2 * stride] as number) - (imaginary[at + 6 * stride] as number)
    const s37r = (real[at + 3 * stride] as number) + (real[at + 7 * stride] as number)
    const s37i = (imaginary[at + 3 * stride] as number) + (imaginary[at + 7 * stride] as number)
    const d37r = (real[at + 3 * stride] as number) - (real[at + 7 * stride] as number)
    const d37i = (imaginary[at + 3 * stride] as number) - (imaginary[at + 7 * stride] as number)
    // Even outputs: four points of the sums.
    const e0r = s04r + s26r
    const e0i = s04i + s26i
    const e1r = s04r - s26r
    const e1i = s04i - s26i
    const e2r = s15r + s37r
    const e2i = s15i + s37i
    const e3r = s15r - s37r
    const e3i = s15i - s37i
    toReal[at] = e0r + e2r
    toImaginary[at] = e0i + e2i
    toReal[at + 4 * stride] = e0r - e2r
    toImaginary[at + 4 * stride] = e0i - e2i
    toReal[at + 2 * stride] = e1r + e3i
    toImaginary[at + 2 * stride] = e1i - e3r
    toReal[at + 6 * stride] = e1r - e3i
    toImaginary[at + 6 * stride] = e1i + e3r
    // Odd outputs: the differences, turned by eighths, then four points of those.
    const q1r = Math.SQRT1_2 * (d15r + d15i)
    const q1i = Math.SQRT1_2 * (d15i - d15r)
    const q3r = Math.SQRT1_2 * (d37i - d37r)
    const q3i = -Math.SQRT1_2 * (d37r + d37i)
    const o0r = d04r + d26i
    const o0i = d04i - d26r
    const o1r = d04r - d26i
    const o1i = d04i + d26r
    const o2r = q1r + q3r
    const o2i = q1i + q3i
    const o3r = q1r - q3r
    const o3i = q1i - q3i
    toReal[at + stride] = o0r + o2r
    toImaginary[at + stride] = o0i + o2i
    toReal[at + 5 * stride] = o0r - o2r
    toImaginary[at + 5 * stride] = o0i - o2i
    toReal[at + 3 * stride] = o1r + o3i
    toImaginary[at + 3 * stride] = o1i - o3r
    toReal[at + 7 * stride] = o1r - o3i
    toImaginary[at + 7 * stride] = o1i + o3r
  }
}

/** The transform of 200 complex points → the power of 201 bins of the 400 real samples that were packed into them. */
function unpack(real: Float64Array, imaginary: Float64Array, power: Float64Array): void {
  const r0 = real[0] as number
  const i0 = imaginary[0] as number
  power[0] = (r0 + i0) * (r0 + i0)
  power[half] = (r0 - i0) * (r0 - i0)
  for (let bin = 1; bin <= half / 2; bin++) {
    const mirror = half - bin
    const evenR = 0.5 * ((real[bin] as number) + (real[mirror] as number))
    const evenI = 0.5 * ((imaginary[bin] as number) - (imaginary[mirror] as number))
    const oddR = 0.5 * ((imaginary[bin] as number) + (imaginary[mirror] as number))
    const oddI = 0.5 * ((real[mirror] as number) - (real[bin] as number))
    const cosine = rootReal[bin] as number
    const sine = rootImaginary[bin] as number
    const turnedR = oddR * cosine - oddI * sine
    const turnedI = oddR * sine + oddI * cosine
    const upR = evenR + turnedR
    const upI = evenI + turnedI
    const downR = evenR - turnedR
    const downI = evenI - turnedI
    power[bin] = upR * upR + upI * upI
    power[mirror] = downR * downR + downI * downI
  }
}

/** Slaney's mel scale: straight up to 1 kHz (3 mel each 200 Hz), then 27 mel for each factor of 6.4. */
function melToHz(mel: number): number {
  return mel < 15 ? (200 * mel) / 3 : 1000 * Math.exp(((mel - 15) * Math.log(6.4)) / 27)
}

function hzToMel(hz: number): number {
  return hz < 1000 ? (3 * hz) / 200 : 15 + (27 * Math.log(hz / 1000)) / Math.log(6.4)
}

/** Triangles between neighbouring mel points from 0 to 8 kHz, each of area 1. */
function slaneyFilters(): MelFilters {
  const top = hzToMel(melRateHz / 2)
  const edgesHz = Array.from({ length: melBands + 2 }, (_, index) => melToHz((top * index) / (melBands + 1)))
  const binHz = melRateHz / windowSamples
  const first = new Int32Array(melBands)
  const count = new Int32Array(melBands)
  const weights: number[] = []
  for (let band = 0; band < melBands; band++) {
    const [low, middle, high] = edgesHz.slice(band, band + 3) as [number, number, number]
    for (let bin = 0; bin < bins; bin++) {
      const hz = bin * binHz
      const height = Math.min((hz - low) / (middle - low), (high - hz) / (high - middle))
      if (height <= 0) continue
      if (count[band] === 0) first[band] = bin
      count[band] = (count[band] as number) + 1
      weights.push((height * 2) / (high - low))
    }
  }
  return { first, count, weights: Float64Array.from(weights) }
}
