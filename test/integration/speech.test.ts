import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { CallContext, Provider, SttEvent, TtsEvent } from '#agent/provider.ts'
import { levelDbfs } from '#audio/level.ts'
import { resampleWhole } from '#audio/resample.ts'
import { decodeWav } from '#audio/wav.ts'
import { SystemClock } from '#base/clock.ts'
import { silentLog } from '#base/log.ts'
import { seededRandom } from '#base/random.ts'
import { createLocalStt } from '#providers/local/stt.ts'
import { createLocalTts } from '#providers/local/tts.ts'
import { SpeechDetection } from '#speech/detection.ts'
import { ModelStore, modelsFolder } from '#speech/model-store.ts'
import { SpeechGate } from '#speech/speech-gate.ts'
import { readSpeech, type Utterance } from '../bed/speech.ts'
import { readWav } from '../bed/wav-file.ts'
import { wordErrors } from '../bed/word-error-rate.ts'
import { levelled } from '../material/audio.ts'
import { noise } from '../material/noises.ts'

/**
 * The real models, from the store (fetched if they are not there): does a known sentence survive the way through voice
 * and recogniser, does detection find a human voice and no other sound, does a dead worker come back.
 */
const clock = new SystemClock()
const log = silentLog
const store = new ModelStore({ folder: modelsFolder(process.env), clock, log, env: process.env })
const greeting = 'Hello, this is the front desk. How can I help you?'
const models = ['moonshine-tiny-en', 'piper-en-us-joe-medium', 'phonemizer']

let stt: Provider<'stt'>
let tts: Provider<'tts'>
let detection: SpeechDetection
let human: readonly Utterance[]

async function until(condition: () => boolean, what: () => unknown): Promise<void> {
  for (let tries = 0; tries < 2000 && !condition(); tries++) await Bun.sleep(10)
  if (!condition()) throw new Error(`waited in vain: ${JSON.stringify(what())}`)
}

beforeAll(async () => {
  const fetched = await store.ensure(models, () => {})
  if (!fetched.ok) throw new Error(fetched.error.map((failure) => failure.message).join('\n'))
  stt = createLocalStt({ store, model: 'moonshine-tiny-en', clock, log })
  const phrases = [{ text: greeting, sampleRateHz: 8000 }] as const
  tts = createLocalTts({ store, voice: 'piper-en-us-joe-medium', phrases, clock, log })
  detection = new SpeechDetection({ clock, log, capacity: 8 })
  stt.start()
  tts.start()
  detection.start()
  human = await readSpeech()
  await until(
    () => stt.readiness().ready && tts.readiness().ready && detection.readiness.ready,
    () => [stt.readiness(), tts.readiness(), detection.readiness],
  )
}, 300_000)

afterAll(async () => {
  await Promise.all([stt?.close(), tts?.close(), detection?.close()])
})

function contextOf(sampleRateHz: 8000 | 16000 = 8000): CallContext {
  const signal = new AbortController().signal
  return { callId: 'c', sampleRateHz, language: 'en', prompt: '', greeting: '', signal, clock }
}

async function speak(text: string, sampleRateHz: 8000 | 16000 = 8000): Promise<Int16Array> {
  const session = await tts.open(contextOf(sampleRateHz))
  const parts: Int16Array[] = []
  await new Promise<void>((resolve, reject) => {
    session.onEvent((event: TtsEvent) => {
      if (event.type === 'audio') parts.push(event.frame.samples.slice())
      if (event.type === 'spoken') resolve()
      if (event.type === 'fault') reject(new Error(event.message))
    })
    session.send({ type: 'speak', text })
  })
  await session.close()
  return Int16Array.from(parts.flatMap((part) => [...part]))
}

async function transcribe(samples: Int16Array, sampleRateHz: 8000 | 16000 = 8000): Promise<string> {
  const session = await stt.open(contextOf(sampleRateHz))
  const text = await new Promise<string>((resolve, reject) => {
    session.onEvent((event: SttEvent) => {
      if (event.type === 'transcript' && event.final) resolve(event.text)
      if (event.type === 'fault') reject(new Error(event.message))
    })
    session.send({ type: 'speech_started', agoMs: 0 })
    const frame = sampleRateHz / 50
    for (let at = 0; at < samples.length; at += frame) {
      session.send({ type: 'audio', frame: { sampleRateHz, samples: samples.subarray(at, at + frame) } })
    }
    session.send({ type: 'speech_stopped' })
    session.send({ type: 'finalize' })
  })
  await session.close()
  return text
}

