/** What the buffer counts. Lost, late, duplicate and reordered are packets; concealed is frames of 20 ms. */
export interface JitterStats {
  lost: number
  late: number
  duplicates: number
  reordered: number
  concealed: number
  delayMs: number
  /** By how much the sender's clock has run ahead of ours (behind it: negative), by its timestamps. */
  driftMs: number
}

/** What a sender counted wrongly, or began anew; each is followed and none ends anything. */
export interface JitterCounters {
  ssrcChanges: number
  sequenceRestarts: number
  timestampJumps: number
  /** Pitch periods left out to shorten the delay. */
  shortened: number
}

export const noJitterStats = (): JitterStats => ({
  lost: 0,
  late: 0,
  duplicates: 0,
  reordered: 0,
  concealed: 0,
  delayMs: 0,
  driftMs: 0,
})

export const noJitterCounters = (): JitterCounters => ({
  ssrcChanges: 0,
  sequenceRestarts: 0,
  timestampJumps: 0,
  shortened: 0,
})
