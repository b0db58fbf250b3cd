import { describe, expect, test } from 'bun:test'
import type { TtsEvent } from '#agent/provider.ts'
import { SentenceQueue, type Unsaid } from '#agent/sentence-queue.ts'
import { callContext } from '../../fakes/context.ts'
import { ManualClock } from '../../fakes/manual-clock.ts'

/** A sentence that the voice was asked for. */
interface Asked {
  readonly text: string
  readonly signal: AbortSignal
  readonly audio: (samples: number) => void
  readonly end: (unsaid?: Unsaid) => void
}

const unreachable: Unsaid = { code: 'unreachable', message: 'the voice cannot be reached', retryable: true }

function setUp() {
  const asked: Asked[] = []
  const call = new AbortController()
  let drops = 0
  const queue = new SentenceQueue(callContext(new ManualClock(), { signal: call.signal }), {
    say: (text, signal, pass) =>
      new Promise((resolve) => {
        asked.push({
          text,
          signal,
          audio: (samples) => pass(new Int16Array(samples)),
          end: (unsaid) => resolve(unsaid ?? null),
        })
      }),
    dropped: () => {
      drops += 1
    },
  })
  const story: string[] = []
  queue.onEvent((event) => story.push(wordOf(event)))
  const speak = (...texts: string[]) => texts.map((text) => queue.send({ type: 'speak', text }))
  const at = (index: number) => {
    const found = asked[index]
    if (found === undefined) throw new Error(`sentence ${index} was not asked for`)
    return found
  }
  return { queue, call, asked, at, speak, story, drops: () => drops }
}

/** `a160` for audio of 160 samples, `spoken:text`, `fault:code`, `closed`. */
function wordOf(event: TtsEvent): string {
  if (event.type === 'audio') return `a${event.frame.samples.length}@${event.frame.sampleRateHz}`
  if (event.type === 'spoken') return `spoken:${event.text}`
  return event.type === 'fault' ? `fault:${event.code}` : event.type
}

/** Lets all promises that are settled go on. */
async function settle(): Promise<void> {
  for (let round = 0; round < 10; round++) await Promise.resolve()
}

describe('SentenceQueue', () => {
  test('sentences are said in order, one at a time, at the rate of the leg', async () => {
    const { asked, at, speak, story, queue } = setUp()
    expect(speak('one', 'two', 'three')).toEqual(['sent', 'sent', 'sent'])
    await settle()
    expect(asked.map(({ text }) => text)).toEqual(['one'])
    expect(queue.next).toBe('two')
    at(0).audio(160)
    at(0).audio(80)
    at(0).end()
    await settle()
    at(1).end()
    await settle()
    at(2).audio(40)
    at(2).end()
    await settle()
    expect(queue.next).toBeUndefined()
    expect(story).toEqual(['a160@8000', 'a80@8000', 'spoken:one', 'spoken:two', 'a40@8000', 'spoken:three'])
  })

  test('one that comes when the queue has run empty is said as well', async () => {
    const { at, speak, story } = setUp()
    speak('one')
    await settle()
    at(0).end()
    await settle()
    speak('two')
    await settle()
    at(1).end()
    await settle()
    expect(story).toEqual(['spoken:one', 'spoken:two'])
  })

  test('nothing is heard within send, not even of a voice that has it ready', async () => {
    const story: string[] = []
    const queue = new SentenceQueue(callContext(new ManualClock()), {
      say: (_text, _signal, pass) => {
        pass(new Int16Array(160))
        return Promise.resolve(null)
      },
    })
    queue.onEvent((event) => story.push(wordOf(event)))
    queue.send({ type: 'speak', text: 'one' })
    expect(story).toEqual([])
    await settle()
    expect(story).toEqual(['a160@8000', 'spoken:one'])
  })

  test('64 may wait: one more is refused, and the others are said', async () => {
    const { asked, at, speak } = setUp()
    const texts = Array.from({ length: 65 }, (_, index) => `sentence ${index}`)
    expect(speak(...texts)).toEqual([...Array<string>(64).fill('sent'), 'full'] as never)
    await settle()
    // The first waits no more.
    expect(speak('late', 'too late')).toEqual(['sent', 'full'])
    for (let index = 0; index < 65; index++) {
      at(index).end()
      await settle()
    }
    expect(asked.map(({ text }) => text)).toEqual([...texts.slice(0, 64), 'late'])
  })

  test('cancel drops what waits and what is being said; nothing of it comes after', async () => {
    const { asked, at, speak, story, queue, drops } = setUp()
    speak('one', 'two')
    await settle()
    at(0).audio(160)
    expect(queue.send({ type: 'cancel' })).toBe('sent')
    expect(at(0).signal.aborted).toBe(true)
    expect(drops()).toBe(1)
    at(0).audio(320)
    speak('three')
    // A voice that takes its time to stop is waited for: two at once would be a muddle.
    await settle()
    expect(asked.length).toBe(1)
    at(0).end()
    await settle()
    expect(asked.map(({ text }) => text)).toEqual(['one', 'three'])
    expect(at(1).signal.aborted).toBe(false)
    at(1).audio(40)
    at(1).end()
    await settle()
    expect(story).toEqual(['a160@8000', 'a40@8000', 'spoken:three'])
  })

  test('what was cancelled and fails is no fault', async () => {
    const { at, speak, story, queue } = setUp()
    speak('one')
    await settle()
    queue.send({ type: 'cancel' })
    at(0).end(unreachable)
    await settle()
    expect(story).toEqual([])
  })

  test('cancel before the first was asked for: it never is', async () => {
    const { asked, speak, queue } = setUp()
    speak('one')
    queue.send({ type: 'cancel' })
    speak('two')
    await settle()
    expect(asked.map(({ text }) => text)).toEqual(['two'])
  })

  test('a fault drops those behind it, and one signal speaks for all of them', async () => {
    const { asked, at, speak, story, queue, drops } = setUp()
    speak('one', 'two')
    await settle()
    const { signal } = queue
    expect(at(0).signal).toBe(signal)
    at(0).end(unreachable)
    await settle()
    expect(asked.length).toBe(1)
    expect(drops()).toBe(1)
    // What was made ready for a sentence behind it stops.
    expect(signal.aborted).toBe(true)
    speak('three')
    await settle()
    at(1).end()
    await settle()
    expect(story).toEqual(['fault:unreachable', 'spoken:three'])
  })

  test('close waits until the voice has stopped; closed comes last, and once', async () => {
    const { at, speak, story, queue } = setUp()
    speak('one', 'two')
    await settle()
    let isClosed = false
    const closing = queue.close().then(() => {
      isClosed = true
    })
    expect(at(0).signal.aborted).toBe(true)
    await settle()
    expect([isClosed, story]).toEqual([false, []])
    at(0).audio(160)
    at(0).end()
    await closing
    await queue.close()
    expect(story).toEqual(['closed'])
    expect(speak('three')).toEqual(['closed'])
    expect(queue.send({ type: 'cancel' })).toBe('closed')
  })

  test('the end of the call ends it as close does', async () => {
    const { at, speak, story, call, asked } = setUp()
    speak('one', 'two')
    await settle()
    call.abort()
    expect(at(0).signal.aborted).toBe(true)
    at(0).end()
    await settle()
    expect(asked.length).toBe(1)
    expect(story).toEqual(['closed'])
  })
})
