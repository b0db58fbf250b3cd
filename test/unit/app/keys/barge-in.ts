import type { KeyCall } from '../../../fakes/key-call.ts'
import type { KeyWorld } from '../../../fakes/key-world.ts'
import { voice } from '../../../fakes/packet-stream.ts'
import { call, type Probe, type Probes } from './probe.ts'

/** What becomes of a reply that somebody speaks over. */

/** How long somebody must speak over a reply until it is broken off; null: however long. */
const interruptedAfter =
  (probability = 1) =>
  async (up: KeyCall) => {
    await up.replying(400)
    return await up.toldAfter('interrupted', 1500, probability)
  }

/** The same, where these words are written down at once. */
const interruptedBy = (text: string) => async (up: KeyCall) => {
  await up.replying(400)
  await up.pass(200, 1)
  up.soundsLike({ interruption: 0.65, backchannel: 0.35, noise: 0 })
  up.emit({ type: 'transcript', side: 'caller', final: false, text })
  await up.pass(60, 1)
  const isInterrupted = up.count('interrupted') > 0
  await up.pass(1000)
  return isInterrupted
}

/** Speech over a reply that nobody judges for long: what the frames are like meanwhile. */
const undecided = { around: { barge_in: { min_ms: 5000 } } }
const levelsMeanwhile = (durationMs: number) => async (up: KeyCall) => {
  await up.replying(400)
  const before = up.leg.written.length
  await up.pass(durationMs, 1)
  return up.levels.slice(before)
}
const lengthOf = (levels: readonly number[], level: number) => levels.filter((each) => each === level).length * 20

/** The agent's own voice comes back from a loudspeaker, softer and later, and the detector hears it. */
async function echoInterrupts(up: KeyCall): Promise<boolean> {
  await up.greeted()
  await up.speak()
  up.emit({ type: 'audio', frame: { sampleRateHz: 8000, samples: voice(8000 * 8) } })
  await up.soundsAfter(500)
  const echo = () => (up.leg.written.at(-6) ?? new Int16Array(160)).map((sample) => sample / 4)
  await up.pass(3000, 0, echo)
  await up.pass(1000, 1, echo)
  return up.count('interrupted') > 0
}

/** A key of an agent that breaks its replies off by itself: what its server is told. */
function confirmation(): Probe {
  return {
    values: [true, false],
    around: { active_pipeline: '', default_provider: 'openai_realtime' },
    shows: [false, true],
    seen: 'wire',
    begin: async (world: KeyWorld) => {
      await world.call()
      await world.turn()
      const session = world.outside.realtime.last
      return () => {
        const update = session.record.received.find(({ event }) => event.type === 'session.update')
        return JSON.stringify(update).includes('"interrupt_response":true')
      }
    },
  }
}

export const bargeInProbes: Probes = {
  'barge_in.enabled': call([true, false], async (up) => (await interruptedAfter()(up)) !== null),
  'barge_in.min_ms': call([240, 600], interruptedAfter()),
  'barge_in.threshold': call([0.6, 0.8], interruptedAfter(0.7), { shows: [240, null] }),
  'barge_in.on_overlap': call(
    ['pause', 'none'],
    async (up) => Math.min(...(await levelsMeanwhile(160)(up)).slice(-2)),
    { ...undecided, shows: [0, 1000] },
  ),
  'barge_in.duck_db': call([12, 20], async (up) => (await levelsMeanwhile(140)(up)).at(-1), {
    around: { barge_in: { min_ms: 5000, pause_after_ms: 2000 } },
    // 1000 × 10^(−12 / 20), and with 20.
    shows: [251, 100],
  }),
  'barge_in.pause_after_ms': call(
    [160, 600],
    async (up) => {
      const levels = await levelsMeanwhile(1000)(up)
      return levels.indexOf(0) * 20
    },
    undecided,
  ),
  'barge_in.pause_max_ms': call([400, 800], async (up) => lengthOf(await levelsMeanwhile(3000)(up), 0), undecided),
  'barge_in.initial_protection_ms': call([600, 1000], async (up) => {
    await up.replying()
    return await up.toldAfter('interrupted', 3000, 1)
  }),
  'barge_in.greeting_protection_ms': call([600, 1000], async (up) => {
    up.session.reply(10_000)
    await up.soundsAfter(500)
    return await up.toldAfter('interrupted', 3000, 1)
  }),
  'barge_in.post_tts_end_protection_ms': call([200, 600], async (up) => {
    await up.until(() => up.count('say') > 0, 200)
    up.reply(100)
    await up.toldAfter('reply_heard', 1000)
    const fromMs = up.nowMs
    await up.toldAfter('speech_started', 2000, 1)
    return up.toldAtMs('speech_started') - fromMs
  }),
  'barge_in.cooldown_ms': call([2000, 3000], async (up) => {
    await up.replying(400)
    await up.toldAfter('interrupted', 1000, 1)
    const fromMs = up.nowMs
    await up.toldAfter('turn_committed', 2000)
    up.session.reply(10_000)
    await up.soundsAfter(500)
    await up.toldAfter('interrupted', 3000, 1)
    return up.nowMs - fromMs
  }),
  'barge_in.echo_detection': call([true, false], echoInterrupts, { shows: [false, true] }),
  'barge_in.confirm': confirmation(),
  'barge_in.backchannels': call([[], ['splendid']], interruptedBy('splendid'), {
    around: { turn_taking: { start: 'transcript' } },
    shows: [true, false],
  }),
  'turn_taking.start': call(['min_words', 'vad'], interruptedBy('stop'), { shows: [false, true] }),
  'turn_taking.min_words': call([2, 1], interruptedBy('stop'), {
    around: { turn_taking: { start: 'min_words' } },
    shows: [false, true],
  }),
  'turn_taking.mute': call([[], ['reply']], async (up) => (await interruptedAfter()(up)) !== null, {
    shows: [true, false],
  }),
}
