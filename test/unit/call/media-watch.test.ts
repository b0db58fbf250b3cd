import { describe, expect, test } from 'bun:test'
import { type FakeAgent, fakeAgent } from '../../fakes/agent.ts'
import { fakeWorld } from '../../fakes/call-world.ts'
import { ringingCall, type TestCall, type TestCallOptions } from '../../fakes/calls.ts'
import { FakeFilePlayer } from '../../fakes/file-player.ts'
import { settle } from '../../fakes/manual-clock.ts'

async function connected(options: TestCallOptions = {}, prepare: (made: TestCall) => void = () => {}) {
  const made = ringingCall({ ...options, plan: { greeting: '', ...options.plan } })
  prepare(made)
  await settle()
  made.call.answered()
  made.call.attachLeg(made.leg)
  made.call.bridged()
  await settle()
  return made
}

const frame = (peak: number) => new Int16Array(160).fill(0).fill(peak, 10, 11)

describe('a caller who is not heard', () => {
  const byRtp = { plan: { transport: 'externalmedia' } } as const

  test('for 250 ms by RTP: Asterisk is made to send, once', async () => {
    const { world, pbx } = await connected(byRtp)
    world.clock.advance(249)
    expect(pbx.kicks).toBe(0)
    world.clock.advance(1)
    expect(pbx.kicks).toBe(1)
    world.clock.advance(5000)
    expect([pbx.kicks, world.observer.oneWays]).toEqual([1, ['no_caller_audio']])
  })

  test('by RTP, though Asterisk was made to send: its own silence is no caller', async () => {
    const { world, leg } = await connected(byRtp)
    world.clock.advance(250)
    for (let each = 0; each < 5; each += 1) leg.audio(frame(0))
    world.clock.advance(5000)
    expect(world.observer.oneWays).toEqual(['no_caller_audio'])
  })

  test('a single frame is enough to leave Asterisk alone', async () => {
    const { world, pbx, leg } = await connected(byRtp)
    leg.audio(frame(1000))
    world.clock.advance(5000)
    expect([pbx.kicks, world.observer.oneWays]).toEqual([0, []])
  })

  test.each(['audiosocket', 'websocket'] as const)('by %s: nothing waits to be sent to first', async (transport) => {
    const { world, pbx } = await connected({ plan: { transport } })
    world.clock.advance(5000)
    expect([pbx.kicks, world.observer.oneWays]).toEqual([0, ['no_caller_audio']])
  })

  test('for 2 s is told, and is in the record', async () => {
    const { call, world } = await connected()
    world.clock.advance(1999)
    expect(world.observer.oneWays).toEqual([])
    world.clock.advance(1)
    expect(world.observer.oneWays).toEqual(['no_caller_audio'])
    world.clock.advance(60_000)
    await call.end('caller')
    expect(world.observer.oneWays).toEqual(['no_caller_audio'])
    expect(world.observer.facts[0]?.oneWay).toEqual(['no_caller_audio'])
  })

  test.each([
    [0, ['digital_silence']],
    [8, ['digital_silence']],
    [-8, ['digital_silence']],
    [9, []],
    [-9, []],
    [-32_768, []],
  ])('whose loudest sample is %p', async (peak, found) => {
    const { world, leg } = await connected()
    for (let each = 0; each < 100; each += 1) {
      leg.audio(frame(each === 50 ? peak : 0))
      world.clock.advance(20)
    }
    expect(world.observer.oneWays).toEqual(found)
  })

  test('a voice that comes after two seconds takes the finding back no more', async () => {
    const { call, world, leg } = await connected()
    leg.audio(frame(0))
    world.clock.advance(2000)
    leg.audio(frame(1000))
    await call.end('caller')
    expect(world.observer.facts[0]?.oneWay).toEqual(['digital_silence'])
  })

  test.each([0, 100, 250, 251, 1999])(
    'a call that ends after %p ms leaves no timer, and tells nothing later',
    async (ms) => {
      const { call, world, pbx } = await connected()
      world.clock.advance(ms)
      const { kicks } = pbx
      await call.end('caller')
      expect(world.clock.pending).toBe(0)
      world.clock.advance(5000)
      expect([pbx.kicks, world.observer.oneWays]).toEqual([kicks, []])
    },
  )
})

