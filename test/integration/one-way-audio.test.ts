import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { type Asterisk, startAsterisk } from '../bed/asterisk.ts'
import { engineCallFrom } from '../bed/conversation.ts'
import { BedEngine } from '../bed/engine.ts'
import type { CallerStep } from '../bed/placed-call.ts'
import { digitStrings } from '../bed/speech.ts'

// What a caller's telephone can do to be unheard, and what the engine says of it.
describe.each(['audiosocket', 'externalmedia'])('one-way audio through a real Asterisk by %s', (transport) => {
  let asterisk: Asterisk
  let engine: BedEngine
  let speech = ''
  let caller = 0

  beforeAll(async () => {
    asterisk = await startAsterisk()
    engine = await BedEngine.start({
      asterisk: asterisk.ari,
      provider: 'loopback',
      yaml: `audio_transport: ${transport}`,
    })
    speech = (await digitStrings(1, 5))[0]?.path ?? ''
  }, 300_000)

  afterAll(async () => {
    await engine?.stop()
    await asterisk?.stop()
  })

  const cases: [string, CallerStep[], string | null, RegExp][] = [
    ['a telephone that sends nothing at all', [{ muteMs: 2400 }], 'no_caller_audio', /NAT|firewall/],
    ['a telephone that is muted', [{ waitMs: 2400 }], 'digital_silence', /muted telephone/],
    ['a telephone that speaks', [{ waitMs: 300 }], null, /^$/],
  ]

  test('three telephones at once: two are told, each with its cause, and one is not', async () => {
    await Promise.all(
      cases.map(async ([name, steps, finding, cause]) => {
        caller += 1
        const number = `5551${caller}`
        const spoken = finding === null ? [...steps, { play: speech }] : steps
        const call = await asterisk.call({ extension: '100', callerId: number, steps: spoken })
        const id = await engineCallFrom(engine, number)
        await call.ended
        await engine.untilIdle()
        const told = engine.log.filter((line) => line.message === 'one-way audio' && line.call === id)
        expect({ name, kinds: told.map((line) => line.kind) }).toEqual({
          name,
          kinds: finding === null ? [] : [finding],
        })
        for (const line of told) {
          expect(String(line.cause)).toMatch(cause)
          expect(String(line.cure).length).toBeGreaterThan(20)
        }
        const record = engine.records().find((each) => each.call_id === id)
        expect(record?.one_way).toEqual(finding === null ? [] : [finding])
      }),
    )
    for (const [, , finding] of cases) {
      if (finding !== null) expect(await engine.metric(`ai_agent_one_way_audio_total{finding="${finding}"}`)).toBe(1)
    }
  }, 30_000)
})
