import type { Clock, Milliseconds } from '#base/clock.ts'
import type { OverlapVerdict } from './barge-in.ts'
import type { LineEcho } from './line-echo.ts'
import type { SpeechEvent } from './speech-detector.ts'

/**
 * The caller's voice, as whoever is asked can tell: our detector, or an agent that finds the turns itself. It keeps the
 * agent's own echo apart, and knows what was said into the end of a reply and its guard time.
 */
export interface CallerVoiceDeps {
  readonly clock: Clock
  /** Null where the line is not compared with what was sent: what begins and ends in a guard time is taken for echo. */
  readonly echo: LineEcho | null
  /** How long the voice has been quiet, as the detector knows it before it says so. */
  readonly quietMs: () => Milliseconds
}

/** A short answer in the last words of a question is an answer, and no listener's murmur. */
const answerWithinMs: Milliseconds = 500
/** So much of the line's newest audio tells an echo from a voice. */
const echoWindowMs: Milliseconds = 240
/** For so long after a reply its echo may be on its way, through a slow network. */
const lateEchoMaxMs: Milliseconds = 800

/** Who speaks when the guard time after a reply is over. */
export type AfterReply = 'nobody' | 'speaking' | 'has_spoken'

export class CallerVoice {
  speaking = false
  /** What an agent that finds the turns itself said last, whoever is asked now. */
  agentHears = false
  /** What our detector said last, whoever is asked now. */
  detectorHears = false
  /** Since when, and what began before the reply and over which nothing has been decided yet. */
  detectorStartedMs: Milliseconds = 0
  unjudged = false
  /** What sounds is known to be the agent's echo. */
  echoing = false
  startedMs: Milliseconds = 0
  stoppedMs: Milliseconds = 0
  /** How much of the line has come since, as of that event. */
  stoppedAgoMs: Milliseconds = 0
  private readonly deps: CallerVoiceDeps
  private replyEndedMs = Number.NEGATIVE_INFINITY
  /** The caller has spoken, and is done, in the last words of the reply or in its guard time. */
  private answered = false

  constructor(deps: CallerVoiceDeps) {
    this.deps = deps
  }

  /** From our detector, whoever is asked now. */
  detected(event: SpeechEvent): void {
    this.detectorHears = event.type === 'speech_started'
    if (this.detectorHears) this.detectorStartedMs = this.deps.clock.now() - event.agoMs
  }

  /** @param during `reply`: while the agent speaks, where overlaps are judged; `guard`: right after it */
  heard(event: SpeechEvent, during: 'reply' | 'guard' | 'silence'): void {
    const atMs = this.deps.clock.now() - event.agoMs
    if (event.type === 'speech_started') {
      this.speaking = true
      // What was said into the guard time and goes on is one utterance.
      if (during !== 'guard' || !this.answered) this.startedMs = atMs
      this.echoing =
        during !== 'reply' &&
        atMs <= this.replyEndedMs + lateEchoMaxMs &&
        this.deps.echo?.soundOf(event.agoMs) === 'echo'
      return
    }
    if (during === 'guard' && !this.echoing) this.answered = this.deps.echo !== null
    this.speaking = false
    this.echoing = false
    // Where the caller was muted until now, the voice began with that.
    this.stoppedMs = Math.max(atMs, this.startedMs)
    this.stoppedAgoMs = event.agoMs
  }

  replyBegins(): void {
    this.answered = false
    this.unjudged = this.detectorHears
  }

  /** @param last the overlap that ended last in this reply */
  replyEnded(last: { readonly endedMs: Milliseconds; readonly verdict: OverlapVerdict } | null): void {
    this.replyEndedMs = this.deps.clock.now()
    const late = last !== null && last.endedMs > this.replyEndedMs - answerWithinMs
    // Words that were still being waited for when the reply ended leave an overlap without a verdict.
    const spoke = late && (last.verdict === 'backchannel' || last.verdict === 'ignored')
    this.answered = this.deps.echo !== null && !this.speaking && spoke
  }

  guardOver(): AfterReply {
    if (this.speaking) this.lookForEcho()
    if (this.speaking && !this.echoing) return 'speaking'
    return this.answered && !this.speaking ? 'has_spoken' : 'nobody'
  }

  /** Still the echo, or somebody in its place. */
  private lookForEcho(): void {
    const { clock, echo, quietMs } = this.deps
    if (echo === null) return
    const was = this.echoing
    const sound = echo.soundOf(Math.min(echoWindowMs, clock.now() - this.startedMs))
    // The detector notices the end of a sound some time after it: the quiet behind an echo is no voice.
    this.echoing = sound === 'echo' || (was && (sound === 'silence' || quietMs() > 0))
    if (was && !this.echoing) this.startedMs = clock.now() - echo.onsetMs
  }
}
