/**
 * What a simulated caller says carries its place in the four lowest bits of each sample, so that whoever gets some of it
 * can tell which: at −66 dBFS and below, under every noise.
 *
 * Eight samples are a block. The bits of the first say that it is one, and a check; those of the other seven the number
 * of the block, three bits each: enough for 17 minutes at 16 kHz.
 */
const blockSamples = 8
const first = 8

function bitsOf(index: number): number {
  const block = index >> 3
  const place = index & 7
  return place === 0 ? first | checkOf(block) : (block >> (3 * (place - 1))) & 7
}

function checkOf(block: number): number {
  return (Math.imul(block + 1, 40_503) >> 4) & 7
}

/** In place: these are the caller's samples from `from` on. */
export function markCaller(samples: Int16Array, from: number): void {
  for (let at = 0; at < samples.length; at += 1) samples[at] = ((samples[at] as number) & ~15) | bitsOf(from + at)
}

/** Which sample of the caller's stands at `at`; null where there is no whole block from there on, or none was marked. */
export function readCallerMark(samples: Int16Array, at: number): number | null {
  for (let start = at; start < at + blockSamples && start + blockSamples <= samples.length; start += 1) {
    if (((samples[start] as number) & first) === 0) continue
    let block = 0
    for (let place = 1; place < blockSamples; place += 1) {
      block |= ((samples[start + place] as number) & 7) << (3 * (place - 1))
    }
    const index = block * blockSamples
    return ((samples[start] as number) & 15) === bitsOf(index) ? index - (start - at) : null
  }
  return null
}

/** How many samples from `at` on are the caller's from `index` on. */
export function markedRun(samples: Int16Array, at: number, index: number): number {
  let count = 0
  while (at + count < samples.length && ((samples[at + count] as number) & 15) === bitsOf(index + count)) count += 1
  return count
}

/** Samples that follow each other, from the first that is no digital silence to the last. */
export function isOnePiece(samples: Int16Array): boolean {
  const from = samples.findIndex((sample) => sample !== 0)
  const index = from < 0 ? null : readCallerMark(samples, from)
  return index !== null && markedRun(samples, from, index) === samples.length - from
}

/** Samples `from` to `until`, the last not included. */
export interface SampleRange {
  readonly from: number
  until: number
}

/** Neighbours are joined. */
export function addRange(ranges: SampleRange[], from: number, until: number): void {
  const last = ranges.at(-1)
  if (last?.until === from) last.until = until
  else ranges.push({ from, until })
}
