// Turns in which somebody hesitates: the pause lies in the middle of a phrase, where nothing has been finished. A pause
// at a phrase's end (turns.ts) sounds like an end to anybody; these are the ones that an ear can tell.
//
// What marks them in speech is not the silence but what comes before it, a syllable drawn out or a filler: silent pauses by
// themselves never do (Campione and Véronis, "Pauses and hesitations in French spontaneous speech", DiSS 2005). So each
// has one of the two, out of the speaker's own voice.

import type { Random } from '#base/random.ts'
import { edgesOf, joinedFloats, type Pause, pausesIn, RATE_HZ, toMs, toSamples, windowLevels } from './audio.ts'
import { between, silence } from './tract.ts'
import { BOUNDARY_MS_MIN, hesitationMs, type Paused, phraseEndMs, trimmed } from './turns.ts'

/** Where in the utterance, as a share of its length. */
const PLACE = { min: 0.25, max: 0.85 }
/** Words part at the quietest 30 ms around. */
const SEARCH_MS = 150
const QUIET_WINDOWS = 3
/** So far from the gaps at phrases' boundaries. */
const FROM_BOUNDARY_MS = 250
/** Where nothing around is this far below the loudest 10 ms, no words part. */
const BELOW_LOUDEST_DB = 14
const UTTERANCE_MS_MIN = 1600
const ATTEMPTS = 60
const WINDOW_MS = 10
/** How long a voice takes to fall silent, and to set in. */
const FADE_OUT_MS = { min: 20, max: 70 }
const FADE_IN_MS = 12

/** What is drawn out, and by how much: at a phrase's end, half as long again is common, and a hesitation lasts longer. */
const DRAWN_MS = 180
const DRAWN = { min: 1.6, max: 3 }
const FILLER_SHARE = 0.5
/** From the last word to the filler. */
const BEFORE_FILLER_MS = { min: 20, max: 120 }

/** A fluent utterance with a hesitation in the middle of a phrase; null where it is too short, or all boundaries. */
export function withHesitation(samples: Float64Array, random: Random): Paused | null {
  const at = placeOf(samples, random)
  if (at === null) return null
  const before = samples.slice(0, at)
  const filler = random.next() < FILLER_SHARE ? fillerFrom(samples, random) : null
  const said =
    filler === null
      ? [drawnOut(before, between(random, DRAWN.min, DRAWN.max))]
      : [fadedOut(before, random), silence(between(random, BEFORE_FILLER_MS.min, BEFORE_FILLER_MS.max)), filler]
  return withPause(fadedOut(joinedFloats(said), random), samples.slice(at), hesitationMs(random))
}

/** The same without a sign of it: the voice just stops between two words. */
export function withPlainPause(samples: Float64Array, random: Random): Paused | null {
  const at = placeOf(samples, random)
  return at === null ? null : withPause(fadedOut(samples.slice(0, at), random), samples.slice(at), hesitationMs(random))
}

/** A synthesised utterance: its gap nearest to the place is made longer, and the syllable before it. */
export function withLongerGap(samples: Float64Array, placeShare: number, random: Random): Paused | null {
  const { onsetSample, offsetSample } = edgesOf(samples)
  const wantedMs = toMs(onsetSample + (offsetSample - onsetSample) * placeShare)
  const distance = ({ fromMs, untilMs }: Pause) => Math.abs((fromMs + untilMs) / 2 - wantedMs)
  const [gap] = pausesIn(samples, 40).sort((a, b) => distance(a) - distance(b))
  const lengthMs = hesitationMs(random)
  if (gap === undefined || distance(gap) > 450) return null
  const middle = toSamples((gap.fromMs + gap.untilMs) / 2)
  // The voice ends where the gap begins, and a little of its fading is in it.
  const before = drawnOut(samples.slice(0, toSamples(gap.fromMs + 20)), between(random, DRAWN.min, DRAWN.max))
  return withPause(fadedOut(before, random), samples.slice(middle), lengthMs)
}

