import { type AudioFrame, ptimeMs, type SampleRateHz, samplesPerFrame } from '#audio/format.ts'
import { peakOf } from '#audio/level.ts'
import type { Clock, Milliseconds } from '#base/clock.ts'
import type { FilePlayer } from './file-player.ts'
import type { HangupCause, Leg, LegEvent, LegStats } from './leg.ts'
import { noLegStats } from './leg.ts'
import { LineGaps } from './line-gaps.ts'
import type { AudioFacts } from './observer.ts'
import type { Pacer } from './pacer.ts'
import { Playout } from './playout.ts'
import type { PlayoutListener, PlayoutSettings } from './playout-contract.ts'
import type { WarmUp } from './warm-up.ts'

/**
 * The audio of one call, both ways: the leg it has now, the playout that outlives a leg, and what is counted of them. A
 * leg that is lost in mid-call can be followed by another; the reply waits for it.
 */
export interface MediaPathDeps {
  readonly clock: Clock
  readonly pacer: Pacer
  readonly sampleRateHz: SampleRateHz
  readonly playout: PlayoutSettings
  readonly warmUp: WarmUp
  readonly files: FilePlayer | null
}

export interface MediaPathListener extends PlayoutListener {
  frame(frame: AudioFrame): void
  digit(digit: string): void
  /** The leg in use has ended. */
  legEnded(cause: HangupCause): void
  /** A bug on the audio path. */
  broke(thrown: unknown): void
}

export class MediaPath {
  readonly playout: Playout
  /** Legs that followed a lost one. */
  restarts = 0
  framesIn = 0
  /** The largest magnitude of the caller's samples, as long as it is being watched. */
  peak = 0
  private readonly deps: MediaPathDeps
  private readonly listener: MediaPathListener
  private readonly pacing: Disposable
  private leg: Leg | null = null
  private legs = 0
  private watching = true
  private firstFrameMs: Milliseconds | null = null
  private lastFrameMs: Milliseconds | null = null
  private readonly past: LegStats = noLegStats()
  private readonly silence: AudioFrame
  private readonly gaps = new LineGaps()

  /**
   * From now on a frame is due every 20 ms, and the first one now: an Asterisk that reads an AudioSocket which brings
   * nothing waits with its channels locked, all calls' (`res_audiosocket.c`).
   */
  constructor(deps: MediaPathDeps, listener: MediaPathListener, leg: Leg) {
    this.deps = deps
    this.listener = listener
    const { sampleRateHz } = deps
    this.silence = { sampleRateHz, samples: new Int16Array(samplesPerFrame(sampleRateHz)) }
    this.playout = new Playout(deps.sampleRateHz, listener, deps.playout, deps.warmUp, deps.files)
    this.attach(leg)
    this.resume()
    const { playout } = this
    this.pacing = deps.pacer.add({
      writeFrames: (count) => {
        // Guarded by hand, so that no closure is made for each frame.
        try {
          playout.writeFrames(count)
          this.fillSilence()
        } catch (thrown) {
          listener.broke(thrown)
        }
      },
    })
    playout.writeFrames(1)
  }

  get attached(): boolean {
    return this.leg !== null
  }

  /** The caller was heard so lately that the leg cannot have been a dead one. */
  heardWithin(durationMs: Milliseconds): boolean {
    return this.lastFrameMs !== null && this.deps.clock.now() - this.lastFrameMs <= durationMs
  }

  /** The caller is heard through it from now on; the agent only once `resume` is called. */
  attach(leg: Leg): void {
    if (this.legs > 0) this.restarts += 1
    this.legs += 1
    this.leg = leg
    this.gaps.reset()
    this.playout.expectLeg(leg)
    leg.onEvent((event) => {
      // A leg that was given up for another one has nothing more to say.
      if (this.leg !== leg) return
      try {
        this.onLeg(event)
      } catch (thrown) {
        this.listener.broke(thrown)
      }
    })
  }

  /** What is written to the leg is heard from now on. */
  resume(): void {
    this.playout.setLeg(this.leg)
  }

