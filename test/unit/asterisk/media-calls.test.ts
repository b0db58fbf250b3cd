import { describe, expect, test } from 'bun:test'
import { AudioSocketLeg } from '#asterisk/audiosocket-leg.ts'
import { MediaCalls } from '#asterisk/media-calls.ts'
import { Admission } from '#call/admission.ts'
import { fakeAgent } from '../../fakes/agent.ts'
import { fakeWorld } from '../../fakes/call-world.ts'
import { callSettings, calm, groundsOf, ringingCall } from '../../fakes/calls.ts'
import { FakeLegSocket } from '../../fakes/leg-socket.ts'
import { settle } from '../../fakes/manual-clock.ts'

const uuid = '40325ec2-5efd-4bd3-805f-53576e581d13'

function setUp(options: { unannounced?: boolean; callsMax?: number } = {}) {
  const world = fakeWorld()
  const agent = fakeAgent()
  const admission = new Admission(groundsOf(callSettings(agent, { callsMax: options.callsMax ?? 10 }), world), calm)
  const leg = () => new AudioSocketLeg(new FakeLegSocket(), 8000, world.clock)
  return {
    world,
    agent,
    admission,
    leg,
    calls: new MediaCalls(world.store, admission, () => ((options.unannounced ?? true) ? 'slin' : null)),
  }
}

describe('a media connection', () => {
  test('that was announced goes to its call', () => {
    const { calls, world, leg } = setUp()
    const { call } = ringingCall({ world })
    world.store.bindMedia(uuid, call)
    expect(calls.accept(uuid, leg())).toBe('accepted')
    expect(call.attachLeg(leg())).toBe('refused')
    expect(world.store.size).toBe(1)
  })

  test('with the UUID of a call that has its connection already is refused, and the call keeps its own', () => {
    const { calls, world, leg } = setUp()
    const { call } = ringingCall({ world })
    world.store.bindMedia(uuid, call)
    calls.accept(uuid, leg())
    expect(calls.accept(uuid, leg())).toBe('duplicate_uuid')
    expect([world.store.size, call.ended]).toEqual([1, false])
  })

  test('that nobody announced is a call of its own, from the dialplan: greeted at once', async () => {
    const { calls, world, agent, leg } = setUp()
    expect(calls.accept(uuid, leg())).toBe('accepted')
    await settle()
    expect(world.observer.steps).toEqual(['admitted', 'answered', 'bridged', 'media_open', 'gate_closed'])
    expect(agent.session.inputs).toEqual([{ type: 'say', text: 'Hello.' }])
    const [call] = world.store.live
    expect([call?.id, call?.transport, world.store.byMediaUuid(uuid)]).toEqual([uuid, 'audiosocket', call])
    expect(calls.accept(uuid, leg())).toBe('duplicate_uuid')
  })

  test('that nobody announced is turned away where that is not allowed, and counted', () => {
    const { calls, world, agent, leg } = setUp({ unannounced: false })
    expect(calls.accept(uuid, leg())).toBe('unknown_uuid')
    expect([world.store.size, agent.contexts.length, world.store.unknown.media]).toEqual([0, 0, 1])
  })

  test('for which there is no place is refused, and counted', () => {
    const { calls, world, admission, leg } = setUp({ callsMax: 0 })
    expect(calls.accept(uuid, leg())).toBe('refused')
    expect([world.store.size, admission.refused]).toEqual([0, { busy: 1 }])
  })

  test('of another rate than calls without ARI have is refused, and no call of it is left', async () => {
    const { calls, world, agent } = setUp()
    const wide = new AudioSocketLeg(new FakeLegSocket(), 16000, world.clock)
    expect(calls.accept(uuid, wide)).toBe('refused')
    await settle()
    expect([world.store.size, world.store.providerSessions, agent.session.closes]).toEqual([0, 0, 1])
    expect(world.clock.pending).toBe(0)
  })
})
