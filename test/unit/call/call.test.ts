import { describe, expect, test } from 'bun:test'
import { fakeAgent } from '../../fakes/agent.ts'
import { fakeWorld } from '../../fakes/call-world.ts'
import { ringingCall, type TestCall } from '../../fakes/calls.ts'
import { FakeLeg } from '../../fakes/leg.ts'
import { settle } from '../../fakes/manual-clock.ts'

/** Answered, bridged, with its leg and its session: the greeting has been asked for. */
async function connected(options: Parameters<typeof ringingCall>[0] = {}): Promise<TestCall> {
  const made = ringingCall(options)
  await settle()
  made.call.answered()
  made.call.attachLeg(made.leg)
  made.call.bridged()
  return made
}

describe('a call', () => {
  test('reports its steps once each, in their order, and leaves a record', async () => {
    const { call, world, agent, leg } = await connected()
    agent.session.reply(100)
    agent.session.emit({ type: 'reply_done' })
    leg.audio(new Int16Array(160))
    world.clock.advance(1000)
    leg.emit({ type: 'dtmf', digit: '5' })
    await call.end('caller')
    expect(world.observer.steps).toEqual([
      'admitted',
      'answered',
      'bridged',
      'media_open',
      'gate_closed',
      'first_caller_audio',
      'greeting_started',
      'greeting_finished',
      'gate_opened',
      'hangup',
      'cleaned',
    ])
    expect(world.observer.facts).toMatchObject([
      {
        callId: 'call-1',
        caller: { number: '+4312345', name: 'Ada', dialled: '100' },
        provider: 'fake',
        origin: 'ari',
        cause: 'caller',
        durationMs: 1000,
        startedWallMs: Date.UTC(2026, 0, 2, 3, 4, 5),
        digits: 1,
        audio: { framesIn: 1, framesOut: 51, framesRefused: 0, underruns: 0, overruns: 0, detectorFull: 0 },
      },
    ])
  })

  const orders: [string, (made: TestCall) => void][] = [
    ['answer, leg, bridge', ({ call, leg }) => [call.answered(), call.attachLeg(leg), call.bridged()]],
    ['leg, answer, bridge', ({ call, leg }) => [call.attachLeg(leg), call.answered(), call.bridged()]],
    ['answer, bridge, leg', ({ call, leg }) => [call.answered(), call.bridged(), call.attachLeg(leg)]],
  ]
  test.each(orders)('greets once all of its parts are there: %s, then the session', async (_name, come) => {
    const agent = fakeAgent()
    const open = Promise.withResolvers<void>()
    agent.opening = (session) => open.promise.then(() => session)
    const made = ringingCall({ agent })
    come(made)
    await settle()
    expect(agent.session.inputs).toEqual([])
    open.resolve()
    await settle()
    expect(agent.session.inputs).toEqual([{ type: 'say', text: 'Hello.' }])
    expect(made.world.observer.steps.filter((step) => step === 'media_open')).toHaveLength(1)
  })

  test('sends silence from the moment its leg is there, and one frame each 20 ms', () => {
    const { call, leg, world } = ringingCall()
    call.attachLeg(leg)
    expect(leg.written.map((frame) => frame.length)).toEqual([160])
    world.clock.advance(1000)
    expect(leg.written).toHaveLength(51)
    expect(leg.heard.some((sample) => sample !== 0)).toBe(false)
  })

  test('has one leg', () => {
    const { call, leg } = ringingCall()
    expect(call.attachLeg(leg)).toBe('attached')
    expect(call.attachLeg(new FakeLeg())).toBe('refused')
  })

  test('counts frames that the detector could not take', async () => {
    const { call, world, leg } = await connected()
    world.detector.answer = 'full'
    leg.audio(new Int16Array(160))
    leg.audio(new Int16Array(160))
    await call.end('caller')
    expect(world.observer.facts[0]?.audio).toMatchObject({ framesIn: 2, detectorFull: 2 })
  })

  test('hears the detector', async () => {
    const { call, world } = await connected({ plan: { greeting: '' } })
    world.detector.speech('speech_started')
    expect(call.turnState).toBe('caller_speaking')
  })

  test('tells its session who it is for, and that it is over', async () => {
    const { call, agent } = await connected()
    const [context] = agent.contexts
    expect(context?.signal.aborted).toBe(false)
    const ending = call.end('caller')
    expect(context?.signal.aborted).toBe(true)
    await ending
  })
})

