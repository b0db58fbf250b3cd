import { describe, expect, test } from 'bun:test'
import { turn } from '../../../fakes/agent-bench.ts'
import { AgentBench } from '../../../fakes/deepgram-agent.ts'
import type { Reply, ReplyRequest } from '../../../standin/deepgram/options.ts'
import { answer, greeted } from './greeted.ts'

const codes = (bench: AgentBench) => bench.of('incident').map(({ code }) => code)
const faults = (bench: AgentBench) => bench.of('fault').map(({ code, final }) => [code, final === true])

/** The first time this, and then the answer. */
const once = (reply: Reply) => {
  let left = 1
  return () => (left-- > 0 ? reply : answer)
}

describe('never mute', () => {
  test('a reply that does not come: filler, another session, its answer', async () => {
    const bench = await greeted({
      standin: { replies: once({ fault: { kind: 'silence' } }) },
      recorded: { 'One moment, please.': 900 },
    })
    await turn(bench)
    bench.taken()
    await bench.pass(3700, 'quiet')
    expect(bench.events).toEqual([])
    await bench.pass(200, 'quiet')
    expect(codes(bench)).toEqual(['reply_timeout'])
    expect([bench.audioMs, bench.server.sessions.length]).toEqual([900, 1])
    await bench.pass(2500, 'quiet')
    expect(bench.words).toEqual(['agent: Yes, of course.'])
    expect([bench.server.sessions.length, bench.server.errors]).toEqual([2, []])
    // What was said before is known to it, and what is to be answered is asked.
    const [settings, inject] = bench.last.record.received.map(({ message }) => message)
    expect(settings).toMatchObject({
      agent: { context: { messages: [{ type: 'History', role: 'assistant', content: 'Hello.' }] } },
    })
    expect(inject).toEqual({ type: 'InjectUserMessage', content: 'caller turn 1' })
    await bench.close()
  })

  test('a server that never answers again: after as long once more it has failed for good', async () => {
    const bench = await greeted({ standin: { replies: [{ fault: { kind: 'silence' } }] } })
    await turn(bench)
    await bench.pass(10_000, 'quiet')
    expect([codes(bench), faults(bench)]).toEqual([['reply_timeout'], [['timeout', true]]])
    // Nothing is heard for no longer than that at a time.
    expect(bench.of('reply_started')).toHaveLength(2)
    bench.taken()
    // What is to be said now is said by ourselves, if only in tones.
    bench.send({ type: 'say', text: 'I am sorry.' })
    await bench.pass(100)
    expect(bench.taken()).toEqual(['reply_started', 'transcript', 'reply_done'])
    await bench.close()
  })

  test('mute after the settings were applied: the greeting is due, and what follows from that', async () => {
    const bench = await new AgentBench({ standin: { muteAfterSettings: true } }).open()
    bench.send({ type: 'say', text: 'Hello.' })
    await bench.pass(10_100, 'quiet')
    expect([codes(bench), faults(bench)]).toEqual([['reply_timeout'], [['timeout', true]]])
    expect(bench.server.sessions.length).toBe(2)
    await bench.close()
  })

  test('a model that is slow and says so is waited for', async () => {
    const slow: Reply = { ...answer, fault: { kind: 'slow_think', ms: 11_000 } }
    const bench = await greeted({ standin: { replies: [slow] } })
    await turn(bench)
    bench.taken()
    await bench.pass(12_000, 'quiet')
    expect(bench.words).toEqual(['agent: Yes, of course.'])
    expect([codes(bench), faults(bench), bench.server.sessions.length]).toEqual([['reply_timeout'], [], 1])
    await bench.close()
  })

  test('a think request that failed is asked for again, and fails the second time', async () => {
    const bench = await greeted({ standin: { replies: once({ fault: { kind: 'warning' } }) } })
    await turn(bench)
    await bench.pass(600, 'quiet')
    expect([codes(bench), bench.words]).toEqual([
      ['response_failed'],
      ['caller: caller turn 1', 'agent: Yes, of course.'],
    ])
    await bench.close()
    const twice = await greeted({ standin: { replies: [{ fault: { kind: 'warning' } }] } })
    await turn(twice)
    await twice.pass(600, 'quiet')
    expect([codes(twice), faults(twice)]).toEqual([['response_failed'], [['response_failed', false]]])
    await twice.close()
  })

  test('a reply that stalls: the rest of its words is asked for', async () => {
    const text = 'A first sentence that is rather long and goes on.'
    const bench = await greeted({
      standin: { replies: once({ text, ms: 4000, fault: { kind: 'stall', afterMs: 600 } }) },
    })
    await turn(bench)
    await bench.pass(5900, 'quiet')
    expect(codes(bench)).toEqual(['reply_stalled'])
    const inject = bench.last.record.received.at(-1)?.message
    expect(inject).toMatchObject({ type: 'InjectAgentMessage' })
    expect(text.endsWith(String(inject?.message))).toBeTrue()
    expect([bench.of('reply_started').length, bench.server.errors]).toEqual([2, []])
    await bench.close()
  })
})

