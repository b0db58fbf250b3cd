import { type Arrivals, frameMs } from './media-arrivals.ts'
import { noiseUntilMs, placeOf, utterances } from './provider-script.ts'
import type { CallHeard, Stretch } from './provider-wire.ts'

/**
 * What a caller of `just bench provider` does on any line: begin somewhere in the conversation, and note when each frame
 * leaves. One who begins in the middle of an utterance is silent until it is over.
 */
export class Talk {
  readonly uuid: string
  /** Which frame of the conversation is their first. */
  readonly from: number
  private readonly sentMs: number[] = []
  private silentFrames: number

  constructor(nth: number) {
    const { fromMs, uuid } = placeOf(nth, crypto.randomUUID())
    this.uuid = uuid
    this.from = Math.floor(fromMs / frameMs)
    const cut = utterances.find(({ atMs, durationMs }) => fromMs > atMs && fromMs < atMs + durationMs)
    this.silentFrames = cut === undefined ? 0 : Math.ceil((cut.atMs + cut.durationMs - fromMs) / frameMs)
  }

  /** The frame of the conversation that leaves in place of this one. */
  placeOf(frame: number): number {
    if (this.silentFrames === 0) return frame
    this.silentFrames -= 1
    return this.silentFrames % (noiseUntilMs / frameMs)
  }

  sending({ recording }: Arrivals): void {
    if (recording) this.sentMs.push(performance.now())
  }

  /** On the common clock. */
  heard(arrivals: Arrivals): CallHeard {
    const { timeOrigin } = performance
    return {
      call: this.uuid,
      sent: this.sentMs.map((atMs) => timeOrigin + atMs),
      audible: stretches(arrivals, timeOrigin),
    }
  }
}

function stretches({ times, audible, count }: Arrivals, originMs: number): Stretch[] {
  const found: { fromMs: number; untilMs: number }[] = []
  for (let index = 0; index < count; index += 1) {
    if (audible[index] === 0) continue
    const atMs = originMs + (times[index] as number)
    const last = found.at(-1)
    if (last === undefined || audible[index - 1] === 0) found.push({ fromMs: atMs, untilMs: atMs })
    else last.untilMs = atMs
  }
  return found
}
