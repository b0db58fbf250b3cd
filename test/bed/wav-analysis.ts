// What can be heard in a recording, and when. Pure: samples in, times out.

export interface Stretch {
  readonly startMs: number
  readonly endMs: number
}

export interface AudibleOptions {
  readonly sampleRateHz: number
  /** A window louder than this is audible. Default −45: above line noise and comfort noise, below quiet speech. */
  readonly thresholdDbfs?: number
  /** Length of the windows, and so the precision of the answer. Default 10. */
  readonly windowMs?: number
  /** A pause shorter than this doesn't end a stretch: words have gaps. Default 200. */
  readonly joinGapMs?: number
  /** A stretch shorter than this is a click. Default 30. */
  readonly stretchMsMin?: number
}

const FULL_SCALE = 32_768

/** Root mean square level, relative to full scale; −Infinity for digital silence. A full-scale sine has −3. */
export function levelDbfs(samples: Int16Array): number {
  let sum = 0
  for (const sample of samples) sum += sample * sample
  if (sum === 0) return Number.NEGATIVE_INFINITY
  return 10 * Math.log10(sum / samples.length / (FULL_SCALE * FULL_SCALE))
}

/** The stretches in which something can be heard, in order. */
export function audibleStretches(samples: Int16Array, options: AudibleOptions): Stretch[] {
  const { sampleRateHz, thresholdDbfs = -45, windowMs = 10, joinGapMs = 200, stretchMsMin = 30 } = options
  const windowSamples = Math.max(1, Math.round((sampleRateHz * windowMs) / 1000))
  const toMs = (sample: number) => Math.round((sample * 1000) / sampleRateHz)
  const found: { startMs: number; endMs: number }[] = []
  for (let at = 0; at < samples.length; at += windowSamples) {
    const end = Math.min(at + windowSamples, samples.length)
    if (levelDbfs(samples.subarray(at, end)) <= thresholdDbfs) continue
    const last = found.at(-1)
    if (last !== undefined && toMs(at) - last.endMs < joinGapMs) last.endMs = toMs(end)
    else found.push({ startMs: toMs(at), endMs: toMs(end) })
  }
  return found.filter((stretch) => stretch.endMs - stretch.startMs >= stretchMsMin)
}

/** The samples of a stretch, without copying them. */
export function cut(samples: Int16Array, sampleRateHz: number, stretch: Stretch): Int16Array {
  const at = (ms: number) => Math.round((ms * sampleRateHz) / 1000)
  return samples.subarray(Math.max(0, at(stretch.startMs)), at(stretch.endMs))
}

/**
 * Share of the energy that lies at one frequency, 0 to 1 (Goertzel). A pure tone gives almost 1. The band is as
 * narrow as the samples are long (1 s: 1 Hz), so give it some 100 ms.
 */
export function toneShare(samples: Int16Array, sampleRateHz: number, toneHz: number): number {
  const coefficient = 2 * Math.cos((2 * Math.PI * toneHz) / sampleRateHz)
  let previous = 0
  let beforePrevious = 0
  let energy = 0
  for (const sample of samples) {
    const current = sample + coefficient * previous - beforePrevious
    beforePrevious = previous
    previous = current
    energy += sample * sample
  }
  if (energy === 0) return 0
  const power = previous * previous + beforePrevious * beforePrevious - coefficient * previous * beforePrevious
  // A sine of n samples with energy E has power E × n / 2 in its bin.
  return (2 * power) / (energy * samples.length)
}

export interface Match {
  /** Where `needle` begins in `haystack`. */
  readonly atMs: number
  /** Normalised correlation: 1 is the same sound, G.711 gives 0.99, an unrelated sound some 0.1. */
  readonly correlation: number
}

/** Windows of this length are compared; long enough for speech to be unmistakable, short enough to be quick. */
const MATCH_MS = 400

/** Finds a sound in a recording by its loudest part. Takes some 100 ms for a recording of 10 s at 8 kHz. */
export function locate(haystack: Int16Array, needle: Int16Array, sampleRateHz: number): Match {
  const length = Math.min(needle.length, Math.round((sampleRateHz * MATCH_MS) / 1000))
  const offset = loudestOffset(needle, length)
  const part = needle.subarray(offset, offset + length)
  let partEnergy = 0
  for (const sample of part) partEnergy += sample * sample
  let best = { at: 0, correlation: 0 }
  let energy = 0
  for (let i = 0; i < length; i++) energy += (haystack[i] ?? 0) ** 2
  for (let at = 0; at + length <= haystack.length; at++) {
    if (energy > 0) {
      let product = 0
      for (let i = 0; i < length; i++) product += (haystack[at + i] ?? 0) * (part[i] ?? 0)
      const correlation = product / Math.sqrt(energy * partEnergy)
      if (correlation > best.correlation) best = { at, correlation }
    }
    energy += (haystack[at + length] ?? 0) ** 2 - (haystack[at] ?? 0) ** 2
  }
  return { atMs: Math.round(((best.at - offset) * 1000) / sampleRateHz), correlation: best.correlation }
}

function loudestOffset(samples: Int16Array, length: number): number {
  let energy = 0
  for (let i = 0; i < length; i++) energy += (samples[i] ?? 0) ** 2
  let best = { at: 0, energy }
  for (let at = 1; at + length <= samples.length; at++) {
    energy += (samples[at + length - 1] ?? 0) ** 2 - (samples[at - 1] ?? 0) ** 2
    if (energy > best.energy) best = { at, energy }
  }
  return best.at
}
