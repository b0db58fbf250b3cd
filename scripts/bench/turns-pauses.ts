import { msToSamples } from '#audio/format.ts'
import { type Milliseconds, SystemClock } from '#base/clock.ts'
import { silentLog } from '#base/log.ts'
import { type Random, seededRandom } from '#base/random.ts'
import { type EndpointingSettings, turnEnd } from '#call/endpointing.ts'
import { tailMs } from '#call/turn-pause.ts'
import { type WordsSay, whatWordsSay } from '#call/unfinished-words.ts'
import { windowSamples } from '#speech/detection-memory.ts'
import { ModelStore, modelsFolder } from '#speech/model-store.ts'
import { Moonshine } from '#speech/moonshine.ts'
import { loadOnnx } from '#speech/onnx.ts'
import { Silero } from '#speech/silero.ts'
import { SileroStream } from '#speech/silero-stream.ts'
import { SmartTurn } from '#speech/smart-turn.ts'
import { SpeechGate } from '#speech/speech-gate.ts'
import { turnEndModelFile, turnEndModelId } from '#speech/turn-end.ts'
import { noiseSound } from '../../test/bed/sounds.ts'
import type { Material, Turn } from '../../test/material/material.ts'
import { transcribe } from '../overlap/transcribe.ts'

/**
 * Endpointing by silence alone and with the end-of-turn model, on the same turns: each turn's pauses are found by the
 * real detector and judged by the real model once, and then every setting is tried on them with the engine's own
 * decision. What is compared is the delay at equal shares of callers who are cut off.
 */
export interface JudgedPause {
  /** From the voice's end to where the detector says that it sounds again; infinite after the last. */
  readonly lastsMs: number
  /** The detector's end of the voice behind the true one; negative before it. Of the last pause only. */
  readonly lateMs: number
  readonly probability: number
  /** What the recogniser's words so far say; null where it has none in the caller's language. */
  readonly words: WordsSay | null
}

export interface JudgedTurn {
  readonly kind: Turn['kind']
  readonly human: boolean
  readonly language: string
  readonly pauses: readonly JudgedPause[]
}

export interface VadSettings {
  readonly threshold: number
  readonly minSpeechMs: number
  readonly minSilenceMs: number
}

const rateHz = 8000
const recogniserId = 'moonshine-tiny-en'
/**
 * Every other turn on a quiet line, the others so far over a noise of the material. Other people's voices lie further
 * back: nearer ones are somebody else's turn to the detector, and no question of endpointing.
 */
const quietLineDbfs = -60
const overNoiseDb = [25, 20, 15, 10] as const
const overVoicesDb = [25, 20] as const
const leadMs = 600
const tailSilenceMs = 2500
/** From the detector's word to an answer of the model's, as measured through its worker. */
const askedMs = 90
/** … to the recogniser's words, of a sentence. */
const recognisedMs = 300
/** A frame until the pause is acted upon. */
const noticedMs = 20

export async function judgeTurns(stuff: Material, vad: VadSettings, seed: number, max: number): Promise<JudgedTurn[]> {
  const clock = new SystemClock()
  const store = new ModelStore({ folder: modelsFolder(process.env), clock, log: silentLog, env: process.env })
  const fetched = await store.ensure([turnEndModelId, recogniserId], () => {})
  if (!fetched.ok) throw new Error(fetched.error.map(({ message }) => message).join('\n'))
  await loadOnnx()
  const models: Models = {
    silero: await Silero.load(),
    smartTurn: await SmartTurn.load(store.path(turnEndModelId, turnEndModelFile), 1),
    recogniser: await Moonshine.load(store.path(recogniserId), 1),
  }
  const judged: JudgedTurn[] = []
  for (const heard of onLines(stuff, seed, max)) {
    const pauses = await judgedPauses(await pausesOf(heard, models.silero, vad), heard.turn, models)
    if (pauses.length > 0) judged.push({ ...described(heard.turn), pauses })
  }
  return judged
}

const described = ({ kind, human, language }: Turn) => ({ kind, human, language })

type Spoken = Pick<Turn, 'samples' | 'offsetSample'>

/** A turn as it comes over the line, with silence before and after it. */
export interface HeardTurn<Of extends Spoken = Turn> {
  readonly turn: Of
  readonly samples: Int16Array
}

export function* onLines({ turns, noises }: Material, seed: number, max: number): Generator<HeardTurn> {
  const random = seededRandom(seed)
  for (const [index, turn] of turns.slice(0, max).entries()) yield overLine(turn, index, noises, random)
}

/** @param index of the turn among all: even ones come over quiet lines */
export function overLine<Of extends Spoken>(
  turn: Of,
  index: number,
  noises: Material['noises'],
  random: Random,
): HeardTurn<Of> {
  const noise = noises[Math.floor(random.next() * noises.length)]
  const overs = noise?.kind === 'babble' ? overVoicesDb : overNoiseDb
  const overDb = overs[Math.floor(random.next() * overs.length)] ?? 20
  const quiet = index % 2 === 0 || noise === undefined
  const line = quiet ? noiseSound(997, quietLineDbfs, rateHz, index + 1) : noise.samples
  return { turn, samples: onLine(turn, line, quiet ? 1 : 10 ** (-overDb / 20)) }
}

