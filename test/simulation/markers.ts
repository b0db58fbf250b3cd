/**
 * The sound of simulated replies: every sample says which reply it belongs to and where in it, so that a lost, doubled
 * or misplaced one is seen for what it is.
 *
 * Four samples are a block. The two lowest bits of each are its place in the block, the 13 bits above carry: the reply's
 * number (from 1 on) · the block's number, low part · its high part · a check, at half of full scale and more, so that
 * the sound is loud wherever it is cut. None of them is zero: zero is silence.
 */
const payloadMask = 0x1fff

export function markerSample(reply: number, index: number): number {
  const block = index >> 2
  switch (index & 3) {
    case 0:
      return (reply & payloadMask) << 2
    case 1:
      return ((block & payloadMask) << 2) | 1
    case 2:
      return (((block >> 13) & payloadMask) << 2) | 2
    default:
      return ((0x1000 | checkOf(reply, block)) << 2) | 3
  }
}

export function markerSound(reply: number, from: number, count: number): Int16Array {
  return Int16Array.from({ length: count }, (_, index) => markerSample(reply, from + index))
}

export interface Marker {
  readonly reply: number
  readonly index: number
}

/** What stands at `at`; null where there is no whole block from there on, or it is no marker. */
export function readMarker(samples: Int16Array, at: number): Marker | null {
  const place = (samples[at] ?? 0) & 3
  const start = place === 0 ? at : at + 4 - place
  const [number = 0, low = 0, high = 0, check = 0] = samples.subarray(start, start + 4)
  const reply = number >> 2
  const block = (low >> 2) | ((high >> 2) << 13)
  if (reply === 0 || check !== markerSample(reply, block * 4 + 3)) return null
  return { reply, index: block * 4 - (start - at) }
}

function checkOf(reply: number, block: number): number {
  return (Math.imul(reply, 2_654_435_761) ^ Math.imul(block + 1, 40_503)) & 0xfff
}
