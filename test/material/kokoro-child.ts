// Speaks a list of phrases with Kokoro and ends. A process of its own, because ONNX Runtime works on the thread that
// asks, and two of these use both cores. argv: a file with a KokoroOrder.

import { readFileSync, renameSync } from 'node:fs'
import { resampleWhole } from '#audio/resample.ts'
import { createSession, loadOnnx } from '#speech/onnx.ts'
import { writeWav } from '../bed/wav-file.ts'
import { RATE_HZ } from './audio.ts'
import type { KokoroOrder } from './kokoro.ts'

const KOKORO_RATE_HZ = 24_000
/** A voice's file: a style for each number of phonemes, 256 float32 each. */
const STYLE_VALUES = 256

const order = JSON.parse(readFileSync(process.argv[2] ?? '', 'utf8')) as KokoroOrder
const { vocab } = JSON.parse(readFileSync(order.vocabPath, 'utf8')) as { readonly vocab: Record<string, number> }
const { Tensor } = await loadOnnx()
const session = await createSession(order.modelPath, { threads: 1 })

for (const { phonemes, voicePath, speed, to } of order.jobs) {
  const ids = [...phonemes].flatMap((phoneme) => vocab[phoneme] ?? [])
  const bytes = readFileSync(voicePath)
  const styles = new Float32Array(bytes.buffer, bytes.byteOffset, bytes.length / 4)
  const style = styles.slice(ids.length * STYLE_VALUES, (ids.length + 1) * STYLE_VALUES)
  const answer = await session.run({
    // The model wants the pad, 0, on both sides.
    tokens: new Tensor('int64', BigInt64Array.from([0, ...ids, 0], BigInt), [1, ids.length + 2]),
    style: new Tensor('float32', style, [1, STYLE_VALUES]),
    speed: new Tensor('float32', Float32Array.of(speed), [1]),
  })
  const audio = answer.audio?.data as Float32Array
  const samples = Int16Array.from(audio, (value) => Math.max(-32_768, Math.min(32_767, Math.round(value * 32_767))))
  // Written under another name first, so that a killed run leaves no half file for the next one to find.
  await writeWav(`${to}.part`, { sampleRateHz: RATE_HZ, samples: resampleWhole(samples, KOKORO_RATE_HZ, RATE_HZ) })
  renameSync(`${to}.part`, to)
}