/** Runs samples through the model in real frames, as fast as it judges them. */
async function speechIn(
  samples: Int16Array,
  sampleRateHz: 8000 | 16000 = 8000,
  threshold = 0.5,
  by = detection,
): Promise<{ startMs: number; stopMs: number }[]> {
  const gate = new SpeechGate({ sampleRateHz, threshold, minSpeechMs: 96, minSilenceMs: 400 })
  const found: { startMs: number; stopMs: number }[] = []
  const perMs = sampleRateHz / 1000
  let judged = 0
  const session = by.open(sampleRateHz, (probability, end) => {
    judged = end
    const event = gate.push(probability, end)
    const atMs = end / perMs - (event?.agoMs ?? 0)
    if (event?.type === 'speech_started') found.push({ startMs: atMs, stopMs: Number.POSITIVE_INFINITY })
    const last = found.at(-1)
    if (event?.type === 'speech_stopped' && last !== undefined) last.stopMs = atMs
  })
  if (session === null) throw new Error('no place')
  const frame = sampleRateHz / 50
  for (let at = 0; at + frame <= samples.length; at += frame) {
    expect(session.push(samples.subarray(at, at + frame))).toBe('sent')
    // Half of what may wait: a worker that is held up is waited for.
    while (at - judged > 256 * perMs) await Bun.sleep(1)
  }
  await until(
    () => judged > samples.length - 700,
    () => judged,
  )
  session.close()
  return found
}

/** Words that were misheard, left out or added. The voice is never twice the same, so a word now and then is. */
function mistakes(sentence: string, heard: string): number {
  const { substitutions, insertions, deletions } = wordErrors(sentence, heard)
  return substitutions + insertions + deletions
}

describe('voice and recognition', () => {
  test('a sentence survives the way through both, at telephone quality', async () => {
    const sentence = 'The quick brown fox jumps over the lazy dog.'
    const samples = await speak(sentence)
    // Spoken at 2 to 4 words a second; loud enough to be heard, without clipping.
    expect(samples.length / 8000).toBeGreaterThan(1.8)
    expect(samples.length / 8000).toBeLessThan(5)
    expect(levelDbfs(samples)).toBeGreaterThan(-32)
    expect(samples.reduce((peak, sample) => Math.max(peak, Math.abs(sample)), 0)).toBeLessThan(32767)
    expect(mistakes(sentence, await transcribe(samples))).toBeLessThanOrEqual(3)
  }, 30_000)

  test('at 16 kHz too', async () => {
    const sentence = 'The weather is nice today, and tomorrow it will be warm and sunny again.'
    expect(mistakes(sentence, await transcribe(await speak(sentence, 16000), 16000))).toBeLessThanOrEqual(4)
  }, 30_000)

  test('markdown and pictures are not read out', async () => {
    const text = await transcribe(await speak('**Welcome** to the *hotel* 🎉'))
    // Marks that were read out would be four words more, and the picture others.
    expect(mistakes('welcome to the hotel', text)).toBeLessThanOrEqual(2)
  }, 30_000)

  test('five calls at once each get their own words', async () => {
    const sentences = [
      'I would like to book a table.',
      'My flight leaves in the morning.',
      'The weather is nice today.',
      'Can you tell me the price?',
      'Thank you very much for your help.',
    ]
    const heard = await Promise.all(sentences.map(async (sentence) => await transcribe(await speak(sentence))))
    const wrong = sentences.reduce((sum, sentence, index) => sum + mistakes(sentence, heard[index] ?? ''), 0)
    // Of thirty words the tiny model may mishear some; those of another call would be all wrong, six and more.
    expect(wrong).toBeLessThanOrEqual(5)
  }, 60_000)

  test('a human voice, read aloud: at most one word in five is wrong', async () => {
    const some = human.filter(({ words }) => words.split(' ').length >= 4).slice(0, 5)
    expect(some.length).toBeGreaterThan(2)
    let wrong = 0
    let words = 0
    for (const utterance of some) {
      const wav = decodeWav(await Bun.file(utterance.path).bytes())
      if (!wav.ok) throw new Error(wav.error)
      const errors = wordErrors(utterance.words, await transcribe(wav.value.samples))
      wrong += errors.substitutions + errors.insertions + errors.deletions
      words += errors.words
    }
    expect(wrong / words).toBeLessThan(0.2)
  }, 60_000)

  test('silence and faint noise are no words', async () => {
    expect(await transcribe(new Int16Array(16000))).toBe('')
    const noise = Int16Array.from({ length: 16000 }, (_, index) => ((index * 7919) % 41) - 20)
    expect(await transcribe(noise)).toBe('')
  }, 30_000)

  test('the greeting comes without delay', async () => {
    // Before the event loop turns: what the worker makes comes later, however fast it is.
    const turned = new Promise<null>((resolve) => setImmediate(() => resolve(null)))
    const samples = await Promise.race([speak(greeting), turned])
    expect(samples?.length).toBeGreaterThan(8000)
  }, 30_000)
})

