import { expect, test } from 'bun:test'
import type { AgentEvent } from '#agent/provider.ts'
import { createLoopback } from '#providers/loopback/agent.ts'
import { actingCascade } from '../fakes/acting-cascade.ts'
import { callContext } from '../fakes/context.ts'
import { ManualClock, settle } from '../fakes/manual-clock.ts'
import { agentContract } from './agent.ts'

const rest = () => settle(200)

agentContract('loopback', () => ({ provider: createLoopback('loopback', { delayMs: 500 }), rest }))

for (const inLists of [false, true]) {
  agentContract(inLists ? 'a cascade whose first parts fail' : 'a cascade', () => {
    const acting = actingCascade('cascade', inLists)
    return {
      provider: acting.provider,
      rest,
      deaf: () => {
        acting.deaf = true
      },
      mute: () => {
        acting.mute = true
      },
    }
  })
}

test('loopback: the caller’s own samples, bit for bit, behind one stretch of silence as long as the delay', async () => {
  const session = await createLoopback('loopback', { delayMs: 500 }).open(callContext(new ManualClock()))
  const heard: number[] = []
  session.onEvent((event: AgentEvent) => {
    if (event.type === 'audio') heard.push(...event.frame.samples)
  })
  const said = Array.from({ length: 1600 }, (_, n) => n - 800)
  for (let offset = 0; offset < said.length; offset += 160) {
    session.send({
      type: 'audio',
      frame: { sampleRateHz: 8000, samples: Int16Array.from(said.slice(offset, offset + 160)) },
    })
  }
  expect(heard).toEqual([...new Array<number>(4000).fill(0), ...said])
})
