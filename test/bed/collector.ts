// Loaded into the engine's process in front of it (`bun --preload`), by the bed alone: the engine knows nothing of it.
// SIGUSR2 collects garbage and says what is left; SIGWINCH counts the objects of the engine's own classes. The answers are
// lines on standard output, as the log's are on standard error.

import { heapStats } from 'bun:jsc'
import { join } from 'node:path'
import { collectChannel } from './collector-channel.ts'

export const collectedMessage = 'bed: collected'
export const countedMessage = 'bed: counted'
/** The allocator gives pages back some tenths of a second after they have become free. */
const collections = 6
const pauseMs = 200

async function collect(workers: BroadcastChannel): Promise<void> {
  for (let round = 0; round < collections; round += 1) {
    workers.postMessage('collect')
    Bun.gc(true)
    await Bun.sleep(pauseMs)
  }
  const { heapSize, objectCount } = heapStats()
  say({
    message: collectedMessage,
    residentBytes: process.memoryUsage.rss(),
    heapBytes: heapSize,
    objects: objectCount,
  })
}

/** A snapshot takes much memory of its own: nothing can be measured after it. */
function count(): void {
  Bun.gc(true)
  const { nodes, nodeClassNames } = Bun.generateHeapSnapshot() as unknown as {
    nodes: readonly number[]
    nodeClassNames: readonly string[]
  }
  const counts: Record<string, number> = {}
  // Four numbers a node: its id, its size, its class, its flags.
  for (let index = 2; index < nodes.length; index += 4) {
    const name = nodeClassNames[nodes[index] ?? -1] ?? ''
    counts[name] = (counts[name] ?? 0) + 1
  }
  say({ message: countedMessage, counts })
}

function say(line: object): void {
  process.stdout.write(`${JSON.stringify({ time: '', level: 'info', ...line })}\n`)
}

/** Each worker of the engine gets an ear for the order to collect. */
function equipWorkers(): void {
  const preload = join(import.meta.dir, 'collector-worker.ts')
  const Plain = globalThis.Worker
  globalThis.Worker = class extends Plain {
    constructor(url: string | URL, options?: WorkerOptions) {
      super(url, { ...options, preload: [preload] })
    }
  }
}

if (Bun.isMainThread && process.env.PATCHCORD_BED_COLLECTOR === 'yes') {
  equipWorkers()
  const workers = new BroadcastChannel(collectChannel)
  workers.unref()
  process.on('SIGUSR2', () => void collect(workers))
  process.on('SIGWINCH', count)
}
