import type { KeyCall } from '../../../fakes/key-call.ts'
import { call, type Probes } from './probe.ts'

/** How a reply comes to the caller's ear. */

/** The agent speaks as fast as one hears: how much is gathered before the first of it sounds. */
async function gathered(up: KeyCall): Promise<number> {
  const before = up.leg.written.length
  for (let frames = 0; frames < 100; frames += 1) {
    up.session.reply(20)
    await up.pass(20)
    if (up.soundsSince(before)) return (frames + 1) * 20
  }
  return Number.NaN
}

async function inReply(up: KeyCall): Promise<KeyCall> {
  await up.greeted()
  await up.speak()
  return up
}

/** A reply that stops in the middle for so long, and then goes on at once: how the rest of it is heard. */
const restAfter = (stallMs: number) => async (up: KeyCall) => {
  await inReply(up)
  up.session.reply(200)
  await up.pass(200 + stallMs)
  up.reply(1000, 2000)
  await up.pass(400)
  return up.filesPlayed > 0 ? 'file' : up.levels.includes(2000) ? 'stream' : 'nothing'
}

/** A reply that runs dry for so long; what follows comes as fast as one hears: how much of that is gathered. */
const gatheredAgain = (dryMs: number) => async (up: KeyCall) => {
  await inReply(up)
  up.session.reply(200)
  await up.pass(200 + dryMs)
  return await gathered(up)
}

export const streamingProbes: Probes = {
  downstream_mode: call(['stream', 'file'], async (up) => {
    await inReply(up)
    up.reply(400, 2000)
    await up.pass(1000)
    return up.filesPlayed > 0 ? 'file' : up.levels.includes(2000) ? 'stream' : 'nothing'
  }),
  'streaming.min_start_ms': call([60, 200], async (up) => await gathered(await inReply(up))),
  'streaming.greeting_min_start_ms': call([40, 200], gathered),
  'streaming.low_watermark_ms': call([60, 200], gatheredAgain(100)),
  'streaming.jitter_buffer_ms': call([100, 300], async (up) => {
    await gatheredAgain(800)(up)
    up.emit({ type: 'reply_done' })
    await up.pass(1000)
    await up.speak()
    return await gathered(up)
  }),
  'streaming.provider_grace_ms': call(
    [300, 1000],
    async (up) => {
      await inReply(up)
      up.reply(200)
      await up.pass(800)
      return await gathered(up)
    },
    { around: { streaming: { min_start_ms: 200 } }, shows: [200, 20] },
  ),
  'streaming.fallback_timeout_ms': call([1000, 2000], restAfter(1500), { shows: ['file', 'stream'] }),
}
