import { assert } from '#base/assert.ts'

/**
 * A band-limited polyphase resampler between any two rates, with its state carried from chunk to chunk: the output is
 * the same whatever the chunk sizes. The ratio is reduced to up/down; each of the `up` phases is one FIR of a
 * Kaiser-windowed sinc whose transition band ends at the lower of the two Nyquist frequencies, so nothing folds back into
 * the band (the "hiss on s-sounds" of plain decimation).
 *
 * Delay is part of quality: half the filter, `delayMs`, is all it adds; output leaves as soon as its last input is in.
 *
 * Arithmetic of one filter: β = 6.1 gives 63 dB of stop band (Kaiser: β = 0.1102 · (A − 8.7)). The transition is then
 * (A − 8) / (2.285 · π · taps) = 0.137 of the lower Nyquist frequency, with 28 zero crossings, 56 taps of the slower rate.
 * Around a cut-off at 0.93 it lies between 0.862 and 0.998: all that is above Nyquist is 60 dB down, and what a telephone
 * carries is whole, 3,400 Hz of 4,000; 7,000 Hz of 8,000 are 0.15 dB down. 28 zero crossings of 8 kHz are 3.5 ms.
 */
const kaiserBeta = 6.1
const zeroCrossings = 28
/** The cut-off as a share of the lower Nyquist frequency. */
const cutoffShare = 0.93

export class Resampler {
  readonly fromHz: number
  readonly toHz: number
  /** What the filter adds between a sample's arrival and its place in the output, in milliseconds. */
  readonly delayMs: number
  private readonly up: number
  private readonly down: number
  private readonly tapsPerPhase: number
  /** `up` filters one after the other, each reversed so that the inner loop walks forward over the history. */
  private readonly phases: Float64Array
  /** The last `tapsPerPhase − 1` inputs, then the chunk being processed. */
  private history: Float64Array
  /** Samples of history in use. */
  private held: number
  /** Place of the next output, in steps of 1/up of an input sample after the first window in the history. */
  private position: number
  /** Chosen so that the filter's delay is a whole number of outputs, and a recording can be aligned exactly. */
  private readonly firstPosition: number

  constructor(fromHz: number, toHz: number) {
    assert(Number.isInteger(fromHz) && Number.isInteger(toHz) && fromHz > 0 && toHz > 0, 'rates are positive integers')
    this.fromHz = fromHz
    this.toHz = toHz
    const divisor = greatestCommonDivisor(fromHz, toHz)
    this.up = toHz / divisor
    this.down = fromHz / divisor
    const lowerHz = Math.min(fromHz, toHz)
    // Width in input samples on each side: zero crossings are counted at the slower of the two rates.
    const halfWidth = 2 * Math.ceil((zeroCrossings * fromHz) / lowerHz / 2)
    this.tapsPerPhase = fromHz === toHz ? 1 : 2 * halfWidth
    this.delayMs = fromHz === toHz ? 0 : (halfWidth * 1000) / fromHz
    this.phases = fromHz === toHz ? new Float64Array([1]) : designPhases(this.up, this.tapsPerPhase, lowerHz / fromHz)
    this.firstPosition = ((this.tapsPerPhase >> 1) * this.up) % this.down
    this.position = this.firstPosition
    this.held = this.tapsPerPhase - 1
    this.history = new Float64Array(this.held + 1024)
  }

  /** Any number of samples in; the samples that are complete by now out, in a fresh array. */
  process(input: Int16Array): Int16Array {
    if (this.fromHz === this.toHz) return input.slice()
    const total = this.held + input.length
    if (total > this.history.length) {
      const grown = new Float64Array(total * 2)
      grown.set(this.history.subarray(0, this.held))
      this.history = grown
    }
    this.history.set(input, this.held)

    const { up, down, tapsPerPhase, phases, history } = this
    const windows = total - (tapsPerPhase - 1)
    const limit = windows * up
    const output = new Int16Array(this.position < limit ? Math.ceil((limit - this.position) / down) : 0)
    let position = this.position
    let index = 0
    const four = down === 1 ? fourAdjacent : fourApart
    for (const block = 4 * up; index + block <= output.length; index += block) {
      for (let place = index; place < index + up; place += 1) {
        const window = Math.floor(position / up)
        four(output, place, up, phases, (position - window * up) * tapsPerPhase, history, window, tapsPerPhase, down)
        position += down
      }
      position += 3 * up * down
    }
    for (; index < output.length; index += 1) {
      const window = Math.floor(position / up)
      output[index] = one(phases, (position - window * up) * tapsPerPhase, history, window, tapsPerPhase)
      position += down
    }
    this.position = position - limit
    history.copyWithin(0, windows, total)
    this.held = tapsPerPhase - 1
    return output
  }

  /** What the filter still holds, as if silence followed; the resampler then starts anew. */
  flush(): Int16Array {
    if (this.fromHz === this.toHz) return new Int16Array(0)
    const rest = this.process(new Int16Array(this.tapsPerPhase / 2))
    this.history.fill(0)
    this.held = this.tapsPerPhase - 1
    this.position = this.firstPosition
    return rest
  }
}

