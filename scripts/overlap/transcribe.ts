import { resampleWhole } from '../../src/audio/resample.ts'
import { type Moonshine, moonshineRateHz, type Transcript } from '../../src/speech/moonshine.ts'

/** What the recogniser makes of samples of any rate. */
export async function transcribe(
  recogniser: Moonshine,
  samples: Int16Array,
  sampleRateHz: number,
): Promise<Transcript | null> {
  const wide = resampleWhole(samples, sampleRateHz, moonshineRateHz)
  return await recogniser.transcribe(
    Float32Array.from(wide, (sample) => sample / 32_768),
    () => false,
  )
}
