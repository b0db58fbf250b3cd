import { describe, expect, test } from 'bun:test'
import type { TtsEvent } from '#agent/provider.ts'
import { localTtsSession, type Phrase, PhraseBook, type Speaker } from '#providers/local/tts.ts'
import { contextOf, settle } from './sessions.ts'

interface Spoken {
  readonly text: string
  readonly signal: AbortSignal
  readonly audio: (samples: number) => void
  readonly done: () => void
  readonly fail: (code: 'overloaded' | 'failed') => void
}

function setUp() {
  const spoken: Spoken[] = []
  const speaker: Speaker = {
    speak(text, _rate, signal, onAudio) {
      return new Promise((resolve) => {
        let total = 0
        signal.addEventListener('abort', () => resolve({ ok: false, error: { code: 'cancelled', message: '' } }))
        spoken.push({
          text,
          signal,
          audio: (samples) => {
            total += samples
            onAudio(new Int16Array(samples))
          },
          done: () => resolve({ ok: true, value: total }),
          fail: (code) => resolve({ ok: false, error: { code, message: code } }),
        })
      })
    },
  }
  const events: TtsEvent[] = []
  const call = new AbortController()
  const session = localTtsSession(contextOf(call.signal), speaker)
  session.onEvent((event) => events.push(event))
  const said = (index: number) => {
    const found = spoken[index]
    if (found === undefined) throw new Error(`sentence ${index} was not begun`)
    return found
  }
  /** `a160` for audio of 160 samples, `spoken:text`, `fault:code`, `closed`. */
  const story = () =>
    events.map((event) => {
      if (event.type === 'audio') return `a${event.frame.samples.length}`
      if (event.type === 'spoken') return `spoken:${event.text}`
      return event.type === 'fault' ? `fault:${event.code}` : event.type
    })
  return { speaker, spoken, said, session, story, call }
}

describe('localTtsSession', () => {
  test('sentences come in order, one at a time, each with one spoken at its end', async () => {
    const { session, said, spoken, story } = setUp()
    session.send({ type: 'speak', text: 'one' })
    session.send({ type: 'speak', text: 'two' })
    await settle()
    expect(spoken.length).toBe(1)
    said(0).audio(160)
    said(0).audio(320)
    said(0).done()
    await settle()
    said(1).audio(80)
    said(1).done()
    await settle()
    expect(story()).toEqual(['a160', 'a320', 'spoken:one', 'a80', 'spoken:two'])
  })

  test('a text with nothing to say is spoken at once', async () => {
    const { session, said, story } = setUp()
    session.send({ type: 'speak', text: '🎉' })
    await settle()
    said(0).done()
    await settle()
    expect(story()).toEqual(['spoken:🎉'])
  })

  test('cancel drops what is queued and what is being made; nothing of it comes after', async () => {
    const { session, said, spoken, story } = setUp()
    session.send({ type: 'speak', text: 'one' })
    session.send({ type: 'speak', text: 'two' })
    await settle()
    said(0).audio(160)
    session.send({ type: 'cancel' })
    said(0).audio(320)
    session.send({ type: 'speak', text: 'three' })
    await settle()
    expect(spoken.map(({ text }) => text)).toEqual(['one', 'three'])
    said(1).audio(40)
    said(1).done()
    await settle()
    expect(story()).toEqual(['a160', 'a40', 'spoken:three'])
  })

  test('a failure is a fault, and the sentences behind it are not said', async () => {
    const { session, said, spoken, story } = setUp()
    session.send({ type: 'speak', text: 'one' })
    session.send({ type: 'speak', text: 'two' })
    await settle()
    said(0).fail('overloaded')
    await settle()
    expect(story()).toEqual(['fault:overloaded'])
    expect(spoken.length).toBe(1)
  })

  test('the queue is bounded', async () => {
    const { session } = setUp()
    const answers = Array.from({ length: 70 }, () => session.send({ type: 'speak', text: 'more' }))
    expect(answers.filter((answer) => answer === 'full').length).toBeGreaterThan(0)
    await session.close()
  })

  test('the end of the call: closed comes last', async () => {
    const { session, said, story, call } = setUp()
    session.send({ type: 'speak', text: 'one' })
    await settle()
    call.abort()
    await session.close()
    said(0).audio(160)
    expect(said(0).signal.aborted).toBe(true)
    expect(story()).toEqual(['closed'])
    expect(session.send({ type: 'speak', text: 'x' })).toBe('closed')
  })
})

describe('PhraseBook', () => {
  const never = new AbortController().signal
  const hello: Phrase = { text: 'hello', sampleRateHz: 8000 }

  test('a configured phrase that was said once comes from memory, piece by piece, at its rate only', async () => {
    const { speaker, said, spoken } = setUp()
    const book = new PhraseBook(speaker, [hello])
    const first = book.speak('hello', 8000, never, () => {})
    said(0).audio(160)
    said(0).audio(80)
    said(0).done()
    expect(await first).toEqual({ ok: true, value: 240 })
    const pieces: number[] = []
    expect(await book.speak('hello', 8000, never, (samples) => pieces.push(samples.length))).toEqual({
      ok: true,
      value: 240,
    })
    expect(pieces).toEqual([160, 80])
    expect(spoken.length).toBe(1)
    void book.speak('hello', 16000, never, () => {})
    expect(spoken.length).toBe(2)
  })

  test('an hour of replies drives no phrase out, and none of them is kept', async () => {
    const { speaker, said, spoken } = setUp()
    const book = new PhraseBook(speaker, [hello])
    const say = async (text: string, samples: number) => {
      const saying = book.speak(text, 8000, never, () => {})
      said(spoken.length - 1).audio(samples)
      said(spoken.length - 1).done()
      await saying
    }
    await say('hello', 8000)
    // 1,000 different replies of 5 s.
    for (let reply = 0; reply < 1000; reply++) await say(`reply ${reply}`, 40_000)
    expect(await book.speak('hello', 8000, never, () => {})).toEqual({ ok: true, value: 8000 })
    expect(spoken.length).toBe(1001)
    await say('reply 999', 40_000)
    expect(spoken.length).toBe(1002)
  })

  test('half a phrase is not kept', async () => {
    const { speaker, said, spoken } = setUp()
    const book = new PhraseBook(speaker, [hello])
    const abort = new AbortController()
    const first = book.speak('hello', 8000, abort.signal, () => {})
    said(0).audio(160)
    abort.abort()
    expect((await first).ok).toBe(false)
    void book.speak('hello', 8000, never, () => {})
    expect(spoken.length).toBe(2)
  })
})
