import { describe, expect, test } from 'bun:test'
import type { Readiness } from '#agent/provider.ts'
import { silentLog } from '#base/log.ts'
import { seededRandom } from '#base/random.ts'
import { failed, ok } from '#base/result.ts'
import { type PhraseVoice, RecordedPhrases } from '#speech/recorded-phrases.ts'
import { ManualClock, settle } from '../../fakes/manual-clock.ts'

function setUp(missing: string | null = null) {
  const clock = new ManualClock()
  const state = { missing, ready: true, fails: '', closes: 0, spoken: [] as string[] }
  const voice: PhraseVoice = {
    start: () => {},
    get readiness(): Readiness {
      return state.ready ? { ready: true } : { ready: false, reason: 'loading' }
    },
    async speak(text, rateHz, _signal, onAudio) {
      state.spoken.push(`${text} ${rateHz}`)
      if (text === state.fails) return failed({ code: 'failed', message: 'no' })
      onAudio(new Int16Array(rateHz / 100).fill(1))
      onAudio(new Int16Array(rateHz / 100).fill(2))
      return ok(rateHz / 50)
    },
    close: () => {
      state.closes += 1
      return Promise.resolve()
    },
  }
  const phrases = new RecordedPhrases({
    store: { entries: [], path: (...parts) => parts.join('/'), missing: () => Promise.resolve(state.missing) },
    voice: 'a-voice',
    speed: 1,
    phrases: ['Hello.', 'Sorry.'],
    sampleRatesHz: [8000, 16_000],
    clock,
    log: silentLog,
    random: seededRandom(1),
    createVoice: () => voice,
  })
  return { clock, state, phrases }
}

describe('phrases', () => {
  test('are made once, at every rate, in one piece; then the voice is let go', async () => {
    const { phrases, state, clock } = setUp()
    phrases.start()
    phrases.start()
    await settle(200)
    expect(state.spoken).toEqual(['Hello. 8000', 'Hello. 16000', 'Sorry. 8000', 'Sorry. 16000'])
    const made = phrases.get('Hello.', 8000)
    expect([made?.length, made?.[0], made?.at(-1)]).toEqual([160, 1, 2])
    expect(phrases.get('Sorry.', 16_000)?.length).toBe(320)
    expect([phrases.get('Something else.', 8000), phrases.get('Hello.', 24_000)]).toEqual([null, null])
    expect([state.closes, clock.pending]).toEqual([1, 0])
  })

  test('wait for the models, and for the voice', async () => {
    const { phrases, state, clock } = setUp('a-voice is missing')
    state.ready = false
    phrases.start()
    await settle()
    expect(phrases.get('Hello.', 8000)).toBeNull()
    state.missing = null
    clock.advance(5000)
    await settle()
    expect(state.spoken).toEqual([])
    state.ready = true
    clock.advance(50)
    await settle(200)
    expect(phrases.get('Sorry.', 8000)).not.toBeNull()
  })

  test('one that cannot be made is not there; the others are', async () => {
    const { phrases, state } = setUp()
    state.fails = 'Hello.'
    phrases.start()
    await settle(200)
    expect([phrases.get('Hello.', 8000), phrases.get('Sorry.', 8000)?.length]).toEqual([null, 160])
  })

  test('closed at any moment, nothing goes on', async () => {
    const { phrases, state, clock } = setUp('missing')
    phrases.start()
    await settle()
    await phrases.close()
    state.missing = null
    clock.advance(10_000)
    await settle()
    expect([state.spoken, clock.pending]).toEqual([[], 0])
  })
})
