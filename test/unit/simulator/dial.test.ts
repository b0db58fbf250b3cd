import { afterEach, describe, expect, test } from 'bun:test'
import { seededRandom } from '#base/random.ts'
import { AudioSocketCaller } from '#simulator/audiosocket-caller.ts'
import { type DialPlan, dialCall } from '#simulator/dial-call.ts'
import { FakeEngine } from '../../fakes/engine.ts'
import { ManualClock } from '../../fakes/manual-clock.ts'

const uuid = '40325ec2-5efd-4bd3-805f-53576e581d13'
const loud = () => new Int16Array(160).fill(8000)
const isLoud = (samples: Int16Array) => samples.some((sample) => Math.abs(sample) > 1000)

const engines: FakeEngine[] = []
afterEach(() => {
  for (const engine of engines.splice(0)) engine.stop()
})
function fakeEngine(): FakeEngine {
  const engine = new FakeEngine()
  engines.push(engine)
  return engine
}

/** Lets what is on the sockets arrive; the clock stands. */
async function turns(): Promise<void> {
  for (let turn = 0; turn < 12; turn += 1) await new Promise<void>((resolve) => setImmediate(resolve))
}

/** Time passes in small steps, with the sockets served in each. */
async function pass(clock: ManualClock, durationMs: number, until: () => boolean = () => false): Promise<void> {
  for (let passed = 0; passed < durationMs && !until(); passed += 10) {
    clock.advance(10)
    await turns()
  }
}

async function connect(engine: FakeEngine) {
  const clock = new ManualClock()
  const ends: string[] = []
  const heard: number[] = []
  const caller = await AudioSocketCaller.connect({
    host: '127.0.0.1',
    port: engine.port,
    uuid,
    sampleRateHz: 8000,
    clock,
    audio: ({ samples }) => heard.push(...samples),
    ended: (how) => ends.push(how),
  })
  await turns()
  return { caller, clock, ends, heard }
}

describe('AudioSocketCaller', () => {
  test('says who it is, and then a frame each 20 ms: silence, where there is nothing to say', async () => {
    const engine = fakeEngine()
    const { clock } = await connect(engine)
    expect([engine.uuids, engine.frames.length]).toEqual([[uuid], 0])
    await pass(clock, 100)
    expect(engine.frames.map((frame) => [frame.length, isLoud(frame)])).toEqual(new Array(5).fill([160, false]))
  })

  test('speaks in real time, pads its last frame, and is done when that has left', async () => {
    const engine = fakeEngine()
    const { caller, clock } = await connect(engine)
    let done = false
    void caller.say(new Int16Array(250).fill(5)).then(() => {
      done = true
    })
    await pass(clock, 20)
    expect([engine.frames.length, done]).toEqual([1, false])
    await pass(clock, 20)
    expect([[...(engine.frames[1] ?? [])], done]).toEqual([
      [...new Array<number>(90).fill(5), ...new Array<number>(70).fill(0)],
      true,
    ])
  })

  test('sends digits, and hears what comes back', async () => {
    const engine = fakeEngine()
    engine.answer = (frame) => new Int16Array(160).fill(frame + 1)
    const { caller, clock, heard } = await connect(engine)
    caller.digit('#')
    await pass(clock, 40)
    expect([engine.digits, heard.length, heard[0], heard.at(-1)]).toEqual([['#'], 320, 1, 2])
  })

  const ways: [string, (engine: FakeEngine, caller: AudioSocketCaller) => void, string][] = [
    ['the engine ends the call', (engine) => engine.terminate(), 'terminated'],
    ['the connection breaks', (engine) => engine.drop(), 'closed'],
    ['the caller hangs up', (_engine, caller) => caller.hangUp(), 'closed'],
  ]
  test.each(ways)('%s: told once, what was being said is given up, and no timer is left', async (_name, end, how) => {
    const engine = fakeEngine()
    const { caller, clock, ends } = await connect(engine)
    const saying = caller.say(new Int16Array(80_000))
    await pass(clock, 40)
    end(engine, caller)
    await turns()
    await saying
    caller.hangUp()
    await caller.say(new Int16Array(160))
    caller.digit('1')
    await turns()
    expect([ends, clock.pending, engine.closed]).toEqual([[how], 0, true])
  })

  test('nobody there: says where it looked', async () => {
    const engine = new FakeEngine()
    const { port } = engine
    engine.stop()
    const attempt = AudioSocketCaller.connect({
      host: '127.0.0.1',
      port,
      uuid,
      sampleRateHz: 8000,
      clock: new ManualClock(),
      audio: () => {},
      ended: () => {},
    })
    await expect(attempt).rejects.toThrow(`127.0.0.1:${port}`)
  })
})

