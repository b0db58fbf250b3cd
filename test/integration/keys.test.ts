import { afterAll, beforeAll, expect, test } from 'bun:test'
import { type Asterisk, startAsterisk } from '../bed/asterisk.ts'
import { engineCallFrom } from '../bed/conversation.ts'
import { RealtimeBed } from '../bed/realtime.ts'

// Keys of a telephone over SIP, the real Asterisk, and a realtime agent: what each makes it say, and what that has cost.

let asterisk: Asterisk

beforeAll(async () => {
  asterisk = await startAsterisk()
}, 300_000)

afterAll(async () => {
  await asterisk?.stop()
})

const yaml = `    format: pcmu
dtmf:
  keys:
    "5": { action: say, text: We open at nine. }
    "*": { action: repeat }
    "9": { action: hang_up, text: So long. }
prices:
  currency: EUR
  providers:
    openai_realtime:
      per_million_input_tokens: 1000000
      per_million_output_tokens: 0
      per_million_audio_output_tokens: 0
`

test('say, repeat and hang up; the record has the tokens, and their cost', async () => {
  const bed = await RealtimeBed.start(asterisk.ari, 'patchcord', { greeting: { text: 'Hello.', ms: 1000 } }, yaml)
  const { engine, standin } = bed
  try {
    const steps = [
      { waitMs: 2500 },
      { digits: '5' },
      { waitMs: 4000 },
      { digits: '*' },
      { waitMs: 4000 },
      { digits: '9' },
      { waitMs: 8000 },
    ]
    const call = await asterisk.call({ extension: '100', callerId: '5551', steps })
    const id = await engineCallFrom(engine, '5551')
    const session = await standin.nextSession()
    await call.ended
    await engine.untilIdle()
    const record = await bed.record(id)
    expect([record.cause, record.dtmf_digits, record.faults]).toEqual(['agent', 3, 0])
    const asked = session.record.received
      .filter(({ event }) => event.type === 'response.create')
      .map(({ event }) => JSON.stringify(event))
    expect(asked).toHaveLength(4)
    // Whatever the stand-in is told to say, its words are those of the greeting: they are what it said last.
    for (const [index, text] of ['Hello.', 'We open at nine.', 'Hello.', 'So long.'].entries())
      expect(asked[index]).toContain(text)
    expect(session.record.errors).toEqual([])
    const [used] = record.usage as { provider: string; tokens: Record<string, number>; answers_untold: number }[]
    expect([used?.provider, used?.answers_untold, record.tokens_known]).toEqual(['openai_realtime', 0, true])
    const { input = 0, cached_input = 0, audio_input = 0, cached_audio_input = 0 } = used?.tokens ?? {}
    expect(input).toBeGreaterThan(0)
    // One for each token that came in, of whatever kind.
    expect([record.cost, record.currency]).toEqual([input + cached_input + audio_input + cached_audio_input, 'EUR'])
    const labels = '{provider="openai_realtime",token_type="input"}'
    expect(await engine.metric(`ai_agent_tokens_total${labels}`)).toBe(input)
    expect(await engine.metric('ai_agent_cost_total{provider="openai_realtime",currency="EUR"}')).toBe(
      Number(record.cost),
    )
  } finally {
    await bed.stop()
  }
}, 120_000)
