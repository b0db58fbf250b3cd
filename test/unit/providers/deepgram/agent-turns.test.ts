import { describe, expect, test } from 'bun:test'
import { turn } from '../../../fakes/agent-bench.ts'
import { AgentBench, type AgentBenchOptions } from '../../../fakes/deepgram-agent.ts'

// The server finds the turns: the caller is audio, and what the coordinator would say is said by the test.

const replies = [
  { text: 'One two three four five.', ms: 1500 },
  { text: 'Six seven eight.', ms: 1000 },
  { text: 'Nine ten.', ms: 600 },
]

/** Greeted, and heard. */
async function greeted(options: AgentBenchOptions = {}) {
  const bench = await new AgentBench({
    ...options,
    standin: { greeting: { ms: 400 }, replies, ...options.standin },
  }).open()
  bench.send({ type: 'say', text: 'Hello.' })
  await bench.pass(600)
  bench.send({ type: 'reply_heard' })
  bench.taken()
  return bench
}

describe('a session', () => {
  test('begins with Settings, once, and the greeting in them is heard when the engine wants it', async () => {
    const bench = await new AgentBench({ standin: { greeting: { ms: 400 }, replies } }).open()
    await bench.pass(600)
    // It has been spoken, and nobody was there to hear it.
    expect(bench.events).toEqual([])
    bench.send({ type: 'say', text: 'Hello.' })
    await bench.pass(40)
    expect(bench.taken()).toEqual(['reply_started', 'transcript', 'reply_done'])
    expect(bench.received()).toEqual(['Settings'])
    const [settings] = bench.last.record.received.map(({ message }) => message)
    expect(settings).toEqual({
      type: 'Settings',
      flags: { history: false },
      audio: {
        input: { encoding: 'linear16', sample_rate: 8000 },
        output: { encoding: 'linear16', sample_rate: 8000, container: 'none' },
      },
      agent: {
        listen: { provider: { type: 'deepgram', version: 'v1', model: 'nova-3', language: 'en' } },
        think: { provider: { type: 'open_ai', model: 'gpt-4o-mini', temperature: 0.7 }, prompt: 'Be brief.' },
        speak: { provider: { type: 'deepgram', model: 'aura-2-thalia-en' } },
        greeting: 'Hello.',
      },
    })
    expect([bench.server.errors, bench.server.urls, bench.server.headers]).toEqual([
      [],
      ['wss://agent.deepgram.com/v1/agent/converse'],
      [{ authorization: 'Token dg-test' }],
    ])
    await bench.close()
  })

  test('a turn: speech, reply, words of both sides in order', async () => {
    const bench = await greeted()
    await turn(bench)
    await bench.pass(600, 'quiet')
    expect(bench.events.flatMap(({ type }) => (type === 'audio' || type === 'stage' ? [] : [type]))).toEqual([
      'speech_started',
      'speech_stopped',
      'transcript',
      'reply_started',
      'transcript',
      'reply_done',
    ])
    expect(bench.words).toEqual(['caller: caller turn 1', 'agent: One two three four five.'])
    expect(bench.audioMs).toBe(1500)
    // The server says late that a turn is over: when the voice fell silent is told with it.
    expect(bench.of('speech_stopped')[0]?.agoMs).toBeWithin(480, 560)
    expect(bench.of('stage').map(({ stage }) => stage)).toEqual(['stt', 'llm_first_token', 'tts_first_audio'])
    expect(bench.server.errors).toEqual([])
    await bench.close()
  })

  test('sends audio only once the settings are applied, and loses none of what was said before', async () => {
    const bench = new AgentBench({ standin: { replies } })
    await bench.open()
    const early = new AgentBench({ standin: { silentFromStart: true } })
    await early.open()
    await early.pass(400, 'hum')
    expect(early.last.record).toMatchObject({ binaryMessages: 0, errors: [] })
    await early.close()
    bench.server.last('agent').cut()
    await bench.pass(60, 'hum')
    await bench.pass(2000, 'hum')
    expect(bench.last.record.binaryMs).toBe(2040)
    expect(bench.server.errors).toEqual([])
    await bench.close()
  })

  test('speaks and hears what the wire has, bit for bit', async () => {
    for (const [wire, encoding] of [
      ['slin', 'linear16'],
      ['ulaw', 'mulaw'],
      ['alaw', 'alaw'],
    ] as const) {
      const bench = await greeted({ context: { wire } })
      const format = { encoding, sample_rate: 8000 }
      expect(bench.last.record.received[0]?.message.audio).toEqual({
        input: format,
        output: { ...format, container: 'none' },
      })
      await turn(bench)
      await bench.pass(600, 'quiet')
      const { samples } = bench.last.heard()
      const { length } = samples
      expect(length).toBeGreaterThanOrEqual(8 * 2040)
      expect(bench.audioMs).toBe(1500)
      expect(bench.provider.audioRates?.(8000)).toEqual({ inputHz: 8000, outputHz: 8000 })
      await bench.close()
    }
  })

  test('says something of its own in between', async () => {
    const bench = await greeted()
    bench.send({ type: 'say', text: 'Are you still there?' })
    await bench.pass(1500)
    expect(bench.words).toEqual(['agent: Are you still there?'])
    expect(bench.last.record.received.at(-1)?.message).toEqual({
      type: 'InjectAgentMessage',
      message: 'Are you still there?',
      behavior: 'interrupt',
    })
    await bench.close()
  })

  test('keeps the session alive while nobody listens to the caller', async () => {
    const bench = await greeted()
    await bench.pass(30_000)
    expect(bench.received().filter((type) => type === 'KeepAlive').length).toBeGreaterThan(5)
    expect([bench.server.errors, bench.server.sessions.length]).toEqual([[], 1])
    await bench.pass(10_000, 'quiet')
    await bench.close()
    expect(bench.clock.pending).toBe(0)
  })

  test('messages that nobody knows are counted', async () => {
    const bench = await greeted({ standin: { unknownMessages: true } })
    await turn(bench)
    expect(bench.provider.events?.()).toMatchObject({
      session: 1,
      acknowledged_UserStartedSpeaking: 1,
      unknown_message: expect.any(Number),
    })
    await bench.close()
  })

  test('a sound without words is no turn, and is told to be none', async () => {
    const bench = await greeted({ standin: { callerTranscripts: [''] } })
    await turn(bench, 300)
    expect(bench.taken()).toEqual(['speech_started'])
    await bench.pass(4000, 'quiet')
    expect(bench.taken()).toEqual(['speech_stopped', 'nothing_heard'])
    await bench.close()
  })
})

