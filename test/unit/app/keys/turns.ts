import type { KeyCall } from '../../../fakes/key-call.ts'
import type { KeyWorld } from '../../../fakes/key-world.ts'
import { call, type Probes } from './probe.ts'

/** When the caller's turn is over, and what happens when nobody speaks. */

/** How long after the caller's voice the agent is told that it is their turn. */
const committedAfter =
  (maxMs = 12_000) =>
  async (up: KeyCall) => {
    await up.greeted()
    await up.pass(600, 1)
    return await up.toldAfter('turn_committed', maxMs)
  }

/** The same, with this answer of the end-of-turn model. */
const judged = (probability: number) => async (up: KeyCall, world: KeyWorld) => {
  world.turnEnd.judge = () => Promise.resolve(probability)
  return await committedAfter()(up)
}

/** What the detector takes for no speech, as loud as one, and no tone. */
const loud = (frame: number) => {
  const peak = frame % 4 < 2 ? 3000 : 2000
  return Int16Array.from({ length: 160 }, (_, index) => (index % 2 === 0 ? peak : -peak))
}

const byModel = (more: object = {}) => ({ around: { turn_taking: { stop: 'model', ...more } } })

export const turnProbes: Probes = {
  'turn_taking.stop': call(
    ['silence', 'provider'],
    async (up) => {
      await up.greeted()
      await up.pass(600, 1)
      await up.pass(300)
      up.emit({ type: 'turn_end', done: true })
      await up.pass(20)
      return up.count('turn_committed')
    },
    { shows: [0, 1] },
  ),
  'turn_taking.min_silence_ms': call([300, 500], judged(1), byModel()),
  'turn_taking.max_silence_ms': call([1600, 2000], judged(0), byModel()),
  'turn_taking.done_probability': call([0.7, 0.9], judged(0.8), { ...byModel(), shows: [240, 700] }),
  'turn_taking.check_in_after_ms': call([5000, 8000], async (up) => {
    await up.greeted()
    await up.toldAfter('say', 20_000)
    return up.toldAtMs('say') - up.toldAtMs('reply_heard')
  }),
  'turn_taking.check_ins': call(
    [['Are you there?'], ['Hello?']],
    async (up) => {
      await up.greeted()
      await up.toldAfter('say', 6000)
      return [up.said]
    },
    { around: { turn_taking: { check_in_after_ms: 2000 } } },
  ),
  'turn_taking.farewell': call(
    ['Goodbye.', 'See you.'],
    async (up) => {
      await up.greeted()
      await up.toldAfter('say', 6000)
      return up.said
    },
    { around: { turn_taking: { check_in_after_ms: 2000, check_ins: [] } } },
  ),
  'turn_taking.farewell_max_ms': call([2000, 4000], async (up) => {
    await up.greeted()
    await up.speak()
    up.session.reply(60_000)
    up.emit({ type: 'leave', how: { kind: 'hang_up' } })
    return await up.until(() => up.isOver, 20_000)
  }),
  'vad.threshold': call(
    [0.5, 0.6],
    async (up) => {
      await up.greeted()
      return await up.toldAfter('speech_started', 1000, 0.55)
    },
    { shows: [100, null] },
  ),
  'vad.min_speech_ms': call([100, 240], async (up) => {
    await up.greeted()
    return await up.toldAfter('speech_started', 1000, 1)
  }),
  'vad.min_silence_ms': call([200, 400], async (up) => {
    await up.greeted()
    await up.pass(600, 1)
    return await up.toldAfter('speech_stopped', 1000)
  }),
  'vad.end_silence_ms': call([700, 900], committedAfter()),
  'vad.overlooked_voices': call(
    [true, false],
    async (up) => {
      await up.greeted()
      await up.pass(600)
      await up.pass(200, 0, loud)
      up.soundsLike({ interruption: 0.2, backchannel: 0.8, noise: 0 })
      await up.pass(400, 0, loud)
      return up.count('speech_started')
    },
    { shows: [1, 0] },
  ),
  'vad.max_turn_ms': call([4000, 6000], async (up) => {
    await up.greeted()
    await up.toldAfter('turn_committed', 20_000, 1)
    return up.toldAtMs('turn_committed') - up.toldAtMs('speech_started')
  }),
}
