import type { Accepted, CallContext, Provider, Session, SttEvent, SttInput } from '#agent/provider.ts'
import { SessionLife } from '#agent/session-life.ts'
import { msToSamples } from '#audio/format.ts'
import type { Clock, Milliseconds } from '#base/clock.ts'
import type { Log } from '#base/log.ts'
import type { Random } from '#base/random.ts'
import type { Result } from '#base/result.ts'
import type { ModelStore } from '#speech/model-store.ts'
import { ModelWait } from '#speech/model-wait.ts'
import { moonshineRateHz } from '#speech/moonshine.ts'
import { quietestPoint } from '#speech/quietest.ts'
import { Recognition, type Transcription } from '#speech/recognition.ts'
import { isRetryable, type SpeechFailure } from '#speech/speech-failure.ts'
import { TurnAudio } from '#speech/turn-audio.ts'

/**
 * Recognition on this machine, as the speech-to-text part of a cascade. The model works on whole utterances, so a turn
 * is kept until it is over. Two things make it quick all the same: at each pause the turn so far is recognised already,
 * and `finalize` mostly finds that result ready; and a long turn is recognised in pieces, cut at its quietest point.
 */
export interface LocalSttOptions {
  readonly name?: string
  readonly store: ModelStore
  /** A name in `models/registry.json`. */
  readonly model: string
  readonly clock: Clock
  readonly log: Log
  readonly random?: Random
  readonly threads?: number
}

/** What a session needs of a recogniser; `Recognition` is one. */
export type Transcriber = Pick<Recognition, 'transcribe'>

export function createLocalStt(options: LocalSttOptions): Provider<'stt'> {
  const { name = 'local', store, model, clock, log, random, threads } = options
  const recognition = new Recognition({
    clock,
    log,
    folder: store.path(model),
    ...(random === undefined ? {} : { random }),
    ...(threads === undefined ? {} : { threads }),
  })
  const models = new ModelWait(store, [model], clock, () => recognition.start())
  return {
    name,
    role: 'stt',
    turnDetection: 'none',
    readiness: () => (models.readiness.ready ? recognition.readiness : models.readiness),
    audioRates: (legHz) => ({ inputHz: moonshineRateHz, outputHz: legHz }),
    queued: () => recognition.stats.waiting,
    wordsIn: async (samples, sampleRateHz, signal) => {
      // Turns come first: who waits for an answer waits longer than who is being talked over.
      if (recognition.stats.waiting > 0) return null
      const result = await recognition.transcribe(samples, sampleRateHz, signal)
      return result.ok && !result.value.looped ? result.value.text : null
    },
    start: () => models.start(),
    open: (context) => Promise.resolve(new LocalSttSession(context, recognition)),
    async close() {
      models.close()
      await recognition.close()
    },
  }
}

/** At this length a turn is cut: 5 s below what the model can bear at once. */
const sealAtMs: Milliseconds = 25_000
/** The cut lies within so much of its end. */
const sealWithinMs: Milliseconds = 6_000
/** Five minutes in one turn: a caller that is put on a loudspeaker beside a radio. What comes before is forgotten. */
const sealedMax = 12

type Outcome = Result<Transcription, SpeechFailure>

/** What is known of one turn: its sealed pieces, and a guess at the rest. */
interface Turn {
  readonly abort: AbortController
  readonly sealed: Promise<Outcome>[]
  guess: Guess | null
}

/** The turn as it was at a pause, being recognised. */
interface Guess {
  readonly abort: AbortController
  readonly outcome: Promise<Outcome>
}

export class LocalSttSession implements Session<SttInput, SttEvent> {
  private readonly transcriber: Transcriber
  private readonly sampleRateHz: number
  private readonly audio: TurnAudio
  private readonly life: SessionLife
  private listener: (event: SttEvent) => void = () => {}
  private turn: Turn = newTurn()
  /** Finals come in the order they were asked for. */
  private finals: Promise<void> = Promise.resolve()
  /** Turns whose final is still to come. */
  // keyed by: turn object
  private readonly finalizing = new Set<Turn>()

  constructor(context: CallContext, transcriber: Transcriber) {
    this.transcriber = transcriber
    this.sampleRateHz = context.sampleRateHz
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
        if (this.audio.turnSamples >= msToSamples(sealAtMs, this.sampleRateHz)) this.seal()
        return 'sent'
      case 'speech_started':
        this.dropGuess()
        this.audio.begin(input.agoMs)
        return 'sent'
      case 'speech_stopped':
        if (this.audio.inTurn) this.guess()
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
    this.forget()
    await this.finals
    this.listener({ type: 'closed' })
  }

  private seal(): void {
    const { sampleRateHz } = this
    this.dropGuess()
    const turn = this.audio.turn()
    const from = turn.length - msToSamples(sealWithinMs, sampleRateHz)
    const piece = this.audio.seal(quietestPoint(turn, sampleRateHz, from, turn.length))
    const outcome = this.transcriber.transcribe(piece, sampleRateHz, this.turn.abort.signal)
    this.turn.sealed.push(outcome)
    if (this.turn.sealed.length > sealedMax) void this.turn.sealed.shift()
  }

  private guess(): void {
    this.dropGuess()
    const { turn } = this
    const abort = new AbortController()
    const outcome = this.transcriber.transcribe(this.audio.turn(), this.sampleRateHz, abort.signal)
    const guess: Guess = { abort, outcome }
    turn.guess = guess
    void outcome.then((result) => {
      const current = !this.life.over && this.turn === turn && turn.guess === guess
      if (current && result.ok && result.value.text !== '') {
        this.listener({ type: 'transcript', final: false, text: result.value.text })
      }
    })
  }

  private dropGuess(): void {
    this.turn.guess?.abort.abort()
    this.turn.guess = null
  }

  private finalize(): void {
    const { turn, sampleRateHz } = this
    const rest = this.audio.turn()
    this.audio.end()
    this.turn = newTurn()
    this.finalizing.add(turn)
    const guessed = turn.guess?.outcome
    const outcomes = async (): Promise<readonly Outcome[]> => {
      const guess = await guessed
      // A guess that failed (the queue was full at that moment) is worth another try now that the answer is wanted.
      const last = guess?.ok ? guess : await this.transcriber.transcribe(rest, sampleRateHz, turn.abort.signal)
      return [...(await Promise.all(turn.sealed)), last]
    }
    const recognised = outcomes()
    this.finals = this.finals.then(async () => {
      const results = await recognised
      this.finalizing.delete(turn)
      if (!this.life.over) this.emitFinal(results)
    })
  }

  /** Exactly one final for each `finalize`: after a fault it is empty. */
  private emitFinal(results: readonly Outcome[]): void {
    const failure = results.find((result) => !result.ok && result.error.code !== 'cancelled')
    if (failure !== undefined && !failure.ok) {
      const { code, message } = failure.error
      this.listener({ type: 'fault', code, message, retryable: isRetryable(failure.error) })
      this.listener({ type: 'transcript', final: true, text: '' })
      return
    }
    const texts = results.map((result) => (result.ok ? result.value.text : ''))
    const text = texts.every((_, index) => results[index]?.ok) ? texts.filter((part) => part !== '').join(' ') : ''
    this.listener({ type: 'transcript', final: true, text })
  }

  private forget(): void {
    this.audio.end()
    for (const turn of [...this.finalizing, this.turn]) {
      turn.abort.abort()
      turn.guess?.abort.abort()
    }
    this.turn = newTurn()
  }
}

function newTurn(): Turn {
  return { abort: new AbortController(), sealed: [], guess: null }
}
