import { expect, test } from 'bun:test'
import { ringingCall } from '../../fakes/calls.ts'
import { FakeLeg } from '../../fakes/leg.ts'
import { settle } from '../../fakes/manual-clock.ts'

test.each([
  ['made-up frames alone', true, 0],
  ['the caller', false, 1],
] as const)('a path on which %s were heard for its last 5 s: made anew %p', async (_name, madeUp, reopenings) => {
  const made = ringingCall({ plan: { greeting: '' } })
  const { call, leg, pbx, world } = made
  pbx.reopen = () => {
    call.attachLeg(new FakeLeg())
    return Promise.resolve(true)
  }
  await settle()
  call.answered()
  call.attachLeg(leg)
  call.bridged()
  leg.audio(new Int16Array(160).fill(1000))
  const frame = { sampleRateHz: 8000, samples: new Int16Array(160) } as const
  for (let each = 0; each < 251; each += 1) {
    leg.emit({ type: 'audio', frame, madeUp })
    world.clock.advance(20)
  }
  leg.end('media_lost')
  await settle()
  expect([pbx.reopenings, world.observer.facts.length]).toEqual([reopenings, 1 - reopenings])
  expect(world.observer.facts[0]?.audio.framesIn ?? 1).toBe(1)
  await call.end('caller')
})