  /** Gives up the leg, where there is one: what it still says means nothing. Resolves when it is closed. */
  detach(cause: HangupCause): Promise<void> {
    const { leg } = this
    this.forget()
    return leg?.close(cause) ?? Promise.resolve()
  }

  /** What the caller's side has brought so far; from now on its level is no longer looked at. */
  endWatch(): { readonly frames: number; readonly peak: number } {
    this.watching = false
    return { frames: this.framesIn, peak: this.peak }
  }

  close(cause: HangupCause): Promise<void> {
    this.pacing[Symbol.dispose]()
    return this.leg?.close(cause) ?? Promise.resolve()
  }

  facts(detectorFull: number): AudioFacts {
    const { counters } = this.playout
    const stats = this.leg?.stats ?? noLegStats()
    const { past } = this
    return {
      framesIn: this.framesIn,
      framesOut: counters.frames,
      framesRefused: counters.full,
      underruns: counters.underruns,
      overruns: counters.overruns,
      fallbacks: counters.fallbacks,
      filesFailed: counters.filesFailed,
      restarts: this.restarts,
      lowFrames: counters.lowFrames,
      depthMaxMs: counters.depthMaxMs,
      driftMs: this.driftMs,
      lost: past.lost + stats.lost,
      late: past.late + stats.late,
      duplicates: past.duplicates + stats.duplicates,
      reordered: past.reordered + stats.reordered,
      concealed: past.concealed + stats.concealed,
      detectorFull,
    }
  }

  /**
   * By how much the caller's samples ran ahead of the clock (behind it: negative) from the first frame to the last; what
   * was never sent, on hold or muted, counts as behind. A leg that makes up frames by our own clock tells by the sender's.
   */
  private get driftMs(): Milliseconds {
    const told = this.leg?.stats.driftMs ?? null
    if (told !== null || this.past.driftMs !== null) return (this.past.driftMs ?? 0) + (told ?? 0)
    if (this.firstFrameMs === null || this.lastFrameMs === null) return 0
    return (this.framesIn - 1) * ptimeMs - (this.lastFrameMs - this.firstFrameMs)
  }

  private onLeg(event: LegEvent): void {
    switch (event.type) {
      case 'audio':
        this.gaps.frame()
        if (event.madeUp !== true) this.heardFrame()
        if (this.watching) this.peak = Math.max(this.peak, peakOf(event.frame.samples))
        return this.listener.frame(event.frame)
      case 'dtmf':
        return this.listener.digit(event.digit)
      case 'ended':
        this.forget()
        return this.listener.legEnded(event.cause)
    }
  }

  private fillSilence(): void {
    const due = this.gaps.tick()
    if (this.framesIn === 0 || this.leg === null) return
    for (let index = 0; index < due; index += 1) this.listener.frame(this.silence)
  }

  private heardFrame(): void {
    this.framesIn += 1
    this.lastFrameMs = this.deps.clock.now()
    this.firstFrameMs ??= this.lastFrameMs
  }

  /** Of a leg that is gone its figures stay. */
  private forget(): void {
    const { past, leg } = this
    this.leg = null
    this.playout.setLeg(null)
    if (leg === null) return
    past.lost += leg.stats.lost
    past.late += leg.stats.late
    past.duplicates += leg.stats.duplicates
    past.reordered += leg.stats.reordered
    past.concealed += leg.stats.concealed
    if (leg.stats.driftMs !== null) past.driftMs = (past.driftMs ?? 0) + leg.stats.driftMs
  }
}

/** A call whose media never came. */
export const noAudio: AudioFacts = {
  framesIn: 0,
  framesOut: 0,
  framesRefused: 0,
  underruns: 0,
  overruns: 0,
  fallbacks: 0,
  filesFailed: 0,
  restarts: 0,
  lowFrames: 0,
  depthMaxMs: 0,
  driftMs: 0,
  lost: 0,
  late: 0,
  duplicates: 0,
  reordered: 0,
  concealed: 0,
  detectorFull: 0,
}
