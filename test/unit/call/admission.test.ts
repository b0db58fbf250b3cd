import { describe, expect, test } from 'bun:test'
import { Admission, type AdmissionFacts, type PatchcordResult, refusal } from '#call/admission.ts'
import { Call } from '#call/call.ts'
import { noWishes } from '#call/choice.ts'
import { WarmUp } from '#call/warm-up.ts'
import { fakeAgent } from '../../fakes/agent.ts'
import { FakePbx, fakeWorld, turnSettings } from '../../fakes/call-world.ts'
import { callSettings, groundsOf, testOffer } from '../../fakes/calls.ts'
import { settle } from '../../fakes/manual-clock.ts'

const free: AdmissionFacts = {
  activeCalls: 0,
  callsMax: 2,
  callerCallsLeft: null,
  draining: false,
  providerReady: true,
  quotaReached: false,
  overloaded: false,
}

describe('refusal', () => {
  const cases: [string, Partial<AdmissionFacts>, PatchcordResult | null][] = [
    ['nobody else', {}, null],
    ['one place left', { activeCalls: 1 }, null],
    ['no place left', { activeCalls: 2 }, 'busy'],
    ['more than the limit, after a change of it', { activeCalls: 3 }, 'busy'],
    ['another call of this caller is left', { callerCallsLeft: 1 }, null],
    ['none of this caller is left', { callerCallsLeft: 0 }, 'busy'],
    ['the engine stops', { draining: true }, 'draining'],
    ['the provider is not ready', { providerReady: false }, 'not_ready'],
    ['it stops and is full: the lasting reason is told', { draining: true, activeCalls: 2 }, 'draining'],
    ['the machine does not keep up', { overloaded: true }, 'overloaded'],
    ['full, and it does not keep up: the limit is told', { overloaded: true, activeCalls: 2 }, 'busy'],
    ['the provider has been used for long enough today', { quotaReached: true }, 'quota'],
    ['used up and full: the lasting reason is told', { quotaReached: true, activeCalls: 2 }, 'quota'],
    ['not ready and full: the lasting reason is told', { providerReady: false, activeCalls: 2 }, 'not_ready'],
  ]
  test.each(cases)('%s', (_name, facts, expected) => {
    expect(refusal({ ...free, ...facts })).toBe(expected)
  })
})

describe('Admission', () => {
  const setUp = (callsMax = 2, callsPerCallerMax = 0) => {
    const world = fakeWorld()
    const agent = fakeAgent()
    const load = { overloaded: false }
    const admission = new Admission(groundsOf(callSettings(agent, { callsMax, callsPerCallerMax }), world), load)
    const admit = (id: string, number = '') =>
      admission.admit({
        id,
        caller: { number, name: '', dialled: '' },
        origin: 'ari',
        transport: 'audiosocket',
        wire: 'slin',
        pbx: new FakePbx(),
        wishes: noWishes,
      })
    return { world, agent, admission, admit, load }
  }

  test('an admitted call is in the store and its session is being opened with its context', () => {
    const { world, agent, admit } = setUp()
    const call = admit('a')
    expect(call).toBeInstanceOf(Call)
    expect(world.store.live).toEqual([call as Call])
    expect(agent.contexts).toMatchObject([
      { callId: 'a', sampleRateHz: 8000, language: 'en', prompt: 'Be brief.', greeting: 'Hello.' },
    ])
  })

  test('its session knows a listener’s words by the call’s language and the configuration’s list', () => {
    const agent = fakeAgent()
    const bargeIn = { ...turnSettings.bargeIn, backchannels: ['passt scho'] }
    const offer = testOffer({ language: 'de-AT' })
    const settings = callSettings(agent, { offer, turns: { ...turnSettings, bargeIn } })
    const admission = new Admission(groundsOf(settings, fakeWorld()), { overloaded: false })
    const caller = { number: '', name: '', dialled: '' }
    const wire = { origin: 'ari', transport: 'audiosocket', wire: 'slin' } as const
    admission.admit({ id: 'a', caller, ...wire, pbx: new FakePbx(), wishes: noWishes })
    const turn = { language: 'de-AT', heard: 'Wir öffnen um neun.', around: 'Wir öffnen um neun.' }
    const words = ['Ja, genau.', 'Passt scho!', 'Nein.', 'Ja, aber']
    const listening = words.map((text) => agent.contexts[0]?.isListening?.({ ...turn, words: text }))
    expect(listening).toEqual([true, true, false, false])
  })

  test('what is refused is counted, opens nothing and is not in the store', async () => {
    const { world, agent, admission, admit } = setUp(1)
    const first = admit('a')
    expect(admit('b')).toBe('busy')
    agent.ready = { ready: false, reason: 'no model' }
    expect(admit('c')).toBe('not_ready')
    admission.draining = true
    expect(admit('d')).toBe('draining')
    expect(admit('e')).toBe('draining')
    expect(admission.refused).toEqual({ busy: 1, not_ready: 1, draining: 2 })
    expect([world.store.size, agent.contexts.length]).toEqual([1, 1])
    if (first instanceof Call) await first.end('caller')
  })

  test('one number has so many calls at once; others, and those who withhold theirs, are not concerned', async () => {
    const { admit } = setUp(10, 2)
    const first = admit('a', '+431')
    expect(admit('b', '+431')).toBeInstanceOf(Call)
    expect(admit('c', '+431')).toBe('busy')
    expect(admit('d', '+432')).toBeInstanceOf(Call)
    for (const id of ['e', 'f', 'g']) expect(admit(id)).toBeInstanceOf(Call)
    if (first instanceof Call) await first.end('caller')
    expect(admit('h', '+431')).toBeInstanceOf(Call)
    expect(admit('i', '+431')).toBe('busy')
  })

  test.each(['anonymous', 'unknown', 'Restricted'])('callers who come as %s are not one caller', (number) => {
    const { admit } = setUp(10, 1)
    for (const id of ['a', 'b', 'c']) expect(admit(id, number)).toBeInstanceOf(Call)
  })

  test('a machine that does not keep up takes no call until it does', () => {
    const { load, admit } = setUp()
    load.overloaded = true
    expect(admit('a')).toBe('overloaded')
    load.overloaded = false
    expect(admit('b')).toBeInstanceOf(Call)
  })

  test('the place of a call that has ended is free again', async () => {
    const { admit } = setUp(1)
    const first = admit('a')
    if (first instanceof Call) await first.end('caller')
    expect(admit('b')).toBeInstanceOf(Call)
  })
})

