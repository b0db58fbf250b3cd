import { type AudioFrame, msToSamples, samplesPerFrame, samplesToMs } from '#audio/format.ts'
import { SampleQueue } from '#audio/sample-queue.ts'
import type { Milliseconds } from '#base/clock.ts'
import type { Leg } from './leg.ts'
import type { PacedWriter } from './pacer.ts'

/**
 * The only writer to a leg. One frame leaves per ptime, from the first to the last moment of the call: reply audio where
 * there is some, silence where there is none (an Asterisk that hears nothing may stop sending).
 *
 * A reply is queued whole, however fast its provider sends; only an interruption empties the queue. It starts after a
 * warm-up, or at once when it is complete; when the queue runs dry in mid-reply, silence fills and the gap is counted.
 */

/** A bound against a provider that never stops; no spoken reply is longer. */
const queueMinutesMax = 10
/** A reply that brings no audio for 5 s and was never declared complete is over. */
const dryFramesMax = 250

export interface PlayoutListener {
  /** The first frame of the reply has been written. */
  replyStarted(): void
  /** Its last frame has been written; not called after a flush. */
  replyDone(): void
}

export interface PlayoutCounters {
  /** All frames written, silence included. */
  frames: number
  /** Frames the leg refused since its peer does not read. */
  full: number
  /** Times the queue ran dry in mid-reply. */
  underruns: number
  /** Chunks refused since the queue held its maximum. */
  overruns: number
}

type Stage = 'idle' | 'warm_up' | 'playing'

export class Playout implements PacedWriter {
  readonly counters: PlayoutCounters = { frames: 0, full: 0, underruns: 0, overruns: 0 }
  private readonly leg: Leg
  private readonly listener: PlayoutListener
  private readonly queue: SampleQueue
  private readonly frame: AudioFrame
  private readonly silence: AudioFrame
  private stage: Stage = 'idle'
  private complete = false
  private dryFrames = 0
  private warmUpSamples = 0
  private playedSamples = 0

  constructor(leg: Leg, listener: PlayoutListener) {
    this.leg = leg
    this.listener = listener
    const { sampleRateHz } = leg.format
    this.queue = new SampleQueue(sampleRateHz * 60 * queueMinutesMax)
    this.frame = { sampleRateHz, samples: new Int16Array(samplesPerFrame(sampleRateHz)) }
    this.silence = { sampleRateHz, samples: new Int16Array(samplesPerFrame(sampleRateHz)) }
  }

  /** A reply begins: it starts to sound when `warmUpMs` of it are queued, or all of it. */
  begin(warmUpMs: Milliseconds): void {
    this.queue.clear()
    this.stage = 'warm_up'
    this.complete = false
    this.dryFrames = 0
    this.playedSamples = 0
    this.warmUpSamples = msToSamples(warmUpMs, this.leg.format.sampleRateHz)
  }

  push(samples: Int16Array): void {
    if (this.stage === 'idle' || this.complete) return
    if (this.queue.push(samples) === 'full') this.counters.overruns += 1
  }

  /** No more audio of this reply will come. */
  end(): void {
    if (this.stage !== 'idle') this.complete = true
  }

  /** Drops what has not left yet; the frame being spoken is the last. Returns what was heard of the reply. */
  flush(): Milliseconds {
    const heardMs = this.heardMs
    this.queue.clear()
    this.stage = 'idle'
    return heardMs
  }

  get active(): boolean {
    return this.stage !== 'idle'
  }

  /** How much of the current (or last) reply has left. */
  get heardMs(): Milliseconds {
    return samplesToMs(this.playedSamples, this.leg.format.sampleRateHz)
  }

  get queuedMs(): Milliseconds {
    return samplesToMs(this.queue.length, this.leg.format.sampleRateHz)
  }

  writeFrames(count: number): void {
    for (let index = 0; index < count; index += 1) this.writeFrame()
  }

  private writeFrame(): void {
    this.counters.frames += 1
    if (this.stage === 'warm_up' && (this.complete || this.queue.length >= Math.max(1, this.warmUpSamples))) {
      this.stage = 'playing'
      this.dryFrames = 0
    }
    if (this.stage === 'idle') return this.send(this.silence)
    if (this.stage === 'warm_up') {
      this.waitForAudio()
      return this.send(this.silence)
    }
    const { samples } = this.frame
    const whole = this.queue.length >= samples.length
    if (!whole && !this.complete) {
      if (this.dryFrames === 0) this.counters.underruns += 1
      this.waitForAudio()
      return this.send(this.silence)
    }
    this.dryFrames = 0
    const taken = this.queue.take(samples)
    // The tail of a reply is padded, so that it neither clicks nor waits.
    samples.fill(0, taken)
    if (taken > 0) {
      this.send(this.frame)
      const first = this.playedSamples === 0
      this.playedSamples += taken
      if (first) this.listener.replyStarted()
    } else {
      this.send(this.silence)
    }
    if (this.complete && this.queue.length === 0) {
      this.stage = 'idle'
      this.listener.replyDone()
    }
  }

  /** A provider that stops in mid-reply, or in the warm-up, must not keep the gate shut for ever. */
  private waitForAudio(): void {
    this.dryFrames += 1
    if (this.dryFrames >= dryFramesMax) this.complete = true
  }

  private send(frame: AudioFrame): void {
    if (this.leg.write(frame) === 'full') this.counters.full += 1
  }
}
