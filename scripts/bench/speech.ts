import { parseArgs } from 'node:util'
import { decodeWav } from '#audio/wav.ts'
import { SystemClock } from '#base/clock.ts'
import { silentLog } from '#base/log.ts'
import { SpeechDetection } from '#speech/detection.ts'
import { windowMs } from '#speech/detection-memory.ts'
import { ModelStore, modelsFolder } from '#speech/model-store.ts'
import { Recognition } from '#speech/recognition.ts'
import { Voice } from '#speech/voice.ts'
import { noiseSound } from '../../test/bed/sounds.ts'
import { digitStrings, readSpeech, type Utterance } from '../../test/bed/speech.ts'
import { totalErrors, wordErrors } from '../../test/bed/word-error-rate.ts'
import { Timings } from './speech-timings.ts'

/**
 * What the local speech models cost and how well they hear, on this machine:
 *
 *   bun scripts/bench/speech.ts [--threads 1] [--calls 5] [--digits 40] [--detections 300]
 *
 * Every figure names its material. The timer lines are the ones that decide whether audio stays even: a timer of 20 ms
 * on the main thread, while recognition and voice are both at work without a pause.
 */
const { values } = parseArgs({
  options: {
    threads: { type: 'string', default: '1' },
    calls: { type: 'string', default: '5' },
    digits: { type: 'string', default: '40' },
    detections: { type: 'string', default: '300' },
  },
})
const threads = Number(values.threads)
const calls = Number(values.calls)

const clock = new SystemClock()
const log = silentLog
const never = new AbortController().signal
const store = new ModelStore({ folder: modelsFolder(process.env), clock, log, env: process.env })
const recognition = new Recognition({ clock, log, folder: store.path('moonshine-tiny-en'), threads })
const voice = new Voice({
  clock,
  log,
  model: store.path('piper-en-us-joe-medium', 'en_US-joe-medium.onnx'),
  phonemizerFolder: store.path('phonemizer'),
  threads,
})

interface Heard {
  readonly samples: Int16Array<ArrayBuffer>
  readonly sampleRateHz: number
  readonly words: string
}

async function load(utterance: Utterance): Promise<Heard> {
  const wav = decodeWav(await Bun.file(utterance.path).bytes())
  if (!wav.ok) throw new Error(`${utterance.path}: ${wav.error}`)
  return { samples: wav.value.samples.slice(), sampleRateHz: wav.value.sampleRateHz, words: utterance.words }
}

async function accuracy(material: string, utterances: readonly Utterance[]): Promise<readonly Heard[]> {
  const heard = await Promise.all(utterances.map(load))
  const times = new Timings()
  let audioMs = 0
  let exact = 0
  let looped = 0
  const errors = []
  for (const { samples, sampleRateHz, words } of heard) {
    const result = await recognition.transcribe(samples.slice(), sampleRateHz, never)
    if (!result.ok) throw new Error(result.error.message)
    const found = wordErrors(words, result.value.text)
    errors.push(found)
    times.add(result.value.durationMs)
    audioMs += result.value.audioMs
    if (found.rate === 0) exact += 1
    if (result.value.looped) looped += 1
  }
  const { rate, words } = totalErrors(errors)
  console.log(
    `${material}: ${heard.length} utterances, ${(audioMs / 1000).toFixed(0)} s, ${words} words: word error rate ${(rate * 100).toFixed(1)} %, ${exact} exact, ${looped} looped, real-time factor ${(times.total / audioMs).toFixed(3)}, ${times}`,
  )
  return heard
}

const sentences = [
  'Sure, one moment.',
  'Hello, this is the front desk. How can I help you today?',
  'Your appointment is on Tuesday, the fourteenth of March, at half past two in the afternoon.',
  'I am sorry, I did not understand that.',
]

async function speaking(): Promise<void> {
  const first = new Timings()
  const whole = new Timings()
  let audioMs = 0
  for (let round = 0; round < 3; round++) {
    for (const sentence of sentences) {
      const beganMs = clock.now()
      let firstMs = 0
      const result = await voice.speak(sentence, 8000, never, () => {
        if (firstMs === 0) firstMs = clock.now() - beganMs
      })
      if (!result.ok) throw new Error(result.error.message)
      first.add(firstMs)
      whole.add(clock.now() - beganMs)
      audioMs += result.value / 8
    }
  }
  console.log(
    `voice: ${sentences.length} sentences, three times, ${(audioMs / 1000).toFixed(0)} s: real-time factor ${(whole.total / audioMs).toFixed(3)}; first audio ${first}`,
  )
}