/*
 * The inner loops. Every up-th output has the same phase, and its window lies `down` inputs further. Four of them side by
 * side load each tap once, and no addition waits for the one before: half the time of one output after the other. Each
 * sum is added up in the same order in all three, so that the output is the same whatever the chunk sizes.
 */

function one(phases: Float64Array, filter: number, history: Float64Array, window: number, taps: number): number {
  let sum = 0
  for (let tap = 0; tap < taps; tap += 1) sum += (phases[filter + tap] as number) * (history[window + tap] as number)
  return sample(sum)
}

function fourApart(
  output: Int16Array,
  index: number,
  step: number,
  phases: Float64Array,
  filter: number,
  history: Float64Array,
  window: number,
  taps: number,
  apart: number,
): void {
  let sum0 = 0
  let sum1 = 0
  let sum2 = 0
  let sum3 = 0
  for (let tap = 0; tap < taps; tap += 1) {
    const value = phases[filter + tap] as number
    const at = window + tap
    sum0 += value * (history[at] as number)
    sum1 += value * (history[at + apart] as number)
    sum2 += value * (history[at + 2 * apart] as number)
    sum3 += value * (history[at + 3 * apart] as number)
  }
  output[index] = sample(sum0)
  output[index + step] = sample(sum1)
  output[index + 2 * step] = sample(sum2)
  output[index + 3 * step] = sample(sum3)
}

/** Windows one input apart share all but one of their inputs, which are loaded once, too. */
function fourAdjacent(
  output: Int16Array,
  index: number,
  step: number,
  phases: Float64Array,
  filter: number,
  history: Float64Array,
  window: number,
  taps: number,
): void {
  let sum0 = 0
  let sum1 = 0
  let sum2 = 0
  let sum3 = 0
  let input0 = history[window] as number
  let input1 = history[window + 1] as number
  let input2 = history[window + 2] as number
  for (let tap = 0; tap < taps; tap += 1) {
    const value = phases[filter + tap] as number
    const input3 = history[window + tap + 3] as number
    sum0 += value * input0
    sum1 += value * input1
    sum2 += value * input2
    sum3 += value * input3
    input0 = input1
    input1 = input2
    input2 = input3
  }
  output[index] = sample(sum0)
  output[index + step] = sample(sum1)
  output[index + 2 * step] = sample(sum2)
  output[index + 3 * step] = sample(sum3)
}

function sample(sum: number): number {
  return sum > 32767 ? 32767 : sum < -32768 ? -32768 : Math.round(sum)
}

/** All of a recording at once, with the filter's delay taken out: sample n of both lies at the same time. */
export function resampleWhole(input: Int16Array, fromHz: number, toHz: number): Int16Array {
  const resampler = new Resampler(fromHz, toHz)
  const body = resampler.process(input)
  const tail = resampler.flush()
  const skip = Math.floor((resampler.delayMs * toHz) / 1000 + 1e-6)
  const length = Math.round((input.length * toHz) / fromHz)
  const joined = new Int16Array(body.length + tail.length)
  joined.set(body)
  joined.set(tail, body.length)
  const aligned = new Int16Array(length)
  aligned.set(joined.subarray(skip, skip + length))
  return aligned
}

function designPhases(up: number, tapsPerPhase: number, lowerShare: number): Float64Array {
  const half = tapsPerPhase / 2
  const phases = new Float64Array(up * tapsPerPhase)
  const windowScale = besselI0(kaiserBeta)
  const cutoff = cutoffShare * Math.min(1, lowerShare)
  for (let phase = 0; phase < up; phase += 1) {
    let sum = 0
    for (let tap = 0; tap < tapsPerPhase; tap += 1) {
      // Distance, in input samples, between this tap and the output's true place between two inputs.
      const distance = tap - (half - 1) - phase / up
      const inWindow = distance / half
      const window =
        Math.abs(inWindow) >= 1 ? 0 : besselI0(kaiserBeta * Math.sqrt(1 - inWindow * inWindow)) / windowScale
      const x = Math.PI * distance * cutoff
      const value = (x === 0 ? 1 : Math.sin(x) / x) * window
      phases[phase * tapsPerPhase + tap] = value
      sum += value
    }
    // Each phase passes a constant unchanged, so that no tone at the phase rate is added.
    for (let tap = 0; tap < tapsPerPhase; tap += 1) {
      phases[phase * tapsPerPhase + tap] = (phases[phase * tapsPerPhase + tap] as number) / sum
    }
  }
  return phases
}

/** The modified Bessel function of order zero, by its power series. */
function besselI0(x: number): number {
  let sum = 1
  let term = 1
  for (let k = 1; term > sum * 1e-12; k += 1) {
    term *= (x / (2 * k)) ** 2
    sum += term
  }
  return sum
}

function greatestCommonDivisor(a: number, b: number): number {
  return b === 0 ? a : greatestCommonDivisor(b, a % b)
}
