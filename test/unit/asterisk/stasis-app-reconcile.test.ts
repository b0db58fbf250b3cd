import { describe, expect, test } from 'bun:test'
import { ariChannel, ariError } from '../../fakes/ari.ts'
import { ringingCall } from '../../fakes/calls.ts'
import { settle } from '../../fakes/manual-clock.ts'
import { bridged, causes, setUp } from './stasis-bench.ts'

describe('after the event socket was away', () => {
  test('a media channel that is gone is lost, and made anew', async () => {
    const bench = await bridged()
    bench.ari.gone(bench.media.id)
    await bench.app.reconcile()
    await settle()
    expect([bench.store.size, bench.world.observer.restarts]).toEqual([1, 1])
    expect(bench.mediaChannel().id).not.toBe(bench.media.id)
  })

  test('a caller who was sent to a queue meanwhile has left, and is not touched', async () => {
    const bench = await bridged()
    const requests = bench.ari.requests.length
    bench.ari.runs = 'Queue'
    await bench.app.reconcile()
    await settle()
    expect([bench.store.size, causes(bench)]).toEqual([0, ['caller']])
    expect(bench.ari.requests.slice(requests).filter((request) => request.includes('caller-1'))).toEqual([])
  })

  test('a media channel that is there is no news', async () => {
    const bench = await bridged()
    const requests = bench.ari.requests.length
    await bench.app.reconcile()
    await settle()
    expect([bench.ari.requests.slice(requests), bench.world.observer.restarts]).toEqual([['channels'], 0])
  })

  test('one that was replaced while Asterisk was being asked is not missed', async () => {
    const bench = await bridged()
    bench.ari.gone(bench.media.id)
    bench.ari.hold('channels')
    const asked = bench.app.reconcile()
    bench.app.event({ type: 'StasisEnd', channel: bench.media })
    await settle()
    bench.ari.release('channels')
    await asked
    await settle()
    expect([bench.store.size, bench.world.observer.restarts]).toEqual([1, 1])
  })

  test('one that is still being made is not missed', async () => {
    const bench = setUp()
    bench.ari.hold('media')
    bench.enter()
    await settle()
    await bench.app.reconcile()
    expect([bench.store.size, causes(bench)]).toEqual([1, []])
  })

  test.each([
    ['Stasis', true],
    [undefined, false],
    ['AppDial2', false],
  ])('one that runs %p, and whose StasisStart was lost, has entered: %p', async (runs, enters) => {
    const bench = setUp()
    bench.enter()
    await settle()
    const media = bench.mediaChannel()
    bench.ari.enter(media.id)
    if (runs !== undefined) bench.ari.runs = runs
    await bench.app.reconcile()
    await settle()
    expect(bench.ari.joined.includes(media.id)).toBe(enters)
  })

  test('a playback that has ended meanwhile was heard', async () => {
    const bench = await bridged()
    const words: string[] = []
    bench.call?.pbx.files?.play(new Int16Array(160), 8000, 'beside', (event) => words.push(event))
    await settle()
    bench.ari.playbackIds.splice(0)
    await bench.app.reconcile()
    await settle()
    expect(words).toEqual(['started', 'finished'])
  })

  test('calls whose channel is gone are over; the others and those without ARI go on', async () => {
    const bench = setUp()
    bench.enter()
    const other = ariChannel({ id: 'caller-2' })
    bench.ari.caller(other.id)
    bench.enter(other)
    ringingCall({ world: bench.world, plan: { id: 'from-dialplan', origin: 'dialplan' } })
    await settle()
    bench.ari.gone('caller-1')
    await bench.app.reconcile()
    await settle()
    expect([causes(bench), bench.store.live.map((call) => call.id)]).toEqual([
      ['caller'],
      ['caller-2', 'from-dialplan'],
    ])
  })

  test('an Asterisk that does not answer ends nothing, and without calls it is not even asked', async () => {
    const bench = setUp()
    await bench.app.reconcile()
    expect(bench.ari.requests).toEqual([])
    bench.enter()
    await settle()
    bench.ari.gone('caller-1')
    bench.ari.refuse.channels = { error: ariError(null), times: 5 }
    const asked = bench.app.reconcile()
    for (let attempt = 0; attempt < 5; attempt += 1) {
      await settle()
      bench.world.clock.advance(1000)
    }
    await asked
    expect([bench.store.size, bench.world.errors.length]).toEqual([1, 1])
  })

  test('an Asterisk that answers late is believed late', async () => {
    const bench = setUp()
    bench.enter()
    await settle()
    bench.ari.gone('caller-1')
    bench.ari.refuse.channels = { error: ariError(null), times: 2 }
    const asked = bench.app.reconcile()
    for (let attempt = 0; attempt < 3; attempt += 1) {
      await settle()
      bench.world.clock.advance(1000)
    }
    await asked
    await settle()
    expect(causes(bench)).toEqual(['caller'])
  })

  test('a call that begins while Asterisk is being asked is not judged by the answer', async () => {
    const bench = setUp()
    bench.enter()
    await settle()
    bench.ari.hold('channels')
    const asked = bench.app.reconcile()
    const late = ariChannel({ id: 'caller-2' })
    bench.ari.caller(late.id)
    bench.enter(late)
    await settle()
    // The answer under way was made before the second caller came.
    bench.ari.gone(late.id)
    bench.ari.release('channels')
    await asked
    await settle()
    expect(bench.store.live.map((call) => call.id)).toContain('caller-2')
  })
})