describe('a caller whom the server does not hear', () => {
  /** Our own detector hears them all the same. */
  async function speaks(bench: AgentBench, forMs: number): Promise<void> {
    bench.send({ type: 'caller_sounds', sounds: true })
    await bench.pass(forMs, 'hum')
    bench.send({ type: 'caller_sounds', sounds: false })
  }

  test('a server that has fallen silent: another session, and the caller is asked to say it again', async () => {
    const bench = await greeted()
    bench.last.mute = true
    await speaks(bench, 800)
    await bench.pass(4000, 'quiet')
    expect([faults(bench), bench.server.sessions.length]).toEqual([[['caller_unheard', false]], 2])
    bench.taken()
    await turn(bench)
    await bench.pass(600, 'quiet')
    expect(bench.words).toEqual(['caller: caller turn 1', 'agent: Yes, of course.'])
    await bench.close()
  })

  test('one that has heard a voice and brings no words of it: the same, once', async () => {
    const bench = await greeted()
    bench.send({ type: 'caller_sounds', sounds: true })
    await bench.pass(600, 'hum')
    bench.last.mute = true
    await bench.pass(600, 'hum')
    bench.send({ type: 'caller_sounds', sounds: false })
    await bench.pass(4000, 'quiet')
    expect([faults(bench), bench.server.sessions.length]).toEqual([[['connection_lost', false]], 2])
    await bench.close()
  })

  test('a breath behind words that were answered is no such thing', async () => {
    const bench = await greeted()
    await speaks(bench, 1200)
    await bench.pass(1000, 'quiet')
    await bench.pass(500, 'quiet')
    bench.send({ type: 'reply_heard' })
    expect(bench.words).toEqual(['caller: caller turn 1', 'agent: Yes, of course.'])
    await bench.pass(240, 'hum')
    bench.last.mute = true
    await bench.pass(3000, 'quiet')
    expect([faults(bench), bench.server.sessions.length]).toEqual([[], 1])
    expect(bench.provider.events?.()).toMatchObject({ acknowledged_UserStartedSpeaking: 2 })
    await bench.close()
  })

  test('a short sound, and a turn that is answered, are no such thing', async () => {
    const bench = await greeted()
    bench.last.mute = true
    await speaks(bench, 300)
    await bench.pass(5000, 'quiet')
    bench.last.mute = false
    await speaks(bench, 800)
    await bench.pass(6000, 'quiet')
    expect([faults(bench), bench.server.sessions.length]).toEqual([[], 1])
    await bench.close()
  })
})

