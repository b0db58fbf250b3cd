import type { CallContext, Provider, Readiness, SessionOf } from '#agent/provider.ts'
import { SentenceQueue } from '#agent/sentence-queue.ts'
import type { SampleRateHz } from '#audio/format.ts'
import type { Clock } from '#base/clock.ts'
import type { Log } from '#base/log.ts'
import type { Random } from '#base/random.ts'
import type { ModelStore } from '#speech/model-store.ts'
import { ModelWait } from '#speech/model-wait.ts'
import { isRetryable } from '#speech/speech-failure.ts'
import { Voice } from '#speech/voice.ts'

/**
 * A voice on this machine, as the text-to-speech part of a cascade. Sentences of a call come out in order, each as soon
 * as its pieces are made; the configured phrases come from memory.
 */
export interface Phrase {
  readonly text: string
  readonly sampleRateHz: SampleRateHz
}

export interface LocalTtsOptions {
  readonly name?: string
  readonly store: ModelStore
  /** A Piper voice's name in `models/registry.json`. */
  readonly voice: string
  /** 1 is the voice's own pace. */
  readonly speed?: number
  /** Greetings, apologies: made as soon as the voice is there, and kept. */
  readonly phrases?: readonly Phrase[]
  readonly clock: Clock
  readonly log: Log
  readonly random?: Random
  readonly threads?: number
}

/** What a session needs of a voice; `Voice` is one. */
export type Speaker = Pick<Voice, 'speak'>

/** The phonemizer of the registry. */
const phonemizerModel = 'phonemizer'

export function createLocalTts(options: LocalTtsOptions): Provider<'tts'> {
  const { name = 'local', store, clock, log, random, threads, speed, phrases = [] } = options
  const voice = new Voice({
    clock,
    log,
    model: voiceModel(store, options.voice),
    phonemizerFolder: store.path(phonemizerModel),
    ...(random === undefined ? {} : { random }),
    ...(threads === undefined ? {} : { threads }),
    ...(speed === undefined ? {} : { speed }),
  })
  const phraseBook = new PhraseBook(voice, phrases)
  const stop = new AbortController()
  const models = new ModelWait(store, [options.voice, phonemizerModel], clock, () => {
    voice.start()
    void warmAll()
  })
  const readiness = (): Readiness => (models.readiness.ready ? voice.readiness : models.readiness)

  const whenReady = async (): Promise<boolean> => {
    while (!readiness().ready && !stop.signal.aborted) await clock.sleep(50, stop.signal)
    return !stop.signal.aborted
  }
  let warmed = phrases.length === 0
  const warmAll = async () => {
    for (const { text, sampleRateHz } of phrases) {
      // One that fails here is made, and kept, when it is first said.
      if (await whenReady()) await phraseBook.speak(text, sampleRateHz, stop.signal, () => {})
    }
    warmed = true
  }
  // Who is let in before the greeting is made would wait for it.
  const readinessWithPhrases = (): Readiness => {
    const state = readiness()
    return state.ready && !warmed ? { ready: false, reason: 'the greeting is being made' } : state
  }

  return {
    name,
    role: 'tts',
    turnDetection: 'none',
    readiness: readinessWithPhrases,
    audioRates: (legHz) => ({ inputHz: legHz, outputHz: voice.sampleRateHz ?? legHz }),
    queued: () => voice.stats.waiting,
    start: () => models.start(),
    open: (context) => Promise.resolve(localTtsSession(context, phraseBook)),
    async close() {
      stop.abort()
      models.close()
      await voice.close()
    },
  }
}

/** The model's path; for a name the registry doesn't know, one that isn't there: readiness then says so. */
function voiceModel(store: ModelStore, id: string): string {
  const entry = store.entries.find((candidate) => candidate.id === id)
  const files = entry !== undefined && entry.kind !== 'npm_tree' ? entry.files : []
  return store.path(id, files.find((file) => file.path.endsWith('.onnx'))?.path ?? 'voice.onnx')
}

/**
 * A speaker that has the configured phrases ready: they are said in every call, at the moments that matter most, and
 * nothing drives them out. Replies hardly ever come twice, so they are spoken anew and not kept.
 */
export class PhraseBook implements Speaker {
  private readonly speaker: Speaker
  // keyed by: rate and text of a configured phrase; null until it was made
  private readonly made = new Map<string, readonly Int16Array[] | null>()

  constructor(speaker: Speaker, phrases: readonly Phrase[]) {
    this.speaker = speaker
    for (const { text, sampleRateHz } of phrases) this.made.set(keyOf(text, sampleRateHz), null)
  }

  async speak(...args: Parameters<Speaker['speak']>): ReturnType<Speaker['speak']> {
    const [text, sampleRateHz, signal, onAudio] = args
    const key = keyOf(text, sampleRateHz)
    const known = this.made.get(key)
    if (known === undefined) return this.speaker.speak(...args)
    if (known !== null) {
      for (const piece of known) if (!signal.aborted) onAudio(piece)
      return { ok: true, value: known.reduce((sum, piece) => sum + piece.length, 0) }
    }
    const pieces: Int16Array[] = []
    const result = await this.speaker.speak(text, sampleRateHz, signal, (samples) => {
      pieces.push(samples)
      onAudio(samples)
    })
    if (result.ok) this.made.set(key, pieces)
    return result
  }
}

function keyOf(text: string, sampleRateHz: number): string {
  return `${sampleRateHz} ${text}`
}

export function localTtsSession(context: CallContext, speaker: Speaker): SessionOf<'tts'> {
  return new SentenceQueue(context, {
    async say(text, signal, pass) {
      const result = await speaker.speak(text, context.sampleRateHz, signal, pass)
      if (result.ok) return null
      const { code, message } = result.error
      return { code, message, retryable: isRetryable(result.error) }
    },
  })
}
