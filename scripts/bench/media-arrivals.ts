import { spread } from './media-figures.ts'

/** When the frames of one call came, in the order in which they came; nothing is allocated while it is filled. */
export class Arrivals {
  readonly times: Float64Array
  /** Frame by frame: 1 where it is no silence. */
  readonly audible: Uint8Array
  count = 0
  recording = false

  constructor(framesMax: number) {
    this.times = new Float64Array(framesMax)
    this.audible = new Uint8Array(framesMax)
  }

  /** `audible`: it is no silence. */
  frame(nowMs: number, audible: boolean): void {
    if (!this.recording || this.count === this.times.length) return
    this.times[this.count] = nowMs
    if (audible) this.audible[this.count] = 1
    this.count += 1
  }
}

export const frameMs = 20
/** Frames that are taken behind the measured ones, to see whether the grid of 20 ms has held to the end. */
export const tailFrames = 25

/**
 * The figures over all calls. A frame that the engine gave up shows as a whole frame of lateness that stays: what is
 * compared is the earliest frame of the first half second and the earliest of half a second at the end, so that jitter
 * is no loss.
 * @param framesWanted of each call, without the tail
 */
export function arrivalFigures(calls: readonly Arrivals[], framesWanted: number) {
  const framesExpected = calls.length * framesWanted
  const gaps = new Float64Array(framesExpected)
  const lateness = new Float64Array(framesExpected)
  let gapCount = 0
  let frameCount = 0
  let framesReceived = 0
  let lateFrames = 0
  let audible = 0
  let recorded = 0
  for (const call of calls) {
    const { times } = call
    const taken = Math.min(call.count, framesWanted)
    const first = times[0] as number
    for (let index = 0; index < taken; index += 1) {
      const late = (times[index] as number) - first - index * frameMs
      lateness[frameCount++] = late
      if (late > frameMs) lateFrames += 1
      if (index > 0) gaps[gapCount++] = (times[index] as number) - (times[index - 1] as number)
    }
    framesReceived += taken === framesWanted ? framesWanted - framesGivenUp(call, framesWanted) : taken
    for (let index = 0; index < call.count; index += 1) audible += call.audible[index] as number
    recorded += call.count
  }
  return {
    framesExpected,
    framesReceived,
    gapMs: spread(gaps.subarray(0, gapCount), ['p50', 'p95', 'p99', 'p999', 'max']),
    latenessMs: spread(lateness.subarray(0, frameCount), ['p50', 'p99', 'max']),
    lateFrames,
    audibleShare: recorded === 0 ? 0 : audible / recorded,
  }
}

function framesGivenUp({ times, count }: Arrivals, framesWanted: number): number {
  const earliest = (from: number, until: number) => {
    let least = Number.POSITIVE_INFINITY
    for (let index = from; index < until; index += 1)
      least = Math.min(least, (times[index] as number) - index * frameMs)
    return least
  }
  const shiftMs = earliest(Math.max(0, framesWanted - 1), count) - earliest(0, Math.min(tailFrames, count))
  return Math.max(0, Math.round(shiftMs / frameMs))
}
