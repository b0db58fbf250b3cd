/**
 * What the stand-in says where it was given no sound: tones that tell, in a recording and through any telephone codec,
 * which reply it is and how far into it one is. Every 100 ms another pitch; step k of reply n has `toneHz(n, k)`, out of
 * 40 pitches that come again after 4 s. The phase runs on from step to step, so that there are no clicks.
 */
export const toneStepMs = 100
export const toneCount = 40
const firstHz = 400
const apartHz = 75
/** Apart from a neighbour's steps: 40 and 7 have no common divisor. */
const stepsPerReply = 7
/** −18 dBFS: half of full scale would be loud, and less would be near a detector's threshold. */
const amplitude = 5800

export function toneHz(reply: number, step: number): number {
  return firstHz + apartHz * ((reply * stepsPerReply + step) % toneCount)
}

/** @param reply which reply of a session, from 0 */
export function tonePattern(reply: number, ms: number, sampleRateHz = 24_000): Int16Array {
  const samples = new Int16Array(Math.round((ms * sampleRateHz) / 1000))
  const perStep = (toneStepMs * sampleRateHz) / 1000
  let phase = 0
  for (let index = 0; index < samples.length; index += 1) {
    samples[index] = Math.round(amplitude * Math.sin(phase))
    phase += (2 * Math.PI * toneHz(reply, Math.floor(index / perStep))) / sampleRateHz
  }
  return samples
}
