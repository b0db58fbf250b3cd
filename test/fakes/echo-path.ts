import { decodeALaw, decodeMuLaw, encodeALaw, encodeMuLaw } from '#audio/g711.ts'
import { seededRandom } from '#base/random.ts'
import { clip } from '../bed/sounds.ts'

/** What a telephone line makes of the agent's voice before it brings it back. */
export interface EchoPath {
  readonly delayMs: number
  /** The echo's level against what was sent. */
  readonly gainDb: number
  /** 0: one reflection. Else a room: reflections that thin out and fade over so many milliseconds. */
  readonly spreadMs?: number
  readonly driftPpm?: number
  readonly seed?: number
}

/** The echo alone, in the samples' own scale; as long as what was sent. */
export function echoOf(sent: Int16Array, path: EchoPath, sampleRateHz: number): Float64Array {
  const filtered = new Float64Array(sent.length)
  for (const [tap, weight] of responseOf(path, sampleRateHz)) {
    for (let index = tap; index < sent.length; index += 1) {
      filtered[index] = (filtered[index] as number) + weight * (sent[index - tap] as number)
    }
  }
  const delay = (path.delayMs * sampleRateHz) / 1000
  const rate = 1 + (path.driftPpm ?? 0) / 1e6
  const echo = new Float64Array(sent.length)
  for (let index = 0; index < echo.length; index += 1) echo[index] = at(filtered, index * rate - delay)
  return echo
}

export interface LineNoise {
  readonly dbfs: number
  readonly seed: number
}

/** What the caller's line brings: all the sounds on it, its noise, and the coding of the network. */
export function lineOf(
  parts: readonly ArrayLike<number>[],
  options: { readonly noise?: LineNoise; readonly law?: 'mu' | 'a' },
): Int16Array {
  const length = Math.max(...parts.map((part) => part.length))
  const random = seededRandom(options.noise?.seed ?? 0)
  const peak = options.noise === undefined ? 0 : Math.sqrt(3) * 32_768 * 10 ** (options.noise.dbfs / 20)
  const line = new Int16Array(length)
  for (let index = 0; index < length; index += 1) {
    let sum = (random.next() * 2 - 1) * peak
    for (const part of parts) sum += index < part.length ? (part[index] as number) : 0
    line[index] = clip(Math.round(sum))
  }
  if (options.law === undefined) return line
  const codes = new Uint8Array(length)
  if (options.law === 'mu') {
    encodeMuLaw(line, codes)
    decodeMuLaw(codes, line)
  } else {
    encodeALaw(line, codes)
    decodeALaw(codes, line)
  }
  return line
}

/** [delay in samples, weight]; the weights' energy is the echo's gain. */
function responseOf(path: EchoPath, sampleRateHz: number): (readonly [number, number])[] {
  const gain = 10 ** (path.gainDb / 20)
  const spreadMs = path.spreadMs ?? 0
  const random = seededRandom(path.seed ?? 1)
  // The direct way first; what comes later is weaker by 30 dB at the end.
  const taps: [number, number][] = [[0, 1]]
  for (let ms = 0.5 + random.next(); ms < spreadMs; ms += 0.25 + 2.5 * random.next()) {
    const weight = (0.3 + 0.6 * random.next()) * 10 ** ((-30 * ms) / spreadMs / 20)
    taps.push([Math.floor((ms * sampleRateHz) / 1000), random.next() < 0.5 ? -weight : weight])
  }
  const energy = taps.reduce((sum, [, weight]) => sum + weight * weight, 0)
  return taps.map(([tap, weight]) => [tap, (weight * gain) / Math.sqrt(energy)])
}

/** The signal between its samples: a windowed sinc of 16, so that a drifting clock adds nothing else. */
function at(samples: Float64Array, position: number): number {
  const whole = Math.floor(position)
  const part = position - whole
  if (whole < 8 || whole + 9 > samples.length) return 0
  if (part < 1e-9) return samples[whole] as number
  let sum = 0
  for (let index = -7; index <= 8; index += 1) {
    const distance = index - part
    const sample = samples[whole + index] as number
    const window = 0.5 + 0.5 * Math.cos((Math.PI * distance) / 8.5)
    sum += (sample * window * Math.sin(Math.PI * distance)) / (Math.PI * distance)
  }
  return sum
}
