import { describe, expect, test } from 'bun:test'
import { fakeAgent } from '../../fakes/agent.ts'
import { ringingCall, type TestCall } from '../../fakes/calls.ts'
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

describe('a call that its agent ends', () => {
  const sales = { context: 'internal', extension: '200', priority: 1 }

  test.each([
    ['hangs up', { kind: 'hang_up' }, 'agent', 'next'],
    ['transfers the caller', { kind: 'transfer', to: sales }, 'transferred', sales],
  ] as const)('%s: the PBX learns why, and where to', async (_name, how, cause, place) => {
    const { call, pbx, agent, world } = await connected()
    agent.session.emit({ type: 'leave', how })
    await settle()
    expect([call.ended, pbx.released, pbx.places]).toEqual([true, [cause], [place]])
    expect(world.observer.facts).toMatchObject([{ cause }])
  })

  test('that fails goes where the configuration says, and its record tells what went wrong', async () => {
    const onFailure = { context: 'fallback', extension: 's', priority: 1 }
    const { pbx, agent, world } = await connected({ plan: { onFailure } })
    world.clock.advance(700)
    agent.session.emit({ type: 'incident', code: 'reply_timeout', message: 'late' })
    agent.session.emit({ type: 'fault', code: 'timeout', message: 'gone', retryable: false, final: true })
    await settle()
    expect([pbx.released, pbx.places]).toEqual([['provider_failed'], [onFailure]])
    expect(world.observer.faults).toEqual(['reply_timeout', 'timeout'])
    expect(world.observer.facts[0]?.incidents).toEqual([
      { atMs: 700, code: 'reply_timeout' },
      { atMs: 700, code: 'timeout' },
    ])
  })
})

describe('a key that leads to a person', () => {
  const person = { context: 'internal', extension: '200', priority: 1 }

  test('sends the caller there at once; another key is counted', async () => {
    const { call, pbx, world } = await connected({ plan: { keys: { '0': { do: 'transfer', place: person } } } })
    call.digit('1')
    await settle()
    expect(call.ended).toBeFalse()
    call.digit('0')
    await settle()
    expect([pbx.released, pbx.places]).toEqual([['transferred'], [person]])
    expect(world.observer.facts).toMatchObject([{ cause: 'transferred', digits: 2 }])
  })

  test('does nothing where there is no dialplan to go on in', async () => {
    const { call } = await connected({ plan: { keys: { '0': { do: 'transfer', place: person } }, origin: 'dialplan' } })
    call.digit('0')
    await settle()
    expect(call.ended).toBeFalse()
    await call.end('caller')
  })
})

describe('a key that the agent acts on', () => {
  test('pressed before there is an agent: is done once it is there', async () => {
    const { call, agent, leg } = ringingCall({ plan: { keys: { '5': { do: 'say', text: 'We open at nine.' } } } })
    call.digit('5')
    await settle()
    expect(agent.session.inputs).toEqual([])
    call.answered()
    call.attachLeg(leg)
    call.bridged()
    expect(agent.session.inputs).toEqual([
      { type: 'say', text: 'Hello.' },
      { type: 'say', text: 'We open at nine.' },
    ])
    await call.end('caller')
  })

  test('hangs up behind its farewell', async () => {
    const { call, agent, pbx, world } = await connected({ plan: { keys: { '9': { do: 'hang_up', say: 'Bye.' } } } })
    agent.session.taken()
    call.digit('9')
    expect(agent.session.inputs).toEqual([{ type: 'say', text: 'Bye.' }])
    agent.session.reply(400)
    agent.session.emit({ type: 'reply_done' })
    world.clock.advance(1000)
    await settle()
    expect([pbx.released, world.observer.facts[0]?.digits]).toEqual([['agent'], 1])
  })
})

describe('a call that has lasted for as long as it may', () => {
  const place = { context: 'elsewhere', extension: 's', priority: 1 }

  test('says its farewell, and is hung up behind it', async () => {
    const { agent, pbx, world } = await connected({ plan: { callMaxMs: 60_000 } })
    agent.session.reply(200)
    agent.session.emit({ type: 'reply_done' })
    world.clock.advance(59_990)
    agent.session.taken()
    world.clock.advance(10)
    expect(agent.session.inputs).toEqual([{ type: 'say', text: 'Time is up.' }])
    agent.session.reply(1000)
    agent.session.emit({ type: 'reply_done' })
    world.clock.advance(900)
    expect(pbx.released).toEqual([])
    world.clock.advance(200)
    await settle()
    expect([pbx.released, pbx.places]).toEqual([['time_limit'], ['hang_up']])
    expect(world.observer.facts).toMatchObject([{ cause: 'time_limit' }])
  })

  test.each([
    ['at the place of on_failure', place, place],
    ['behind Stasis(), where there is none', null, 'next'],
  ] as const)('goes on %s, without a word', async (_name, onFailure, onward) => {
    const { agent, pbx, world } = await connected({ plan: { callMaxMs: 60_000, onLimit: 'on_failure', onFailure } })
    agent.session.reply(200)
    agent.session.emit({ type: 'reply_done' })
    world.clock.advance(60_000)
    await settle()
    expect([pbx.released, pbx.places]).toEqual([['time_limit'], [onward]])
    expect(agent.session.inputs).not.toContainEqual({ type: 'say', text: 'Time is up.' })
  })

  test('is hung up at once where its agent takes no orders to speak, or is not there yet', async () => {
    const mute = await connected({ agent: fakeAgent('none'), plan: { callMaxMs: 60_000 } })
    const early = ringingCall({ plan: { callMaxMs: 9000 }, agent: Object.assign(fakeAgent(), { opening: never }) })
    for (const { world } of [mute, early]) world.clock.advance(60_000)
    await settle()
    expect([mute.pbx.places, early.pbx.places]).toEqual([['hang_up'], ['hang_up']])
    await settle()
  })
})

const never = () => new Promise<never>(() => {})