test('an agent that is not sent, since the leg takes nothing, is told once', async () => {
  const { call, world, agent, leg, pbx } = await connected({}, (made) => {
    made.pbx.files = new FakeFilePlayer()
  })
  leg.answer = 'full'
  for (let reply = 0; reply < 2; reply += 1) {
    agent.session.reply(2000)
    agent.session.emit({ type: 'reply_done' })
    // The leg may refuse for one second.
    world.clock.advance(1200)
    const files = pbx.files as FakeFilePlayer
    files.say('started')
    files.say('finished')
    world.clock.advance(1000)
  }
  expect(world.observer.fallbacks).toEqual(['leg_stuck', 'leg_stuck'])
  expect(world.observer.oneWays.filter((kind) => kind === 'agent_not_sent')).toHaveLength(1)
  await call.end('caller')
  expect(world.observer.facts[0]?.audio.fallbacks).toBe(2)
})

describe('the alignment audit', () => {
  test('is told once, with the caller’s codec', async () => {
    const { call, world } = await connected({}, ({ pbx }) => {
      pbx.codec = 'g722'
    })
    world.clock.advance(10_000)
    await call.end('caller')
    expect(world.observer.alignments).toHaveLength(1)
    expect(world.observer.alignments[0]?.path).toStartWith('in: caller g722 → wire slin ')
  })

  test('takes the rates of a provider that has its own, for the leg’s rate', async () => {
    const rates: number[] = []
    const agent: FakeAgent = {
      ...fakeAgent(),
      audioRates: (legHz) => {
        rates.push(legHz)
        return { inputHz: 16_000, outputHz: 24_000 }
      },
    }
    const { world } = await connected({ agent }, ({ pbx }) => {
      pbx.codec = 'g722'
    })
    expect(rates).toEqual([8000])
    expect(world.observer.alignments[0]?.path).toContain('fake 24000 Hz → wire slin (resampled 24000 → 8000 Hz)')
    expect(world.observer.alignments[0]?.needless).toHaveLength(1)
  })

  test('of a provider that says nothing takes the leg’s own rate', async () => {
    const { world } = await connected()
    expect(world.observer.alignments[0]?.path).toContain('fake 8000 Hz')
    expect(world.observer.alignments[0]?.path).not.toContain('resampled')
  })

  test('whose answer comes when the call is over is told no more', async () => {
    const codec = Promise.withResolvers<string | null>()
    const { call, world } = await connected({}, ({ pbx }) => {
      pbx.callerCodec = () => codec.promise
    })
    await call.end('caller')
    codec.resolve('ulaw')
    await settle()
    expect(world.observer.alignments).toEqual([])
  })
})

describe('speech detection', () => {
  test.each([
    ['engine', 1],
    ['provider', 1],
    ['none', 0],
  ] as const)('for an agent whose turns are found by %s', async (turnDetection, opened) => {
    const { call, world, leg } = await connected({ agent: fakeAgent(turnDetection) })
    leg.audio(frame(1000))
    expect([world.detector.opened, world.detector.pushed]).toEqual([opened, opened])
    await call.end('caller')
    expect(world.detector.opened).toBe(0)
  })

  test('that nobody has is no trouble where the provider finds the turns', async () => {
    const world = fakeWorld()
    world.detector.capacity = 0
    const { call } = await connected({ world, agent: fakeAgent('provider') })
    expect(call.ended).toBe(false)
  })
})

describe('the drift of the caller’s samples', () => {
  const cases: [string, number, number, number][] = [
    ['exactly in time', 51, 20, 0],
    ['a telephone that is a millisecond too quick in each frame', 51, 19, 50],
    ['a telephone that is a millisecond too slow in each frame', 51, 21, -50],
    ['one frame tells nothing', 1, 20, 0],
    ['none tells nothing', 0, 20, 0],
  ]
  test.each(cases)('%s', async (_name, frames, everyMs, driftMs) => {
    const { call, world, leg } = await connected()
    world.clock.advance(777)
    for (let each = 0; each < frames; each += 1) {
      if (each > 0) world.clock.advance(everyMs)
      leg.audio(frame(1000))
    }
    world.clock.advance(3000)
    await call.end('caller')
    expect(world.observer.facts[0]?.audio.driftMs).toBe(driftMs)
  })
})

test('a call whose media never came has a record of zeros', async () => {
  const { call, world } = ringingCall()
  await call.end('caller')
  expect(Object.values(world.observer.facts[0]?.audio ?? { none: 1 }).every((value) => value === 0)).toBe(true)
  expect(world.observer.facts[0]?.oneWay).toEqual([])
})
