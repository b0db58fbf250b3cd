// What telephony makes of a recording: its band, its level, its codec; and where in it something is said.
// Pure: samples in, samples out, all at 8 kHz.

import { decodeMuLaw, encodeMuLaw } from '#audio/g711.ts'

export const RATE_HZ = 8000
/** Level of the active parts of every clip; what ITU-T P.56 calls the active speech level, about −22 on real trunks. */
export const ACTIVE_LEVEL_DBFS = -22
const FULL_SCALE = 32_768
const WINDOW_SAMPLES = 80
/** A window this far below the loudest one is no part of what is said: P.56's margin is 15.9 dB below the mean. */
const ACTIVE_BELOW_LOUDEST_DB = 22
/** Where onset and offset lie: this far below the loudest window of the clean clip. */
const EDGE_BELOW_LOUDEST_DB = 30
/** Shorter than this above the edge's level is a click of the recording and no beginning. */
const EDGE_RUN_WINDOWS = 2

export const toSamples = (ms: number): number => Math.round((ms * RATE_HZ) / 1000)
export const toMs = (samples: number): number => (samples * 1000) / RATE_HZ

/** One second-order section: b0 b1 b2 a1 a2, of Butterworth halves. */
interface Section {
  readonly b: readonly [number, number, number]
  readonly a: readonly [number, number]
}

/** Q of the two sections of a Butterworth filter of the fourth order: 1 / (2 cos(π/8)), 1 / (2 cos(3π/8)). */
const FOURTH_ORDER_Q = [0.541_196, 1.306_563]

/** The audio EQ cookbook's sections. */
function section(kind: 'low' | 'high', cornerHz: number, q: number): Section {
  const omega = (2 * Math.PI * cornerHz) / RATE_HZ
  const alpha = Math.sin(omega) / (2 * q)
  const cos = Math.cos(omega)
  const a0 = 1 + alpha
  const edge = kind === 'low' ? (1 - cos) / 2 : (1 + cos) / 2
  const middle = kind === 'low' ? 1 - cos : -(1 + cos)
  return { b: [edge / a0, middle / a0, edge / a0], a: [(-2 * cos) / a0, (1 - alpha) / a0] }
}

const TELEPHONE_BAND = [
  ...FOURTH_ORDER_Q.map((q) => section('high', 300, q)),
  ...FOURTH_ORDER_Q.map((q) => section('low', 3400, q)),
]

/** 300 to 3,400 Hz, 24 dB an octave: a telephone's band (ITU-T G.712). The corners lie at −3 dB. */
export function telephoneBand(samples: Float64Array): Float64Array {
  let signal = samples
  for (const { b, a } of TELEPHONE_BAND) signal = filtered(signal, b, a)
  return signal
}

function filtered(
  input: Float64Array,
  b: readonly [number, number, number],
  a: readonly [number, number],
): Float64Array {
  const output = new Float64Array(input.length)
  let x1 = 0
  let x2 = 0
  let y1 = 0
  let y2 = 0
  for (let i = 0; i < input.length; i++) {
    const x = input[i] ?? 0
    const y = b[0] * x + b[1] * x1 + b[2] * x2 - a[0] * y1 - a[1] * y2
    output[i] = y
    x2 = x1
    x1 = x
    y2 = y1
    y1 = y
  }
  return output
}

/** Levels of 10 ms windows in dBFS; −Infinity for digital silence. The last, short window counts as well. */
export function windowLevels(samples: ArrayLike<number>): Float64Array {
  const levels = new Float64Array(Math.ceil(samples.length / WINDOW_SAMPLES))
  for (let window = 0; window < levels.length; window++) {
    const from = window * WINDOW_SAMPLES
    const until = Math.min(samples.length, from + WINDOW_SAMPLES)
    let power = 0
    for (let i = from; i < until; i++) power += (samples[i] ?? 0) ** 2
    levels[window] = 10 * Math.log10(power / (until - from) / FULL_SCALE ** 2)
  }
  return levels
}

const loudest = (levels: Float64Array): number => levels.reduce((most, level) => Math.max(most, level), -Infinity)

