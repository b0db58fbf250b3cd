import { levelDbfs } from '#audio/level.ts'
import { joined, toneSound } from './sounds.ts'
import { toneShare } from './wav-analysis.ts'

/**
 * A sound whose parts can be told apart in a recording: so many tones, one after the other, each with its own pitch. A
 * part that was lost, doubled or misplaced is seen frame by frame, through any telephone codec.
 */
const rateHz = 8000
const firstHz = 400
const apartHz = 75
/** 40 of them end at 3,325 Hz, below the telephone's upper edge. */
export const stepsMax = 40
export const stepMs = 500
const stepDbfs = -20
const audibleDbfs = -45

/** More than `stepsMax` begin again with the first. */
export function toneSteps(count: number): Int16Array {
  return joined(Array.from({ length: count }, (_, step) => toneSound(stepMs, hzOf(step % stepsMax), stepDbfs, rateHz)))
}

export interface HeardSteps {
  /** Which tones, in the order in which they were heard; a tone that goes on is one. */
  readonly order: readonly number[]
  /** Frames in which something sounds, from the first to the last of them. */
  readonly frames: number
  /** Stretches of silence between them. */
  readonly gaps: number
  readonly gapFrames: number
}

/** What a listener has heard of such a sound; `frames` are of 20 ms, as they came. */
export function heardSteps(frames: readonly Int16Array[]): HeardSteps {
  const order: number[] = []
  let sounding = 0
  let gaps = 0
  let gapFrames = 0
  let quiet = 0
  for (const frame of frames) {
    if (levelDbfs(frame) <= audibleDbfs) {
      quiet += 1
      continue
    }
    if (sounding > 0 && quiet > 0) {
      gaps += 1
      gapFrames += quiet
    }
    quiet = 0
    sounding += 1
    const step = stepIn(frame)
    if (order.at(-1) !== step) order.push(step)
  }
  return { order, frames: sounding, gaps, gapFrames }
}

function stepIn(frame: Int16Array): number {
  const shares = Array.from({ length: stepsMax }, (_, step) => toneShare(frame, rateHz, hzOf(step)))
  return shares.indexOf(Math.max(...shares))
}

const hzOf = (step: number) => firstHz + step * apartHz
