import { describe, expect, test } from 'bun:test'
import type { SttEvent, SttInput } from '#agent/provider.ts'
import { PartBench, type PartBenchOptions } from '../../../fakes/deepgram-parts.ts'
import { settle } from '../../../fakes/manual-clock.ts'

async function opened(options: PartBenchOptions = {}) {
  const bench = await new PartBench('stt', options).open()
  const send = (input: SttInput) => bench.session?.send(input)
  return Object.assign(bench, { send })
}
type Bench = Awaited<ReturnType<typeof opened>>

const flux = { options: { listen: { model: 'flux-general-en' } } }
const finals = (events: readonly SttEvent[]) =>
  events.flatMap((event) => (event.type === 'transcript' && event.final ? [event.text] : []))
const interims = (events: readonly SttEvent[]) =>
  events.flatMap((event) => (event.type === 'transcript' && !event.final ? [event.text] : []))
const ends = (events: readonly SttEvent[]) => events.flatMap((event) => (event.type === 'turn_end' ? [event.done] : []))

/** As the engine gives a turn: the detector notices speech and pauses 100 ms late, and takes the turn after a silence. */
async function speaks(bench: Bench, speechMs: number, silenceMs: number): Promise<void> {
  await bench.pass(100, 'hum')
  bench.send({ type: 'speech_started', agoMs: 100 })
  await bench.pass(speechMs - 100, 'hum')
  await bench.pass(100, 'quiet')
  bench.send({ type: 'speech_stopped' })
  await bench.pass(silenceMs - 100, 'quiet')
}