describe('speech detection', () => {
  test('finds where a sentence lies between silences, at both rates', async () => {
    for (const rate of [8000, 16000] as const) {
      const sentence = await speak('Yes, I would like to make a reservation.', rate)
      const padded = new Int16Array(rate + sentence.length + rate)
      padded.set(sentence, rate)
      const found = await speechIn(padded, rate)
      expect(found.length).toBe(1)
      expect(found[0]?.startMs).toBeGreaterThan(900)
      expect(found[0]?.startMs).toBeLessThan(1400)
      const endMs = 1000 + (sentence.length * 1000) / rate
      expect(found[0]?.stopMs).toBeGreaterThan(endMs - 900)
      expect(found[0]?.stopMs).toBeLessThan(endMs + 300)
    }
  }, 60_000)

  test('a tone and a hiss are no speech', async () => {
    const tone = Int16Array.from({ length: 24_000 }, (_, index) => 9000 * Math.sin((2 * Math.PI * 425 * index) / 8000))
    expect(await speechIn(tone)).toEqual([])
    let state = 1
    const hiss = Int16Array.from({ length: 24_000 }, () => {
      state = (state * 48271) % 2147483647
      return ((state % 2000) - 1000) * 2
    })
    expect(await speechIn(hiss)).toEqual([])
  }, 60_000)

  test('a word is found after half a minute of line noise, at the threshold over the agent’s voice', async () => {
    // A third of a second of what eight people read, under noise 2 dB below it: one stream for all hears half of them.
    const words = await Promise.all(
      human.slice(0, 8).map(async ({ path }) => {
        const { samples } = await readWav(path)
        return levelled(Float64Array.from(samples.slice(4000, 6800)))
      }),
    )
    const [beforeMs, afterMs] = [30_000, 1000]
    let found = 0
    for (const kind of ['car', 'pink'] as const) {
      const line = levelled(noise(kind, beforeMs + afterMs, seededRandom(1)))
      const calls = words.map((word) =>
        line.map((sample, at) => Math.round(0.8 * sample) + (word[at - beforeMs * 8] ?? 0)),
      )
      const heard = await Promise.all(calls.map((samples) => speechIn(samples, 8000, 0.6)))
      // Nothing but the word: what begins in the noise, before or after it, would be no finding.
      found += heard.filter(([first, second]) => {
        return second === undefined && Math.abs((first?.startMs ?? 0) - beforeMs - 100) < 200
      }).length
    }
    expect(found).toBeGreaterThanOrEqual(14)
  }, 90_000)

  test('in batches that overflow as all are renewed at once, each call hears what one alone does', async () => {
    const spoken = levelled(Float64Array.from((await readWav(human[0]?.path ?? '')).samples))
    const [beforeMs, count] = [4500, 70]
    const narrow = new Int16Array(beforeMs * 8 + spoken.length)
    narrow.set(spoken, beforeMs * 8)
    const wide = resampleWhole(narrow, 8000, 16_000)
    // One that speaks from the first has no heir then: with it a batch ends between another call's two.
    const talker = new Int16Array(narrow.length)
    for (let at = 0; at < talker.length; at += 1) talker[at] = spoken[at % spoken.length] ?? 0
    const lines = Array.from({ length: count }, (_, index) => {
      if (index % 10 === 0) return { samples: wide, rateHz: 16_000 } as const
      return { samples: index === 1 ? talker : narrow, rateHz: 8000 } as const
    })
    const many = new SpeechDetection({ clock, log, capacity: count })
    await using _closed = { [Symbol.asyncDispose]: () => many.close() }
    many.start()
    await until(
      () => many.readiness.ready,
      () => many.readiness,
    )
    const heard = await Promise.all(lines.map(({ samples, rateHz }) => speechIn(samples, rateHz, 0.5, many)))
    const alone = await Promise.all(lines.slice(0, 3).map(({ samples, rateHz }) => speechIn(samples, rateHz)))
    expect(alone.map(([first]) => Math.round((first?.startMs ?? 0) / 1000))).toEqual([5, 0, 5])
    for (const [index, found] of heard.entries())
      expect(found).toEqual(alone[index === 1 ? 1 : index % 10 === 0 ? 0 : 2] ?? [])
    expect(many.stats.droppedWindows).toBe(0)
  }, 60_000)

  test('each of several calls gets its own verdicts', async () => {
    const sentence = await speak('This is a sentence of some length, to be found.')
    const silence = new Int16Array(sentence.length)
    const [spoken, silent, again] = await Promise.all([speechIn(sentence), speechIn(silence), speechIn(sentence)])
    expect(spoken.length).toBeGreaterThan(0)
    expect(silent).toEqual([])
    expect(again.length).toBe(spoken.length)
  }, 60_000)
})

describe('models that are not there', () => {
  test('readiness names them and the cure, and nothing throws', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'no-models-'))
    const empty = new ModelStore({ folder, clock, log, env: {} })
    const lacking = createLocalStt({ store: empty, model: 'moonshine-tiny-en', clock, log })
    lacking.start()
    await until(() => JSON.stringify(lacking.readiness()).includes('patchcord models'), lacking.readiness)
    expect(JSON.stringify(lacking.readiness())).toContain('moonshine-tiny-en')
    await lacking.close()
    rmSync(folder, { recursive: true, force: true })
  })
})
