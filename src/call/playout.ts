import {
  type AudioFrame,
  msToSamples,
  ptimeMs,
  type SampleRateHz,
  samplesPerFrame,
  samplesToMs,
} from '#audio/format.ts'
import { SampleQueue } from '#audio/sample-queue.ts'
import type { Milliseconds } from '#base/clock.ts'
import { FilePart } from './file-part.ts'
import type { FilePlaybackEvent, FilePlayer, FileWay } from './file-player.ts'
import { heardMs } from './heard.ts'
import type { Leg } from './leg.ts'
import { LegWriter, Loudness } from './leg-writer.ts'
import type { PacedWriter } from './pacer.ts'
import {
  type FallbackReason,
  type Hold,
  noPlayoutCounters,
  type PlayoutListener,
  type PlayoutSettings,
} from './playout-contract.ts'
import type { WarmUp } from './warm-up.ts'

/**
 * The only writer to a leg. One frame leaves per ptime, from the first to the last moment of the call: reply audio where
 * there is some, silence where there is none (an Asterisk that hears nothing may stop sending).
 *
 * A reply is queued whole, however fast its provider sends; only an interruption empties the queue. Its stages:
 *
 * | stage     | what leaves          | goes on when                                                                     |
 * |-----------|----------------------|----------------------------------------------------------------------------------|
 * | idle      | silence              | a reply begins                                                                   |
 * | warm_up   | silence              | the warm-up is queued, or the reply is complete → playing                        |
 * | playing   | the reply            | the queue is dry: complete → idle, else → refilling                              |
 * | refilling | silence (underrun)   | the low watermark is queued, nothing has come for 100 ms, or the reply is complete → playing; too long → gathering |
 * | gathering | silence              | the reply is complete → filed                                                    |
 * | filed     | silence; the PBX plays the rest from a file | it has played → idle; it could not → playing          |
 *
 * Audio that comes after a reply's end reopens it, until none has come for the provider's grace. A frame that the leg
 * refuses stays the next one: nothing of a reply is skipped, and nothing is said twice.
 *
 * Beside its stage a reply may be held back while somebody speaks over it (`hold`): `ducked`, it sounds more softly;
 * `paused`, silence leaves in its place, its clocks stand still, and it goes on at the very frame where it stopped.
 */

/** A bound against a provider that never stops; no spoken reply is longer. */
const queueMinutesMax = 10
/** A reply that brings no audio for 5 s and was never declared complete is over with the first frame after them. */
const dryFramesMax = 250
/** 100 ms: words wait no longer for more to come, or the last ones of a reply that broke off come seconds late. */
const wordsWaitFrames = 5

type Stage = 'idle' | 'warm_up' | 'playing' | 'refilling' | 'gathering' | 'filed'

export class Playout implements PacedWriter {
  readonly counters = noPlayoutCounters()
  private readonly sampleRateHz: SampleRateHz
  private readonly listener: PlayoutListener
  private readonly settings: PlayoutSettings
  private readonly warmUp: WarmUp
  /** Null: no file can be played. */
  private readonly filePart: FilePart | null
  private readonly queue: SampleQueue
  private readonly frame: AudioFrame
  /** What leaves goes through it; who looks at that sets its `sent`. */
  readonly line: LegWriter
  private readonly loudness = new Loudness()
  private readonly lowWatermarkSamples: number
  /** No other leg will come. */
  private legGone = false
  private stage: Stage = 'idle'
  private complete = false
  /** Audio came after the end of the reply: the grace decides when it is complete again. */
  private reopened = false
  private announced = false
  private byFile = false
  private fileWay: FileWay = 'beside'
  private warmUpSamples = 0
  private playedSamples = 0
  /** Frame times since the last audio; in which the reply has waited for some; and since the queue ran dry. */
  private sinceAudioFrames = 0
  private dryFrames = 0
  private gapFrames = 0
  private underran = false
  private started = false
  /** Words that wait for more to come have waited long enough: the reply may have broken off. */
  private draining = false
  /** Samples of the frame that the leg has refused so far; 0: it took the last one. */
  private heldSamples = 0
  private refusedInRow = 0
  private held: Hold = 'none'

