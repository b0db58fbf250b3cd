import type { KeyCall } from '../../../fakes/key-call.ts'
import { KeyWorld } from '../../../fakes/key-world.ts'
import { call, type Probe, type Probes } from './probe.ts'

/** What a call is told, who is let in, how it ends, and what is left of it. */

/** The agent can answer no more. */
async function failed(up: KeyCall): Promise<KeyCall> {
  await up.greeted()
  up.emit({ type: 'fault', code: 'gone', message: 'gone', retryable: false, final: true })
  await up.pass(40)
  return up
}

/** Where the caller goes on then. */
const placeAfterFailure = async (up: KeyCall) => {
  await failed(up)
  up.reply(100)
  await up.pass(1000)
  return up.place
}
const failing = (place: object) => ({ around: { on_failure: { context: 'a', extension: 'b', ...place } } })

/** As Asterisk is asked for it. */
export const placeWith = (more: object) => ({ context: 'a', extension: 'b', priority: '1', ...more })

/** The agent and the caller say the same again and again: how many turns until that is enough. */
async function turnsOfMachine(up: KeyCall): Promise<number> {
  await up.greeted()
  for (let turns = 1; turns < 20; turns += 1) {
    await up.speak()
    up.emit({ type: 'transcript', side: 'caller', final: true, text: 'Please leave a message after the tone.' })
    up.emit({ type: 'transcript', side: 'agent', final: true, text: 'How can I help you today?' })
    up.reply(200)
    await up.pass(500)
    if (up.said === 'Enough.') return turns
  }
  return Number.NaN
}

/** What the next caller is told who comes now. */
const admission =
  (prepare: (world: KeyWorld) => Promise<void>): Probe['begin'] =>
  (world) =>
  async () => {
    await prepare(world)
    const outcome = await world.outcome({}, { caller: '4711' })
    await world.hangUp()
    // What was measured says nothing any more.
    await world.pass(2000, 100)
    return outcome
  }
const others = (count: number) => async (world: KeyWorld) => {
  for (let each = 0; each < count; each += 1) await world.call({}, { caller: '4711' })
}
/** For a second, the clock of all calls ticks so late. */
const late = (ms: number) => async (world: KeyWorld) => {
  const up = await world.call()
  await up.greeted()
  for (let tick = 0; tick < 60; tick += 1) world.clock.stall(20 + ms)
}

/** For a second, the frame of a call leaves so long after its tick began. */
const busy = (ms: number) => async (world: KeyWorld) => {
  const up = await world.call()
  up.leg.write = () => {
    world.clock.stall(ms)
    return 'sent'
  }
  for (let tick = 0; tick < 60; tick += 1) world.clock.advance(20)
}

/** The stage has had a session for so long today, on a day that begins with this. */
async function used(world: KeyWorld, minutes: number): Promise<void> {
  const { use } = world.engine
  const dayMs = 24 * 60 * 60_000
  const midnightMs = Math.ceil(world.clock.wallNow() / dayMs) * dayMs
  world.clock.stall(midnightMs - world.clock.wallNow() + 3_600_000)
  const session = use.begin('stage')
  world.clock.stall(minutes * 60_000)
  session[Symbol.dispose]()
  // Such a jump of the clock costs the connection to Asterisk, which is made anew.
  await world.after(() => world.engine.ariEvents.connected, 60_000)
}

/** What an engine writes while something is said to it. */
const linesOf =
  (act: (world: KeyWorld) => unknown, look: (lines: readonly string[]) => unknown): Probe['begin'] =>
  (world) =>
  async () => {
    const before = world.lines.length
    await act(world)
    return look(world.lines.slice(before))
  }
const turnedAway = async (world: KeyWorld) => {
  await (await world.call()).pass(100)
  await world.admit({ agent: 'nobody' })
  await world.hangUp()
}
const levelsIn = (lines: readonly string[]) =>
  [...new Set(lines.map((line) => (JSON.parse(line) as { level: string }).level))].toSorted()

