// Turns to try endpointing on: whole utterances whose true end is known, with pauses inside that must not end them.
// A pause is put where the speaker has made a gap already, at a phrase's boundary, and only made longer.

import type { Random } from '#base/random.ts'
import { edgesOf, joinedFloats, type Pause, pausesIn, toMs, toSamples } from './audio.ts'
import { between, silence } from './tract.ts'

/** A gap of this length is a boundary of a phrase; shorter ones are the closures of p, t and k. */
export const BOUNDARY_MS_MIN = 90
/** A pause that endpointing has to get over; shorter ones no endpointing would fall for. */
export const PAUSE_MS_MIN = 250
/**
 * At a phrase's end: as long as the pauses that the material's own speakers make there. Of 109 such pauses of 250 ms and
 * more the median is 340 ms, and one in twenty is longer than 620 ms.
 */
const PHRASE_END_MS = { median: 340, spread: 0.37, min: 250, max: 1200 }
/**
 * In the middle of a phrase. Lengths of silent pauses are log-normal, in spontaneous speech mostly between 200 and
 * 1,000 ms, and some beyond (Campione and Véronis, "A large-scale multilingual study of silent pause duration", Speech
 * Prosody 2002). Median and spread are chosen by us: one in seven is longer than a second.
 */
const HESITATION_MS = { median: 620, spread: 0.45, min: 250, max: 2000 }
/** What an edge needs beyond it, so that no sound is cut: consonants fade below the edge's level. */
const KEEP_MS = 20

export interface Paused {
  readonly samples: Float64Array
  /** Of the extended ones, in the new samples. */
  readonly pauses: readonly Pause[]
}

export const phraseEndMs = (random: Random): number => logNormal(random, PHRASE_END_MS)
export const hesitationMs = (random: Random): number => logNormal(random, HESITATION_MS)

function logNormal(
  random: Random,
  { median, spread, min, max }: { median: number; spread: number; min: number; max: number },
): number {
  // Two uniform draws make a normal one (Box and Muller).
  const normal = Math.sqrt(-2 * Math.log(1 - random.next())) * Math.cos(2 * Math.PI * random.next())
  return Math.round(Math.min(max, Math.max(min, median * Math.exp(spread * normal))) / 10) * 10
}

/** The utterance with one or two of its own gaps at a phrase's end made longer; null when it has none. */
export function withThinkingPauses(samples: Float64Array, random: Random): Paused | null {
  const { onsetSample, offsetSample } = edgesOf(samples)
  const inside = (gap: Pause) => gap.fromMs - toMs(onsetSample) >= 250 && toMs(offsetSample) - gap.untilMs >= 250
  const gaps = pausesIn(samples, BOUNDARY_MS_MIN).filter(inside)
  const longest = [...gaps].sort((a, b) => b.untilMs - b.fromMs - (a.untilMs - a.fromMs))
  const chosen = longest.slice(0, random.next() < 0.3 ? 2 : 1).sort((a, b) => a.fromMs - b.fromMs)
  if (chosen.length === 0) return null
  const parts: Float64Array[] = []
  const pauses: Pause[] = []
  let from = 0
  let addedMs = 0
  for (const gap of chosen) {
    const lengthMs = phraseEndMs(random)
    const middle = toSamples((gap.fromMs + gap.untilMs) / 2)
    const moreMs = Math.max(0, lengthMs - (gap.untilMs - gap.fromMs))
    parts.push(samples.slice(from, middle), silence(moreMs))
    pauses.push({ fromMs: gap.fromMs + addedMs, untilMs: gap.untilMs + addedMs + moreMs })
    addedMs += moreMs
    from = middle
  }
  parts.push(samples.slice(from))
  return { samples: joinedFloats(parts), pauses }
}

/** Cut to what is said, with 20 ms on both sides. */
export function trimmed(samples: Float64Array): Float64Array {
  const { onsetSample, offsetSample } = edgesOf(samples)
  return samples.slice(Math.max(0, onsetSample - toSamples(KEEP_MS)), offsetSample + toSamples(KEEP_MS))
}

export interface DigitTake {
  readonly digit: string
  readonly samples: Float64Array
}

export interface DigitString extends Paused {
  readonly digits: string
}

/**
 * Four to ten digits, read out in groups of two to four with 60 to 160 ms inside a group and 300 to 1,200 between. Each
 * was recorded alone and so falls; the last of a group that is not the last rises instead, as it does where numbers are
 * read out (Baumann and Trouvain, "On the prosody of German telephone numbers", Eurospeech 2001).
 */
export function digitString(takes: readonly DigitTake[], random: Random): DigitString {
  const count = 4 + Math.floor(random.next() * 7)
  const parts: Float64Array[] = []
  const pauses: Pause[] = []
  let digits = ''
  let untilGroup = 0
  let length = 0
  const push = (part: Float64Array) => {
    parts.push(part)
    length += part.length
  }
  for (let i = 0; i < count; i++) {
    if (i > 0) {
      const groupEnds = untilGroup === 0 && count - i >= 2
      const gapMs = Math.round(groupEnds ? between(random, 300, 1200) : between(random, 60, 160))
      const last = groupEnds ? parts.pop() : undefined
      if (last !== undefined) {
        length -= last.length
        push(rising(last))
      }
      if (groupEnds) pauses.push({ fromMs: Math.round(toMs(length)), untilMs: Math.round(toMs(length)) + gapMs })
      push(silence(gapMs))
    }
    // The first group leaves two for a second one: a string without a pause shows nothing.
    if (untilGroup === 0) untilGroup = Math.min(2 + Math.floor(random.next() * 3), Math.max(2, count - 2))
    untilGroup--
    const take = takes[Math.floor(random.next() * takes.length)]
    if (take === undefined) break
    push(trimmed(take.samples))
    digits += take.digit
  }
  return { samples: joinedFloats(parts), pauses, digits }
}

/** By the end a third higher than it would have been: three to four semitones against a fall of about as many. */
const RISE = 1.3

/** The pitch glides up towards the end, for the samples are read faster and faster. */
export function rising(samples: Float64Array): Float64Array {
  const out: number[] = []
  for (let at = 0; at < samples.length - 1; at += 1 + ((RISE - 1) * at) / samples.length) {
    const before = Math.floor(at)
    const share = at - before
    out.push((samples[before] ?? 0) * (1 - share) + (samples[before + 1] ?? 0) * share)
  }
  return Float64Array.from(out)
}