  constructor(
    sampleRateHz: SampleRateHz,
    listener: PlayoutListener,
    settings: PlayoutSettings,
    warmUp: WarmUp,
    files: FilePlayer | null,
  ) {
    this.sampleRateHz = sampleRateHz
    this.listener = listener
    this.settings = settings
    this.warmUp = warmUp
    this.filePart = files === null ? null : new FilePart(files, sampleRateHz, samplesPerFrame(sampleRateHz))
    this.queue = new SampleQueue(sampleRateHz * 60 * queueMinutesMax)
    this.frame = { sampleRateHz, samples: new Int16Array(samplesPerFrame(sampleRateHz)) }
    this.line = new LegWriter(sampleRateHz, this.counters)
    this.lowWatermarkSamples = msToSamples(settings.lowWatermarkMs, sampleRateHz)
  }

  /** Null: the leg is gone; a reply waits where it is for the next one. */
  setLeg(leg: Leg | null): void {
    this.line.leg = leg
    if (leg === null) this.callBack()
    this.line.joining = null
    this.legGone = false
    this.refusedInRow = 0
  }

  /** A leg whose channel is not in the bridge yet gets silence: a reply would go unheard. */
  expectLeg(leg: Leg): void {
    this.line.joining = leg
  }

  /** The provider has said that a reply will come: what comes behind one that still sounds is not its late rest. */
  announce(): void {
    if (this.stage === 'idle') this.dryFrames = 0
    this.announced = true
  }

  /** A reply begins: it starts to sound when `baseMs` of it (more, after underruns) are queued, or all of it. */
  begin(baseMs: Milliseconds): void {
    const withinGrace = this.sinceAudioFrames * ptimeMs <= this.settings.graceMs
    const continues = withinGrace && !this.announced && this.complete && this.playedSamples > 0
    const late = this.announced && this.isLate
    const { playedSamples } = this
    this.reset()
    if (continues) this.playedSamples = playedSamples
    this.warmUpSamples = continues ? 0 : msToSamples(this.warmUp.of(baseMs), this.sampleRateHz)
    this.stage = this.settings.mode === 'file' && this.filePart !== null ? 'gathering' : 'warm_up'
    // Its own end was announced already: only the grace ends what comes late.
    this.reopened = continues
    if (late && this.stage === 'warm_up') this.fallBack('no_audio')
  }

  push(samples: Int16Array): void {
    if (this.stage === 'idle') return
    if (this.complete) {
      this.complete = false
      // What was announced is another reply, and as long in coming as any.
      this.reopened = !this.announced
    }
    this.announced = false
    this.dryFrames = 0
    this.sinceAudioFrames = 0
    if (this.queue.push(samples) === 'full') this.counters.overruns += 1
    this.counters.depthMaxMs = Math.max(this.counters.depthMaxMs, this.queuedMs)
  }

  /** No more audio of this reply will come. */
  end(): void {
    if (this.stage !== 'idle') this.complete = true
    this.reopened = false
  }

  /** Drops what has not left yet; the frame being spoken is the last. Returns what was heard of the reply. */
  flush(): Milliseconds {
    const heard = this.heardMs
    this.filePart?.stop()
    this.line.leg?.flush()
    this.reset()
    this.playedSamples = msToSamples(heard, this.sampleRateHz)
    return heard
  }

  /** Holds the reply back, or lets it go on; a reply that begins or is dropped is held back by nothing. */
  hold(hold: Hold): void {
    if (this.stage === 'idle' || hold === this.held) return
    if (this.held === 'paused' || hold === 'paused') this.filePart?.pause(hold === 'paused')
    this.held = hold
  }

  get holding(): Hold {
    return this.held
  }

