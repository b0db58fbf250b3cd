import { describe, expect, test } from 'bun:test'
import { Call } from '#call/call.ts'
import { FakeGenerations } from '../../fakes/generations.ts'
import { settle } from '../../fakes/manual-clock.ts'

const routed = `default_provider: loopback
pipelines: { front: {}, back: {} }
agents:
  sales: { pipeline: front, greeting: Sales., tools: [terminate_call] }
`

const byName = (all: FakeGenerations, name: string) => all.agents.filter((agent) => agent.name === name)
const started = (all: FakeGenerations) => all.agents.filter(({ starts }) => starts > 0).map(({ name }) => name)

describe('the providers of a generation', () => {
  test('that calls go to by default or by an agent are loaded from the start, the others are not', () => {
    const all = new FakeGenerations(routed)
    expect(started(all)).toEqual(['loopback', 'front'])
    const readiness = all.current.providerReadiness()
    expect([readiness.front?.ready, readiness.loopback?.ready]).toEqual([true, true])
  })

  test('one that only the dialplan names is loaded by the first call that asks for it', async () => {
    const all = new FakeGenerations(routed)
    const [back] = byName(all, 'back')
    if (back === undefined) throw new Error('no provider')
    back.ready = { ready: false, reason: 'loading' }
    expect(all.current.providerReadiness().back).toEqual({ ready: false, reason: 'not loaded: loopback answers calls' })
    expect([all.call({ pipeline: 'back' }), back.starts]).toEqual(['not_ready', 1])
    expect(all.current.providerReadiness().back).toEqual({ ready: false, reason: 'loading' })
    back.ready = { ready: true }
    expect(all.call({ pipeline: 'back' })).toBeInstanceOf(Call)
    await settle()
    expect([back.starts, back.contexts.length]).toEqual([1, 1])
  })

  test('an engine that stops loads nothing any more', () => {
    const all = new FakeGenerations(routed)
    all.admission.draining = true
    expect([all.call({ pipeline: 'back' }), all.call({ agent: 'nobody' })]).toEqual(['draining', 'draining'])
    expect(started(all)).toEqual(['loopback', 'front'])
  })

  test('an agent’s call is served while the default provider is not ready, and the other way round', () => {
    const all = new FakeGenerations(routed)
    const [loopback] = byName(all, 'loopback')
    const [front] = byName(all, 'front')
    if (loopback === undefined || front === undefined) throw new Error('no provider')
    loopback.ready = { ready: false, reason: 'away' }
    expect([all.call(), all.call({ agent: 'sales' }) instanceof Call]).toEqual(['not_ready', true])
    expect(all.current.readiness().ready).toBe(false)
    loopback.ready = { ready: true }
    front.ready = { ready: false, reason: 'away' }
    expect([all.call({ agent: 'sales' }), all.call() instanceof Call]).toEqual(['not_ready', true])
    // Asked after the default alone: that is what /ready is about.
    expect([all.current.readiness().ready, all.current.agentsReady]).toEqual([true, false])
  })

  test('an agent’s call has its greeting and its tools; a new generation gives new ones, and the call keeps its own', async () => {
    const all = new FakeGenerations(routed)
    all.call({ agent: 'sales' })
    all.text = routed.replace('Sales.', 'Good day.')
    expect(await all.reloader.reload('api')).toMatchObject({
      outcome: 'changed',
      changes: [{ key: 'agents.sales.greeting', from: '"Sales."', to: '"Good day."' }],
    })
    all.call({ agent: 'sales' })
    const [front, ...others] = byName(all, 'front').filter(({ starts }) => starts > 0)
    expect(others).toEqual([])
    expect(front?.contexts).toMatchObject([
      { greeting: 'Sales.', tools: ['terminate_call'] },
      { greeting: 'Good day.', tools: ['terminate_call'] },
    ])
  })

  test('that an agent lets go of are another object without its models, and those it takes are loaded', async () => {
    const all = new FakeGenerations(routed)
    const [front] = byName(all, 'front')
    all.text = routed.replace('pipeline: front', 'pipeline: back')
    await all.reloader.reload('api')
    expect(front?.closed).toBe(1)
    expect(byName(all, 'back').map(({ starts, closed }) => [starts, closed])).toEqual([
      [0, 1],
      [1, 0],
    ])
  })

  test('that an agent takes are waited for by a reload, so that no call of it goes back; for some seconds', async () => {
    for (const becomesReady of [true, false]) {
      const all = new FakeGenerations(routed)
      const before = all.current
      all.ready = { ready: false, reason: 'loading' }
      all.text = routed.replace('pipeline: front', 'pipeline: back')
      const answer = all.reloader.reload('api')
      for (let ms = 0; ms < 4900; ms += 50) {
        await settle()
        all.clock.advance(50)
      }
      expect(all.current).toBe(before)
      if (becomesReady) all.newest.ready = { ready: true }
      for (let ms = 0; ms < 200; ms += 50) {
        await settle()
        all.clock.advance(50)
      }
      expect(await answer).toMatchObject({ outcome: 'changed' })
      expect(all.current.agentsReady).toBe(becomesReady)
    }
  })

  test('each has learnt for itself how much audio is gathered before it speaks', async () => {
    const all = new FakeGenerations(routed)
    all.current.speaker('front').warmUp.underran(100)
    expect(all.current.warmUpExtraMs()).toEqual({ loopback: 0, front: 100 })
    all.text = `${routed}language: de\n`
    await all.reloader.reload('api')
    expect(all.current.warmUpExtraMs()).toEqual({ loopback: 0, front: 100 })
  })
})
