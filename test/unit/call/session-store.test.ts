import { describe, expect, test } from 'bun:test'
import { SessionStore } from '#call/session-store.ts'
import { fakeWorld } from '../../fakes/call-world.ts'
import { ringingCall } from '../../fakes/calls.ts'
import { settle } from '../../fakes/manual-clock.ts'

function setUp() {
  const world = fakeWorld()
  const one = ringingCall({ world, plan: { id: 'one' } }).call
  const other = ringingCall({ world, plan: { id: 'other' } }).call
  return { one, other, store: world.store }
}

describe('SessionStore', () => {
  test('a call is in the store from its admission, and is found by each of its names', () => {
    const { one, other, store } = setUp()
    store.bindChannel('channel-1', one)
    store.bindChannel('media-1', one)
    expect(store.bindMedia('uuid-1', one)).toBe('bound')
    store.bindChannel('channel-2', other)
    expect([store.size, store.live]).toEqual([2, [one, other]])
    expect([store.byChannelId('channel-1'), store.byChannelId('media-1')]).toEqual([one, one])
    expect(store.byMediaUuid('uuid-1')).toBe(one)
    expect(store.byChannelId('channel-2')).toBe(other)
  })

  test('a channel is expected until it has arrived, or has left for good', () => {
    const store = new SessionStore()
    const here = store.expect('here')
    const gone = store.expect('gone')
    expect([store.expects('here'), store.expects('other'), store.size]).toEqual([true, false, 0])
    expect([store.left('gone'), store.left('gone'), store.endedLately('gone')]).toEqual([true, false, true])
    expect([store.arrived('gone', gone), store.arrived('here', here), store.arrived('here', here)]).toEqual([
      null,
      [],
      null,
    ])
    expect([store.expects('here'), store.endedLately('here')]).toEqual([false, false])
  })

  test('one that has left and come again is another: what is due to the first is not taken for it', () => {
    const store = new SessionStore()
    const first = store.expect('here')
    store.left('here')
    const second = store.expect('here')
    expect([store.arrived('here', first), store.arrived('here', second)]).toEqual([null, []])
  })

  test('digits that are pressed meanwhile are kept, so many at most', () => {
    const store = new SessionStore()
    expect(store.keepDigit('here', '1')).toBeFalse()
    const first = store.expect('here')
    for (const digit of ['0', '#']) expect(store.keepDigit('here', digit)).toBeTrue()
    expect(store.arrived('here', first)).toEqual(['0', '#'])
    expect(store.keepDigit('here', '1')).toBeFalse()
    const second = store.expect('here')
    for (let press = 0; press < 100; press += 1) store.keepDigit('here', '1')
    expect(store.arrived('here', second)).toHaveLength(32)
  })

  test('a UUID has one owner: the second asks in vain, and the first keeps it', () => {
    const { one, other, store } = setUp()
    store.bindMedia('uuid', one)
    expect(store.bindMedia('uuid', other)).toBe('taken')
    expect(store.byMediaUuid('uuid')).toBe(one)
  })

  test('names that nobody knows are undefined, and are counted by kind', () => {
    const store = new SessionStore()
    expect([store.byChannelId('x'), store.byMediaUuid('x')]).toEqual([undefined, undefined])
    store.noteUnknown('channel')
    store.noteUnknown('channel')
    store.noteUnknown('playback')
    expect(store.unknown).toEqual({ channel: 2, media: 0, playback: 1 })
  })

  test('removing forgets all names of that call and none of another', () => {
    const { one, other, store } = setUp()
    for (const name of ['a', 'b', 'c']) store.bindChannel(name, one)
    store.bindChannel('d', other)
    store.bindMedia('uuid-1', one)
    store.bindMedia('uuid-2', other)
    store.remove(one)
    expect(['a', 'b', 'c', 'd'].map((name) => store.byChannelId(name))).toEqual([
      undefined,
      undefined,
      undefined,
      other,
    ])
    expect([store.byMediaUuid('uuid-1'), store.byMediaUuid('uuid-2')]).toEqual([undefined, other])
    expect(store.live).toEqual([other])
    // Its last events may still come: for a while they are known to be old.
    expect(['a', 'uuid-1', 'd'].map((name) => store.endedLately(name))).toEqual([true, true, false])
    // Its UUID is free again.
    expect(store.bindMedia('uuid-1', other)).toBe('bound')
  })

  test('of calls that all end at one moment no name is taken for a new one, however many there were', () => {
    const world = fakeWorld()
    const { store } = world
    const house = (first: number) =>
      Array.from({ length: 400 }, (_, index) => {
        const { call } = ringingCall({ world, plan: { id: `call-${first + index}` } })
        store.bindChannel(`channel-${first + index}`, call)
        store.bindChannel(`media-${first + index}`, call)
        store.bindMedia(`uuid-${first + index}`, call)
        return call
      })
    const remembered = (first: number) =>
      Array.from({ length: 400 }, (_, index) => store.endedLately(`uuid-${first + index}`)).filter(Boolean).length
    for (const call of house(0)) store.remove(call)
    expect(remembered(0)).toBe(400)
    for (const call of house(1000)) store.remove(call)
    expect([remembered(0), remembered(1000)]).toEqual([400, 400])
    // It is bounded all the same: the oldest go.
    for (const call of house(2000)) store.remove(call)
    expect([remembered(0), remembered(1000), remembered(2000)]).toEqual([0, 400, 400])
  })

  test('of few calls the last hundred are remembered', () => {
    const world = fakeWorld()
    for (let index = 0; index < 301; index += 1) {
      const { call } = ringingCall({ world, plan: { id: `call-${index}` } })
      world.store.bindMedia(`uuid-${index}`, call)
      world.store.remove(call)
    }
    expect(['uuid-0', 'uuid-1', 'uuid-300'].map((name) => world.store.endedLately(name))).toEqual([false, true, true])
  })

  test('whenEmpty resolves with the last call, for all who wait, and at once where there is none', async () => {
    const { one, other, store } = setUp()
    let resolved = 0
    for (let waiter = 0; waiter < 2; waiter += 1) void store.whenEmpty().then(() => (resolved += 1))
    store.remove(one)
    await settle()
    expect(resolved).toBe(0)
    store.remove(other)
    await settle()
    expect(resolved).toBe(2)
    await store.whenEmpty()
  })
})
