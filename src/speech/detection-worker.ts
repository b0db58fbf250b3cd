import { messageOf } from '#base/result.ts'
import { DetectionMemory, type DetectionRateHz } from './detection-memory.ts'
import type { FromDetectionWorker, ToDetectionWorker } from './detection-wire.ts'
import { batchMax, Silero } from './silero.ts'
import { RenewedStream, type SileroStream } from './silero-stream.ts'

/**
 * The detection worker: wakes, takes one due window of each slot, judges them in batches of one rate, and goes on
 * until none is due. Windows of one slot follow each other in separate batches, for each verdict needs the state that
 * the one before left. It runs at normal priority: an interruption must be seen while everything else computes.
 */
declare const self: Worker & { onmessage: ((event: MessageEvent<ToDetectionWorker>) => void) | null }

/** A slot's window may be judged twice, by its heir as well: its slot is −1 there, and the verdict counts for nothing. */
interface Lanes {
  readonly streams: SileroStream[]
  readonly offsets: number[]
  readonly windows: number[]
  readonly slots: number[]
}
const heirSlot = -1

class DetectionLoop {
  private readonly memory: DetectionMemory
  private readonly silero: Silero
  private readonly streams: readonly RenewedStream[]
  /** The owner of each slot's last judged window: another one begins with a fresh state. */
  private readonly owners: Int32Array
  private readonly probabilities = new Float32Array(batchMax)
  private readonly narrow: Lanes = { streams: [], offsets: [], windows: [], slots: [] }
  private readonly wide: Lanes = { streams: [], offsets: [], windows: [], slots: [] }
  private running = false
  private wokenAgain = false

  constructor(memory: DetectionMemory, silero: Silero) {
    this.memory = memory
    this.silero = silero
    this.streams = Array.from({ length: memory.capacity }, () => new RenewedStream())
    this.owners = new Int32Array(memory.capacity)
  }

  async wake(): Promise<void> {
    this.wokenAgain = true
    if (this.running) return
    this.running = true
    while (this.wokenAgain) {
      this.wokenAgain = false
      while (await this.round()) {
        // Another window of some slot may be due.
      }
    }
    this.running = false
  }

  /** At most one window of each slot. */
  private async round(): Promise<boolean> {
    const { memory } = this
    let any = false
    for (let slot = 0; slot < memory.capacity; slot++) {
      const done = Atomics.load(memory.done, slot)
      if (Atomics.load(memory.written, slot) === done) continue
      any = true
      const window = memory.windowIndex(slot, done)
      const owner = memory.owners[window] as number
      const streams = this.streams[slot] as RenewedStream
      if (this.owners[slot] !== owner) {
        streams.reset()
        this.owners[slot] = owner
      }
      const lanes = (owner & 1) === 1 ? this.wide : this.narrow
      const { stream, alongside } = streams
      // The heir before the other, whose verdict may make it follow: it has then heard this window, too.
      if (alongside !== null && this.add(lanes, alongside, window, heirSlot)) await this.judge(lanes)
      if (this.add(lanes, stream, window, slot)) await this.judge(lanes)
    }
    if (this.narrow.slots.length > 0) await this.judge(this.narrow)
    if (this.wide.slots.length > 0) await this.judge(this.wide)
    return any
  }

  /** @returns whether the batch is full */
  private add(lanes: Lanes, stream: SileroStream, window: number, slot: number): boolean {
    lanes.streams.push(stream)
    lanes.offsets.push(this.memory.sampleOffset(window))
    lanes.windows.push(window)
    lanes.slots.push(slot)
    return lanes.slots.length === batchMax
  }

  private async judge(lanes: Lanes): Promise<void> {
    const { memory, probabilities } = this
    const rate: DetectionRateHz = lanes === this.wide ? 16000 : 8000
    await this.silero.run(rate, lanes.streams, memory.samples, lanes.offsets, probabilities)
    for (let lane = 0; lane < lanes.slots.length; lane++) {
      const slot = lanes.slots[lane] as number
      if (slot === heirSlot) continue
      const probability = probabilities[lane] as number
      memory.probabilities[lanes.windows[lane] as number] = probability
      this.streams[slot]?.judged(probability)
      Atomics.add(memory.done, slot, 1)
    }
    lanes.streams.length = 0
    lanes.offsets.length = 0
    lanes.windows.length = 0
    lanes.slots.length = 0
    post('judged')
  }
}

function post(message: FromDetectionWorker): void {
  self.postMessage(message)
}

let loop: DetectionLoop | undefined

async function start(capacity: number, buffer: SharedArrayBuffer): Promise<void> {
  try {
    loop = new DetectionLoop(new DetectionMemory(capacity, buffer), await Silero.load())
    post('ready')
    await loop.wake()
  } catch (thrown) {
    post({ failed: messageOf(thrown) })
  }
}

self.onmessage = (event) => {
  const message = event.data
  // A rejected run is a bug or a broken runtime: as an unhandled rejection it ends this worker, and a new one starts.
  if (message === 'wake') void loop?.wake()
  // In this handler no run is under way.
  else if (message === 'stop') process.exit(0)
  else void start(message.capacity, message.buffer)
}
// A message sent before `onmessage` stood would be lost: the main thread waits for this word.
post('listening')
