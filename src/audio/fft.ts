import { assert } from '#base/assert.ts'

/**
 * The Fourier transform of real samples, in place and without an allocation. A signal of `size` real samples is half as
 * many complex ones (even samples real, odd ones imaginary); their transform is then parted by symmetry, which costs
 * half of what a complex transform of the full size would.
 *
 * A spectrum of size N is N numbers: [Re 0, Re N/2, Re 1, Im 1, Re 2, Im 2, …]; the two that are real by nature share
 * the first pair.
 */
export class RealFft {
  readonly size: number
  private readonly half: number
  /** cos and −sin of 2π k / half, then of 2π k / size. */
  private readonly turns: Float64Array
  private readonly splits: Float64Array
  private readonly swaps: Int32Array

  /** @param size a power of two, 8 at least */
  constructor(size: number) {
    assert(size >= 8 && (size & (size - 1)) === 0, 'the size of a transform is a power of two')
    this.size = size
    this.half = size / 2
    this.turns = roots(this.half, this.half / 2)
    this.splits = roots(size, this.half / 2 + 1)
    this.swaps = reversals(this.half)
  }

  /** `size` samples become their spectrum. */
  forward(data: Float64Array): void {
    this.transform(data)
    const { half, splits } = this
    const zeroRe = data[0] as number
    const zeroIm = data[1] as number
    data[0] = zeroRe + zeroIm
    data[1] = zeroRe - zeroIm
    for (let low = 1; low <= half / 2; low += 1) {
      const high = half - low
      const aRe = data[2 * low] as number
      const aIm = data[2 * low + 1] as number
      const bRe = data[2 * high] as number
      const bIm = data[2 * high + 1] as number
      const evenRe = (aRe + bRe) / 2
      const evenIm = (aIm - bIm) / 2
      const oddRe = (aIm + bIm) / 2
      const oddIm = (bRe - aRe) / 2
      const cos = splits[2 * low] as number
      const sin = splits[2 * low + 1] as number
      const turnedRe = oddRe * cos - oddIm * sin
      const turnedIm = oddRe * sin + oddIm * cos
      data[2 * low] = evenRe + turnedRe
      data[2 * low + 1] = evenIm + turnedIm
      data[2 * high] = evenRe - turnedRe
      data[2 * high + 1] = turnedIm - evenIm
    }
  }

  /** A spectrum becomes its samples again: `inverse` after `forward` changes nothing. */
  inverse(data: Float64Array): void {
    const { half, splits } = this
    const zero = data[0] as number
    const middle = data[1] as number
    // The conjugate goes in and comes out, so that one transform serves both ways.
    data[0] = (zero + middle) / 2
    data[1] = -(zero - middle) / 2
    for (let low = 1; low <= half / 2; low += 1) {
      const high = half - low
      const aRe = data[2 * low] as number
      const aIm = data[2 * low + 1] as number
      const bRe = data[2 * high] as number
      const bIm = data[2 * high + 1] as number
      const evenRe = (aRe + bRe) / 2
      const evenIm = (aIm - bIm) / 2
      const turnedRe = (aRe - bRe) / 2
      const turnedIm = (aIm + bIm) / 2
      const cos = splits[2 * low] as number
      const sin = -(splits[2 * low + 1] as number)
      const oddRe = turnedRe * cos - turnedIm * sin
      const oddIm = turnedRe * sin + turnedIm * cos
      data[2 * low] = evenRe - oddIm
      data[2 * low + 1] = -(evenIm + oddRe)
      data[2 * high] = evenRe + oddIm
      data[2 * high + 1] = evenIm - oddRe
    }
    this.transform(data)
    const scale = 1 / half
    for (let index = 0; index < this.size; index += 2) {
      data[index] = (data[index] as number) * scale
      data[index + 1] = -(data[index + 1] as number) * scale
    }
  }

  /** The complex transform of `half` interleaved values: decimation in time, the first two stages in one. */
  private transform(data: Float64Array): void {
    const { half, turns, swaps } = this
    for (let index = 0; index < swaps.length; index += 2) {
      const one = 2 * (swaps[index] as number)
      const other = 2 * (swaps[index + 1] as number)
      const re = data[one] as number
      const im = data[one + 1] as number
      data[one] = data[other] as number
      data[one + 1] = data[other + 1] as number
      data[other] = re
      data[other + 1] = im
    }
    for (let at = 0; at < 2 * half; at += 8) quarter(data, at)
    for (let width = 4; width < half; width *= 2) {
      const step = half / (2 * width)
      for (let start = 0; start < half; start += 2 * width) {
        let low = 2 * start
        let high = 2 * (start + width)
        for (let turn = 0; turn < half; turn += 2 * step) {
          const cos = turns[turn] as number
          const sin = turns[turn + 1] as number
          const re = data[high] as number
          const im = data[high + 1] as number
          const turnedRe = re * cos - im * sin
          const turnedIm = re * sin + im * cos
          const lowRe = data[low] as number
          const lowIm = data[low + 1] as number
          data[low] = lowRe + turnedRe
          data[low + 1] = lowIm + turnedIm
          data[high] = lowRe - turnedRe
          data[high + 1] = lowIm - turnedIm
          low += 2
          high += 2
        }
      }
    }
  }
}

/** Four values in bit-reversed order become their transform; its turns are 1 and −i. */
function quarter(data: Float64Array, at: number): void {
  const aRe = data[at] as number
  const aIm = data[at + 1] as number
  const bRe = data[at + 2] as number
  const bIm = data[at + 3] as number
  const cRe = data[at + 4] as number
  const cIm = data[at + 5] as number
  const dRe = data[at + 6] as number
  const dIm = data[at + 7] as number
  const abRe = aRe + bRe
  const abIm = aIm + bIm
  const cdRe = cRe + dRe
  const cdIm = cIm + dIm
  const lessRe = aRe - bRe
  const lessIm = aIm - bIm
  const turnedRe = cIm - dIm
  const turnedIm = dRe - cRe
  data[at] = abRe + cdRe
  data[at + 1] = abIm + cdIm
  data[at + 2] = lessRe + turnedRe
  data[at + 3] = lessIm + turnedIm
  data[at + 4] = abRe - cdRe
  data[at + 5] = abIm - cdIm
  data[at + 6] = lessRe - turnedRe
  data[at + 7] = lessIm - turnedIm
}

function roots(circle: number, count: number): Float64Array {
  const values = new Float64Array(2 * count)
  for (let index = 0; index < count; index += 1) {
    values[2 * index] = Math.cos((2 * Math.PI * index) / circle)
    values[2 * index + 1] = -Math.sin((2 * Math.PI * index) / circle)
  }
  return values
}

/** Pairs of places whose bits are each other's reverse. */
function reversals(count: number): Int32Array {
  const bits = Math.log2(count)
  const pairs: number[] = []
  for (let index = 0; index < count; index += 1) {
    let mirrored = 0
    for (let bit = 0; bit < bits; bit += 1) if (index & (1 << bit)) mirrored |= 1 << (bits - 1 - bit)
    if (mirrored > index) pairs.push(index, mirrored)
  }
  return Int32Array.from(pairs)
}
