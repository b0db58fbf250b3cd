import type { Readiness } from '#agent/provider.ts'
import type { Clock } from '#base/clock.ts'
import type { Log } from '#base/log.ts'
import type { Random } from '#base/random.ts'
import { failed, messageOf, ok, type Result } from '#base/result.ts'
import { InferenceLane } from './inference-lane.ts'
import { Phonemizer } from './phonemizer.ts'
import { type PiperVoice, phonemesToIds, readPiperVoice } from './piper.ts'
import type { SpeechFailure } from './speech-failure.ts'
import { type Piece, speakable, splitPieces } from './spoken-text.ts'

/**
 * Text to speech for all calls: text → pieces → phonemes (child process) → ids → samples (worker). A piece is one
 * breath; while one is being spoken by the model the next is already being turned into phonemes.
 */
export interface VoiceOptions {
  readonly clock: Clock
  readonly log: Log
  /** The Piper model, with its json beside it under the same name plus `.json`. */
  readonly model: string
  /** Holds phonemizer.js. */
  readonly phonemizerFolder: string
  /** 1 is the voice's own pace, 2 twice as fast. */
  readonly speed?: number
  /** ONNX threads; one keeps the cores free for audio. */
  readonly threads?: number
  /** Pieces that may wait. */
  readonly queueMax?: number
  readonly random?: Random
  /** For tests and benches: how the phonemizer's process is started. */
  readonly phonemizerCommand?: readonly string[]
}

const defaultQueueMax = 64

export class Voice {
  private readonly options: VoiceOptions
  private readonly phonemizer: Phonemizer
  private lane: InferenceLane | null = null
  private voice: PiperVoice | null = null
  private problem: string | null = null
  private closed = false

  constructor(options: VoiceOptions) {
    this.options = options
    const { clock, log, random, phonemizerFolder, phonemizerCommand } = options
    this.phonemizer = new Phonemizer({
      clock,
      log,
      folder: phonemizerFolder,
      ...(random === undefined ? {} : { random }),
      ...(phonemizerCommand === undefined ? {} : { command: phonemizerCommand }),
    })
  }

  /** Begins loading in the background; idempotent, never throws. */
  start(): void {
    if (this.lane !== null || this.closed) return
    const { clock, log, random, model, speed = 1, threads = 1, queueMax = defaultQueueMax } = this.options
    try {
      this.voice = atSpeed(readPiperVoice(`${model}.json`), speed)
    } catch (thrown) {
      this.problem = `the voice can't be read: ${messageOf(thrown)}`
      return
    }
    this.problem = null
    this.lane = new InferenceLane({
      clock,
      log,
      name: 'voice',
      queueMax,
      load: { type: 'load_voice', model, voice: this.voice, threads },
      ...(random === undefined ? {} : { random }),
    })
    this.lane.start()
    this.phonemizer.start()
  }

  /** The model's own rate; null while it has not been read. */
  get sampleRateHz(): number | null {
    return this.voice?.sampleRateHz ?? null
  }

  get readiness(): Readiness {
    if (this.problem !== null) return { ready: false, reason: this.problem }
    if (this.lane === null) return { ready: false, reason: 'the voice is not started' }
    return this.lane.readiness.ready ? this.phonemizer.readiness : this.lane.readiness
  }

  get stats(): { readonly waiting: number; readonly restarts: number } {
    return { waiting: this.lane?.waiting ?? 0, restarts: this.lane?.restarts ?? 0 }
  }

  /**
   * @param text as a language model writes it: marks of layout are taken out
   * @param onAudio called once for each piece, in order, with samples at `sampleRateHz`
   * @returns how many samples there were; 0 for a text that has nothing to say
   */
  async speak(
    text: string,
    sampleRateHz: number,
    signal: AbortSignal,
    onAudio: (samples: Int16Array) => void,
  ): Promise<Result<number, SpeechFailure>> {
    const { lane } = this
    if (lane === null) return failed({ code: 'not_ready', message: 'the voice is not started' })
    const pieces = splitPieces(speakable(text))
    let samples = 0
    let upcoming = this.idsOf(pieces[0])
    for (let index = 0; index < pieces.length; index++) {
      const ids = await upcoming
      upcoming = this.idsOf(pieces[index + 1])
      if (!ids.ok) return ids
      if (signal.aborted) return failed({ code: 'cancelled', message: 'not wanted any more' })
      const made = await lane.submit((job) => ({ type: 'synthesize', job, ids: ids.value, sampleRateHz }), [], signal)
      if (!made.ok) return made
      const { answer } = made.value
      if (answer.type !== 'synthesized') return failed({ code: 'failed', message: 'an answer of another kind' })
      samples += answer.samples.length
      onAudio(answer.samples)
    }
    return ok(samples)
  }

  /** Ends worker and child process. Idempotent. */
  async close(): Promise<void> {
    this.closed = true
    await Promise.all([this.lane?.close(), this.phonemizer.close()])
  }

  private async idsOf(piece: Piece | undefined): Promise<Result<Int32Array, SpeechFailure>> {
    const { voice } = this
    if (piece === undefined) return ok(new Int32Array(0))
    if (voice === null) return failed({ code: 'not_ready', message: 'the voice is not started' })
    const words = piece.map((clause) => clause.words)
    const phonemes = await this.phonemizer.phonemize(words, voice.espeakVoice)
    if (!phonemes.ok) return phonemes
    const line = piece.map((clause, index) => `${phonemes.value[index] ?? ''}${clause.end}`).join(' ')
    return ok(phonemesToIds(line, voice))
  }
}

function atSpeed(voice: PiperVoice, speed: number): PiperVoice {
  const [noise, length, noiseOfLength] = voice.scales
  return { ...voice, scales: [noise, length / speed, noiseOfLength] }
}