  /** The leg is gone for good: the rest of the reply comes from a file. False where that cannot be. */
  takeTheFilePath(): boolean {
    if (this.filePart === null || this.stage === 'idle') return false
    this.legGone = true
    if (this.stage !== 'filed' && this.stage !== 'gathering') this.fallBack('leg_lost')
    this.fileWay = 'instead'
    return true
  }

  get active(): boolean {
    return this.stage !== 'idle'
  }

  /** How much of the current (or last) reply has been heard. */
  get heardMs(): Milliseconds {
    const streamedMs = samplesToMs(this.playedSamples, this.sampleRateHz)
    const filedMs = samplesToMs(this.filePart?.heardSamples ?? 0, this.sampleRateHz)
    // What lies inside Asterisk is the end of what was streamed, as long as the reply is under way.
    return heardMs(streamedMs, this.stage === 'idle' ? 0 : this.line.aheadMs) + filedMs
  }

  get queuedMs(): Milliseconds {
    return samplesToMs(this.queue.length, this.sampleRateHz)
  }

  writeFrames(count: number): void {
    for (let index = 0; index < count; index += 1) this.writeFrame()
  }

  private reset(): void {
    this.queue.clear()
    this.stage = 'idle'
    this.complete = false
    this.reopened = false
    this.announced = false
    this.byFile = false
    this.fileWay = 'beside'
    this.underran = false
    this.started = false
    this.dryFrames = 0
    this.sinceAudioFrames = 0
    this.gapFrames = 0
    this.heldSamples = 0
    this.draining = false
    this.refusedInRow = 0
    this.playedSamples = 0
    this.held = 'none'
    this.loudness.reset()
    this.filePart?.clear()
  }

  private writeFrame(): void {
    this.sinceAudioFrames += 1
    if (this.held === 'paused') return this.line.offerSilence()
    // A reply that plays, or that the leg does not take, is not waiting for its provider.
    const hasAudio = this.heldSamples > 0 || this.queue.length >= this.frame.samples.length
    this.dryFrames = this.stage === 'playing' && hasAudio ? 0 : this.dryFrames + 1
    if (this.stage === 'idle') return this.line.offerSilence()
    if (!this.complete && this.stage !== 'filed') this.endIfDry()
    if (
      this.stage === 'warm_up' &&
      (this.complete || this.queue.length >= Math.max(this.frame.samples.length, this.warmUpSamples))
    ) {
      this.stage = 'playing'
    } else if (this.stage === 'warm_up' && this.isLate) {
      this.fallBack('no_audio')
    }
    if (this.stage === 'refilling') this.refill()
    if (this.stage === 'gathering' && this.complete) this.file()
    if (this.stage === 'playing') return this.play()
    if (this.stage !== 'filed' || this.filePart === null) return this.line.offerSilence()
    // No frame waits in there: the file has taken all that there was. Its echo comes back as that of the stream does.
    this.filePart.tick(this.frame.samples)
    this.line.offerSilenceBeside(this.frame)
  }

  /** A provider that stops in mid-reply must not keep the gate shut for ever; one that is late may still go on. */
  private endIfDry(): void {
    const graceIsOver = this.reopened && this.sinceAudioFrames * ptimeMs > this.settings.graceMs
    if (graceIsOver || this.dryFrames > dryFramesMax) this.complete = true
  }

  private get isLate(): boolean {
    return this.dryFrames * ptimeMs >= this.settings.fallbackMs
  }

  private play(): void {
    const { samples } = this.frame
    if (this.heldSamples === 0) {
      if (this.queue.length < samples.length && !this.complete && !(this.draining && this.queue.length > 0)) {
        this.draining = false
        this.stage = 'refilling'
        this.gapFrames = 1
        this.line.offerSilence()
        return
      }
      if (!this.complete && this.queue.length < this.lowWatermarkSamples) this.counters.lowFrames += 1
      this.heldSamples = this.queue.take(samples)
      // The tail of a reply is padded, so that it neither clicks nor waits.
      samples.fill(0, this.heldSamples)
      this.loudness.apply(samples, this.held === 'ducked' ? this.settings.duckGain : 1)
    }
    if (this.heldSamples === 0) this.line.offerSilence()
    else if (!this.line.offer(this.frame)) return this.refused()
    this.refusedInRow = 0
    this.playedSamples += this.heldSamples
    if (this.heldSamples > 0) this.sounds()
    this.heldSamples = 0
    if (this.complete && this.queue.length === 0) this.done()
  }

