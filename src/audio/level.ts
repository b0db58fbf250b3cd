/** Digital silence and anything below it. */
export const silenceDbfs = -100

/** Root mean square of the samples in dB relative to full scale; −100 for silence. */
export function levelDbfs(samples: Int16Array): number {
  if (samples.length === 0) return silenceDbfs
  let sum = 0
  for (let index = 0; index < samples.length; index += 1) {
    const sample = samples[index] as number
    sum += sample * sample
  }
  const rms = Math.sqrt(sum / samples.length) / 32768
  return rms <= 1e-5 ? silenceDbfs : 20 * Math.log10(rms)
}

/** The same of a mean energy, which is the square of a sample of 16 bits. */
export function energyDbfs(energy: number): number {
  return energy < 1 ? silenceDbfs : 10 * Math.log10(energy) - 20 * Math.log10(32_768)
}

/** The largest magnitude of any sample, 0 to 32,768. */
export function peakOf(samples: Int16Array): number {
  let peak = 0
  for (let index = 0; index < samples.length; index += 1) {
    const magnitude = Math.abs(samples[index] as number)
    if (magnitude > peak) peak = magnitude
  }
  return peak
}