test('a cough while the answer is being made does not cost the answer', async () => {
  const bench = await greeted({
    standin: { recognitionMs: 200, firstChunkAfterMs: 600, callerTranscripts: ['What time is it?', ''] },
  })
  await turn(bench)
  await bench.pass(300, 'quiet')
  await bench.pass(100, 'hum')
  await bench.pass(5500, 'quiet')
  expect(bench.last.record.received.at(-1)?.message).toEqual({
    type: 'InjectUserMessage',
    content: 'What time is it?',
  })
  expect(bench.words).toEqual(['caller: What time is it?', 'agent: Six seven eight.'])
  await bench.close()
})

describe('speech over a reply', () => {
  /** A reply of 1.5 s sounds. */
  async function answering(options: AgentBenchOptions = {}) {
    const bench = await greeted(options)
    await turn(bench)
    await bench.pass(600, 'quiet')
    bench.taken()
    return bench
  }

  test('an interruption: the words are cut to what was heard, and what was said is answered', async () => {
    const bench = await answering()
    await bench.pass(300, 'hum')
    expect(bench.taken()).toEqual(['speech_started'])
    bench.send({ type: 'interrupted', heardMs: 700 })
    await bench.pass(500, 'hum')
    await bench.pass(1000, 'quiet')
    expect(bench.words).toEqual(['agent: One two', 'caller: caller turn 2', 'agent: Six seven eight.'])
    expect(bench.taken()).toEqual([
      'transcript',
      'speech_stopped',
      'transcript',
      'reply_started',
      'transcript',
      'reply_done',
    ])
    await bench.close()
  })

  test('a veto: nothing remains of what the server has made of it', async () => {
    const bench = await answering()
    await bench.pass(200, 'hum')
    bench.send({ type: 'not_interrupted' })
    await bench.pass(1200, 'quiet')
    expect(bench.taken()).toEqual(['speech_started', 'speech_stopped'])
    bench.send({ type: 'reply_heard' })
    await turn(bench)
    await bench.pass(400, 'quiet')
    expect(bench.words).toEqual(['caller: caller turn 3', 'agent: Nine ten.'])
    await bench.close()
  })

  test('a verdict that comes late: answer and words wait for it', async () => {
    for (const verdict of ['confirmed', 'vetoed', 'heard'] as const) {
      const bench = await answering()
      await bench.pass(200, 'hum')
      await bench.pass(1200, 'quiet')
      expect(bench.taken()).toEqual(['speech_started', 'speech_stopped'])
      if (verdict === 'confirmed') bench.send({ type: 'interrupted', heardMs: 1400 })
      else if (verdict === 'vetoed') bench.send({ type: 'not_interrupted' })
      else bench.send({ type: 'reply_heard' })
      await bench.pass(40, 'quiet')
      const answered = ['caller: caller turn 2', 'agent: Six seven eight.']
      expect(bench.words).toEqual(
        verdict === 'vetoed' ? [] : verdict === 'heard' ? answered : ['agent: One two three four', ...answered],
      )
      await bench.close()
    }
  })

  test('a veto of what made the server fall silent: the rest of its words is asked for', async () => {
    const long = { text: 'A first sentence that is long. A second sentence that is just as long.', ms: 6000 }
    const bench = await greeted({ standin: { replies: [long], pace: 1.5, injected: { ms: 1000 } } })
    await turn(bench)
    await bench.pass(1500, 'quiet')
    await bench.pass(200, 'hum')
    bench.taken()
    bench.send({ type: 'not_interrupted' })
    await bench.pass(200, 'quiet')
    const injected = bench.last.record.received.at(-1)?.message
    expect(injected?.type).toBe('InjectAgentMessage')
    expect(long.text).toContain(String(injected?.message))
    expect(bench.taken()).toContain('reply_started')
    await bench.close()
  })

  test('late audio of a reply that was broken off is nobody’s', async () => {
    const bench = await greeted({
      standin: { replies: [{ text: 'A long answer.', ms: 6000 }, ...replies], lateChunks: 3, pace: 1 },
    })
    await turn(bench)
    await bench.pass(500, 'quiet')
    const before = bench.audioMs
    await bench.pass(100, 'hum')
    const atStart = bench.audioMs
    bench.send({ type: 'interrupted', heardMs: 400 })
    await bench.pass(400, 'hum')
    expect(before).toBeGreaterThan(300)
    expect(bench.audioMs).toBe(atStart)
    expect(bench.provider.events?.().late_audio).toBe(3)
    await bench.close()
  })

  test('speech before any of a reply was heard: it is void, and both parts are answered', async () => {
    const bench = await greeted({ standin: { firstChunkAfterMs: 800 } })
    await turn(bench)
    await bench.pass(600, 'hum')
    await bench.pass(2000, 'quiet')
    expect(bench.audioMs).toBe(1000)
    expect(bench.words).toEqual(['caller: caller turn 1', 'caller: caller turn 2', 'agent: Six seven eight.'])
    await bench.close()
  })
})
