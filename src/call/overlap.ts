import { ptimeMs } from '#audio/format.ts'
import type { Clock, Milliseconds } from '#base/clock.ts'
import { type BargeInSettings, decideOverlap, type OverlapEvidence, type OverlapVerdict } from './barge-in.ts'
import type { LineEcho } from './line-echo.ts'
import { lineBeforeMs, type OverlapListener } from './overlap-model.ts'
import { overlapVerdict } from './overlap-verdict.ts'
import type { Hold } from './playout-contract.ts'

/**
 * Speech over the agent's, from its onset until it is known what it was: gathers what is known of it, asks `barge-in.ts`
 * with every frame, and does to the reply what that says. One per call; it serves one overlap after the other.
 */
export interface OverlapDeps {
  readonly clock: Clock
  readonly settings: BargeInSettings
  /** BCP 47: whose words of listeners are known. */
  readonly language: string
  readonly hold: (hold: Hold) => void
  /** Of the caller's audio. */
  readonly sampleRateHz: number
  /** The caller's newest audio, oldest sample first; a copy. */
  readonly past: (durationMs: Milliseconds) => Int16Array<ArrayBuffer>
  /** How long the caller's voice has been quiet, as the detector knows it before it says so. */
  readonly quietMs: () => Milliseconds
  /** How much of the line the detector has not judged yet. */
  readonly unjudgedMs: () => Milliseconds
  /** Null where no model judges sounds. */
  readonly listener: OverlapListener | null
  /** Null where nobody writes words down. */
  readonly wordsIn: ((samples: Int16Array<ArrayBuffer>, signal: AbortSignal) => Promise<string | null>) | null
  readonly echo: LineEcho | null
  readonly decided: (verdict: OverlapVerdict) => void
  readonly guarded: (action: () => void) => void
}

/** What one overlap was, when it is over. */
export interface OverlapFacts {
  readonly onsetMs: Milliseconds
  readonly durationMs: Milliseconds
  /** For how long it has silenced the reply so far. */
  readonly pausedMs: Milliseconds
  /** From the onset to where the reply fell silent: before the end of the overlap where it was paused then. */
  readonly reactionMs: Milliseconds
  /** `ignored` where the reply, or the call, was over before there was one. */
  readonly verdict: OverlapVerdict
}

/** The first words are asked for when there may be one, or a shorter voice pauses; then this often, and at the end. */
const firstWordsMs: Milliseconds = 300
const firstPauseMs: Milliseconds = 80
const wordsEveryMs: Milliseconds = 140
/** Words that are not there by then come too late to matter. */
const wordsMaxMs: Milliseconds = 500
/** The detector is behind by so much at most; where more comes at once, the rest has yet to be judged. */
const unjudgedMsMax: Milliseconds = 100
/** Of frames that come at once not each is looked at: what was sent is searched for in what came. */
const lookEveryMs: Milliseconds = 10
const frameLateMs: Milliseconds = 1.5 * ptimeMs
/** A second sound so soon after the first belongs to it: "mm-hm", "no, no". */
const sameSpeechMs: Milliseconds = 700

export class Overlap {
  private readonly deps: OverlapDeps
  private onsetMs: Milliseconds = 0
  /** Of the line since the onset: what did not come is neither voice nor quiet, however long it takes. */
  private lineMs: Milliseconds = 0
  private protectedUntilMs: Milliseconds = 0
  /** When the voice ended, and how much of the line had come by then; null while it sounds. */
  private ended: { readonly atMs: Milliseconds; readonly lineMs: Milliseconds } | null = null
  private isEcho = false
  private text: string | null = null
  /** All of it was listened to, and no word was in it. */
  private wordless = false
  private asked: { readonly atMs: Milliseconds; readonly whole: boolean; readonly abort: AbortController } | null = null
  /** How much of the line had come when words were asked for last; null: they never were. */
  private askedAtLineMs: Milliseconds | null = null
  private askedForWhole = false
  private pausedSinceMs: Milliseconds | null = null
  private pausedBeforeMs: Milliseconds = 0
  private timer: Disposable | null = null
  private verdict: OverlapVerdict | null = null
  private lookedMs: Milliseconds = 0
  private readonly looked = () => this.look()

