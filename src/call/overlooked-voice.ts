import { levelDbfs } from '#audio/level.ts'
import type { Milliseconds } from '#base/clock.ts'
import type { LineSound } from './line-echo.ts'
import { lineBeforeMs, type OverlapListener, type OverlapScore } from './overlap-model.ts'
import type { SpeechEvent } from './speech-detector.ts'
import { SteadyLevel } from './steady-level.ts'
import type { TurnState } from './turn-state.ts'

/**
 * A voice that the detector does not hear: it knows speech, and gives shouts, sung words and hums little more than a
 * noise. While nothing else is heard, the line's level tells that something sounds; what it is, the model of overlaps
 * says, and nobody is told of it unless the model is sure: over the agent's voice that it interrupts, in the agent's
 * silence that it is no noise, for there a hum is an answer. A tone is neither. Then it begins and ends as the detector's own would, by its
 * level, until the detector hears it after all.
 *
 * The floor follows the line where nobody is listened to, faster down than up: what lies over it for two thirds of the
 * time, so that a noise that lasts becomes the floor, and the voices of a babble hardly rise over their own.
 */
export interface OverlookedVoiceDeps {
  readonly sampleRateHz: number
  readonly listener: OverlapListener
  /** The newest audio of the line. */
  readonly past: (durationMs: Milliseconds) => Int16Array
  /** What the newest of it is; `other` where it is not compared with what was sent. */
  readonly soundOf: (newestMs: Milliseconds) => LineSound
  readonly event: (event: SpeechEvent) => void
}

/** Who might be overlooked: somebody over the agent's reply, somebody in its silence; null: there is nobody to look for. */
export type Overlooks = 'reply' | 'silence' | null

/** When that silence is. */
export const betweenReplies: readonly TurnState[] = ['listening', 'endpointing', 'thinking', 'guarding']

const quietestDbfs = -50
const overFloorDb = 12
const floorDbPerSecond = { up: 6, down: 12 } as const
/** A sound of so long may be a voice; a gap of so long ends one, and one that nobody is sure of by then is none. */
const soundsMs: Milliseconds = 100
const gapMs: Milliseconds = 300
const soundsMsMax: Milliseconds = 2500
/** A voice that the detector has not heard anything of for so long is none: something has come up that stays. */
const speaksMsMax: Milliseconds = 10_000
/** p(interruption) from which, p(noise) up to which the model is sure, from so long a voice on, where it stands for so long. */
const interruptionFrom = 0.8
const noiseUpTo = 0.05
const sureAfterMs: Milliseconds = 360
const sureForMs: Milliseconds = 60

export class OverlookedVoice {
  private readonly deps: OverlookedVoiceDeps
  private state: 'idle' | 'listening' | 'speaking' = 'idle'
  private floorDbfs = quietestDbfs
  private loudMs: Milliseconds = 0
  private sinceMs: Milliseconds = 0
  private quiet: Milliseconds = 0
  private sureMs: Milliseconds = 0
  private readonly level = new SteadyLevel()

  constructor(deps: OverlookedVoiceDeps) {
    this.deps = deps
  }

  get speaking(): boolean {
    return this.state === 'speaking'
  }

  /** How long the voice has been quiet; null where there is none. */
  get quietMs(): Milliseconds | null {
    return this.state === 'speaking' ? this.quiet : null
  }

  /** The detector hears somebody: from now on it is asked alone. */
  handOver(): void {
    this.rest()
  }

  /** One frame of the caller's. */
  frame(samples: Int16Array, overlooks: Overlooks): void {
    const ms = (samples.length * 1000) / this.deps.sampleRateHz
    const dbfs = levelDbfs(samples)
    if (this.state === 'idle') this.follow(dbfs, ms / 1000)
    const loud = dbfs >= Math.max(this.floorDbfs, quietestDbfs) + overFloorDb
    if (this.state === 'speaking') return this.sounding(dbfs, loud, ms)
    if (overlooks === null) return this.rest()
    if (loud) this.level.add(dbfs)
    if (this.state === 'listening') return this.listening(samples, overlooks, dbfs, loud, ms)
    this.loudMs = loud ? this.loudMs + ms : 0
    if (!loud) this.level.restart()
    if (this.loudMs < soundsMs) return
    this.state = 'listening'
    this.sinceMs = this.loudMs
    this.quiet = 0
    this.sureMs = 0
    this.deps.listener.begin(this.deps.past(this.sinceMs + lineBeforeMs), this.sinceMs)
  }

  private follow(dbfs: number, seconds: number): void {
    const { up, down } = floorDbPerSecond
    this.floorDbfs += Math.max(-down * seconds, Math.min(up * seconds, dbfs - this.floorDbfs))
  }

  private listening(
    samples: Int16Array,
    overlooks: 'reply' | 'silence',
    dbfs: number,
    loud: boolean,
    ms: Milliseconds,
  ): void {
    const { listener, soundOf, event } = this.deps
    listener.push(samples)
    this.sinceMs += ms
    this.quiet = loud ? 0 : this.quiet + ms
    if (this.quiet >= gapMs) return this.rest()
    if (this.sinceMs > soundsMsMax) return this.stays(dbfs)
    // The model is sure for a little longer of what has just fallen silent, and that may have been an echo.
    const sounds = loud && this.sinceMs >= sureAfterMs && isSure(listener.score, overlooks) && !this.level.steady
    const sound = sounds ? soundOf(this.sinceMs) : 'silence'
    // A voice that comes up over the agent's own begins there.
    if (sound === 'echo') return this.rest()
    this.sureMs = sound === 'other' ? this.sureMs + ms : 0
    if (this.sureMs < sureForMs) return
    this.state = 'speaking'
    event({ type: 'speech_started', agoMs: this.sinceMs })
  }

  private sounding(dbfs: number, loud: boolean, ms: Milliseconds): void {
    this.sinceMs += ms
    this.quiet = loud ? 0 : this.quiet + ms
    if (this.quiet < gapMs && this.sinceMs < speaksMsMax) return
    if (this.quiet < gapMs) this.stays(dbfs)
    else this.rest()
    this.deps.event({ type: 'speech_stopped', agoMs: this.quiet })
  }

  /** It belongs to the line from now on. */
  private stays(dbfs: number): void {
    this.floorDbfs = Math.max(this.floorDbfs, dbfs)
    this.rest()
  }

  private rest(): void {
    this.state = 'idle'
    this.loudMs = 0
    this.level.restart()
  }
}

function isSure(score: OverlapScore | null, overlooks: 'reply' | 'silence'): boolean {
  if (score === null) return false
  return overlooks === 'reply' ? score.interruption >= interruptionFrom : score.noise <= noiseUpTo
}
