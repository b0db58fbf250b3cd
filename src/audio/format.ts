/**
 * Rates, frame lengths and the one frame type. Inside the engine there is only 16-bit signed mono;
 * the wire's own forms (slin over AudioSocket, µ-law over RTP) are made and undone at the edges.
 */
export const sampleRatesHz = [8000, 16000, 24000, 48000] as const
export type SampleRateHz = (typeof sampleRatesHz)[number]

/** Duration of one frame on every leg: Asterisk's own ptime. */
export const ptimeMs = 20

/** One ptime of mono samples, or a view of it: a receiver that keeps it past the call must copy. */
export interface AudioFrame {
  readonly sampleRateHz: SampleRateHz
  readonly samples: Int16Array
}

/** Asterisk's names of what travels on a wire; mono. Bytes per sample: 1 for the laws of G.711, 2 for slin. */
export const wireFormats = ['slin', 'slin16', 'slin24', 'slin48', 'ulaw', 'alaw'] as const
export type WireFormat = (typeof wireFormats)[number]

export const wireRatesHz: Readonly<Record<WireFormat, SampleRateHz>> = {
  slin: 8000,
  slin16: 16000,
  slin24: 24000,
  slin48: 48000,
  ulaw: 8000,
  alaw: 8000,
}

export interface AudioFormat {
  readonly sampleRateHz: SampleRateHz
  readonly ptimeMs: number
  /** What the frames are made of and into, at the edge. */
  readonly wire: WireFormat
}

/** 8000 Hz → 160, 16000 Hz → 320, 24000 Hz → 480, 48000 Hz → 960. */
export function samplesPerFrame(sampleRateHz: number): number {
  return (sampleRateHz * ptimeMs) / 1000
}

export function samplesToMs(samples: number, sampleRateHz: number): number {
  return (samples * 1000) / sampleRateHz
}

/** Whole samples, rounded down. */
export function msToSamples(ms: number, sampleRateHz: number): number {
  return Math.floor((ms * sampleRateHz) / 1000)
}
