import { describe, expect, test } from 'bun:test'
import { metered } from '#agent/metered.ts'
import type { SttEvent, TtsEvent } from '#agent/provider.ts'
import { UsageLog } from '#call/usage-log.ts'
import { fakePart } from '../../fakes/cascade-parts.ts'
import { callContext } from '../../fakes/context.ts'
import { ManualClock } from '../../fakes/manual-clock.ts'

const frame = { sampleRateHz: 8000, samples: new Int16Array(160) } as const

describe('a part that tells what it uses', () => {
  test('a recogniser: the sound of each turn, and what is left at the end', async () => {
    const part = fakePart('stt')
    const session = await metered('ears', part).open(callContext(new ManualClock()))
    const events: SttEvent[] = []
    session.onEvent((event) => void events.push(event))
    for (let sent = 0; sent < 50; sent += 1) session.send({ type: 'audio', frame })
    session.send({ type: 'finalize' })
    session.send({ type: 'finalize' })
    session.send({ type: 'audio', frame })
    await session.close()
    part.session.emit({ type: 'closed' })
    expect(events).toEqual([
      { type: 'usage', provider: 'ears', audioMs: 1000 },
      { type: 'usage', provider: 'ears', audioMs: 20 },
      { type: 'closed' },
    ])
    expect(part.session.inputs.filter(({ type }) => type === 'finalize')).toHaveLength(2)
  })

  test('a voice: the characters that it takes, and no others', async () => {
    const part = fakePart('tts')
    const session = await metered('mouth', part).open(callContext(new ManualClock()))
    const events: TtsEvent[] = []
    session.onEvent((event) => void events.push(event))
    session.send({ type: 'speak', text: 'Hello.' })
    session.send({ type: 'cancel' })
    expect(events).toEqual([{ type: 'usage', provider: 'mouth', characters: 6 }])
  })

  test('a model: what it says, under its name', async () => {
    const part = fakePart('llm')
    const session = await metered('wits', part).open(callContext(new ManualClock()))
    const events: unknown[] = []
    session.onEvent((event) => void events.push(event))
    part.session.emit({ type: 'usage', tokens: null })
    part.session.emit({ type: 'done' })
    expect(events).toEqual([{ type: 'usage', provider: 'wits', tokens: null }, { type: 'done' }])
  })

  test('is else what it was', () => {
    const part = fakePart('stt')
    const { name, role, turnDetection } = metered('ears', part)
    expect([name, role, turnDetection]).toEqual([part.name, 'stt', 'none'])
    expect(Object.keys(metered('ears', part)).includes('wordsIn')).toBe(part.wordsIn !== undefined)
  })
})

test('the usage of a call is summed by provider; what is not told is counted, and no number is made of it', () => {
  const log = new UsageLog()
  const tokens = { input: 10, cached_input: 1, audio_input: 0, cached_audio_input: 0, output: 2, audio_output: 0 }
  log.add({ type: 'usage', provider: 'wits', tokens: null }, 'front')
  expect(log.all).toEqual([{ provider: 'wits', audioMs: 0, characters: 0, tokens: null, untold: 1 }])
  log.add({ type: 'usage', provider: 'wits', tokens }, 'front')
  log.add({ type: 'usage', provider: 'wits', tokens }, 'front')
  log.add({ type: 'usage', provider: 'ears', audioMs: 1000 }, 'front')
  log.add({ type: 'usage', tokens }, 'realtime')
  expect(log.all).toEqual([
    {
      provider: 'wits',
      audioMs: 0,
      characters: 0,
      tokens: { ...tokens, input: 20, cached_input: 2, output: 4 },
      untold: 1,
    },
    { provider: 'ears', audioMs: 1000, characters: 0, tokens: null, untold: 0 },
    { provider: 'realtime', audioMs: 0, characters: 0, tokens, untold: 0 },
  ])
})
