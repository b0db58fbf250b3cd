import { describe, expect, test } from 'bun:test'
import { turn } from '../../../fakes/agent-bench.ts'
import { RealtimeBench, type RealtimeBenchOptions } from '../../../fakes/realtime-standin.ts'

// The server finds the turns: the caller is audio, and what the coordinator would say is said by the test.

const replies = [
  { text: 'One two three four five.', ms: 1500 },
  { text: 'Six seven eight.', ms: 1000 },
  { text: 'Nine ten.', ms: 600 },
]

/** Greeted, and heard. */
async function greeted(options: RealtimeBenchOptions = {}) {
  const bench = await new RealtimeBench({
    ...options,
    standin: { greeting: { text: 'Hello.', ms: 400 }, replies, ...options.standin },
  }).open()
  bench.send({ type: 'say', text: 'Hello.' })
  await bench.pass(1100)
  bench.send({ type: 'reply_heard' })
  bench.taken()
  return bench
}

/** What stands in the server's conversation; of the caller's items it has only the sound. */
function texts(bench: RealtimeBench): string[] {
  return bench.server.last.conversation.items.map(
    ({ item }) => /"transcript":"([^"]*)"/.exec(JSON.stringify(item))?.[1] ?? '',
  )
}

describe('a session', () => {
  test('has the voice of its call', async () => {
    const bench = await new RealtimeBench({ standin: { replies }, context: { voice: 'cedar' } }).open()
    await bench.pass(100)
    expect(bench.server.last.record.received[0]?.event).toMatchObject({
      session: { audio: { output: { voice: 'cedar' } } },
    })
  })

  test('opens with one update of GA fields, and greets with the very words', async () => {
    const bench = await new RealtimeBench({ standin: { replies } }).open()
    bench.send({ type: 'say', text: 'Hello.' })
    await bench.pass(1000)
    expect(bench.received()).toEqual(['session.update', 'response.create'])
    const [update, create] = bench.server.last.record.received.map(({ event }) => event)
    expect(update).toMatchObject({
      event_id: 'session-update_1',
      session: {
        type: 'realtime',
        output_modalities: ['audio'],
        instructions: 'Be brief.',
        audio: {
          input: {
            format: { type: 'audio/pcmu' },
            turn_detection: { type: 'server_vad', create_response: true, interrupt_response: false },
            transcription: { model: 'gpt-4o-mini-transcribe', language: 'en' },
          },
          output: { format: { type: 'audio/pcmu' }, voice: 'marin' },
        },
      },
    })
    expect(create).toMatchObject({ response: { instructions: expect.stringContaining('"Hello."') } })
    expect(bench.taken()).toEqual(['reply_started', 'transcript', 'reply_done'])
    expect([bench.server.errors, bench.server.urls]).toEqual([
      [],
      ['wss://api.openai.com/v1/realtime?model=gpt-realtime'],
    ])
    expect(bench.server.headers).toEqual([{ authorization: 'Bearer sk-test' }])
  })

  test.each([['ga'], ['beta']] as const)(
    'a turn, with %s names: speech, reply, words of both sides in order',
    async (names) => {
      const bench = await greeted({ standin: { names, replies } })
      await turn(bench)
      await bench.pass(600, 'quiet')
      expect(bench.audioMs).toBe(1500)
      const words = bench.of('transcript').filter(({ final }) => final)
      expect(words.map(({ side, text }) => `${side}: ${text}`)).toEqual([
        'caller: caller turn 1',
        'agent: One two three four five.',
      ])
      expect(words[0]?.spokenAtMs).toBeLessThanOrEqual(words[1]?.spokenAtMs ?? 0)
      expect(bench.of('reply_started').length).toBe(1)
      expect([bench.server.errors, bench.provider.events?.().unknown_event]).toEqual([[], undefined])
    },
  )

  test('append only: nothing is committed or asked for', async () => {
    const bench = await greeted()
    await turn(bench)
    await bench.pass(600)
    expect(bench.received()).toEqual(['session.update', 'response.create'])
    // 40 ms to a message; half of one waits for the next frame.
    expect([bench.server.last.record.appends, bench.server.last.record.appendedMs]).toEqual([37, 1480])
  })

  test('acknowledgements and events that nobody knows are counted', async () => {
    const bench = await greeted({ standin: { unknownEvents: true, replies } })
    await turn(bench)
    expect(bench.provider.events?.()).toMatchObject({
      acknowledged_input_audio_buffer_speech_started: 1,
      acknowledged_input_audio_buffer_speech_stopped: 1,
      acknowledged_input_audio_buffer_committed: 1,
      unknown_event: expect.any(Number),
    })
  })

  test('words that come late stand where they belong', async () => {
    const bench = await greeted({ standin: { transcriptionAfterMs: 2500, replies } })
    await turn(bench)
    await bench.pass(1000)
    expect(bench.of('transcript').filter(({ final }) => final)).toEqual([])
    await bench.pass(2000)
    const words = bench.of('transcript').filter(({ final }) => final)
    expect(words.map(({ text }) => text)).toEqual(['caller turn 1', 'One two three four five.'])
  })

  test('words that never come hold nothing up for long', async () => {
    const bench = await greeted({ standin: { transcriptionAfterMs: 60_000, replies } })
    await turn(bench)
    await bench.pass(5000)
    expect(bench.of('transcript').map(({ text }) => text)).toEqual(['One two three four five.'])
  })
})

