// Loaded into each of the engine's workers by `collector.ts`: a worker has a heap of its own, which nobody else can collect.

import { collectChannel } from './collector-channel.ts'

const channel = new BroadcastChannel(collectChannel)
channel.onmessage = () => {
  Bun.gc(true)
}
// It must not keep a worker alive that has nothing else to do.
channel.unref()
