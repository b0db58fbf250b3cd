import { expect, test } from 'bun:test'
import { ringingCall } from '../../fakes/calls.ts'
import { settle } from '../../fakes/manual-clock.ts'

test('without a greeting, what is said while the session is being opened is the first turn', async () => {
  const made = ringingCall({ plan: { greeting: '' } })
  const { call, world, agent, leg } = made
  const session = Promise.withResolvers<typeof agent.session>()
  agent.opening = () => session.promise
  call.attachLeg(leg)
  leg.audio(new Int16Array(160).fill(1))
  call.answered()
  call.bridged()
  leg.audio(new Int16Array(160).fill(2))
  world.detector.speech('speech_started', 40)
  leg.audio(new Int16Array(160).fill(3))
  world.clock.advance(40)
  session.resolve(agent.session)
  await settle()
  expect(call.turnState).toBe('caller_speaking')
  leg.audio(new Int16Array(160).fill(4))
  const got = agent.session.audio.flatMap((samples) => [...samples])
  expect(got.filter((_, at) => at % 160 === 0)).toEqual([1, 2, 3, 4])
  expect(agent.session.inputs).toEqual([{ type: 'speech_started', agoMs: 80 }])
  await call.end('caller')
})