export const callProbes: Probes = {
  'llm.initial_greeting': call(['Hello.', 'Good day.'], async (up) => {
    await up.greeted()
    return up.session.told.find(({ type }) => type === 'say')?.text
  }),
  'llm.apology': call(['Pardon?', 'Once more?'], async (up) => {
    await up.greeted()
    await up.speak()
    up.emit({ type: 'fault', code: 'timeout', message: 'late', retryable: true })
    await up.pass(40)
    return up.said
  }),
  'on_failure.notice': call(['Hold on.', 'Wait.'], async (up) => (await failed(up)).said),
  'on_failure.context': call(['here', 'there'], placeAfterFailure, {
    ...failing({}),
    shows: [placeWith({ context: 'here' }), placeWith({ context: 'there' })],
  }),
  'on_failure.extension': call(['100', '200'], placeAfterFailure, {
    ...failing({}),
    shows: [placeWith({ extension: '100' }), placeWith({ extension: '200' })],
  }),
  'on_failure.priority': call([2, 3], placeAfterFailure, {
    ...failing({}),
    shows: [placeWith({ priority: '2' }), placeWith({ priority: '3' })],
  }),

  'limits.calls': {
    values: [1, 2],
    shows: ['busy', 'admitted'],
    seen: 'call',
    atOnce: true,
    begin: admission(others(1)),
  },
  'limits.calls_per_caller': {
    values: [1, 2],
    shows: ['busy', 'admitted'],
    seen: 'call',
    atOnce: true,
    begin: admission(others(1)),
  },
  'limits.loop_lag_ms': {
    values: [20, 40],
    around: { limits: { pacing_lateness_ms: 1000 } },
    shows: ['overloaded', 'admitted'],
    seen: 'call',
    atOnce: true,
    begin: admission(late(30)),
  },
  'limits.pacing_lateness_ms': {
    values: [10, 15],
    shows: ['overloaded', 'admitted'],
    seen: 'call',
    atOnce: true,
    begin: admission(busy(12)),
  },
  'limits.provider_minutes_per_day': {
    values: [4, 6],
    shows: ['quota', 'admitted'],
    seen: 'call',
    atOnce: true,
    begin: admission((world) => used(world, 5)),
  },
  'limits.fallback_provider': {
    values: ['loopback', 'front'],
    around: { limits: { provider_minutes_per_day: 4 } },
    seen: 'call',
    begin: async (world) => {
      await used(world, 5)
      const up = await world.call()
      return async () => {
        await up.pass(100)
        await world.hangUp()
        return (await world.records()).at(-1)?.provider
      }
    },
  },
  'limits.call_seconds': call(
    [20, 30],
    async (up) => {
      const fromMs = up.nowMs
      await up.until(() => up.said === 'Time is up.', 60_000)
      return (up.nowMs - fromMs) / 1000
    },
    { around: { limits: { farewell: 'Time is up.' }, vad: { max_turn_ms: 5000 } } },
  ),
  'limits.farewell': call(
    ['Time is up.', 'That is all.'],
    async (up) => {
      await up.greeted()
      await up.until(() => up.said !== 'Hello.', 20_000)
      return up.said
    },
    { around: { limits: { call_seconds: 10 }, vad: { max_turn_ms: 5000 } } },
  ),
  'limits.on_limit': call(
    ['farewell', 'on_failure'],
    async (up) => {
      await up.greeted()
      await up.toldAfter('say', 11_000)
      up.reply(100)
      await up.until(() => up.isOver, 5000)
      await up.pass(100)
      return up.place
    },
    {
      around: {
        limits: { call_seconds: 10 },
        vad: { max_turn_ms: 5000 },
        on_failure: { context: 'a', extension: 'b' },
      },
      shows: ['hang_up', placeWith({})],
    },
  ),
  'limits.machine_talk_turns': call([4, 6], turnsOfMachine, {
    around: { limits: { farewell: 'Enough.' } },
    shows: [6, 8],
  }),

  'logging.level': {
    values: ['info', 'error'],
    shows: [['error', 'info', 'warn'], ['error']],
    seen: 'wire',
    atOnce: true,
    begin: linesOf(turnedAway, levelsIn),
  },
  'logging.format': {
    values: ['json', 'pretty'],
    shows: [true, false],
    seen: 'wire',
    atOnce: true,
    begin: linesOf(turnedAway, (lines) => lines[0]?.startsWith('{')),
  },
  'logging.transcripts': call([false, true], async (up, world) => {
    const before = world.lines.length
    up.emit({ type: 'transcript', side: 'caller', final: true, text: 'a word of the caller' })
    await up.pass(20)
    return world.lines.slice(before).join('\n').includes('a word of the caller')
  }),
  'drain.timeout_seconds': {
    values: [20, 40],
    seen: 'call',
    atOnce: true,
    begin: (world) => async () => {
      // To stop is for ever: an engine of its own takes up what this one has, while its call runs.
      await using other = await new KeyWorld().start()
      const up = await other.call()
      await other.reload({ ...other.base, drain: world.engine.configuration.drain })
      const fromMs = up.nowMs
      const stopped = other.engine.stop()
      await up.until(() => up.isOver, 60_000)
      const tookMs = up.nowMs - fromMs
      await other.passing(stopped)
      return Math.floor(tookMs / 1000)
    },
  },
}