/** One sentence and then another, both whole. */
export function twoSentences(first: Float64Array, second: Float64Array, random: Random): Paused {
  return withPause(trimmed(first), trimmed(second), phraseEndMs(random))
}

function withPause(before: Float64Array, after: Float64Array, lengthMs: number): Paused {
  const fromMs = Math.round(toMs(before.length))
  return {
    samples: joinedFloats([before, silence(lengthMs), fadedIn(after)]),
    pauses: [{ fromMs, untilMs: fromMs + lengthMs }],
  }
}

/** The sample where two words part, in the middle of a phrase. */
function placeOf(samples: Float64Array, random: Random): number | null {
  const { onsetSample, offsetSample } = edgesOf(samples)
  const lengthMs = toMs(offsetSample - onsetSample)
  if (lengthMs < UTTERANCE_MS_MIN) return null
  const levels = windowLevels(samples)
  const floor = levels.reduce((most, level) => Math.max(most, level), Number.NEGATIVE_INFINITY) - BELOW_LOUDEST_DB
  const boundaries = pausesIn(samples, BOUNDARY_MS_MIN)
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const wantedMs = toMs(onsetSample) + lengthMs * between(random, PLACE.min, PLACE.max)
    const atMs = quietestMs(levels, wantedMs)
    const near = ({ fromMs, untilMs }: Pause) => atMs > fromMs - FROM_BOUNDARY_MS && atMs < untilMs + FROM_BOUNDARY_MS
    const parting = (levels[Math.floor(atMs / WINDOW_MS)] ?? 0) < floor
    if (parting && !boundaries.some(near)) return toSamples(atMs)
  }
  return null
}

function quietestMs(levels: Float64Array, wantedMs: number): number {
  const first = Math.round((wantedMs - SEARCH_MS) / WINDOW_MS)
  const last = Math.round((wantedMs + SEARCH_MS) / WINDOW_MS) - QUIET_WINDOWS
  let quietest = Number.POSITIVE_INFINITY
  let best = first
  for (let window = first; window <= last; window++) {
    let power = 0
    for (let i = 0; i < QUIET_WINDOWS; i++) power += 10 ** ((levels[window + i] ?? 0) / 10)
    if (power >= quietest) continue
    quietest = power
    best = window
  }
  return (best + QUIET_WINDOWS / 2) * WINDOW_MS
}

const FRAME_MS = 24
const SHIFT_MS = 8

/** The last syllable lasts longer, at the same pitch. */
export function drawnOut(samples: Float64Array, factor: number): Float64Array {
  const from = samples.length - toSamples(DRAWN_MS)
  return from <= 0 ? samples : joinedFloats([samples.slice(0, from), stretched(samples, from, samples.length, factor)])
}

/**
 * A stretch of the samples made longer: overlapping frames are laid out wider than they were taken, each from where it
 * fits best to what is there already (WSOLA).
 */
function stretched(samples: Float64Array, from: number, until: number, factor: number): Float64Array {
  const frame = toSamples(FRAME_MS)
  const step = frame / 2
  const shift = toSamples(SHIFT_MS)
  const length = Math.round((until - from) * factor)
  const long = new Float64Array(length)
  const weights = new Float64Array(length)
  const last = Math.max(0, Math.min(samples.length, until + step) - frame)
  let natural = from
  for (let to = 0; to < length; to += step) {
    const wanted = Math.min(from + Math.round(to / factor), last)
    const taken = to === 0 ? Math.min(from, last) : bestFit(samples, natural, wanted, shift, step, last)
    for (let i = 0; i < frame && to + i < length; i++) {
      const weight = 0.5 - 0.5 * Math.cos((2 * Math.PI * (i + 0.5)) / frame)
      long[to + i] = (long[to + i] ?? 0) + weight * (samples[taken + i] ?? 0)
      weights[to + i] = (weights[to + i] ?? 0) + weight
    }
    natural = taken + step
  }
  return long.map((sample, i) => sample / Math.max(weights[i] ?? 1, 1e-3))
}

