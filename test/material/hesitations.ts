// Turns in which somebody hesitates: the pause lies in the middle of a phrase, where nothing has been finished. A pause
// at a phrase's end (turns.ts) sounds like an end to anybody; these are the ones that an ear can tell.
//
// What marks them in speech is not the silence but what comes before it, a syllable drawn out or a filler (Campione and
// Véronis, "Pauses and hesitations in French spontaneous speech", DiSS 2005). So both are made here as well.

import type { Random } from '#base/random.ts'
import { activeLevelDbfs, edgesOf, joinedFloats, type Pause, pausesIn, toMs, toSamples, windowLevels } from './audio.ts'
import { between, silence } from './tract.ts'
import { BOUNDARY_MS_MIN, type Paused, trimmed } from './turns.ts'

/**
 * Lengths of silent pauses are log-normal, of spontaneous speech mostly between 200 and 1,000 ms and some beyond
 * (Campione and Véronis, "A large-scale multilingual study of silent pause duration", Speech Prosody 2002). Median and
 * spread are chosen by us: one in seven is longer than a second.
 */
const HESITATION_MS = { median: 620, spread: 0.45, min: 250, max: 2000 }
/** Where in the utterance, as a share of its length. */
const PLACE = { min: 0.25, max: 0.85 }
/** Words part at the quietest 30 ms around. */
const SEARCH_MS = 150
const QUIET_WINDOWS = 3
/** So far from the gaps at phrases' boundaries. */
const FROM_BOUNDARY_MS = 250
const UTTERANCE_MS_MIN = 1600
const ATTEMPTS = 30
const WINDOW_MS = 10
const FADE_MS = 12

/** What is drawn out, and by how much. */
const DRAWN_MS = 180
const DRAWN = { min: 1.25, max: 1.9 }
/** Of the hesitations; the others stop short, as in the middle of a thought. */
const DRAWN_SHARE = 0.7
/** Two sentences of one turn: whoever has the next one ready says it soon. */
export const BETWEEN_SENTENCES_MS = { min: 250, max: 700 }

export function hesitationMs(random: Random): number {
  const { median, spread, min, max } = HESITATION_MS
  // Two uniform draws to a normal one (Box and Muller).
  const normal = Math.sqrt(-2 * Math.log(1 - random.next())) * Math.cos(2 * Math.PI * random.next())
  const ms = median * Math.exp(spread * normal)
  return Math.round(Math.min(max, Math.max(min, ms)) / 10) * 10
}

/**
 * A fluent utterance with a hesitation in the middle of a phrase; null where it is too short, or all boundaries.
 * @param filler "um" in the speaker's own voice, said before the pause
 */
export function withHesitation(samples: Float64Array, random: Random, filler: Float64Array | null = null): Paused | null {
  const at = placeOf(samples, random)
  if (at === null) return null
  const before = samples.slice(0, at)
  const drawn = random.next() < DRAWN_SHARE ? drawnOut(before, between(random, DRAWN.min, DRAWN.max)) : before
  const said =
    filler === null ? [drawn] : [fadedOut(drawn), silence(between(random, 30, 120)), levelledTo(trimmed(filler), samples)]
  return withPause(joinedFloats(said), samples.slice(at), hesitationMs(random))
}

/** A synthesised utterance: its gap nearest to the place is made longer, the melody goes on over it. */
export function withLongerGap(samples: Float64Array, placeShare: number, random: Random): Paused | null {
  const { onsetSample, offsetSample } = edgesOf(samples)
  const wantedMs = toMs(onsetSample + (offsetSample - onsetSample) * placeShare)
  const distance = ({ fromMs, untilMs }: Pause) => Math.abs((fromMs + untilMs) / 2 - wantedMs)
  const [gap] = pausesIn(samples, 40).sort((a, b) => distance(a) - distance(b))
  const lengthMs = hesitationMs(random)
  if (gap === undefined || distance(gap) > 450) return null
  const middle = toSamples((gap.fromMs + gap.untilMs) / 2)
  return withPause(samples.slice(0, middle), samples.slice(middle), Math.max(0, lengthMs - (gap.untilMs - gap.fromMs)))
}

/** One sentence and then another, both whole. */
export function twoSentences(first: Float64Array, second: Float64Array, random: Random): Paused {
  const lengthMs = Math.round(between(random, BETWEEN_SENTENCES_MS.min, BETWEEN_SENTENCES_MS.max))
  return withPause(trimmed(first), trimmed(second), lengthMs)
}

function withPause(before: Float64Array, after: Float64Array, lengthMs: number): Paused {
  const fromMs = Math.round(toMs(before.length))
  return {
    samples: joinedFloats([fadedOut(before), silence(lengthMs), fadedIn(after)]),
    pauses: [{ fromMs, untilMs: fromMs + lengthMs }],
  }
}

/** The sample where two words part, in the middle of a phrase. */
function placeOf(samples: Float64Array, random: Random): number | null {
  const { onsetSample, offsetSample } = edgesOf(samples)
  const lengthMs = toMs(offsetSample - onsetSample)
  if (lengthMs < UTTERANCE_MS_MIN) return null
  const levels = windowLevels(samples)
  const boundaries = pausesIn(samples, BOUNDARY_MS_MIN)
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const wantedMs = toMs(onsetSample) + lengthMs * between(random, PLACE.min, PLACE.max)
    const atMs = quietestMs(levels, wantedMs)
    const near = ({ fromMs, untilMs }: Pause) => atMs > fromMs - FROM_BOUNDARY_MS && atMs < untilMs + FROM_BOUNDARY_MS
    if (!boundaries.some(near)) return toSamples(atMs)
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

/**
 * The last syllable lasts longer, at the same pitch: overlapping frames are laid out wider than they were taken, each
 * from where it fits best to what is there already (WSOLA).
 */
export function drawnOut(samples: Float64Array, factor: number): Float64Array {
  const from = samples.length - toSamples(DRAWN_MS)
  if (from <= 0) return samples
  const frame = toSamples(FRAME_MS)
  const step = frame / 2
  const shift = toSamples(SHIFT_MS)
  const length = Math.round((samples.length - from) * factor)
  const long = new Float64Array(length)
  const weights = new Float64Array(length)
  let natural = from
  for (let to = 0; to < length; to += step) {
    const wanted = Math.min(from + Math.round(to / factor), samples.length - frame)
    const taken = to === 0 ? from : bestFit(samples, natural, wanted, shift, step, samples.length - frame)
    for (let i = 0; i < frame && to + i < length; i++) {
      const weight = 0.5 - 0.5 * Math.cos((2 * Math.PI * (i + 0.5)) / frame)
      long[to + i] = (long[to + i] ?? 0) + weight * (samples[taken + i] ?? 0)
      weights[to + i] = (weights[to + i] ?? 0) + weight
    }
    natural = taken + step
  }
  return joinedFloats([samples.slice(0, from), long.map((sample, i) => sample / Math.max(weights[i] ?? 1, 1e-3))])
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

function levelledTo(samples: Float64Array, model: Float64Array): Float64Array {
  const gain = 10 ** ((activeLevelDbfs(model) - activeLevelDbfs(samples)) / 20)
  return Number.isFinite(gain) ? samples.map((sample) => sample * gain) : samples
}

function fadedOut(samples: Float64Array): Float64Array {
  const fade = toSamples(FADE_MS)
  return samples.map((sample, i) => sample * Math.min(1, (samples.length - 1 - i) / fade))
}

function fadedIn(samples: Float64Array): Float64Array {
  const fade = toSamples(FADE_MS)
  return samples.map((sample, i) => sample * Math.min(1, i / fade))
}