for (const [name, base] of [
  ['nova', {}],
  ['Flux', flux],
] as const) {
  describe(`recognition by ${name}`, () => {
    test('writes a turn down: words so far, the end by its own judgement, all of it when it is asked for', async () => {
      const bench = await opened({ ...base, standin: { callerTranscripts: ['one two three four five'] } })
      await speaks(bench, 1500, 700)
      expect(interims(bench.events).length).toBeGreaterThan(0)
      expect(ends(bench.events)).toEqual([true])
      bench.send({ type: 'finalize' })
      expect(finals(bench.events)).toEqual([])
      await settle(5)
      // The words were there: nothing had to be waited for.
      expect(finals(bench.events)).toEqual(['one two three four five'])
      await bench.close()
      expect(bench.events.at(-1)).toEqual({ type: 'closed' })
      expect(bench.server.errors).toEqual([])
    })

    test('finishes what the engine ends before it does', async () => {
      const texts = ['one two three', 'four five six']
      const bench = await opened({ ...base, standin: { callerTranscripts: texts } })
      for (let turn = 0; turn < 2; turn += 1) {
        await speaks(bench, 1500, 240)
        bench.send({ type: 'finalize' })
        await bench.pass(1000, 'quiet')
      }
      expect(finals(bench.events)).toEqual(texts)
      expect(bench.server.errors).toEqual([])
      await bench.close()
    })

    test('answers a turn without words with nothing, and not late', async () => {
      const bench = await opened({ ...base, standin: { callerTranscripts: [''] } })
      await speaks(bench, 600, 700)
      bench.send({ type: 'finalize' })
      await bench.pass(100, 'quiet')
      expect(finals(bench.events)).toEqual([''])
      await bench.close()
    })

    test('a turn that goes on after it was taken has its new words only', async () => {
      const bench = await opened({ ...base, standin: { callerTranscripts: ['one two three', 'four five'] } })
      await speaks(bench, 900, 300)
      bench.send({ type: 'finalize' })
      await bench.pass(40, 'quiet')
      expect(finals(bench.taken())).toEqual(['one two three'])
      await speaks(bench, 900, 700)
      bench.send({ type: 'finalize' })
      await bench.pass(900, 'quiet')
      const [rest = ''] = finals(bench.taken())
      expect(rest).not.toContain('one')
      await bench.close()
    })

    test('tells Deepgram what the wire has, and sends it unchanged', async () => {
      for (const [wire, encoding, bytes] of [
        ['slin', 'linear16', 320],
        ['ulaw', 'mulaw', 160],
        ['alaw', 'alaw', 160],
      ] as const) {
        const bench = await opened({ ...base, context: { wire } })
        expect(bench.server.urls[0]).toContain(`encoding=${encoding}&sample_rate=8000`)
        const before = bench.server.sessions[0]?.record.binaryBytes ?? 0
        await bench.pass(800, 'hum')
        expect((bench.server.sessions[0]?.record.binaryBytes ?? 0) - before).toBe(40 * bytes)
        await bench.close()
      }
      const wide = new PartBench('stt', { ...base, context: { wire: 'slin16', sampleRateHz: 16_000 } })
      await wide.open()
      expect(wide.server.urls[0]).toContain('encoding=linear16&sample_rate=16000')
      expect(wide.provider.audioRates?.(16_000)).toEqual({ inputHz: 16_000, outputHz: 16_000 })
      await wide.close()
    })

    test('keeps the stream alive while nobody speaks', async () => {
      const bench = await opened(base)
      await bench.pass(30_000)
      expect(bench.server.sessions).toHaveLength(1)
      expect(bench.server.errors).toEqual([])
      await bench.close()
      expect(bench.clock.pending).toBe(0)
    })

    test('a connection that breaks in a turn costs no words', async () => {
      const bench = await opened({ ...base, standin: { callerTranscripts: ['one two three'] } })
      await bench.pass(100, 'hum')
      bench.send({ type: 'speech_started', agoMs: 100 })
      await bench.pass(500, 'hum')
      const heardMs = bench.server.sessions[0]?.record.binaryMs ?? 0
      bench.server.sessions[0]?.cut()
      await bench.pass(1000, 'hum')
      await bench.pass(100, 'quiet')
      bench.send({ type: 'speech_stopped' })
      await bench.pass(600, 'quiet')
      bench.send({ type: 'finalize' })
      await bench.pass(900, 'quiet')
      expect(bench.server.sessions).toHaveLength(2)
      // What the first had not recognised for good was said again.
      expect((bench.server.sessions[1]?.record.binaryMs ?? 0) + heardMs).toBeGreaterThan(2200)
      expect(finals(bench.events).join(' ')).toContain('three')
      expect(bench.events.filter(({ type }) => type === 'fault')).toEqual([])
      await bench.close()
    })

    test('a server that cannot be reached is one fault for each turn, with an empty final, and no throw', async () => {
      const bench = await opened({ ...base, secrets: {} })
      await speaks(bench, 600, 300)
      bench.send({ type: 'finalize' })
      await bench.pass(1000)
      expect(bench.events).toMatchObject([
        { type: 'fault', code: 'no_key', retryable: false },
        { type: 'transcript', final: true, text: '' },
      ])
      bench.taken()
      bench.send({ type: 'finalize' })
      await bench.pass(1000)
      expect(bench.taken().map(({ type }) => type)).toEqual(['fault', 'transcript'])
      await bench.close()
    })

    test('what is late does not hold a turn up for ever', async () => {
      const bench = await opened({ ...base, standin: { recognitionMs: 5000 } })
      await speaks(bench, 600, 300)
      bench.send({ type: 'finalize' })
      await bench.pass(760, 'quiet')
      expect(finals(bench.events)).toEqual([])
      await bench.pass(60, 'quiet')
      expect(finals(bench.events)).toEqual([''])
      await bench.close()
    })

    test('a server that hangs is a fault, and another stream hears what comes then', async () => {
      const bench = await opened({ ...base, standin: { callerTranscripts: ['one two three'] } })
      const [first] = bench.server.sessions
      if (first !== undefined) first.mute = true
      await speaks(bench, 2000, 300)
      bench.send({ type: 'finalize' })
      await bench.pass(1000, 'quiet')
      expect(bench.taken()).toMatchObject([
        { type: 'fault', code: 'timeout', retryable: true },
        { type: 'transcript', final: true, text: '' },
      ])
      expect(bench.server.sessions).toHaveLength(2)
      await speaks(bench, 1000, 700)
      bench.send({ type: 'finalize' })
      await bench.pass(900, 'quiet')
      expect(finals(bench.taken())).toEqual(['one two three'])
      await bench.close()
      expect(bench.clock.pending).toBe(0)
    })

    test('messages that nobody knows are counted', async () => {
      const bench = await opened({ ...base, standin: { unknownMessages: true } })
      await speaks(bench, 600, 300)
      expect(bench.provider.events?.().unknown_message).toBe(1)
      await bench.close()
    })

    test('closing ends everything, and nothing is taken any more', async () => {
      const bench = await opened(base)
      await speaks(bench, 600, 300)
      bench.send({ type: 'finalize' })
      await bench.session?.close()
      const { length } = bench.events
      expect(bench.send({ type: 'finalize' })).toBe('closed')
      await bench.pass(5000)
      expect(bench.events.length).toBe(length)
      expect(bench.clock.pending).toBe(0)
    })
  })
}

