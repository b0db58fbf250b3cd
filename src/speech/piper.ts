import { readFileSync } from 'node:fs'
import { createSession, loadOnnx, type OnnxSession } from './onnx.ts'

/**
 * A Piper voice (VITS): phoneme ids to audio in one run. Shapes: `input` int64 [1, ids], `input_lengths` int64 [1],
 * `scales` float [3] (noise, length, noise of the phonemes' length) → `output` float [1, 1, 1, samples], −1 to 1, at
 * the rate of the voice's json.
 */
export interface PiperVoice {
  readonly sampleRateHz: number
  /** eSpeak's name of the language, for the phonemizer. */
  readonly espeakVoice: string
  readonly phonemeIds: ReadonlyMap<string, readonly number[]>
  readonly scales: readonly [number, number, number]
}

/** Reads the voice's `.onnx.json`. Throws with what is missing in it. */
export function readPiperVoice(jsonPath: string): PiperVoice {
  return parsePiperVoice(JSON.parse(readFileSync(jsonPath, 'utf8')))
}

interface PiperJson {
  readonly audio?: { readonly sample_rate?: number }
  readonly espeak?: { readonly voice?: string }
  readonly inference?: { readonly noise_scale?: number; readonly length_scale?: number; readonly noise_w?: number }
  readonly phoneme_id_map?: Readonly<Record<string, readonly number[]>>
}

export function parsePiperVoice(value: unknown): PiperVoice {
  const json = (typeof value === 'object' && value !== null ? value : {}) as PiperJson
  const { audio, espeak, inference, phoneme_id_map: map } = json
  if (audio?.sample_rate === undefined) throw new Error('the voice names no audio.sample_rate')
  if (espeak?.voice === undefined) throw new Error('the voice names no espeak.voice')
  if (map === undefined) throw new Error('the voice has no phoneme_id_map')
  return {
    sampleRateHz: audio.sample_rate,
    espeakVoice: espeak.voice,
    // keyed by: phoneme
    phonemeIds: new Map(Object.entries(map)),
    // Piper's own defaults.
    scales: [inference?.noise_scale ?? 0.667, inference?.length_scale ?? 1, inference?.noise_w ?? 0.8],
  }
}

/**
 * `^ _ h _ ə _ … $`: every phoneme is followed by the pad that the voice was trained with. Characters the voice doesn't
 * know are left out, as Piper does.
 * @param phonemes IPA with punctuation; composed letters are taken apart, for the map has letters and marks apart
 */
export function phonemesToIds(phonemes: string, voice: PiperVoice): Int32Array {
  const ids: number[] = []
  const pad = voice.phonemeIds.get('_') ?? []
  ids.push(...(voice.phonemeIds.get('^') ?? []), ...pad)
  for (const phoneme of phonemes.normalize('NFD')) {
    const known = voice.phonemeIds.get(phoneme)
    if (known !== undefined) ids.push(...known, ...pad)
  }
  ids.push(...(voice.phonemeIds.get('$') ?? []))
  return Int32Array.from(ids)
}

export class Piper {
  private readonly runtime: Awaited<ReturnType<typeof loadOnnx>>
  private readonly session: OnnxSession
  private readonly voice: PiperVoice

  private constructor(runtime: Awaited<ReturnType<typeof loadOnnx>>, session: OnnxSession, voice: PiperVoice) {
    this.runtime = runtime
    this.session = session
    this.voice = voice
  }

  /** Throws when the model can't be read. */
  static async load(modelPath: string, voice: PiperVoice, threads: number): Promise<Piper> {
    return new Piper(await loadOnnx(), await createSession(modelPath, { threads }), voice)
  }

  /** @returns samples at the voice's rate, about −1 to 1 */
  async synthesize(ids: Int32Array): Promise<Float32Array> {
    const { Tensor } = this.runtime
    const answer = await this.session.run({
      input: new Tensor('int64', BigInt64Array.from(ids, BigInt), [1, ids.length]),
      input_lengths: new Tensor('int64', BigInt64Array.of(BigInt(ids.length)), [1]),
      scales: new Tensor('float32', Float32Array.from(this.voice.scales), [3]),
    })
    const output = answer.output
    if (output === undefined) throw new Error('the voice gave no output')
    return output.data as Float32Array
  }
}
