import type { Random } from '../../src/base/random.ts'
import type { LabelledClip } from './clips.ts'

/**
 * Words out of the middle of sentences, each from where the voice rises to where it sinks: a caller may cut in with any
 * word of any language, and no list of them is long enough. A piece that happens to be assent is one in hundreds.
 */
const samplesPerMs = 8
const windowSamples = 10 * samplesPerMs
/** The voice has risen where 60 ms are so much louder than the 30 ms before, and sunk where they are so much softer. */
const riseRatio = 8
const [beforeWindows, afterWindows] = [3, 6]
const pieceMs = { min: 250, max: 1300 } as const
/** The line around a piece is silence; its edges fade over so many samples, so that they don't click. */
const marginSamples = 100 * samplesPerMs
const fadeSamples = 5 * samplesPerMs

/** Up to `count` pieces of each clip, which has to be longer than two of them. */
export function piecesOf(clip: LabelledClip, count: number, random: Random): LabelledClip[] {
  const { samples, onsetSample, offsetSample } = clip
  if (offsetSample - onsetSample < 2 * pieceMs.min * samplesPerMs) return []
  const energies = energiesOf(samples.subarray(onsetSample, offsetSample))
  const rises = edges(energies, 1)
  const pieces: LabelledClip[] = []
  for (let piece = 0; piece < count && rises.length > 0; piece++) {
    const [from = 0] = rises.splice(Math.floor(random.next() * rises.length), 1)
    const wanted = from + (pieceMs.min + random.next() ** 2 * (pieceMs.max - pieceMs.min)) / 10
    const to = edges(energies, -1).find((at) => at >= wanted) ?? energies.length
    if ((to - from) * 10 > pieceMs.max + 300) continue
    pieces.push(cutOut(clip, onsetSample + from * windowSamples, onsetSample + to * windowSamples))
  }
  return pieces
}

function energiesOf(samples: Int16Array): number[] {
  return Array.from({ length: Math.floor(samples.length / windowSamples) }, (_, window) => {
    let sum = 1
    for (let index = 0; index < windowSamples; index++) sum += (samples[window * windowSamples + index] as number) ** 2
    return sum
  })
}

/** Where the voice rises (1) or has sunk (−1), in windows. */
function edges(energies: readonly number[], direction: 1 | -1): number[] {
  const mean = (from: number, count: number) => {
    let sum = 0
    for (let at = from; at < from + count; at++) sum += energies[at] ?? 1
    return sum / count
  }
  const found: number[] = []
  let last = 0
  for (let at = 0; at < energies.length; at++) {
    const before = mean(
      at - (direction === 1 ? beforeWindows : afterWindows),
      direction === 1 ? beforeWindows : afterWindows,
    )
    const after = mean(at, direction === 1 ? afterWindows : beforeWindows)
    const ratio = direction === 1 ? after / before : before / after
    if (ratio < riseRatio || at - last < afterWindows) continue
    last = at
    // The rise is seen before it is there.
    let edge = at
    while (direction === 1 && (energies[edge] ?? after) < after / riseRatio) edge += 1
    found.push(edge)
  }
  return found
}

function cutOut(clip: LabelledClip, from: number, to: number): LabelledClip {
  const samples = new Int16Array(to - from + 2 * marginSamples)
  for (let index = 0; index < to - from; index++) {
    const edge = Math.min(1, (index + 1) / fadeSamples, (to - from - index) / fadeSamples)
    samples[marginSamples + index] = Math.round((clip.samples[from + index] as number) * edge)
  }
  return {
    ...clip,
    samples,
    onsetSample: marginSamples,
    offsetSample: marginSamples + to - from,
    kind: 'piece',
    label: 0,
    text: null,
  }
}