describe('a provider whose minutes of today are used up', () => {
  const minute = 60_000
  const setUp = (named = true) => {
    const world = fakeWorld()
    const agent = Object.assign(fakeAgent(), { name: 'costly' })
    const second = Object.assign(fakeAgent(), { name: 'second' })
    const settings = callSettings(agent, { providerMsPerDayMax: 5 * minute, fallback: named ? 'second' : null })
    const speaker = (name: string) => (name === 'second' ? { provider: second, warmUp: new WarmUp(200) } : settings)
    const grounds = { ...groundsOf(settings, world)(), speaker }
    const admission = new Admission(() => grounds, { overloaded: false })
    let calls = 0
    const admit = () => {
      calls += 1
      const caller = { number: '', name: '', dialled: '' }
      const id = `call-${calls}`
      const pbx = new FakePbx()
      return admission.admit({
        id,
        caller,
        origin: 'ari',
        transport: 'audiosocket',
        wire: 'slin',
        pbx,
        wishes: noWishes,
      })
    }
    const { clock } = world
    const answeredBy = () => [agent.contexts.length, second.contexts.length]
    return { world, agent, second, admission, admit, clock, answeredBy }
  }

  test('still has the call that runs; the next goes to the other one', async () => {
    const { admit, clock, answeredBy, world } = setUp()
    const first = admit()
    await settle()
    clock.advance(5 * minute - 1)
    expect([admit() instanceof Call, answeredBy()]).toEqual([true, [2, 0]])
    await settle()
    clock.advance(1)
    expect([admit() instanceof Call, answeredBy()]).toEqual([true, [2, 1]])
    expect([(first as Call).ended, world.observer.quotas]).toEqual([false, ['costly -> second']])
  })

  test('answers again on the next day', async () => {
    const { admit, clock, answeredBy } = setUp()
    const first = admit() as Call
    await settle()
    clock.advance(5 * minute)
    await first.end('caller')
    clock.advance(24 * 60 * minute)
    admit()
    expect(answeredBy()).toEqual([2, 0])
  })

  test.each([
    ['there is no other', false],
    ['the other is not ready', true],
  ])('where %s the caller goes back to the dialplan', async (_name, named) => {
    const { admit, clock, admission, second, world } = setUp(named)
    second.ready = { ready: false, reason: 'no key' }
    admit()
    await settle()
    clock.advance(5 * minute)
    expect([admit(), admission.refused, world.observer.quotas]).toEqual(['quota', { quota: 1 }, ['costly -> null']])
  })

  test('need not be ready itself', async () => {
    const { admit, agent, clock } = setUp()
    admit()
    await settle()
    clock.advance(5 * minute)
    agent.ready = { ready: false, reason: 'gone' }
    expect(admit()).toBeInstanceOf(Call)
  })
})