  constructor(deps: OverlapDeps) {
    this.deps = deps
  }

  get active(): boolean {
    return this.timer !== null
  }

  /** @param agoMs since when the voice sounds @param protectedUntilMs no interruption before that moment */
  begin(agoMs: Milliseconds, protectedUntilMs: Milliseconds): void {
    this.protectedUntilMs = protectedUntilMs
    this.ended = null
    this.verdict = null
    this.isEcho = false
    this.askedForWhole = false
    this.pausedBeforeMs = 0
    this.soundsSince(agoMs)
    // Where no frames come, words may still, and a pause has an end.
    this.timer = this.deps.clock.every(ptimeMs, () => {
      if (this.deps.clock.now() - this.lookedMs > frameLateMs) this.deps.guarded(this.looked)
    })
    this.look()
  }

  /** One frame of the caller's; on the audio path. */
  frame(samples: Int16Array): void {
    if (this.timer === null) return
    this.lineMs += (samples.length * 1000) / this.deps.sampleRateHz
    // Behind the end as well: its last sound is only heard whole with what follows it.
    this.deps.listener?.push(samples)
    if (this.deps.clock.now() - this.lookedMs >= lookEveryMs) this.deps.guarded(this.looked)
  }

  stopped(agoMs: Milliseconds): void {
    const atMs = Math.max(this.onsetMs, this.deps.clock.now() - agoMs)
    this.ended = { atMs, lineMs: this.lineMs - agoMs }
    this.look()
  }

  /** The voice sounds again before anything was decided. */
  resumed(agoMs: Milliseconds): void {
    if (this.ended !== null && this.lineMs - agoMs - this.ended.lineMs > sameSpeechMs) this.soundsSince(agoMs)
    this.ended = null
    this.askedForWhole = false
    this.wordless = false
    this.look()
  }

  /** What is judged begins there: the words of what was before are none of it, nor are those that are on their way. */
  private soundsSince(agoMs: Milliseconds): void {
    const { clock, listener, past } = this.deps
    this.onsetMs = clock.now() - agoMs
    this.lineMs = agoMs
    this.text = null
    this.wordless = false
    this.asked?.abort.abort()
    this.asked = null
    this.askedAtLineMs = null
    listener?.begin(past(agoMs + lineBeforeMs), agoMs)
  }

  /** Words of the caller's, from whoever writes them down. */
  words(text: string): void {
    if (this.timer === null) return
    this.text = text
    this.look()
  }

  /** Over, whatever it was: the reply is held by nothing any more. */
  end(): OverlapFacts {
    const { clock, hold } = this.deps
    const { pausedMs, onsetMs } = this
    const now = clock.now()
    const reactionMs = (this.pausedSinceMs ?? now) - onsetMs
    this.timer?.[Symbol.dispose]()
    this.timer = null
    this.asked?.abort.abort()
    this.asked = null
    this.pausedSinceMs = null
    hold('none')
    const verdict = this.verdict ?? (this.isEcho ? 'echo' : 'ignored')
    return { onsetMs, durationMs: (this.ended?.atMs ?? now) - onsetMs, pausedMs, reactionMs, verdict }
  }

  private get pausedMs(): Milliseconds {
    const { pausedSinceMs } = this
    return this.pausedBeforeMs + (pausedSinceMs === null ? 0 : this.deps.clock.now() - pausedSinceMs)
  }

  private look(): void {
    if (this.timer === null) return
    this.lookedMs = this.deps.clock.now()
    this.lookForEcho()
    this.askForWords()
    const { settings } = this.deps
    const { hold, verdict } = decideOverlap(this.evidence(), settings)
    if (verdict === null) this.hold(hold)
    else this.decide(verdict)
  }

