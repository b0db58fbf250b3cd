import { describe, expect, test } from 'bun:test'
import { Resampler } from '#audio/resample.ts'
import { RealtimeBench, type RealtimeBenchOptions } from '../../../fakes/realtime-standin.ts'

async function open(options: RealtimeBenchOptions = {}) {
  return await new RealtimeBench({
    ...options,
    options: { turn_detection: { type: 'none' }, ...options.options },
    standin: { replies: [{ text: 'One two three.', ms: 900 }], ...options.standin },
  }).open()
}

describe('formats', () => {
  test('a server that does not take µ-law gets PCM, both ways', async () => {
    // What a compatible server without G.711 would say to the update.
    const bench = new RealtimeBench({ options: { turn_detection: { type: 'none' } } })
    bench.server.loses = () => false
    bench.server.replaces = (text) => text.replaceAll('audio/pcmu', 'audio/opus')
    await bench.open()
    expect(bench.received()).toEqual(['session.update'])
    expect(bench.server.last.record.received[0]?.event).toMatchObject({
      session: { audio: { input: { format: { type: 'audio/pcm', rate: 24_000 } } } },
    })
    expect(bench.server.errors).toEqual(['invalid_value'])
  })

  test.each([
    ['pcmu', 8000, 'audio/pcmu'],
    ['pcm24', 8000, 'audio/pcm'],
    ['auto', 16_000, 'audio/pcm'],
    ['auto', 8000, 'audio/pcmu'],
  ] as const)('%s at %i Hz: %s', async (format, sampleRateHz, type) => {
    const bench = await open({ options: { format }, context: { sampleRateHz } })
    expect(bench.server.last.record.received[0]?.event).toMatchObject({
      session: { audio: { input: { format: { type } }, output: { format: { type } } } },
    })
    bench.send({ type: 'say', text: 'Hello.' })
    await bench.pass(500)
    const [audio] = bench.of('audio')
    expect(audio?.frame.sampleRateHz).toBe(sampleRateHz)
    // The filter's own delay, once.
    const delayMs = type === 'audio/pcm' ? new Resampler(24_000, sampleRateHz).delayMs : 0
    expect(Math.abs(bench.audioMs - 900 - delayMs)).toBeLessThan(0.1)
    expect(delayMs).toBeLessThan(5)
    bench.send({ type: 'interrupted', heardMs: 902 })
    await bench.pass(100)
    expect(bench.server.errors).toEqual([])
    expect(bench.provider.audioRates?.(sampleRateHz)).toEqual(
      type === 'audio/pcmu' ? { inputHz: 8000, outputHz: 8000 } : { inputHz: 24_000, outputHz: 24_000 },
    )
  })

  test('a server that sends another format than it agreed to is found out', async () => {
    const bench = await open({ standin: { answerFormat: { type: 'audio/pcm', rate: 24_000 } } })
    bench.send({ type: 'say', text: 'Hello.' })
    await bench.pass(500)
    expect(bench.of('incident').map(({ code }) => code)).toEqual(['format_mismatch'])
    expect(bench.provider.events?.().format_mismatch).toBe(1)
  })
})