  private sounds(): void {
    if (this.started) return
    this.started = true
    this.listener.replyStarted()
  }

  /** The frame stays the next one. A leg that takes nothing for too long is no way to the caller's ear. */
  private refused(): void {
    this.refusedInRow += 1
    if (this.line.leg === null || this.refusedInRow !== Math.ceil(this.settings.fallbackMs / ptimeMs)) return
    this.listener.stuck()
    this.fallBack('leg_stuck')
  }

  private refill(): void {
    const enough = this.queue.length >= Math.max(this.frame.samples.length, this.lowWatermarkSamples)
    this.draining = !enough && this.queue.length > 0 && this.dryFrames >= wordsWaitFrames
    if (this.complete || enough || this.draining) {
      if (this.queue.length > 0) {
        this.underran = true
        this.counters.underruns += 1
        if (!this.draining) this.warmUp.underran(this.gapFrames * ptimeMs)
      }
      this.stage = 'playing'
      return
    }
    this.gapFrames += 1
    if (this.isLate) this.fallBack('no_audio')
  }

  private done(): void {
    this.stage = 'idle'
    this.held = 'none'
    this.loudness.reset()
    if (!this.underran && !this.byFile) this.warmUp.ranClean()
    this.listener.replyDone()
  }

  // ── the file path ─────────────────────────────────────────────────────────────────────────────────────────────

  private fallBack(reason: FallbackReason): void {
    if (this.filePart === null) return
    this.stage = 'gathering'
    this.byFile = true
    this.fileWay = reason === 'no_audio' ? 'beside' : 'instead'
    this.counters.fallbacks += 1
    this.listener.fellBack(reason)
  }

  /** All that is left of the reply, the frame that the leg refused included, in one piece. */
  private file(): void {
    const rest = new Int16Array(this.heldSamples + this.queue.length)
    rest.set(this.frame.samples.subarray(0, this.heldSamples))
    this.queue.take(rest.subarray(this.heldSamples))
    this.heldSamples = 0
    if (rest.length === 0 || this.filePart === null) return this.done()
    this.stage = 'filed'
    this.byFile = true
    // Without a stream nothing is heard beside it.
    if (this.line.leg === null && this.settings.mode === 'stream') this.fileWay = 'instead'
    this.filePart.play(rest, this.fileWay, (event) => this.filePlayed(event))
  }

  private filePlayed(event: FilePlaybackEvent): void {
    if (this.stage !== 'filed' || this.filePart === null) return
    // One that has finished was heard, also where its start was never told.
    if (event !== 'failed') this.sounds()
    if (event === 'started') return
    if (event === 'failed') {
      this.counters.filesFailed += 1
      return this.takeBack(this.filePart)
    }
    this.playedSamples += this.filePart.finish()
    // What came while the file was playing is the reply's next part.
    if (this.queue.length > 0 || !this.complete) this.stage = 'gathering'
    else this.done()
  }

  /** What is whispered beside a stream is not heard without one: the rest of it waits for the next way. */
  private callBack(): void {
    const { filePart } = this
    if (filePart === null || this.stage !== 'filed') return
    if (this.fileWay !== 'beside' || this.settings.mode === 'file') return
    filePart.stop()
    this.takeBack(filePart)
  }

  /** What could not be played from a file goes the other way, where there still is one. */
  private takeBack(filePart: FilePart): void {
    this.playedSamples += filePart.heardSamples
    this.queue.putBack(filePart.takeBack())
    // A leg that took nothing before is given its time again.
    this.refusedInRow = 0
    if (this.legGone) this.queue.clear()
    this.complete ||= this.legGone
    this.stage = 'playing'
  }
}