describe('speech over a reply', () => {
  /** A reply of 1.5 s sounds. */
  async function answering(options: RealtimeBenchOptions = {}) {
    const bench = await greeted(options)
    await turn(bench)
    await bench.pass(600, 'quiet')
    bench.taken()
    return bench
  }

  test('an interruption: the server forgets what was not heard, and so do the words', async () => {
    const bench = await answering()
    bench.send({ type: 'interrupted', heardMs: 700.6 })
    await bench.pass(40)
    const { truncates } = bench.server.last.record
    expect(truncates).toMatchObject([{ audioEndMs: 700, sentMs: 1500 }])
    expect(bench.of('transcript').map(({ text }) => text)).toEqual(['One two'])
    expect([bench.received().slice(2), bench.server.errors]).toEqual([['conversation.item.truncate'], []])
  })

  test('no more than was received is ever claimed as heard', async () => {
    const bench = await answering()
    bench.send({ type: 'interrupted', heardMs: 1_000_000 })
    await bench.pass(40)
    expect([bench.server.last.record.truncates, bench.server.errors]).toEqual([[], []])
  })

  test('all that has come was heard, and more was being made: the server is told how much that was', async () => {
    const bench = await greeted({
      standin: { pace: 1.2, replies: [{ text: 'one two three four five six', ms: 10_000 }] },
    })
    await turn(bench)
    await bench.pass(1000, 'quiet')
    bench.send({ type: 'interrupted', heardMs: 100_000 })
    const cameMs = bench.audioMs
    await bench.pass(40)
    expect(bench.server.last.record.truncates).toMatchObject([{ audioEndMs: cameMs }])
    expect(bench.server.errors).toEqual([])
  })

  test('while the reply is still being made it is cancelled, and what comes of it late is dropped', async () => {
    const bench = await greeted({
      standin: { pace: 1.2, lateDeltas: 3, lateDeltasAfterDone: 2, replies: [{ text: 'A long one.', ms: 6000 }] },
    })
    await turn(bench)
    await bench.pass(1000, 'quiet')
    bench.taken()
    bench.send({ type: 'interrupted', heardMs: 900 })
    await bench.pass(1000, 'quiet')
    expect(bench.received().slice(2)).toEqual(['response.cancel', 'conversation.item.truncate'])
    expect([bench.audioMs, bench.server.errors]).toEqual([0, []])
    expect(bench.provider.events?.().late_event).toBeGreaterThanOrEqual(5)
    expect(bench.events.filter(({ type }) => type === 'reply_done')).toEqual([])
  })

  test('a veto: what the server heard and made of it is taken back, and nothing of that is heard', async () => {
    const bench = await answering()
    await bench.pass(200, 'hum')
    bench.send({ type: 'not_interrupted' })
    await bench.pass(700, 'quiet')
    await bench.pass(1000)
    expect(bench.audioMs).toBe(0)
    // What the server has made of it, and then what it began to answer.
    expect(bench.received().slice(2)).toEqual([
      'conversation.item.delete',
      'response.cancel',
      'conversation.item.delete',
    ])
    expect(texts(bench).at(-1)).toBe('One two three four five.')
    expect(bench.server.errors).toEqual([])
    bench.send({ type: 'reply_heard' })
    await turn(bench)
    await bench.pass(700)
    // The answer to the cough was the second reply.
    expect(bench.audioMs).toBe(600)
  })

  test('the answer to it is held until there is a word: confirmed, it is heard', async () => {
    const bench = await answering()
    await turn(bench, 400)
    await bench.pass(300)
    expect([bench.audioMs, bench.of('reply_started')]).toEqual([0, []])
    bench.send({ type: 'interrupted', heardMs: 1000 })
    expect(bench.audioMs).toBe(0)
    await bench.pass(400)
    expect(bench.audioMs).toBe(1000)
    expect(bench.server.errors).toEqual([])
  })

  test('held, and vetoed: nothing of it is heard', async () => {
    const bench = await answering()
    await turn(bench, 400)
    await bench.pass(300)
    bench.send({ type: 'not_interrupted' })
    await bench.pass(1000)
    expect(bench.audioMs).toBe(0)
    expect(bench.received()).toContain('conversation.item.delete')
    expect(texts(bench)).toEqual(['Hello.', '', 'One two three four five.'])
    expect(bench.server.errors).toEqual([])
  })

  test('held, and nobody says anything: it is heard behind the reply', async () => {
    const bench = await answering()
    await turn(bench, 400)
    bench.send({ type: 'reply_heard' })
    await bench.pass(500)
    expect(bench.audioMs).toBe(1000)
  })

  test('a backchannel that turns into an interruption: the last word counts', async () => {
    const bench = await answering()
    await bench.pass(200, 'hum')
    bench.send({ type: 'not_interrupted' })
    await bench.pass(300, 'hum')
    bench.send({ type: 'interrupted', heardMs: 1000 })
    await bench.pass(700, 'quiet')
    await bench.pass(600)
    expect([bench.audioMs, bench.server.errors]).toEqual([1000, []])
  })

  test('the server could not answer, since it was still making the reply: it is asked to', async () => {
    const bench = await greeted({
      standin: {
        pace: 0.9,
        replies: [
          { text: 'A very long one.', ms: 9000 },
          { text: 'Yes?', ms: 500 },
        ],
      },
    })
    await turn(bench)
    await bench.pass(600, 'quiet')
    await turn(bench, 400)
    bench.taken()
    bench.send({ type: 'interrupted', heardMs: 1500 })
    await bench.pass(1200, 'quiet')
    expect(bench.received().slice(2)).toEqual(['response.cancel', 'conversation.item.truncate', 'response.create'])
    expect(bench.audioMs).toBe(500)
    expect(bench.server.errors).toEqual(['conversation_already_has_active_response'])
  })

  test('with barge-in left to the server it breaks the reply off itself', async () => {
    const bench = await answering({
      interruptsItself: true,
      standin: { pace: 1, replies: [{ text: 'Long.', ms: 6000 }] },
    })
    await bench.pass(200, 'hum')
    expect(bench.taken()).toContain('speech_started')
    bench.send({ type: 'interrupted', heardMs: 800 })
    await bench.pass(700, 'hum')
    expect(bench.received()).not.toContain('response.cancel')
    expect(bench.server.last.record.truncates).toMatchObject([{ audioEndMs: 800 }])
    expect(bench.server.errors).toEqual([])
  })
})

describe('a reply that nobody has heard yet', () => {
  test('is void when the caller goes on: both parts are one turn', async () => {
    const bench = await greeted({ standin: { firstDeltaAfterMs: 600, replies } })
    await turn(bench)
    await bench.pass(200, 'hum')
    await bench.pass(600, 'hum')
    await bench.pass(700, 'quiet')
    await bench.pass(1400)
    expect(bench.received().slice(2)).toEqual(['response.cancel'])
    expect(texts(bench)).toEqual(['Hello.', '', '', 'Six seven eight.'])
    expect(bench.of('transcript').flatMap(({ side, text }) => (side === 'agent' ? [text] : []))).toEqual([
      'Six seven eight.',
    ])
    expect([bench.audioMs, bench.server.errors]).toEqual([1000, []])
    expect(bench.of('reply_started').length).toBe(1)
  })
})