describe('a call that ends', () => {
  const stages: Record<string, (made: TestCall) => void | Promise<void>> = {
    'right after admission': () => {},
    'while its session is being opened': ({ agent }) => {
      expect(agent.contexts).toHaveLength(1)
    },
    'once its session is open': () => settle(),
    'once answered': ({ call }) => call.answered(),
    'with its leg, ringing': ({ call, leg }) => void call.attachLeg(leg),
    'bridged, without its leg': ({ call }) => {
      call.answered()
      call.bridged()
    },
    'in its greeting': async (made) => {
      await settle()
      made.call.answered()
      made.call.attachLeg(made.leg)
      made.call.bridged()
      made.agent.session.reply(5000)
      made.world.clock.advance(500)
    },
    'while the caller speaks': async (made) => {
      await stages['in its greeting']?.(made)
      made.agent.session.emit({ type: 'reply_done' })
      made.world.clock.advance(6000)
      made.world.detector.speech('speech_started')
      expect(made.call.turnState).toBe('caller_speaking')
    },
    'while the agent thinks': async (made) => {
      await stages['while the caller speaks']?.(made)
      made.world.clock.advance(500)
      made.world.detector.speech('speech_stopped')
      made.world.clock.advance(600)
      expect(made.call.turnState).toBe('thinking')
    },
  }

  test.each(Object.keys(stages))('%s, twice: it ends once and nothing of it is left', async (stage) => {
    const made = ringingCall()
    const { call, world, agent, pbx, leg } = made
    await stages[stage]?.(made)
    const attached = leg.written.length > 0
    const first = call.end('caller')
    const second = call.end('internal_error')
    expect(second).toBe(first)
    expect(call.ended).toBe(true)
    await first
    await settle()
    expect([world.store.size, world.store.providerSessions, world.pacer.size, world.detector.opened]).toEqual([
      0, 0, 0, 0,
    ])
    expect(world.clock.pending).toBe(0)
    expect([pbx.released, agent.session.closes]).toEqual([['caller'], 1])
    expect(leg.closedWith).toEqual(attached ? ['caller'] : [])
    expect(world.observer.facts.map((facts) => facts.cause)).toEqual(['caller'])
    expect(world.observer.steps.filter((step) => step === 'hangup')).toHaveLength(1)
    expect(world.observer.steps.at(-1)).toBe('cleaned')

    // What was under way arrives afterwards, and means nothing.
    const steps = world.observer.steps.length
    call.answered()
    call.bridged()
    expect(call.attachLeg(new FakeLeg())).toBe('refused')
    leg.audio(new Int16Array(160))
    leg.end('caller')
    agent.session.emit({ type: 'closed' })
    agent.session.reply(100)
    world.detector.speech('speech_started')
    await call.end('shutdown')
    world.clock.advance(60_000)
    expect([world.observer.steps.length, world.observer.facts.length, world.clock.pending]).toEqual([steps, 1, 0])
    expect(world.errors).toEqual([])
  })

  test('while its session is being opened: the session that comes late is closed, and the end waits for it', async () => {
    const agent = fakeAgent()
    const open = Promise.withResolvers<void>()
    agent.opening = (session) => open.promise.then(() => session)
    const { call, world } = ringingCall({ agent })
    let ended = false
    void call.end('caller').then(() => {
      ended = true
    })
    await settle()
    expect([ended, agent.contexts[0]?.signal.aborted]).toEqual([false, true])
    open.resolve()
    await settle()
    expect([ended, agent.session.closes, agent.session.inputs.length, world.store.providerSessions]).toEqual([
      true,
      1,
      0,
      0,
    ])
  })

  test('while its session is being opened, in vain: that is no fault of the provider', async () => {
    const agent = fakeAgent()
    const open = Promise.withResolvers<void>()
    agent.opening = (session) => open.promise.then(() => session)
    const { call, world } = ringingCall({ agent })
    const ending = call.end('caller')
    open.reject(new Error('aborted'))
    await ending
    expect([world.observer.faults, world.observer.facts[0]?.cause]).toEqual([[], 'caller'])
  })

  test('since its session cannot be opened', async () => {
    const agent = fakeAgent()
    agent.opening = () => Promise.reject(new Error('no such model'))
    const { world, pbx } = ringingCall({ agent })
    await settle()
    expect([world.observer.faults, world.observer.facts[0]?.cause, pbx.released]).toEqual([
      ['open_failed'],
      'provider_failed',
      ['provider_failed'],
    ])
    expect([world.store.size, world.clock.pending]).toEqual([0, 0])
  })

  test('since opening the session throws at once, inside its admission', async () => {
    const agent = fakeAgent()
    agent.opening = () => {
      throw new Error('a bug in open')
    }
    const { call, world } = ringingCall({ agent })
    await settle()
    expect([call.ended, world.observer.facts[0]?.cause, world.store.size]).toEqual([true, 'provider_failed', 0])
  })

  test('at its longest duration', async () => {
    const { world } = await connected({ plan: { callMaxMs: 60_000, onLimit: 'on_failure' } })
    world.clock.advance(59_999)
    await settle()
    expect(world.store.size).toBe(1)
    world.clock.advance(1)
    await settle()
    expect(world.observer.facts[0]?.cause).toBe('time_limit')
  })

  test.each([
    ['ari', 'caller', 'media_lost'],
    ['dialplan', 'caller', 'caller'],
    ['ari', 'protocol_error', 'protocol_error'],
    ['dialplan', 'media_lost', 'media_lost'],
  ] as const)('with its leg: %s, the leg says %s → %s', async (origin, says, cause) => {
    const { world, leg } = await connected({ plan: { origin } })
    leg.end(says)
    await settle()
    expect(world.observer.facts[0]?.cause).toBe(cause)
  })

  test('with its agent', async () => {
    const { world, agent } = await connected()
    agent.session.emit({ type: 'closed' })
    await settle()
    expect(world.observer.facts[0]?.cause).toBe('provider_failed')
  })

  test('since its agent has failed for good; each fault is told', async () => {
    const { world, agent } = await connected()
    agent.session.emit({ type: 'fault', code: 'overloaded', message: 'busy', retryable: true })
    await settle()
    expect([world.observer.faults, world.observer.facts[0]?.cause]).toEqual([['overloaded'], 'provider_failed'])
    expect(world.observer.facts[0]?.faults).toBe(1)
  })

  test('since no speech detection is left for it: nothing goes on pacing', async () => {
    const world = fakeWorld()
    world.detector.capacity = 0
    const { call, leg } = ringingCall({ world })
    call.attachLeg(leg)
    await settle()
    expect([world.observer.facts[0]?.cause, leg.closedWith]).toEqual(['setup_failed', ['setup_failed']])
    expect([world.pacer.size, world.clock.pending, world.store.size]).toEqual([0, 0, 0])
  })

  test('where its agent takes no turns, no speech detection is needed', async () => {
    const world = fakeWorld()
    world.detector.capacity = 0
    const { call } = await connected({ world, agent: fakeAgent('none') })
    expect(call.ended).toBe(false)
  })
})

