import { expect, test } from 'bun:test'
import { type AccountState, AccountWatch } from '#agent/account-watch.ts'
import { seededRandom } from '#base/random.ts'
import { ManualClock, settle } from '../../fakes/manual-clock.ts'

const fine: AccountState = { readiness: { ready: true }, code: 'ready', hopeless: false, waitMs: 0 }
const refused: AccountState = { readiness: { ready: false, reason: 'no' }, code: 'bad_key', hopeless: true, waitMs: 0 }

test('a session that is refused right behind a good look counts at once, and the next look asks anew', async () => {
  const clock = new ManualClock()
  let looks = 0
  const changes: string[] = []
  const watch = new AccountWatch({
    clock,
    random: seededRandom(1),
    ask: () => {
      looks += 1
      return Promise.resolve(fine)
    },
    changed: ({ code }) => changes.push(code),
  })
  expect(await watch.look()).toEqual(fine)
  watch.refused(refused)
  expect([watch.state, changes]).toEqual([refused, ['ready', 'bad_key']])
  expect(await watch.look()).toEqual(fine)
  expect([looks, watch.state]).toEqual([2, fine])
  await watch.close()
  await settle()
  expect(clock.pending).toBe(0)
})
