import { seededRandom } from '#base/random.ts'

/** Sounds that a test can make for itself. Levels are root mean square, in dB relative to full scale. */

const amplitudeOf = (dbfs: number) => 32_768 * 10 ** (dbfs / 20)

/** White noise, as a line has it; the same seed gives the same noise. */
export function noiseSound(durationMs: number, dbfs: number, sampleRateHz: number, seed: number): Int16Array {
  const random = seededRandom(seed)
  // Uniform between ±a has a level of a / √3.
  const peak = Math.sqrt(3) * amplitudeOf(dbfs)
  return Int16Array.from({ length: (durationMs * sampleRateHz) / 1000 }, () =>
    clip(Math.round((random.next() * 2 - 1) * peak)),
  )
}

/** A sine that fades in and out over 5 ms, so that it does not click. */
export function toneSound(durationMs: number, toneHz: number, dbfs: number, sampleRateHz: number): Int16Array {
  const peak = Math.SQRT2 * amplitudeOf(dbfs)
  const length = (durationMs * sampleRateHz) / 1000
  const fade = sampleRateHz / 200
  return Int16Array.from({ length }, (_, index) => {
    const edge = Math.min(1, index / fade, (length - 1 - index) / fade)
    return clip(Math.round(peak * edge * Math.sin((2 * Math.PI * toneHz * index) / sampleRateHz)))
  })
}

/** Something voiced: a low pitch with harmonics that fall by 6 dB an octave. No word, but loud where a vowel is. */
export function voicedSound(durationMs: number, dbfs: number, sampleRateHz: number, pitchHz = 130): Int16Array {
  const length = Math.round((durationMs * sampleRateHz) / 1000)
  const harmonics = [1, 2, 3, 4, 5, 6, 7, 8]
  const power = harmonics.reduce((sum, n) => sum + 1 / (2 * n * n), 0)
  const gain = amplitudeOf(dbfs) / Math.sqrt(power)
  const fade = sampleRateHz / 50
  return Int16Array.from({ length }, (_, index) => {
    const edge = Math.min(1, index / fade, (length - 1 - index) / fade)
    const phase = (2 * Math.PI * pitchHz * index) / sampleRateHz
    return clip(Math.round(gain * edge * harmonics.reduce((sum, n) => sum + Math.sin(n * phase) / n, 0)))
  })
}

/** "Mm-hm": two short hums, the second one higher. */
export function murmurSound(dbfs: number, sampleRateHz: number): Int16Array {
  const gap = new Int16Array((60 * sampleRateHz) / 1000)
  return joined([voicedSound(120, dbfs, sampleRateHz, 110), gap, voicedSound(140, dbfs, sampleRateHz, 140)])
}

export function joined(parts: readonly Int16Array[]): Int16Array<ArrayBuffer> {
  const all = new Int16Array(parts.reduce((total, part) => total + part.length, 0))
  let at = 0
  for (const part of parts) {
    all.set(part, at)
    at += part.length
  }
  return all
}

export function clip(sample: number): number {
  return Math.max(-32_768, Math.min(32_767, sample))
}
