// Turns to try endpointing on: whole utterances whose true end is known, with pauses inside that must not end them.
// A pause is put where the speaker has made a gap already, at a phrase's boundary, and only made longer.

import type { Random } from '#base/random.ts'
import { edgesOf, joinedFloats, type Pause, pausesIn, toMs, toSamples } from './audio.ts'
import { between, silence } from './tract.ts'

/** A gap of this length is a boundary of a phrase; shorter ones are the closures of p, t and k. */
export const BOUNDARY_MS_MIN = 90
/** A pause that endpointing has to get over; shorter ones no endpointing would fall for. */
export const PAUSE_MS_MIN = 250
const THINKING_MS = { min: 300, max: 1500 }
/** What an edge needs beyond it, so that no sound is cut: consonants fade below the edge's level. */
const KEEP_MS = 20

export interface Paused {
  readonly samples: Float64Array
  /** Of the extended ones, in the new samples. */
  readonly pauses: readonly Pause[]
}

/** The utterance with one or two of its own gaps made 300 to 1,500 ms long; null when it has none that is a boundary. */
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
    const lengthMs = Math.round(between(random, THINKING_MS.min, THINKING_MS.max) / 10) * 10
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

/** Four to ten digits, read out in groups of two to four with 60 to 160 ms inside a group and 300 to 1,200 between. */
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
