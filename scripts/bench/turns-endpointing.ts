import { msToSamples } from '#audio/format.ts'
import { SystemClock } from '#base/clock.ts'
import { silentLog } from '#base/log.ts'
import { seededRandom } from '#base/random.ts'
import { type EndpointingSettings, type TurnEnder, turnEnd } from '#call/endpointing.ts'
import { tailMs } from '#call/turn-pause.ts'
import { windowSamples } from '#speech/detection-memory.ts'
import { ModelStore, modelsFolder } from '#speech/model-store.ts'
import { loadOnnx } from '#speech/onnx.ts'
import { Silero, SileroStream } from '#speech/silero.ts'
import { SmartTurn } from '#speech/smart-turn.ts'
import { SpeechGate } from '#speech/speech-gate.ts'
import { turnEndModelFile, turnEndModelId } from '#speech/turn-end.ts'
import { noiseSound } from '../../test/bed/sounds.ts'
import type { Material, Turn } from '../../test/material/material.ts'

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
}

export interface JudgedTurn {
  readonly kind: Turn['kind']
  readonly human: boolean
  readonly pauses: readonly JudgedPause[]
}

export interface VadSettings {
  readonly threshold: number
  readonly minSpeechMs: number
  readonly minSilenceMs: number
}

const rateHz = 8000
/** Every other turn on a quiet line, the others over a noise of the material. */
const quietLineDbfs = -60
const overNoiseDb = [20, 15, 10] as const
const leadMs = 600
const tailSilenceMs = 2500
/** From the detector's word to an answer of the model's, as measured through its worker. */
const askedMs = 90

export async function judgeTurns(stuff: Material, vad: VadSettings, seed: number, max: number): Promise<JudgedTurn[]> {
  const clock = new SystemClock()
  const store = new ModelStore({ folder: modelsFolder(process.env), clock, log: silentLog, env: process.env })
  const fetched = await store.ensure([turnEndModelId], () => {})
  if (!fetched.ok) throw new Error(fetched.error.map(({ message }) => message).join('\n'))
  await loadOnnx()
  const silero = await Silero.load()
  const smartTurn = await SmartTurn.load(store.path(turnEndModelId, turnEndModelFile), 1)
  const random = seededRandom(seed)
  const judged: JudgedTurn[] = []
  for (const [index, turn] of stuff.turns.slice(0, max).entries()) {
    const noise = stuff.noises[Math.floor(random.next() * stuff.noises.length)]
    const overDb = overNoiseDb[Math.floor(random.next() * overNoiseDb.length)] ?? 20
    const quiet = index % 2 === 0 || noise === undefined
    const line = quiet ? noiseSound(997, quietLineDbfs, rateHz, index + 1) : noise.samples
    const heard = onLine(turn, line, quiet ? 1 : 10 ** (-overDb / 20))
    const pauses = await pausesOf(heard, turn, silero, smartTurn, vad)
    if (pauses.length > 0) judged.push({ kind: turn.kind, human: turn.human, pauses })
  }
  return judged
}

function onLine(turn: Turn, noise: Int16Array, gain: number): Int16Array {
  const lead = msToSamples(leadMs, rateHz)
  const all = new Int16Array(lead + turn.samples.length + msToSamples(tailSilenceMs, rateHz))
  for (let index = 0; index < all.length; index += 1) {
    const sample = (turn.samples[index - lead] ?? 0) + (noise[index % noise.length] as number) * gain
    all[index] = Math.max(-32_768, Math.min(32_767, Math.round(sample)))
  }
  return all
}

async function pausesOf(
  heard: Int16Array,
  turn: Turn,
  silero: Silero,
  smartTurn: SmartTurn,
  vad: VadSettings,
): Promise<JudgedPause[]> {
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
  const pauses: JudgedPause[] = []
  for (const [index, { atMs }] of stops.entries()) {
    const again = starts[index + 1]
    const from = Math.max(0, msToSamples(first.onsetMs - 300, rateHz))
    const asked = heard.subarray(from, msToSamples(atMs + tailMs, rateHz))
    pauses.push({
      lastsMs: again === undefined ? Number.POSITIVE_INFINITY : again.atMs - atMs,
      lateMs: atMs - trueEndMs,
      probability: await smartTurn.judge(asked, rateHz),
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
  let cut = 0
  for (const { pauses } of turns) {
    const ended = pauses.findIndex(({ lastsMs, probability }) => {
      const { silenceMs, by } = turnEnd({ probability, providerDone: false, providerTells: false }, settings)
      return endsAfterMs(silenceMs, by, minSilenceMs) < lastsMs
    })
    const pause = pauses[ended]
    if (pause === undefined || ended < pauses.length - 1) {
      cut += 1
      continue
    }
    const { silenceMs, by } = turnEnd(
      { probability: pause.probability, providerDone: false, providerTells: false },
      settings,
    )
    delays.push(pause.lateMs + endsAfterMs(silenceMs, by, minSilenceMs))
  }
  delays.sort((a, b) => a - b)
  return {
    cutOffRate: cut / turns.length,
    meanMs: delays.reduce((sum, delay) => sum + delay, 0) / delays.length,
    p50Ms: delays[Math.floor(delays.length * 0.5)] ?? Number.NaN,
    p95Ms: delays[Math.floor(delays.length * 0.95)] ?? Number.NaN,
  }
}

/** A pause is only known after a while, and the model's answer comes a little later. */
function endsAfterMs(silenceMs: number, by: TurnEnder, minSilenceMs: number): number {
  return Math.max(silenceMs, minSilenceMs + 20 + (by === 'model' ? askedMs : 0))
}
