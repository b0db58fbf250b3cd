import { expect, test } from 'bun:test'
import { createFallback } from '#agent/fallback.ts'
import type { SttEvent } from '#agent/provider.ts'
import { silentLog } from '#base/log.ts'
import { seededRandom } from '#base/random.ts'
import { fakePart } from '../../../fakes/cascade-parts.ts'
import { callContext } from '../../../fakes/context.ts'
import { PartBench } from '../../../fakes/deepgram-parts.ts'
import { settle } from '../../../fakes/manual-clock.ts'

test('where no stream to Deepgram can be opened, the next recogniser has the words of the very turn', async () => {
  const bench = new PartBench('stt')
  bench.server.refuse = 503
  const { clock } = bench
  const next = fakePart('stt')
  next.session.script = (input) => {
    const heard = next.session.inputs.filter(({ type }) => type === 'audio').length
    if (input.type === 'finalize')
      queueMicrotask(() => next.session.emit({ type: 'transcript', final: true, text: `${heard} frames` }))
  }
  bench.provider.start()
  await settle(60)
  const deps = { clock, random: seededRandom(1), log: silentLog, retryAfterMs: 30_000 }
  const list = createFallback('stt', [bench.provider, next], deps)
  const session = await list.open(callContext(clock))
  const events: SttEvent[] = []
  session.onEvent((event) => void events.push(event))
  session.send({ type: 'speech_started', agoMs: 0 })
  for (let frame = 0; frame < 40; frame += 1) {
    session.send({ type: 'audio', frame: { sampleRateHz: 8000, samples: new Int16Array(160).fill(3000) } })
    clock.advance(20)
    await settle(20)
  }
  session.send({ type: 'finalize' })
  for (let passedMs = 0; passedMs < 1000 && !events.some(({ type }) => type === 'transcript'); passedMs += 20) {
    clock.advance(20)
    await settle(20)
  }
  const said = events.map((event) => ('text' in event ? event.text : event.type))
  expect(said.filter((text) => text !== 'incident')).toEqual(['40 frames'])
  expect(list.events?.()).toMatchObject({ fallback_failed: 1, fallback_replaced: 1 })
  await session.close()
  await list.close()
  expect(clock.pending).toBe(0)
})