  /** By what was gathered, or by somebody whose word is enough. */
  decide(verdict: OverlapVerdict): void {
    this.verdict = verdict
    this.deps.decided(verdict)
  }

  private evidence(): OverlapEvidence {
    const { clock, listener, wordsIn, settings, language, unjudgedMs } = this.deps
    const now = clock.now()
    const ended = this.ended !== null
    const sinceOnsetMs = this.lineMs - Math.max(0, unjudgedMs() - unjudgedMsMax)
    const voicedMs = Math.max(0, this.ended?.lineMs ?? sinceOnsetMs - this.deps.quietMs())
    const { text } = this
    const score = listener?.score ?? null
    // Words that come before the sound can be judged wait for that, where it goes on.
    const words = listener !== null && score === null && !ended ? null : text
    const wordsDue = this.asked !== null && now - this.asked.atMs < wordsMaxMs
    const heard = { sinceOnsetMs, voicedMs, ended, score, words, wordsDue, language }
    const judgeable = listener !== null || wordsIn !== null || text !== null
    return {
      sinceOnsetMs,
      voicedMs,
      ended,
      protectedMs: this.protectedUntilMs - now,
      echo: this.isEcho,
      judgement: judgeable ? (this.wordless ? 'noise' : overlapVerdict(heard, settings.backchannels)) : null,
      words: text === null ? (wordsIn === null ? null : 0) : countWords(text),
      wordsDue,
      pausedMs: this.pausedMs,
    }
  }

  private hold(hold: Hold): void {
    const { clock } = this.deps
    if (hold === 'paused') this.pausedSinceMs ??= clock.now()
    else if (this.pausedSinceMs !== null) {
      this.pausedBeforeMs = this.pausedMs
      this.pausedSinceMs = null
    }
    this.deps.hold(hold)
  }

  /** Speech that comes up over an echo begins there: what was before it was the agent. */
  private lookForEcho(): void {
    const { echo, quietMs } = this.deps
    if (echo === null || this.ended !== null) return
    const sound = echo.soundOf(this.lineMs)
    // The detector notices the end of a sound some time after it: the quiet behind an echo is no voice.
    const comesUp = this.isEcho && sound === 'other' && quietMs() === 0
    this.isEcho = sound === 'echo' || (this.isEcho && !comesUp)
    if (comesUp) this.soundsSince(echo.onsetMs)
  }

  private get wordsMayBeNew(): boolean {
    const quietMs = this.deps.quietMs()
    if (this.askedAtLineMs === null) return this.lineMs >= firstWordsMs || quietMs >= firstPauseMs
    const sinceMs = this.lineMs - this.askedAtLineMs
    return sinceMs >= wordsEveryMs && quietMs < sinceMs
  }

  private askForWords(): void {
    const { wordsIn, clock, settings } = this.deps
    if (wordsIn === null || settings.start === 'vad' || this.isEcho) return
    if (this.asked !== null || this.askedForWhole) return
    const whole = this.ended !== null
    if (!whole && !this.wordsMayBeNew) return
    const abort = new AbortController()
    const asked = { atMs: clock.now(), whole, abort }
    this.asked = asked
    this.askedAtLineMs = this.lineMs
    this.askedForWhole = whole
    void wordsIn(this.deps.past(this.lineMs + lineBeforeMs), abort.signal).then((text) => {
      if (this.asked !== asked) return
      this.asked = null
      this.deps.guarded(() => {
        if (text !== null && text !== '') return this.words(text)
        // Who has gone on meanwhile may have said something since.
        this.wordless = text === '' && whole && this.askedForWhole
        this.look()
      })
    })
  }
}

function countWords(text: string): number {
  return text.trim() === '' ? 0 : text.trim().split(/\s+/).length
}
