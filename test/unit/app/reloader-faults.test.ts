import { expect, test } from 'bun:test'
import { FakeGenerations } from '../../fakes/generations.ts'

const deepgram = 'default_provider: deepgram'
const loopback = 'default_provider: loopback'

async function after(generations: FakeGenerations, text: string) {
  generations.text = text
  return await generations.reloader.reload('api')
}

test('a reload is refused where a part of the new one cannot be made or begun, and what was made of it is closed', async () => {
  for (const [fault, part] of [
    ['makes', 'detection'],
    ['makes', 'deepgram'],
    ['begins', 'deepgram'],
  ] as const) {
    const all = new FakeGenerations(loopback)
    const before = all.current
    const parts = all.providerPool.parts
    all.faults[fault] = part
    expect(await after(all, `${deepgram}\nlanguage: de\nlimits: {calls: 50}`)).toEqual({
      outcome: 'refused',
      problems: [`a fault of the engine: ${part} is broken`],
    })
    expect([all.current === before, all.providerPool.parts, all.detectionPool.parts.length]).toEqual([true, parts, 1])
    // Nor does it hold what it shared.
    const shared = all.agents.find((agent) => agent === before.provider)
    all.faults[fault] = ''
    await after(all, `${loopback}\nproviders: {loopback: {delay_ms: 200}}`)
    expect(shared?.closed).toBe(1)
  }
})
