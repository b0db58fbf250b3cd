import { JitterBuffer } from '#audio/jitter-buffer.ts'
import type { Random } from '#base/random.ts'

/** Packets as a sender makes them and a network delivers them, and somebody who listens to a jitter buffer. */
export const rateHz = 8000
export const perFrame = 160

/** A voice-like sound that never repeats: a pitch that glides, its overtones, and a slow swell. */
export function voice(samples: number): Int16Array {
  let phase = 0
  return Int16Array.from({ length: samples }, (_, index) => {
    const seconds = index / rateHz
    phase += (2 * Math.PI * (140 + 25 * Math.sin(2 * Math.PI * 0.7 * seconds))) / rateHz
    const tone = Math.sin(phase) + 0.5 * Math.sin(2 * phase) + 0.3 * Math.sin(5 * phase)
    return Math.round(5000 * tone * (0.7 + 0.3 * Math.sin(2 * Math.PI * 2 * seconds)))
  })
}

export interface Packet {
  readonly sequence: number
  readonly timestamp: number
  readonly ssrc: number
  readonly samples: Int16Array
  readonly atMs: number
}

export interface Stream {
  readonly sound: Int16Array
  readonly packetSamples?: number
  readonly firstSequence?: number
  readonly firstTimestamp?: number
  readonly ssrc?: number
  readonly startMs?: number
  /** How much faster the sender's clock runs. */
  readonly driftPpm?: number
}

/** A sender that keeps time: a packet leaves when its last sample has been spoken. */
export function stream(options: Stream): Packet[] {
  const { sound, packetSamples = perFrame, firstSequence = 0, firstTimestamp = 0, ssrc = 7, startMs = 1000 } = options
  const msPerSample = 1000 / rateHz / (1 + (options.driftPpm ?? 0) / 1e6)
  return Array.from({ length: Math.floor(sound.length / packetSamples) }, (_, index) => ({
    sequence: (firstSequence + index) & 0xffff,
    timestamp: (firstTimestamp + index * packetSamples) >>> 0,
    ssrc,
    samples: sound.subarray(index * packetSamples, (index + 1) * packetSamples),
    atMs: startMs + (index + 1) * packetSamples * msPerSample,
  }))
}

export interface Heard {
  readonly samples: Int16Array
  readonly buffer: JitterBuffer
  /** The delay after each frame. */
  readonly delaysMs: number[]
}

/** Pulls every 20 ms on the dot, `phaseMs` after the whole 20 ms, until the last packet is heard. */
export function listen(packets: readonly Packet[], delayMaxMs = 200, phaseMs = 8, tailMs = 100): Heard {
  const buffer = new JitterBuffer(rateHz, delayMaxMs)
  const arriving = [...packets].sort((a, b) => a.atMs - b.atMs)
  const untilMs = (arriving.at(-1)?.atMs ?? 0) + tailMs
  const samples: number[] = []
  const delaysMs: number[] = []
  const frame = new Int16Array(perFrame)
  let next = 0
  for (let nowMs = phaseMs; nowMs < untilMs; nowMs += 20) {
    for (let packet = arriving[next]; packet !== undefined && packet.atMs <= nowMs; packet = arriving[next]) {
      buffer.push(packet.sequence, packet.timestamp, packet.ssrc, packet.samples, packet.atMs)
      next += 1
    }
    if (!buffer.pull(nowMs, frame)) continue
    samples.push(...frame)
    delaysMs.push(buffer.stats.delayMs)
  }
  return { samples: Int16Array.from(samples), buffer, delaysMs }
}

export const largest = (values: Iterable<number>) => {
  let max = Number.NEGATIVE_INFINITY
  for (const value of values) max = Math.max(max, value)
  return max
}
export const jittered = (packets: readonly Packet[], random: Random, jitterMs: number) =>
  packets.map((packet) => ({ ...packet, atMs: packet.atMs + random.next() * jitterMs }))
/** The largest step between neighbouring samples. */
export const steepest = (samples: Int16Array) => {
  let step = 0
  for (let index = 1; index < samples.length; index += 1) {
    step = Math.max(step, Math.abs((samples[index] as number) - (samples[index - 1] as number)))
  }
  return step
}

/** Where `part` begins in `whole`, bit for bit; −1 when it is nowhere. */
export function indexOf(whole: Int16Array, part: Int16Array): number {
  for (let at = 0; at + part.length <= whole.length; at += 1) {
    let same = 0
    while (same < part.length && whole[at + same] === part[same]) same += 1
    if (same === part.length) return at
  }
  return -1
}