describe('nova', () => {
  test('asks the server to finish only where something is missing', async () => {
    const bench = await opened({})
    await speaks(bench, 900, 700)
    bench.send({ type: 'finalize' })
    await bench.pass(40, 'quiet')
    expect(bench.server.last('listen').record.counts.Finalize).toBeUndefined()
    await speaks(bench, 900, 240)
    bench.send({ type: 'finalize' })
    await bench.pass(40, 'quiet')
    expect(bench.server.last('listen').record.counts.Finalize).toBe(1)
    await bench.close()
  })

  test('is told all that the configuration has', async () => {
    const listen = { model: 'nova-2', language: 'de', keyterms: ['patchcord'], smart_format: true, endpointing_ms: 200 }
    const bench = await opened({ options: { listen, tags: ['pbx'], mip_opt_out: true } })
    const { searchParams } = new URL(bench.server.urls[0] ?? '')
    expect(Object.fromEntries(searchParams)).toEqual({
      model: 'nova-2',
      encoding: 'linear16',
      sample_rate: '8000',
      language: 'de',
      interim_results: 'true',
      endpointing: '200',
      utterance_end_ms: '1000',
      punctuate: 'true',
      smart_format: 'true',
      keywords: 'patchcord',
      tag: 'pbx',
      mip_opt_out: 'true',
    })
    expect(bench.server.headers).toEqual([{ authorization: 'Token dg-test' }])
    await bench.close()
  })
})

describe('Flux', () => {
  test('its early guess ends a turn where it is switched on, and is taken back', async () => {
    const bench = await opened({ options: { listen: { model: 'flux-general-en', eager_eot_threshold: 0.4 } } })
    await speaks(bench, 600, 320)
    expect(ends(bench.taken())).toEqual([true])
    await bench.pass(200, 'hum')
    expect(ends(bench.taken())).toEqual([false])
    await bench.close()
  })

  test('hears silence behind a turn, so that it can end it, and no more than it needs', async () => {
    const bench = await opened(flux)
    await speaks(bench, 600, 200)
    bench.taken()
    // The agent answers: the engine sends nothing more.
    await bench.pass(700)
    expect(ends(bench.taken())).toEqual([true])
    const { binaryMs } = bench.server.last('flux').record
    expect(bench.server.last('flux').record.turns).toHaveLength(1)
    await bench.pass(3000)
    expect(bench.server.last('flux').record.binaryMs - binaryMs).toBeLessThan(400)
    await bench.close()
  })

  test('is given languages to expect where it knows more than one', async () => {
    const listen = { model: 'flux-general-multi', language_hints: [] }
    const bench = await opened({ options: { listen }, context: { language: 'de-AT' } })
    const { searchParams, pathname } = new URL(bench.server.urls[0] ?? '')
    expect([pathname, searchParams.getAll('language_hint'), searchParams.has('language')]).toEqual([
      '/v2/listen',
      ['de'],
      false,
    ])
    await bench.close()
  })
})

test.each([
  ['that its own words have answered', 40],
  ['that nobody waits for any more', 900],
])('an answer to the turn before, %s, is none to the turn that is asked for now', async (_name, waitMs) => {
  const bench = await opened()
  const { wire } = bench.server.last('listen')
  bench.server.loses = () => true
  const result = (text: string, start: number, end: number, fromFinalize = false) => {
    const words = text.split(' ').filter((word) => word !== '')
    const alternatives = [
      { transcript: text, words: words.map((word, at) => ({ word, start: start + 0.1 + at * 0.2 })) },
    ]
    const times = { start, duration: end - start, is_final: true, speech_final: false, from_finalize: fromFinalize }
    wire.send(JSON.stringify({ type: 'Results', ...times, channel: { alternatives } }))
  }
  const turn = async () => {
    bench.send({ type: 'speech_started', agoMs: 0 })
    await bench.pass(1000, 'hum')
    bench.send({ type: 'speech_stopped' })
    bench.send({ type: 'finalize' })
    await settle(20)
  }
  await turn()
  if (waitMs < 100) result('I would like', 0, 1)
  await bench.pass(waitMs)
  await turn()
  bench.taken()
  result('', 1, 1, true)
  await settle(20)
  expect(finals(bench.taken())).toEqual([])
  result('a red bicycle', 1, 2, true)
  await settle(20)
  expect(finals(bench.taken())).toEqual(['a red bicycle'])
})