/** Near the wanted place, the one whose beginning is most like what would have come naturally. */
function bestFit(
  samples: Float64Array,
  natural: number,
  wanted: number,
  shift: number,
  span: number,
  last: number,
): number {
  let best = wanted
  let most = Number.NEGATIVE_INFINITY
  for (let at = Math.max(0, wanted - shift); at <= Math.min(last, wanted + shift); at++) {
    let same = 0
    let energy = 1
    for (let i = 0; i < span; i++) {
      const sample = samples[at + i] ?? 0
      same += sample * (samples[natural + i] ?? 0)
      energy += sample * sample
    }
    const alike = same / Math.sqrt(energy)
    if (alike <= most) continue
    most = alike
    best = at
  }
  return best
}

/** A filler is a long vowel of level pitch (Shriberg, "To 'errrr' is human", JIPA 2001), softer than the loudest one. */
const FILLER_MS = { min: 250, max: 450 }
const FILLER_DB = -4
const HELD_MS = 100
/** A pitch of 70 to 330 Hz. */
const PERIOD_SAMPLES = { min: Math.round(RATE_HZ / 330), max: Math.round(RATE_HZ / 70) }
const VOICED_BELOW_LOUDEST_DB = 12

/** The steadiest tenth of a second of somebody's speech, held: what they would fill a pause with. Null without a vowel. */
export function fillerFrom(speech: Float64Array, random: Random): Float64Array | null {
  const span = toSamples(HELD_MS)
  const levels = windowLevels(speech)
  const floor =
    levels.reduce((most, level) => Math.max(most, level), Number.NEGATIVE_INFINITY) - VOICED_BELOW_LOUDEST_DB
  let best = -1
  let steadiest = 0
  for (let at = 0; at + span + PERIOD_SAMPLES.max < speech.length; at += toSamples(WINDOW_MS)) {
    const windows = levels.subarray(at / toSamples(WINDOW_MS), (at + span) / toSamples(WINDOW_MS))
    if (windows.some((level) => level < floor)) continue
    const steady = steadiness(speech.subarray(at, at + span + PERIOD_SAMPLES.max), span)
    if (steady <= steadiest) continue
    steadiest = steady
    best = at
  }
  if (best < 0) return null
  const held = stretched(speech, best, best + span, between(random, FILLER_MS.min, FILLER_MS.max) / HELD_MS)
  const fade = toSamples(40)
  const gain = 10 ** (FILLER_DB / 20)
  return held.map((sample, i) => sample * gain * Math.min(1, (i + 1) / fade, (held.length - i) / fade))
}

/** How alike the samples are to themselves one period later, of the period where they are most. */
function steadiness(samples: Float64Array, span: number): number {
  let best = 0
  for (let period = PERIOD_SAMPLES.min; period <= PERIOD_SAMPLES.max; period++) {
    let same = 0
    let energy = 0
    let later = 0
    for (let i = 0; i < span; i += 2) {
      const sample = samples[i] ?? 0
      const next = samples[i + period] ?? 0
      same += sample * next
      energy += sample * sample
      later += next * next
    }
    best = Math.max(best, same / Math.sqrt(energy * later + 1))
  }
  return best
}

function fadedOut(samples: Float64Array, random: Random): Float64Array {
  const fade = toSamples(between(random, FADE_OUT_MS.min, FADE_OUT_MS.max))
  return samples.map((sample, i) => sample * Math.min(1, (samples.length - 1 - i) / fade))
}

function fadedIn(samples: Float64Array): Float64Array {
  const fade = toSamples(FADE_IN_MS)
  return samples.map((sample, i) => sample * Math.min(1, i / fade))
}