/** What the detector takes for a pause. */
export interface HeardPause {
  readonly lastsMs: number
  readonly lateMs: number
  /** What the model is shown: from a little before the turn to the end of the voice. */
  readonly asked: Int16Array
}

async function judgedPauses(
  heard: readonly HeardPause[],
  turn: Turn,
  { smartTurn, recogniser }: Models,
): Promise<JudgedPause[]> {
  const pauses: JudgedPause[] = []
  for (const { lastsMs, lateMs, asked } of heard) {
    const probability = await smartTurn.judge(asked, rateHz)
    const words =
      turn.language === 'en' ? whatWordsSay((await transcribe(recogniser, asked, rateHz))?.text ?? '', 'en') : null
    pauses.push({ lastsMs, lateMs, probability, words })
  }
  return pauses
}

interface Models {
  readonly silero: Silero
  readonly smartTurn: SmartTurn
  readonly recogniser: Moonshine
}

function onLine(turn: Spoken, noise: Int16Array, gain: number): Int16Array {
  const lead = msToSamples(leadMs, rateHz)
  const all = new Int16Array(lead + turn.samples.length + msToSamples(tailSilenceMs, rateHz))
  for (let index = 0; index < all.length; index += 1) {
    const sample = (turn.samples[index - lead] ?? 0) + (noise[index % noise.length] as number) * gain
    all[index] = Math.max(-32_768, Math.min(32_767, Math.round(sample)))
  }
  return all
}

/** By the real detector, of one turn; the last is its end. Empty where nothing was heard. */
export async function pausesOf(
  { turn, samples: heard }: HeardTurn<Spoken>,
  silero: Silero,
  vad: VadSettings,
): Promise<HeardPause[]> {
  const window = windowSamples(rateHz)
  const stream = new SileroStream()
  const gate = new SpeechGate({ sampleRateHz: rateHz, ...vad })
  const probability = new Float32Array(1)
  const stops: { readonly atMs: number }[] = []
  const starts: { readonly atMs: number; readonly onsetMs: number }[] = []
  for (let at = 0; at + window <= heard.length; at += window) {
    await silero.run(rateHz, [stream], heard, [at], probability)
    const end = at + window
    const event = gate.push(probability[0] as number, end)
    const nowMs = (end * 1000) / rateHz
    if (event?.type === 'speech_started') starts.push({ atMs: nowMs, onsetMs: nowMs - event.agoMs })
    if (event?.type === 'speech_stopped') stops.push({ atMs: nowMs - event.agoMs })
  }
  const trueEndMs = leadMs + (turn.offsetSample * 1000) / rateHz
  const first = starts[0]
  if (first === undefined) return []
  const pauses: HeardPause[] = []
  for (const [index, { atMs }] of stops.entries()) {
    const again = starts[index + 1]
    const from = Math.max(0, msToSamples(first.onsetMs - 300, rateHz))
    pauses.push({
      lastsMs: again === undefined ? Number.POSITIVE_INFINITY : again.atMs - atMs,
      lateMs: atMs - trueEndMs,
      asked: heard.subarray(from, msToSamples(atMs + tailMs, rateHz)),
    })
    // What sounds after the true end is the line's noise.
    if (atMs >= trueEndMs - 60) break
  }
  const last = pauses.at(-1)
  return last === undefined ? [] : [...pauses.slice(0, -1), { ...last, lastsMs: Number.POSITIVE_INFINITY }]
}

export interface EndpointingOutcome {
  readonly cutOffRate: number
  /** True end of speech → end of the turn, of turns that were not cut off. */
  readonly meanMs: number
  readonly p50Ms: number
  readonly p95Ms: number
}

/** One setting on all turns, by the engine's own decision. */
export function tryEndpointing(
  turns: readonly JudgedTurn[],
  settings: EndpointingSettings,
  minSilenceMs: number,
): EndpointingOutcome {
  const delays: number[] = []
  for (const { pauses } of turns) {
    const ends = pauses.map((pause) => endsAfterMs(pause, settings, minSilenceMs))
    const ended = pauses.findIndex(({ lastsMs }, index) => (ends[index] as number) < lastsMs)
    if (ended === pauses.length - 1) delays.push((pauses[ended] as JudgedPause).lateMs + (ends[ended] as number))
  }
  delays.sort((a, b) => a - b)
  return {
    cutOffRate: 1 - delays.length / turns.length,
    meanMs: delays.reduce((sum, delay) => sum + delay, 0) / delays.length,
    p50Ms: delays[Math.floor(delays.length * 0.5)] ?? Number.NaN,
    p95Ms: delays[Math.floor(delays.length * 0.95)] ?? Number.NaN,
  }
}

/** A pause is only known after a while, and the answers of model and recogniser come a little later. */
function endsAfterMs(
  { probability, words }: JudgedPause,
  settings: EndpointingSettings,
  minSilenceMs: number,
): Milliseconds {
  const end = (said: WordsSay | null) =>
    turnEnd({ probability, words: said, providerDone: false, providerTells: false }, settings)
  const { silenceMs, by } = end(null)
  const without = Math.max(silenceMs, minSilenceMs + noticedMs + (by === 'model' ? askedMs : 0))
  const wordsAtMs = minSilenceMs + noticedMs + recognisedMs
  const asWell = settings.stop === 'model' && words !== null && wordsAtMs < without
  return asWell ? Math.max(end(words).silenceMs, wordsAtMs) : without
}
