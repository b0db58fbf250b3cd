import { describe, expect, test } from 'bun:test'
import { giveBack, remove } from '#asterisk/give-back.ts'
import { silentLog } from '#base/log.ts'
import { ariError, FakeAri } from '../../fakes/ari.ts'
import { ManualClock } from '../../fakes/manual-clock.ts'

const channelId = 'caller-1'

function setUp() {
  const ari = new FakeAri()
  ari.caller(channelId)
  const clock = new ManualClock()
  const errors: string[] = []
  const parts = { ari, clock, log: { ...silentLog, error: (message: string) => void errors.push(message) } }
  /** Time passes until the work is done; ten waits are more than it may make. */
  const done = async (work: Promise<void>) => {
    let over = false
    void work.then(() => {
      over = true
    })
    for (let round = 0; round < 10 && !over; round += 1) {
      for (let turn = 0; turn < 20; turn += 1) await Promise.resolve()
      clock.advance(200)
    }
    expect(over).toBe(true)
  }
  return { ari, parts, errors, done }
}

describe('giveBack', () => {
  test('names the reason, then lets the channel go on', async () => {
    const { ari, parts, done } = setUp()
    await done(giveBack(parts, channelId, 'busy'))
    expect(ari.requests).toEqual([`set ${channelId} PATCHCORD_RESULT=busy`, `continue ${channelId}`])
  })

  test('at another place, where one is named', async () => {
    const { ari, parts, done } = setUp()
    await done(giveBack(parts, channelId, 'transferred', { context: 'sales', extension: '200', priority: 1 }))
    expect(ari.requests).toEqual([
      `set ${channelId} PATCHCORD_RESULT=transferred`,
      `continue ${channelId} at sales,200,1`,
    ])
  })

  test('one that has come back since is not sent away again', async () => {
    const { ari, parts, done } = setUp()
    ari.refuse.continue = { error: ariError(null), times: 1 }
    await done(giveBack(parts, channelId, 'transferred', null, () => true))
    expect(ari.requests).toEqual([`set ${channelId} PATCHCORD_RESULT=transferred`, `continue ${channelId}`])
  })

  test('a channel that is gone needs nothing', async () => {
    const { ari, parts, done } = setUp()
    ari.gone(channelId)
    await done(giveBack(parts, channelId, 'busy'))
    expect(ari.requests).toEqual([`set ${channelId} PATCHCORD_RESULT=busy`])
  })

  test('an Asterisk that does not answer once is asked again', async () => {
    const { ari, parts, done } = setUp()
    ari.refuse.set = { error: ariError(null), times: 1 }
    await done(giveBack(parts, channelId, 'draining'))
    expect(ari.variables).toEqual(['PATCHCORD_RESULT=draining'])
    expect(ari.inStasis).toEqual([])
  })

  test('a variable that is refused for good does not keep the caller: they go on without it', async () => {
    const { ari, parts, done } = setUp()
    ari.refuse.set = { error: ariError(500), times: 99 }
    await done(giveBack(parts, channelId, 'busy'))
    expect([ari.inStasis, ari.requests.at(-1)]).toEqual([[], `continue ${channelId}`])
  })

  test('a channel that cannot go on is hung up rather than left in silence', async () => {
    const { ari, parts, done } = setUp()
    ari.refuse.continue = { error: ariError(409), times: 99 }
    await done(giveBack(parts, channelId, 'busy'))
    expect([ari.channelIds, ari.requests.at(-1)]).toEqual([[], `hangup ${channelId}`])
  })
})

describe('remove', () => {
  test('tries three times, then says what is left', async () => {
    const { ari, parts, errors, done } = setUp()
    ari.refuse.hangup = { error: ariError(500), times: 99 }
    await done(remove(parts, 'media channel', () => ari.hangup(channelId)))
    expect([ari.requests.length, errors.length]).toEqual([3, 1])
  })
})