describe('dialCall', () => {
  const plan = (port: number, overrides: Partial<DialPlan> = {}): DialPlan => ({
    host: '127.0.0.1',
    port,
    sampleRateHz: 8000,
    // 400 ms of speech and 100 ms of silence behind it.
    speech: Int16Array.from({ length: 4000 }, (_, n) => (n < 3200 ? 8000 : 0)),
    speakAfter: 'greeting',
    greetingMaxMs: 2000,
    replyMaxMs: 2000,
    quietMs: 300,
    callMaxMs: 20_000,
    ...overrides,
  })

  /** Places the call and lets time pass until it is over. */
  async function dial(theirPlan: DialPlan, during: (clock: ManualClock) => void = () => {}, signal?: AbortSignal) {
    const clock = new ManualClock()
    let over = false
    const call = dialCall(theirPlan, clock, seededRandom(1), signal).finally(() => {
      over = true
    })
    await turns()
    during(clock)
    await pass(clock, 30_000, () => over)
    return call
  }

  /** Greets with ten frames from the fifth on; ten frames after the caller's last loud one, replies with five. */
  function talkative(engine: FakeEngine): void {
    let lastLoud = Number.POSITIVE_INFINITY
    engine.answer = (frame, samples) => {
      if (isLoud(samples)) lastLoud = frame
      const greets = frame >= 5 && frame < 15
      const replies = frame >= lastLoud + 10 && frame < lastLoud + 15
      return greets || replies ? loud() : new Int16Array(160)
    }
  }

  test('hears the greeting out, speaks, hears the reply out and hangs up; each with its time', async () => {
    const engine = fakeEngine()
    talkative(engine)
    const { timeline, heard } = await dial(plan(engine.port))
    // The fifth frame after the first leaves at 120 ms; its answer is back in the same moment, give or take a step.
    const near = (value: number | null, expected: number) =>
      expect(Math.abs((value ?? -1e9) - expected)).toBeLessThanOrEqual(30)
    near(timeline.greetingFirstFrameMs, 120)
    near(timeline.greetingEndMs, 320)
    // Quiet for 300 ms after the greeting, then 400 ms of speech.
    near(timeline.callerStartedMs, 620)
    near(timeline.callerStoppedMs, (timeline.callerStartedMs ?? 0) + 400)
    near(timeline.replyFirstFrameMs, (timeline.callerStoppedMs ?? 0) + 200)
    near(timeline.replyEndMs, (timeline.replyFirstFrameMs ?? 0) + 100)
    near(timeline.endedMs, (timeline.replyEndMs ?? 0) + 300)
    expect(timeline.endedBy).toBe('caller')
    // Ten frames of greeting and five of reply, and everything between them.
    expect(heard.filter((sample) => sample !== 0).length).toBe(15 * 160)
    expect(heard.length).toBe(engine.frames.length * 160)
    expect(engine.closed).toBe(true)
  })

  test('no greeting and no reply: speaks after its patience, hangs up after its patience', async () => {
    const engine = fakeEngine()
    const { timeline } = await dial(plan(engine.port, { greetingMaxMs: 500, replyMaxMs: 700 }))
    expect([timeline.greetingFirstFrameMs, timeline.replyFirstFrameMs, timeline.endedBy]).toEqual([
      null,
      null,
      'caller',
    ])
    expect(timeline.callerStartedMs).toBeGreaterThanOrEqual(500)
    expect(timeline.callerStartedMs).toBeLessThan(560)
    expect(timeline.endedMs - (timeline.callerStoppedMs ?? 0)).toBeGreaterThanOrEqual(700)
  })

  test('speaks at the time it is told, over the greeting if need be', async () => {
    const engine = fakeEngine()
    engine.answer = () => loud()
    const { timeline } = await dial(plan(engine.port, { speakAfter: 100, callMaxMs: 1500 }))
    expect(timeline.callerStartedMs).toBeGreaterThanOrEqual(100)
    expect(timeline.callerStartedMs).toBeLessThan(140)
    expect(timeline.greetingEndMs).toBeNull()
    // An engine that never stops talking does not keep the caller for ever.
    expect([timeline.endedBy, timeline.endedMs < 1600]).toEqual(['caller', true])
  })

  test.each([
    ['the engine ends the call', (engine: FakeEngine) => engine.terminate(), 'engine'],
    ['the connection breaks', (engine: FakeEngine) => engine.drop(), 'connection_lost'],
  ] as const)('%s while the caller speaks', async (_name, end, endedBy) => {
    const engine = fakeEngine()
    engine.answer = (frame) => {
      if (frame === 10) end(engine)
      return null
    }
    const { timeline } = await dial(plan(engine.port, { speakAfter: 0 }))
    expect([timeline.endedBy, timeline.replyFirstFrameMs]).toEqual([endedBy, null])
    expect(timeline.endedMs).toBeLessThan(400)
  })

  test('told to stop: hangs up', async () => {
    const engine = fakeEngine()
    const abort = new AbortController()
    const { timeline } = await dial(
      plan(engine.port),
      (clock) => void clock.after(200, () => abort.abort()),
      abort.signal,
    )
    expect([timeline.endedBy, timeline.endedMs < 260, timeline.callerStartedMs]).toEqual(['caller', true, null])
  })
})