/** Level of the windows that are within 22 dB of the loudest, as power; −Infinity for silence. */
export function activeLevelDbfs(samples: ArrayLike<number>): number {
  const levels = windowLevels(samples)
  const floor = loudest(levels) - ACTIVE_BELOW_LOUDEST_DB
  let power = 0
  let active = 0
  for (const level of levels) {
    if (!(level > floor)) continue
    power += 10 ** (level / 10)
    active++
  }
  return active === 0 ? Number.NEGATIVE_INFINITY : 10 * Math.log10(power / active)
}

/** To the wanted active level, as 16-bit samples; peaks are rounded off above −3 dBFS, as a handset's limiter does. */
export function levelled(samples: Float64Array, wantedDbfs: number = ACTIVE_LEVEL_DBFS): Int16Array {
  const level = activeLevelDbfs(samples)
  const gain = Number.isFinite(level) ? 10 ** ((wantedDbfs - level) / 20) : 1
  return Int16Array.from(samples, (sample) => Math.round(limited(sample * gain)))
}

const KNEE = FULL_SCALE * 10 ** (-3 / 20)
const HEADROOM = FULL_SCALE - 1 - KNEE

function limited(sample: number): number {
  const size = Math.abs(sample)
  if (size <= KNEE) return sample
  return Math.sign(sample) * (KNEE + HEADROOM * Math.tanh((size - KNEE) / HEADROOM))
}

export interface Edges {
  /** First sample of what is said. */
  readonly onsetSample: number
  /** The sample after the last of what is said. */
  readonly offsetSample: number
}

/**
 * Where a clean clip's sound begins and ends, to 10 ms: windows within 30 dB of the loudest one, two in a row.
 * A clip of digital silence begins and ends at 0.
 */
export function edgesOf(samples: ArrayLike<number>): Edges {
  const levels = windowLevels(samples)
  const floor = loudest(levels) - EDGE_BELOW_LOUDEST_DB
  const runs = (at: number) => {
    for (let i = 0; i < EDGE_RUN_WINDOWS; i++) if (!((levels[at + i] ?? Number.NEGATIVE_INFINITY) > floor)) return false
    return true
  }
  let first = 0
  while (first < levels.length && !runs(first)) first++
  let last = levels.length - EDGE_RUN_WINDOWS
  while (last >= first && !runs(last)) last--
  if (first >= levels.length) return { onsetSample: 0, offsetSample: 0 }
  return {
    onsetSample: first * WINDOW_SAMPLES,
    offsetSample: Math.min(samples.length, (last + EDGE_RUN_WINDOWS) * WINDOW_SAMPLES),
  }
}

export interface Pause {
  readonly fromMs: number
  readonly untilMs: number
}

/** Stretches inside a clean clip where nothing is within 30 dB of the loudest window, for at least `minMs`. */
export function pausesIn(samples: ArrayLike<number>, minMs: number): Pause[] {
  const { onsetSample, offsetSample } = edgesOf(samples)
  const levels = windowLevels(samples)
  const floor = loudest(levels) - EDGE_BELOW_LOUDEST_DB
  const pauses: Pause[] = []
  let quietFrom = -1
  for (let window = onsetSample / WINDOW_SAMPLES; window * WINDOW_SAMPLES < offsetSample; window++) {
    const quiet = !((levels[window] ?? Number.NEGATIVE_INFINITY) > floor)
    if (quiet && quietFrom < 0) quietFrom = window
    if (quiet || quietFrom < 0) continue
    const pause = { fromMs: quietFrom * 10, untilMs: window * 10 }
    if (pause.untilMs - pause.fromMs >= minMs) pauses.push(pause)
    quietFrom = -1
  }
  return pauses
}

/** What a µ-law trunk leaves of the samples. */
export function muLawCoded(samples: Int16Array): Int16Array {
  const codes = new Uint8Array(samples.length)
  encodeMuLaw(samples, codes)
  const decoded = new Int16Array(samples.length)
  decodeMuLaw(codes, decoded)
  return decoded
}

export function joinedFloats(parts: readonly Float64Array[]): Float64Array {
  const all = new Float64Array(parts.reduce((total, part) => total + part.length, 0))
  let at = 0
  for (const part of parts) {
    all.set(part, at)
    at += part.length
  }
  return all
}
