import type { Milliseconds } from '#base/clock.ts'
import type { TurnState } from '#call/turn-state.ts'
import type { LineFrame } from './true-echo.ts'

/** A frame of the caller's line, and what the engine was doing when it had taken it. */
export interface SaidFrame extends LineFrame {
  readonly atMs: Milliseconds
  readonly fromSample: number
  readonly samples: number
  readonly state: TurnState
  readonly muted: boolean
  /** A leg took it to the engine. */
  readonly delivered: boolean
}

/** One stretch of the caller's own voice, clear to anybody: out of silence, without a pause, with no echo about. */
export interface Utterance {
  readonly from: number
  until: number
  readonly fromMs: Milliseconds
  untilMs: Milliseconds
  frames: number
  clear: boolean
  muted: boolean
  /** What the engine was doing when it began, and when it must have noticed that. */
  readonly beganIn: TurnState
  noticedIn: TurnState | null
  /** And from then on, until it must have noticed its end. */
  readonly states: TurnState[]
}

/** As a detector of loudness needs it: 200 ms of quiet before; three frames are a voice, five without one its end. */
const quietFramesMin = 10
const noticedFrames = 3
const framesAfter = 5
/** An echo is on its way for so long after it has been switched off. */
const echoFramesMax = 40

export class Utterances {
  readonly all: Utterance[] = []
  lastLoudMs: Milliseconds = 0
  private current: Utterance | null = null
  private quietFrames = 0
  private sinceEcho = echoFramesMax
  private endedFrames = 0

  frame(frame: SaidFrame): void {
    const { loud, own, atMs } = frame
    this.sinceEcho = frame.echoes ? 0 : this.sinceEcho + 1
    if (loud) this.lastLoudMs = atMs
    const voice = loud && own
    if (this.current === null && voice && this.quietFrames >= quietFramesMin) this.begin(frame)
    const { current } = this
    if (current !== null) this.goOn(current, frame, voice)
    this.quietFrames = loud ? 0 : this.quietFrames + 1
  }

  private begin({ fromSample, atMs, state }: SaidFrame): void {
    this.endedFrames = 0
    this.current = {
      from: fromSample,
      until: fromSample,
      fromMs: atMs,
      untilMs: atMs,
      frames: 0,
      clear: true,
      muted: false,
      beganIn: state,
      noticedIn: null,
      states: [],
    }
    this.all.push(this.current)
  }

  private goOn(utterance: Utterance, frame: SaidFrame, voice: boolean): void {
    if (!frame.delivered || this.sinceEcho < echoFramesMax) utterance.clear = false
    if (frame.muted) utterance.muted = true
    if (voice && this.endedFrames === 0) {
      utterance.frames += 1
      utterance.until = frame.fromSample + frame.samples
      utterance.untilMs = frame.atMs
    } else {
      this.endedFrames += 1
    }
    if (utterance.frames === noticedFrames && utterance.noticedIn === null) utterance.noticedIn = frame.state
    if (utterance.noticedIn !== null && utterance.states.at(-1) !== frame.state) utterance.states.push(frame.state)
    if (this.endedFrames >= framesAfter) this.current = null
  }
}
