import { sampleSpeech } from '#cli/sample-speech.ts'

/**
 * What every caller says, again and again: 1 s of line noise, 2 s of read human speech over it, noise to the end of the
 * 8 s. It is never digital silence, since a detector that skips zeros would make silence free.
 */
export const cycleMs = 8000
export const speechFromMs = 1000
export const speechMs = 2000
/** −60 dBFS. */
const noiseRms = 32768 / 1000

export interface Utterance {
  /** Where in the cycle it begins. */
  readonly atMs: number
  /** Which part of the sample of speech it is. */
  readonly fromMs: number
  readonly durationMs: number
}

/** One cycle of samples. Throws when the sample of speech is not in the model store; the message says how to get it. */
export async function callerCycle(
  sampleRateHz: number,
  lengthMs = cycleMs,
  utterances: readonly Utterance[] = [{ atMs: speechFromMs, fromMs: 0, durationMs: speechMs }],
): Promise<Int16Array> {
  const speech = await sampleSpeech(process.env, sampleRateHz)
  if (!speech.ok) throw new Error(speech.error)
  const at = (ms: number) => (sampleRateHz * ms) / 1000
  const voices = new Int16Array(at(lengthMs))
  for (const { atMs, fromMs, durationMs } of utterances)
    voices.set(speech.value.subarray(at(fromMs), at(fromMs + durationMs)), at(atMs))
  return voices.map((voice) => Math.max(-32768, Math.min(32767, voice + Math.round(noiseRms * gaussian()))))
}

/** The sum of twelve even chances has a variance of one. */
function gaussian(): number {
  let sum = -6
  for (let count = 0; count < 12; count += 1) sum += Math.random()
  return sum
}