describe('a session that ends', () => {
  test('in mid-reply: what came is heard, the rest of the words comes over another one', async () => {
    const long: Reply = {
      text: 'A first sentence that is rather long and goes on.',
      ms: 3000,
      fault: { kind: 'cut', afterMs: 1500 },
    }
    const bench = await greeted({ standin: { replies: [long] } })
    await turn(bench)
    await bench.pass(2500, 'quiet')
    expect(codes(bench)).toEqual(['connection_lost'])
    const inject = bench.last.record.received.at(-1)?.message
    expect(inject).toMatchObject({ type: 'InjectAgentMessage' })
    expect(String(long.text).endsWith(String(inject?.message))).toBeTrue()
    expect([bench.server.sessions.length, bench.server.errors]).toEqual([2, []])
    await bench.close()
  })

  test('with an error: another is made, and what is due is asked of it', async () => {
    const bench = await greeted({ standin: { replies: once({ fault: { kind: 'error' } }) } })
    await turn(bench)
    await bench.pass(1500, 'quiet')
    expect(codes(bench)).toEqual(['server_error'])
    expect(bench.words).toEqual(['caller: caller turn 1', 'agent: Yes, of course.'])
    expect(bench.provider.events?.()).toMatchObject({ error_FAILED_TO_THINK: 1, session_again: 1 })
    await bench.close()
  })

  test('while the caller speaks: a fault, since nobody knows what they said', async () => {
    const bench = await greeted()
    await bench.pass(400, 'hum')
    bench.last.cut()
    await bench.pass(40, 'hum')
    expect(bench.taken()).toEqual(['speech_started', 'incident', 'speech_stopped', 'fault'])
    await bench.close()
  })

  test('in silence: nobody notices, and the next one knows what was said', async () => {
    const bench = await greeted()
    await turn(bench)
    await bench.pass(600, 'quiet')
    bench.send({ type: 'reply_heard' })
    bench.last.cut()
    await bench.pass(1000, 'quiet')
    bench.taken()
    await turn(bench)
    await bench.pass(600, 'quiet')
    expect(bench.words).toEqual(['caller: caller turn 1', 'agent: Yes, of course.'])
    expect(bench.last.settings?.context).toEqual([
      { type: 'History', role: 'assistant', content: 'Hello.' },
      { type: 'History', role: 'user', content: 'caller turn 1' },
      { type: 'History', role: 'assistant', content: 'Yes, of course.' },
    ])
    await bench.close()
  })

  test('by its age: another is made in a pause', async () => {
    const bench = await greeted({ options: { renew_after_ms: 10_000 } })
    await bench.pass(12_000, 'quiet')
    expect(bench.server.sessions.length).toBe(2)
    expect([bench.events, bench.server.errors]).toEqual([[], []])
    await bench.close()
  })
})

describe('a session that does not open', () => {
  test('no key, a wrong key: no hope, and no waiting', async () => {
    for (const [secrets, status, code] of [
      [{}, 200, 'no_key'],
      [{ DEEPGRAM_API_KEY: 'wrong' }, 401, 'bad_key'],
      [{ DEEPGRAM_API_KEY: 'poor' }, 402, 'no_quota'],
    ] as const) {
      const bench = new AgentBench({ secrets, standin: { key: 'right' } })
      bench.token.status = status
      await bench.open()
      bench.send({ type: 'say', text: 'Hello.' })
      await bench.pass(100)
      expect([faults(bench), bench.provider.readiness().ready]).toEqual([[[code, true]], false])
      await bench.close()
    }
  })

  test('settings that are refused: no hope', async () => {
    const bench = await new AgentBench({ standin: { settingsError: { code: 'INVALID_SETTINGS' } } }).open()
    bench.send({ type: 'say', text: 'Hello.' })
    await bench.pass(20_000)
    expect(faults(bench)).toEqual([['session_refused', true]])
    expect(bench.server.sessions.length).toBe(1)
    await bench.close()
  })

  test('an error that may pass, a server that says nothing: filler, and in the end on_failure', async () => {
    for (const standin of [{ settingsError: { code: 'FAILED_TO_START_LISTENING' } }, { silentFromStart: true }]) {
      const bench = await new AgentBench({ standin }).open()
      bench.send({ type: 'say', text: 'Hello.' })
      await bench.pass(4100)
      expect(bench.of('reply_started')).toHaveLength(1)
      await bench.pass(6100)
      expect(faults(bench).map(([, final]) => final)).toEqual([true])
      expect(bench.server.sessions.length).toBeGreaterThan(1)
      await bench.close()
      expect(bench.clock.pending).toBe(0)
    }
  })

  test('a greeting in the local voice is heard at once, and the model knows of it', async () => {
    const bench = new AgentBench({
      options: { greeting_audio: 'cached' },
      recorded: { 'Hello.': 500 },
      standin: { replies: [answer] },
    })
    await bench.open()
    bench.send({ type: 'say', text: 'Hello.' })
    await bench.pass(40)
    expect([bench.audioMs, bench.words]).toEqual([500, ['agent: Hello.']])
    bench.send({ type: 'reply_heard' })
    await bench.pass(40)
    expect(bench.last.record.received.map(({ message }) => message.type)).toEqual(['Settings', 'UpdatePrompt'])
    expect(bench.last.settings?.greeting).toBe('')
    await bench.close()
  })
})