/** Each call recognises, then speaks, without a pause in between: more than people do. */
async function together(heard: readonly Heard[]): Promise<void> {
  const gaps = new Timings()
  const transcripts = new Timings()
  const firsts = new Timings()
  const call = async (number: number) => {
    for (let turn = 0; turn < 4; turn++) {
      const said = heard[(number * 7 + turn) % heard.length]
      if (said === undefined) return
      const beganMs = clock.now()
      await recognition.transcribe(said.samples.slice(), said.sampleRateHz, never)
      transcripts.add(clock.now() - beganMs)
      const speakMs = clock.now()
      let firstMs = 0
      await voice.speak(sentences[(number + turn) % sentences.length] ?? '', 8000, never, () => {
        if (firstMs === 0) firstMs = clock.now() - speakMs
      })
      firsts.add(firstMs)
    }
  }
  let lastMs = clock.now()
  using _timer = clock.every(20, (nowMs) => {
    gaps.add(nowMs - lastMs)
    lastMs = nowMs
  })
  await Promise.all(Array.from({ length: calls }, (_, number) => call(number)))
  console.log(`${calls} calls at once, ${threads} thread(s) a model: transcript ${transcripts}; first audio ${firsts}`)
  console.log(`20 ms timer of the main thread meanwhile: gaps ${gaps}`)
}

/** Real time: every call pushes a frame of 20 ms, and the verdicts' delay is measured. */
async function detecting(count: number, heard: readonly Heard[], seconds: number): Promise<void> {
  const detection = new SpeechDetection({ clock, log, capacity: count })
  detection.start()
  while (!detection.readiness.ready) await clock.sleep(5)
  const delays = new Timings()
  const late = new Timings()
  let verdicts = 0
  const pushedMs = new Float64Array(count)
  const sessions = Array.from({ length: count }, (_, slot) =>
    detection.open(8000, () => {
      verdicts += 1
      delays.add(clock.now() - (pushedMs[slot] ?? 0))
    }),
  )
  const audio = heard.map(({ samples }) => samples)
  const quietLine = noiseSound(10_000, -60, 8000, 1)
  const usage = process.cpuUsage()
  const beganMs = clock.now()
  let tick = 0
  let lastMs = beganMs
  const timer = clock.every(4, (nowMs) => {
    late.add(nowMs - lastMs)
    lastMs = nowMs
    // A fifth of the calls every 4 ms: frames don't arrive all at once.
    for (let slot = tick % 5; slot < count; slot += 5) {
      // Nobody speaks on every other line, as on one whose caller listens.
      const source = slot % 2 === 1 ? quietLine : audio[slot % audio.length]
      if (source === undefined) continue
      const at = (Math.floor(tick / 5) * 160) % Math.max(160, source.length - 160)
      sessions[slot]?.push(source.subarray(at, at + 160))
      pushedMs[slot] = nowMs
    }
    tick += 1
  })
  await clock.sleep(seconds * 1000)
  timer[Symbol.dispose]()
  await clock.sleep(100)
  const used = process.cpuUsage(usage)
  const cpuMs = (used.user + used.system) / 1000
  const { droppedWindows } = detection.stats
  console.log(
    `detection, ${count} call(s), ${seconds} s: ${verdicts} verdicts, ${droppedWindows} dropped, delay ${delays}; ${((cpuMs * 1000) / verdicts).toFixed(0)} µs of CPU a window (${windowMs} ms), ${(cpuMs / count / seconds).toFixed(2)} ms a call-second, all counted; 4 ms timer ${late}`,
  )
  await detection.close()
}

const missing = await store.missing(['moonshine-tiny-en', 'piper-en-us-joe-medium', 'phonemizer'])
if (missing !== null) {
  console.error(missing)
  process.exit(1)
}
recognition.start()
voice.start()
const startedMs = clock.now()
while (!recognition.readiness.ready || !voice.readiness.ready) await clock.sleep(10)
console.log(`recognition, voice and phonemizer ready after ${(clock.now() - startedMs).toFixed(0)} ms`)

const read = await accuracy('read human speech, 8 kHz (pocketsphinx-testdata)', await readSpeech())
await accuracy('human digit strings, 8 kHz (asterisk-core-sounds)', await digitStrings(Number(values.digits), 1))
await speaking()
await together(read)
await recognition.close()
await voice.close()
await detecting(1, read, 5)
await detecting(64, read, 5)
await detecting(Number(values.detections), read, 10)
process.exit(0)
