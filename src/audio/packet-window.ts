/**
 * Packets that wait for their turn, by extended sequence number, and the memory of those that came: a packet is a
 * duplicate, or late, only by comparison with it. Storage is made on first use and then reused.
 */

/** 20 s of packets of 20 ms: how long a packet is known to have come. */
const remembered = 1024
/** 1.2 s of packets of 10 ms may wait. Whoever notes a newer packet makes room first, so no search goes further. */
export const waitingMax = 128

export class PacketWindow {
  /** The next packet in order that has not been taken; less than `waitingMax` before `highest`. */
  next = 0
  /** The newest packet that has come. */
  highest = -1
  /** Before this one nothing was ever expected. */
  first = 0
  private readonly came = new Int32Array(remembered).fill(-1)
  private readonly sequences = new Int32Array(waitingMax).fill(-1)
  private readonly positions = new Float64Array(waitingMax)
  private readonly lengths = new Int32Array(waitingMax)
  private readonly samples: Int16Array[] = []

  start(sequence: number): void {
    this.next = sequence
    this.first = sequence
    this.highest = sequence
  }

  hasCome(sequence: number): boolean {
    return this.came[sequence % remembered] === sequence
  }

  noteCame(sequence: number): void {
    this.came[sequence % remembered] = sequence
    if (sequence > this.highest) this.highest = sequence
  }

  put(sequence: number, position: number, samples: Int16Array): void {
    const slot = sequence % waitingMax
    this.sequences[slot] = sequence
    this.positions[slot] = position
    this.lengths[slot] = samples.length
    const held = this.samples[slot]
    if (held !== undefined && held.length >= samples.length) held.set(samples)
    else this.samples[slot] = samples.slice()
  }

  /** The first packet that waits, from `next` on; −1 when none does. */
  firstWaiting(): number {
    for (let sequence = this.next; sequence <= this.highest; sequence += 1) {
      if (this.sequences[sequence % waitingMax] === sequence) return sequence
    }
    return -1
  }

  positionOf(sequence: number): number {
    return this.positions[sequence % waitingMax] as number
  }

  lengthOf(sequence: number): number {
    return this.lengths[sequence % waitingMax] as number
  }

  /** Valid up to `lengthOf`, until the packet is taken. */
  samplesOf(sequence: number): Int16Array {
    return this.samples[sequence % waitingMax] as Int16Array
  }

  /** Of those that should have come before this one, and are not taken, as many have not. */
  missingBefore(sequence: number): number {
    let missing = 0
    for (let each = this.next; each < sequence; each += 1) if (!this.hasCome(each)) missing += 1
    return missing
  }

  /** This packet's turn is over, and with it that of all before; answers how many of those never came. */
  take(sequence: number): number {
    const missing = this.missingBefore(sequence)
    this.sequences[sequence % waitingMax] = -1
    this.next = sequence + 1
    return missing
  }

  /** The turn of all before this one is over, and none of them waits; answers how many of them never came. */
  skipTo(sequence: number): number {
    // Beyond the newest nothing has come, and nothing needs to be looked at.
    const known = Math.min(sequence, this.highest + 1)
    const missing = this.missingBefore(known) + sequence - known
    this.next = sequence
    return missing
  }
}