describe('functions', () => {
  const hangUp = {
    name: 'terminate_call',
    description: '',
    deadlineMs: 1000,
    run: () => ({ output: { ok: true }, departure: { kind: 'hang_up' } as const }),
  }
  const look = { name: 'look', description: '', deadlineMs: 1000, run: () => ({ output: { price: 12 } }) }
  const withTools = async (replies: (request: ReplyRequest) => Reply) => {
    const { terminateCall, lookUp } = await tools()
    return await greeted({ standin: { replies }, tools: [terminateCall, lookUp] })
  }
  const tools = async () => {
    const v = await import('valibot')
    const parameters = v.object({ reason: v.optional(v.string()) })
    return { terminateCall: { ...hangUp, parameters }, lookUp: { ...look, parameters } }
  }

  test('are declared, run once, answered, and spoken about', async () => {
    const bench = await withTools(({ afterFunctionResponse }) =>
      afterFunctionResponse
        ? { text: 'It costs twelve.', ms: 600 }
        : { calls: [{ name: 'look', arguments: {}, id: 'c1' }] },
    )
    await turn(bench)
    await bench.pass(700, 'quiet')
    expect(bench.last.settings?.functions).toEqual(['terminate_call', 'look'])
    expect(bench.of('tool').map(({ running }) => running)).toEqual([true, false])
    expect(bench.last.record.received.at(-1)?.message).toEqual({
      type: 'FunctionCallResponse',
      id: 'c1',
      name: 'look',
      content: '{"price":12}',
    })
    expect(bench.words.at(-1)).toBe('agent: It costs twelve.')
    await bench.close()
  })

  test('the end of the call: what was said with it is the farewell, and nothing comes after it', async () => {
    const bench = await withTools(({ afterFunctionResponse }) =>
      afterFunctionResponse
        ? { text: 'Something else.', ms: 600 }
        : { text: 'Goodbye then.', ms: 600, calls: [{ name: 'terminate_call', arguments: {} }] },
    )
    await turn(bench)
    await bench.pass(1000, 'quiet')
    expect(bench.of('leave')).toEqual([{ type: 'leave', how: { kind: 'hang_up' } }])
    expect([bench.audioMs, bench.words]).toEqual([600, ['caller: caller turn 1', 'agent: Goodbye then.']])
    await bench.close()
  })

  test('the end of the call without a word: the model says one, and that is heard first', async () => {
    const bench = await withTools(({ afterFunctionResponse }) =>
      afterFunctionResponse ? { text: 'Goodbye.', ms: 1200 } : { calls: [{ name: 'terminate_call', arguments: {} }] },
    )
    await turn(bench)
    await bench.pass(600, 'quiet')
    // From its first sound on nobody interrupts it.
    expect(bench.taken().slice(-4)).toEqual(['reply_started', 'leave', 'transcript', 'reply_done'])
    await bench.close()
  })

  test('a farewell that never comes is not waited for', async () => {
    const bench = await withTools(({ afterFunctionResponse }) =>
      afterFunctionResponse ? { fault: { kind: 'silence' } } : { calls: [{ name: 'terminate_call', arguments: {} }] },
    )
    await turn(bench)
    await bench.pass(4200, 'quiet')
    expect(bench.of('leave')).toHaveLength(1)
    expect(faults(bench)).toEqual([])
    await bench.close()
  })

  test('those of the server are none of ours', async () => {
    const bench = await withTools(({ afterFunctionResponse }) =>
      afterFunctionResponse ? answer : { calls: [{ name: 'weather', arguments: {}, clientSide: false }] },
    )
    await turn(bench)
    await bench.pass(700, 'quiet')
    expect([bench.of('tool'), bench.received().includes('FunctionCallResponse')]).toEqual([[], false])
    expect(bench.words.at(-1)).toBe('agent: Yes, of course.')
    await bench.close()
  })
})
