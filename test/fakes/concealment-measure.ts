import { samplesPerFrame } from '#audio/format.ts'
import { JitterBuffer } from '#audio/jitter-buffer.ts'
import { type Random, seededRandom } from '#base/random.ts'

/**
 * How much of the sound is still there where packets were lost: what the jitter buffer makes up, and silence in its
 * place, each compared with what was really said, in the same lost frames. Frames in which nothing was said don't count.
 */
export interface Measured {
  readonly framesCompared: number
  /** Segmental SNR in dB: 0 is what silence gives. */
  readonly snrDb: number
  /** Distance of the logarithmic spectra in dB: 0 is the same sound. */
  readonly distanceDb: number
}

export interface Comparison {
  readonly concealed: Measured
  readonly zeroFilled: Measured
  readonly framesLost: number
  readonly buffer: JitterBuffer
}

const rateHz = 8000
const perFrame = samplesPerFrame(rateHz)
/** −50 dBFS: below it nobody speaks. */
const spokenRms = 100

export function compareConcealment(sound: Int16Array, seed: number, loss: number): Comparison {
  const frames = Math.floor(sound.length / perFrame)
  const random = seededRandom(seed)
  const isLost = lossPattern(frames, loss, random)
  const buffer = new JitterBuffer(rateHz, 200)
  const concealed = new Int16Array(frames * perFrame)
  const zeroFilled = sound.slice(0, frames * perFrame)
  const frame = new Int16Array(perFrame)
  for (let index = 0; index < frames; index += 1) {
    const [from, to] = [index * perFrame, (index + 1) * perFrame]
    if (isLost[index]) zeroFilled.fill(0, from, to)
    else buffer.push(index, from, 1, sound.subarray(from, to), 1000 + index * 20)
    // No jitter: the delay stays, and frame by frame both are the same moment of the sound.
    if (!buffer.pull(1008 + index * 20, frame)) throw new Error('the first frame should have been ready')
    concealed.set(frame, from)
  }
  const framesLost = isLost.filter((each) => each).length
  return {
    concealed: measure(sound, concealed, isLost),
    zeroFilled: measure(sound, zeroFilled, isLost),
    framesLost,
    buffer,
  }
}

function lossPattern(frames: number, loss: number, random: Random): boolean[] {
  return Array.from({ length: frames }, (_, index) => index > 10 && index < frames - 3 && random.next() < loss)
}

function measure(clean: Int16Array, heard: Int16Array, isLost: readonly boolean[]): Measured {
  let [framesCompared, snrSum, distanceSum] = [0, 0, 0]
  for (let index = 0; index < isLost.length; index += 1) {
    if (!isLost[index]) continue
    const said = clean.subarray(index * perFrame, (index + 1) * perFrame)
    const got = heard.subarray(index * perFrame, (index + 1) * perFrame)
    const energy = said.reduce((sum, sample) => sum + sample ** 2, 0)
    if (energy < spokenRms ** 2 * perFrame) continue
    const noise = said.reduce((sum, sample, at) => sum + (sample - (got[at] as number)) ** 2, 0)
    framesCompared += 1
    // Clamped as usual for segmental SNR, so that no single frame decides.
    snrSum += Math.max(-10, Math.min(35, 10 * Math.log10(energy / Math.max(1, noise))))
    distanceSum += spectralDistance(said, got)
  }
  return { framesCompared, snrDb: snrSum / framesCompared, distanceDb: distanceSum / framesCompared }
}

/** Root mean square of the difference of both log spectra, 50 Hz apart from 50 to 3950 Hz, over a floor of −60 dBFS. */
function spectralDistance(one: Int16Array, other: Int16Array): number {
  const [a, b] = [logSpectrum(one), logSpectrum(other)]
  return Math.sqrt(a.reduce((sum, value, index) => sum + (value - (b[index] as number)) ** 2, 0) / a.length)
}

/** A tone of −60 dBFS (amplitude 33) under a Hann window of 160 samples: (33 × 160 / 4)² ≈ 1.7 × 10⁶. */
const floorPower = 1.7e6

function logSpectrum(samples: Int16Array): number[] {
  return Array.from({ length: 79 }, (_, bin) => {
    let [real, imaginary] = [0, 0]
    for (let at = 0; at < samples.length; at += 1) {
      const windowed = (0.5 - 0.5 * Math.cos((2 * Math.PI * at) / samples.length)) * (samples[at] as number)
      const angle = (2 * Math.PI * (bin + 1) * 50 * at) / rateHz
      real += windowed * Math.cos(angle)
      imaginary += windowed * Math.sin(angle)
    }
    return 10 * Math.log10(real ** 2 + imaginary ** 2 + floorPower)
  })
}
