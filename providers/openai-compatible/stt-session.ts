import type { Accepted, CallContext, SessionOf, SttEvent, SttInput } from '#agent/provider.ts'
import { SessionLife } from '#agent/session-life.ts'
import { msToSamples } from '#audio/format.ts'
import type { Milliseconds } from '#base/clock.ts'
import type { Result } from '#base/result.ts'
import { TurnAudio } from '#speech/turn-audio.ts'
import type { WireFailure } from './failure-wire.ts'
import type { SttOptions } from './options.ts'
import type { Transcribe } from './stt.ts'

/**
 * The recognition of one call, turn by turn. A turn is sent at its first pause already, and again at the next where the
 * caller goes on: when it is over the words are mostly there.
 */
type Outcome = Promise<Result<string, WireFailure>>

interface Attempt {
  readonly abort: AbortController
  readonly outcome: Outcome
}

/** Turns are cut at `vad.max_turn_ms`, at most two minutes: what is longer has lost its end. */
const turnMsMax: Milliseconds = 125_000
const forgottenMs: Milliseconds = 25_000

export class SttSession implements SessionOf<'stt'> {
  private readonly sampleRateHz: number
  private readonly startAtPause: boolean
  private readonly transcribe: Transcribe
  private readonly audio: TurnAudio
  private readonly life: SessionLife
  private listener: (event: SttEvent) => void = () => {}
  /** The turn as it was at a pause. */
  private guess: Attempt | null = null
  // keyed by: the turn's own attempt
  private readonly finalizing = new Set<Attempt>()
  /** Finals come in the order they were asked for. */
  private finals: Promise<void> = Promise.resolve()

  constructor(context: CallContext, { start_at_pause: startAtPause }: SttOptions, transcribe: Transcribe) {
    this.sampleRateHz = context.sampleRateHz
    this.startAtPause = startAtPause
    this.transcribe = transcribe
    this.audio = new TurnAudio(context.sampleRateHz)
    this.life = new SessionLife(context.signal, () => this.end())
  }

  onEvent(listener: (event: SttEvent) => void): void {
    this.listener = listener
  }

  send(input: SttInput): Accepted {
    if (this.life.over) return 'closed'
    switch (input.type) {
      case 'audio':
        this.audio.append(input.frame.samples)
        if (this.audio.turnSamples > msToSamples(turnMsMax, this.sampleRateHz))
          this.audio.seal(msToSamples(forgottenMs, this.sampleRateHz))
        return 'sent'
      case 'speech_started':
        this.dropGuess()
        this.audio.begin(input.agoMs)
        return 'sent'
      case 'speech_stopped':
        if (this.startAtPause && this.audio.inTurn) this.begin()
        return 'sent'
      case 'finalize':
        this.finalize()
        return 'sent'
    }
  }

  close(): Promise<void> {
    return this.life.close()
  }

  private async end(): Promise<void> {
    this.dropGuess()
    for (const { abort } of this.finalizing) abort.abort()
    await this.finals
    this.listener({ type: 'closed' })
  }

  private begin(): Attempt {
    this.dropGuess()
    const abort = new AbortController()
    const guess = { abort, outcome: this.transcribe(this.audio.turn(), abort.signal) }
    this.guess = guess
    void guess.outcome.then((result) => {
      if (this.guess === guess && result.ok && result.value !== '' && !this.life.over)
        this.listener({ type: 'transcript', final: false, text: result.value })
    })
    return guess
  }

  private dropGuess(): void {
    this.guess?.abort.abort()
    this.guess = null
  }

  private finalize(): void {
    const isEmpty = !this.audio.inTurn
    const rest = this.audio.turn()
    const guess = this.guess
    this.guess = null
    this.audio.end()
    const abort = new AbortController()
    const attempt: Attempt = { abort, outcome: isEmpty ? nothing : this.last(guess, rest, abort.signal) }
    this.finalizing.add(attempt)
    this.finals = this.finals.then(async () => {
      const result = await attempt.outcome
      this.finalizing.delete(attempt)
      if (!this.life.over) this.emitFinal(result)
    })
  }

  /** What was begun at the pause; where that failed, once more: now the words are wanted. */
  private async last(guess: Attempt | null, rest: Int16Array, signal: AbortSignal): Outcome {
    const abortGuess = () => guess?.abort.abort()
    signal.addEventListener('abort', abortGuess, { once: true })
    const begun = await guess?.outcome
    signal.removeEventListener('abort', abortGuess)
    const isWorthMore = begun === undefined || (!begun.ok && begun.error.retryable && begun.error.code !== 'timeout')
    if (!isWorthMore) return begun
    return signal.aborted ? await nothing : await this.transcribe(rest, signal)
  }

  /** Exactly one final for each `finalize`: after a fault it is empty. */
  private emitFinal(result: Result<string, WireFailure>): void {
    if (!result.ok) this.listener({ type: 'fault', ...result.error })
    this.listener({ type: 'transcript', final: true, text: result.ok ? result.value : '' })
  }
}

const nothing: Outcome = Promise.resolve({ ok: true, value: '' })
