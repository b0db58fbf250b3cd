import type { SampleRateHz } from '#audio/format.ts'
import type { Clock, Milliseconds } from '#base/clock.ts'
import type { Log } from '#base/log.ts'
import type { Random } from '#base/random.ts'
import type { ModelStore } from './model-store.ts'
import { ModelWait } from './model-wait.ts'
import { Voice } from './voice.ts'

/**
 * What the engine says when the agent cannot: made by the local voice as soon as its models are there, at every rate that a
 * leg can have, and then kept; the voice itself is let go. Where there are no models there are no phrases, and whoever asks
 * finds another sign.
 */
export interface RecordedPhrasesOptions {
  readonly store: Pick<ModelStore, 'entries' | 'path' | 'missing'>
  /** A Piper voice's name in `models/registry.json`. */
  readonly voice: string
  readonly speed: number
  readonly phrases: readonly string[]
  readonly sampleRatesHz: readonly SampleRateHz[]
  readonly clock: Clock
  readonly log: Log
  readonly random: Random
  /** For tests: instead of the real one. */
  readonly createVoice?: () => PhraseVoice
}

/** What an agent needs of them. */
export type Phrases = Pick<RecordedPhrases, 'start' | 'get' | 'close'>

export type PhraseVoice = Pick<Voice, 'start' | 'readiness' | 'speak' | 'close'>

/** The phonemizer of the registry. */
const phonemizerModel = 'phonemizer'
const lookMs: Milliseconds = 50

export class RecordedPhrases {
  private readonly options: RecordedPhrasesOptions
  private readonly models: ModelWait
  private readonly stop = new AbortController()
  // keyed by: rate and text of a phrase
  private readonly made = new Map<string, Int16Array>()
  private voice: PhraseVoice | null = null
  private making: Promise<void> | null = null

  constructor(options: RecordedPhrasesOptions) {
    this.options = options
    const { store, voice, clock } = options
    this.models = new ModelWait(store, [voice, phonemizerModel], clock, () => {
      this.making = this.make()
    })
  }

  /** Idempotent, never throws. */
  start(): void {
    if (this.options.phrases.length > 0) this.models.start()
  }

  /** Null where it is not made, or not yet. */
  get(text: string, sampleRateHz: SampleRateHz): Int16Array | null {
    return this.made.get(keyOf(text, sampleRateHz)) ?? null
  }

  /** Idempotent. */
  async close(): Promise<void> {
    this.stop.abort()
    this.models.close()
    await this.voice?.close()
    await this.making
  }

  private async make(): Promise<void> {
    const { phrases, sampleRatesHz, clock, log } = this.options
    const voice = this.options.createVoice?.() ?? this.realVoice()
    this.voice = voice
    voice.start()
    const { signal } = this.stop
    for (const text of phrases) {
      for (const sampleRateHz of sampleRatesHz) {
        while (!voice.readiness.ready && !signal.aborted) await clock.sleep(lookMs, signal)
        if (signal.aborted) return
        const pieces: Int16Array[] = []
        const spoken = await voice.speak(text, sampleRateHz, signal, (samples) => pieces.push(samples.slice()))
        if (spoken.ok) this.made.set(keyOf(text, sampleRateHz), joined(pieces))
        else log.warn('a phrase could not be recorded', { code: spoken.error.code })
      }
    }
    await voice.close()
    if (!signal.aborted) log.info('phrases recorded by the local voice', { phrases: this.made.size })
  }

  private realVoice(): Voice {
    const { clock, log, random, speed, store, voice } = this.options
    const phonemizerFolder = store.path(phonemizerModel)
    return new Voice({ clock, log, random, speed, model: voiceFile(store, voice), phonemizerFolder })
  }
}

/** The model's path; for a name the registry doesn't know, one that isn't there. */
function voiceFile(store: RecordedPhrasesOptions['store'], id: string): string {
  const entry = store.entries.find((candidate) => candidate.id === id)
  const files = entry !== undefined && entry.kind !== 'npm_tree' ? entry.files : []
  return store.path(id, files.find((file) => file.path.endsWith('.onnx'))?.path ?? 'voice.onnx')
}

function joined(pieces: readonly Int16Array[]): Int16Array {
  const whole = new Int16Array(pieces.reduce((sum, piece) => sum + piece.length, 0))
  let offset = 0
  for (const piece of pieces) {
    whole.set(piece, offset)
    offset += piece.length
  }
  return whole
}

function keyOf(text: string, sampleRateHz: number): string {
  return `${sampleRateHz} ${text}`
}