describe('a part that does not close', () => {
  test('is left behind after 4 s, and said', async () => {
    const { call, world, agent, pbx, leg } = await connected()
    leg.closes = false
    pbx.releases = false
    agent.session.closing = () => new Promise(() => {})
    let ended = false
    void call.end('caller').then(() => {
      ended = true
    })
    await settle()
    world.clock.advance(3999)
    await settle()
    expect([ended, world.store.size]).toEqual([false, 1])
    world.clock.advance(1)
    await settle()
    expect([ended, world.store.size, world.clock.pending, world.observer.facts.length]).toEqual([true, 0, 0, 1])
    expect(world.errors).toHaveLength(3)
  })

  test('since it throws, at once or later, is said; the others are closed and the call ends', async () => {
    const { call, world, agent, pbx, leg } = await connected()
    leg.close = () => {
      throw new Error('a bug in close')
    }
    agent.session.closing = () => Promise.reject(new Error('a bug in close'))
    await call.end('caller')
    expect([pbx.released, world.store.size, world.clock.pending]).toEqual([['caller'], 0, 0])
    expect(world.errors).toHaveLength(2)
  })
})

describe('a bug in one call', () => {
  const bugs: Record<string, (made: TestCall) => void> = {
    'as the greeting is asked for': () => {},
    'when a timer commits the turn': ({ world, agent }) => {
      agent.session.throwOn = 'turn_committed'
      world.detector.speech('speech_started')
      world.clock.advance(100)
      world.detector.speech('speech_stopped')
      world.clock.advance(600)
    },
    'when the detector speaks': ({ world, agent }) => {
      agent.session.throwOn = 'speech_started'
      world.detector.speech('speech_started')
    },
    'when the caller’s audio arrives': ({ leg, agent, world }) => {
      agent.session.throwOn = 'audio'
      world.detector.speech('speech_started')
      leg.audio(new Int16Array(160))
    },
    'as a frame is written': ({ world, leg }) => {
      leg.write = () => {
        throw new Error('a bug in write')
      }
      world.clock.advance(20)
    },
    'when the agent speaks': ({ agent, world }) => {
      world.observer.transcript = () => {
        throw new Error('a bug in an observer')
      }
      agent.session.emit({ type: 'transcript', side: 'agent', final: true, text: 'x' })
    },
  }

  test.each(Object.keys(bugs))('%s: that call ends with internal_error, and no other', async (name) => {
    const world = fakeWorld()
    const other = await connected({ world, plan: { id: 'other' } })
    const agent = fakeAgent()
    const greets = name === 'as the greeting is asked for'
    if (greets) agent.session.throwOn = 'say'
    const broken = await connected({ world, agent, plan: { id: 'broken', greeting: greets ? 'Hello.' : '' } })
    bugs[name]?.(broken)
    await settle()
    expect(world.observer.facts.map((facts) => [facts.callId, facts.cause])).toEqual([['broken', 'internal_error']])
    expect(world.store.live).toEqual([other.call])
    const before = other.leg.written.length
    world.clock.advance(100)
    expect(other.leg.written.length).toBe(before + 5)
    expect(world.errors).toHaveLength(1)
  })
})
