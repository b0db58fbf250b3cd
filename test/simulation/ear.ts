import type { Milliseconds } from '#base/clock.ts'
import type { Finding } from './findings.ts'
import { markerSample, readMarker } from './markers.ts'

/** A run of one reply's samples, as it was heard. */
export interface Heard {
  readonly reply: number
  readonly from: number
  readonly count: number
  readonly atMs: Milliseconds
  readonly via: 'leg' | 'file'
}

/** Writes down, sample-exactly, what of which reply reached the caller, and when. */
export class Ear {
  readonly heard: Heard[] = []
  private readonly report: (kind: Finding['kind'], what: string) => void
  /** When something of a reply was heard last. */
  heardMs: Milliseconds = 0
  /** By reply. */
  private readonly samples: number[] = []
  private expected: { reply: number; index: number } = { reply: 0, index: 0 }
  /** Replies that the caller has interrupted. */
  private readonly cut: number[] = []

  constructor(report: (kind: Finding['kind'], what: string) => void) {
    this.report = report
  }

  /** From now on nothing of this reply may sound. */
  interrupted(reply: number): void {
    this.cut.push(reply)
  }

  hear(samples: Int16Array, atMs: Milliseconds, via: Heard['via']): void {
    let at = 0
    while (at < samples.length) {
      if (samples[at] === 0) {
        at += 1
        continue
      }
      const marker = this.markerAt(samples, at)
      if (marker === null) return this.report('strange', `a sound that is of no reply, ${samples[at]} at ${at}`)
      const count = runLength(samples, at, marker.reply, marker.index)
      this.note({ reply: marker.reply, from: marker.index, count, atMs, via })
      at += count
    }
  }

  /** What was heard of this reply, in samples. */
  samplesOf(reply: number): number {
    return this.samples[reply] ?? 0
  }

  /** The end of a reply may be too short to say where it is from: then it must go on where the last one ended. */
  private markerAt(samples: Int16Array, at: number): { reply: number; index: number } | null {
    const { reply, index } = this.expected
    if (reply > 0 && samples[at] === markerSample(reply, index) && samples[at + 1] === markerSample(reply, index + 1)) {
      return this.expected
    }
    const marker = readMarker(samples, at)
    if (marker !== null) return marker
    return reply > 0 && samples[at] === markerSample(reply, index) ? this.expected : this.shortReply(samples, at)
  }

  /** A whole reply that is shorter than a block. */
  private shortReply(samples: Int16Array, at: number): { reply: number; index: number } | null {
    const number = (samples[at] ?? 0) >> 2
    return samples[at] === markerSample(number, 0) && number > 0 ? { reply: number, index: 0 } : null
  }

  private note(run: Heard): void {
    if (this.cut.includes(run.reply)) {
      this.report('after_flush', `reply ${run.reply} from sample ${run.from} on, by ${run.via}`)
    }
    this.heard.push(run)
    this.heardMs = run.atMs
    this.samples[run.reply] = this.samplesOf(run.reply) + run.count
    this.expected = { reply: run.reply, index: run.from + run.count }
  }
}

function runLength(samples: Int16Array, at: number, reply: number, index: number): number {
  let count = 1
  while (at + count < samples.length && samples[at + count] === markerSample(reply, index + count)) count += 1
  return count
}
