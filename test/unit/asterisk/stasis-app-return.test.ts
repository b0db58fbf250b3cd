import { describe, expect, test } from 'bun:test'
import { settle } from '../../fakes/manual-clock.ts'
import { bridged, caller, causes } from './stasis-bench.ts'

// A call is sent on, and the dialplan brings the caller back into the application before all parts of it are closed: from
// one agent to another, for instance.

const sales = { context: 'agents', extension: 'sales', priority: 1 }

/** Asterisk has let the caller go, who has come back; the call that they left still waits for its leg. */
async function returned() {
  const bench = await bridged()
  bench.leg.closes = false
  void bench.call?.end('transferred', sales)
  await settle()
  bench.app.event({ type: 'StasisEnd', channel: caller })
  bench.ari.enter(caller.id)
  bench.enter()
  await settle()
  return bench
}

describe('a caller who comes back while their call is taken down', () => {
  test('is a call once that is done', async () => {
    const bench = await returned()
    expect([bench.store.size, causes(bench)]).toEqual([1, []])
    bench.world.clock.advance(4000)
    await settle()
    expect([bench.store.size, bench.store.live[0]?.ended, causes(bench)]).toEqual([1, false, ['transferred']])
    expect(bench.agent.contexts).toHaveLength(2)
    expect(bench.store.unknown).toEqual({ channel: 0, media: 0, playback: 0 })
  })

  test('and hangs up meanwhile is none', async () => {
    const bench = await returned()
    bench.app.event({ type: 'ChannelDestroyed', channel: caller })
    bench.world.clock.advance(4000)
    await settle()
    expect([bench.store.size, causes(bench), bench.agent.contexts.length]).toEqual([0, ['transferred'], 1])
    await bench.store.whenEmpty()
  })

  test('leaves and comes again meanwhile: what they ask for last counts', async () => {
    const bench = await returned()
    bench.app.event({ type: 'StasisEnd', channel: caller })
    bench.enter(caller, ['agent=nobody'])
    bench.world.clock.advance(4000)
    await settle()
    expect([bench.store.size, bench.warnings.join()]).toEqual([0, expect.stringContaining('unknown_agent')])
  })
})
