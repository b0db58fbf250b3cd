import { expect, test } from 'bun:test'
import { HearingWatch } from '#agent/hearing-watch.ts'
import { ManualClock } from '../../fakes/manual-clock.ts'

function watch(serverHears: boolean) {
  const clock = new ManualClock()
  const unheard: number[] = []
  const made = new HearingWatch({
    clock,
    endMaxMs: 2000,
    serverHears: () => serverHears,
    unheard: () => unheard.push(clock.now()),
  })
  clock.advance(10_000)
  made.sounds(true)
  clock.advance(1500)
  return { clock, watch: made, unheard }
}

test('a server that says nothing of a voice, or nothing of its end, has not heard it', () => {
  const deaf = watch(false)
  deaf.watch.sounds(false)
  deaf.clock.advance(3000)
  expect(deaf.unheard).toHaveLength(1)
  const stuck = watch(true)
  stuck.watch.serverSays()
  stuck.watch.sounds(false)
  stuck.clock.advance(3000)
  expect(stuck.unheard).toHaveLength(1)
})

test('of speech that the server hears before our detector does, nothing is missed', () => {
  const { clock, watch: made, unheard } = watch(true)
  made.serverSays()
  made.sounds(false)
  clock.advance(2950)
  made.serverSays()
  clock.advance(100)
  expect(unheard).toEqual([])
})
