import { describe, expect, test } from 'bun:test'
import * as v from 'valibot'
import { turn } from '../../../fakes/agent-bench.ts'
import type { AgentBench } from '../../../fakes/deepgram-agent.ts'
import type { Reply, ReplyRequest } from '../../../standin/deepgram/options.ts'
import { answer, greeted } from './greeted.ts'

// What is left of a turn, of speech over a reply and of functions when their session is gone, or says nothing more.

const faults = (bench: AgentBench) => bench.of('fault').map(({ code }) => code)
const injected = (bench: AgentBench) =>
  bench.last.record.received.flatMap(({ message }) =>
    message.type === 'InjectUserMessage' ? [String(message.content)] : [],
  )

const parameters = v.object({})
const hangUp = {
  name: 'terminate_call',
  description: '',
  deadlineMs: 1000,
  parameters,
  run: () => ({ output: { ok: true }, departure: { kind: 'hang_up' } as const }),
}

/** A function that takes so long, and how often it has run. */
function slow(bench: () => AgentBench, ms: number) {
  const runs = { count: 0 }
  const tool = {
    name: 'look',
    description: '',
    deadlineMs: 30_000,
    parameters,
    async run() {
      runs.count += 1
      await bench().clock.sleep(ms)
      return { output: { price: 12 } }
    },
  }
  return { tool, runs }
}

async function withSlowTool(ms: number, preamble: Reply = {}) {
  const world: { bench: AgentBench | null } = { bench: null }
  const { tool, runs } = slow(() => world.bench as AgentBench, ms)
  const replies = ({ afterFunctionResponse, asked }: ReplyRequest): Reply =>
    afterFunctionResponse || asked === 'client'
      ? { text: 'It costs twelve.', ms: 600 }
      : { ...preamble, calls: [{ name: 'look', arguments: {}, id: 'c1' }] }
  const bench = await greeted({ tools: [tool], standin: { replies } })
  world.bench = bench
  return { bench, runs }
}

describe('a function', () => {
  test('whose session is gone: the next one is told the result, and asked again', async () => {
    const { bench, runs } = await withSlowTool(2000)
    await turn(bench)
    bench.last.cut()
    await bench.pass(3500, 'quiet')
    expect([runs.count, bench.words.at(-1)]).toEqual([1, 'agent: It costs twelve.'])
    const messages = bench.last.record.received.map(({ message }) => message)
    expect(messages.map(({ type }) => type)).toEqual(['Settings', 'UpdatePrompt', 'InjectUserMessage'])
    expect(String(messages[1]?.prompt)).toBe('The function look gave: {"price":12}')
    expect(bench.server.errors).toEqual([])
    await bench.close()
  })

  test('that has ended before another session: it stands in the history of that one', async () => {
    const { bench } = await withSlowTool(40)
    await turn(bench)
    await bench.pass(700, 'quiet')
    bench.send({ type: 'reply_heard' })
    bench.last.cut()
    await bench.pass(1000, 'quiet')
    expect(bench.last.settings?.context.at(-1)).toMatchObject({
      function_calls: [{ id: 'c1', name: 'look', client_side: true, response: '{"price":12}' }],
    })
    await bench.close()
  })

  test('that takes longer than a reply may: the caller is told to wait, and it runs once, in one session', async () => {
    for (const preamble of [{}, { text: 'Let me see.', ms: 400 }]) {
      const { bench, runs } = await withSlowTool(9000, preamble)
      await turn(bench)
      await bench.pass(600, 'quiet')
      bench.send({ type: 'reply_heard' })
      bench.taken()
      await bench.pass(7000, 'quiet')
      expect(bench.taken().filter((type) => type === 'reply_started')).toHaveLength(1)
      await bench.pass(3000, 'quiet')
      expect([runs.count, bench.server.sessions.length, bench.words.at(-1)]).toEqual([1, 1, 'agent: It costs twelve.'])
      await bench.close()
      expect(bench.clock.pending).toBe(0)
    }
  })

  test('of which nothing comes after what was said before it: the server is not waited for in silence', async () => {
    const world: { bench: AgentBench | null } = { bench: null }
    const { tool } = slow(() => world.bench as AgentBench, 40)
    const replies = ({ afterFunctionResponse, asked }: ReplyRequest): Reply => {
      if (asked === 'client') return answer
      if (afterFunctionResponse) return { fault: { kind: 'silence' } }
      return { text: 'Let me see.', ms: 400, calls: [{ name: 'look', arguments: {} }] }
    }
    const bench = await greeted({ tools: [tool], standin: { replies } })
    world.bench = bench
    await turn(bench)
    await bench.pass(600, 'quiet')
    bench.send({ type: 'reply_heard' })
    await bench.pass(7000, 'quiet')
    expect(injected(bench)).toEqual(['caller turn 1'])
    expect(bench.words.at(-1)).toBe('agent: Yes, of course.')
    await bench.close()
  })

  test('a name that the model has made up is in no log', async () => {
    const lines: unknown[] = []
    const log = {
      with: () => log,
      debug: () => {},
      warn: () => {},
      error: () => {},
      info: (...all: unknown[]) => lines.push(all),
    }
    const replies = ({ afterFunctionResponse }: ReplyRequest): Reply =>
      afterFunctionResponse ? answer : { calls: [{ name: 'call_my_sister_anna', arguments: {} }] }
    const bench = await greeted({ log: log as never, standin: { replies } })
    await turn(bench)
    await bench.pass(700, 'quiet')
    expect(JSON.stringify(lines)).toContain('unknown')
    expect(JSON.stringify(lines)).not.toContain('anna')
    await bench.close()
  })

  test('a filler is no farewell: the model says one', async () => {
    const replies = ({ afterFunctionResponse }: ReplyRequest): Reply =>
      afterFunctionResponse
        ? { text: 'Goodbye.', ms: 600 }
        : { fault: { kind: 'slow_think', ms: 5500 }, calls: [{ name: 'terminate_call', arguments: {} }] }
    const bench = await greeted({ tools: [hangUp], standin: { replies } })
    await turn(bench)
    await bench.pass(4200, 'quiet')
    expect(bench.of('reply_started')).toHaveLength(1)
    bench.send({ type: 'reply_heard' })
    await bench.pass(2500, 'quiet')
    expect([bench.words.at(-1), bench.of('leave').length]).toEqual(['agent: Goodbye.', 1])
    await bench.close()
  })

  test('a farewell that a “bye” on its way cuts short: the rest of it is said', async () => {
    const text = 'Goodbye then, and thank you very much for calling us.'
    const replies = ({ afterFunctionResponse }: ReplyRequest): Reply =>
      afterFunctionResponse ? { text, ms: 3000 } : { calls: [{ name: 'terminate_call', arguments: {} }] }
    const bench = await greeted({ tools: [hangUp], standin: { replies, pace: 1.2, injected: { ms: 1500 } } })
    await turn(bench)
    await bench.pass(800, 'quiet')
    expect(bench.of('leave')).toHaveLength(1)
    await bench.pass(300, 'hum')
    const rest = bench.last.record.received.at(-1)?.message
    expect([rest?.type, text.endsWith(String(rest?.message))]).toEqual(['InjectAgentMessage', true])
    expect(bench.of('reply_done')).toEqual([])
    await bench.pass(1400, 'quiet')
    expect([bench.of('reply_started').length, bench.of('reply_done').length]).toEqual([1, 1])
    await bench.close()
  })

  test('a departure that the caller has made void: the model is told', async () => {
    const replies = ({ afterFunctionResponse }: ReplyRequest): Reply =>
      afterFunctionResponse ? { fault: { kind: 'silence' } } : { calls: [{ name: 'terminate_call', arguments: {} }] }
    const bench = await greeted({ tools: [hangUp], standin: { replies } })
    await turn(bench)
    await bench.pass(300, 'hum')
    expect(bench.of('leave')).toEqual([])
    expect(bench.received().at(-1)).toBe('UpdatePrompt')
    await bench.close()
  })
})

describe('speech over a reply whose session is lost', () => {
  async function spokenOver() {
    const bench = await greeted({ standin: { replies: [{ text: 'A long answer.', ms: 3000 }, answer], pace: 20 } })
    await turn(bench)
    await bench.pass(500, 'quiet')
    await bench.pass(500, 'hum')
    return bench
  }

  test('its words had come, its answer was held: they are answered once it was an interruption', async () => {
    const bench = await spokenOver()
    await bench.pass(700, 'quiet')
    bench.last.cut()
    await bench.pass(1000, 'quiet')
    bench.taken()
    bench.send({ type: 'interrupted', heardMs: 1900 })
    await bench.pass(1000, 'quiet')
    expect(injected(bench)).toEqual(['caller turn 2'])
    expect(bench.of('reply_started')).toHaveLength(1)
    await bench.close()
  })

  test('its words had not come: the caller is told', async () => {
    const bench = await spokenOver()
    bench.last.cut()
    await bench.pass(40, 'quiet')
    bench.send({ type: 'interrupted', heardMs: 900 })
    await bench.pass(40, 'quiet')
    expect(faults(bench)).toEqual(['connection_lost'])
    await bench.close()
  })
})

describe('never in silence', () => {
  test('a server that hangs while the caller breaks in: another session, and a fault', async () => {
    const bench = await greeted({ standin: { replies: [{ text: 'A long answer.', ms: 3000 }], pace: 20 } })
    await turn(bench)
    await bench.pass(2500, 'quiet')
    bench.last.mute = true
    await bench.pass(500, 'hum')
    bench.send({ type: 'interrupted', heardMs: 900 })
    await bench.pass(1200, 'hum')
    bench.send({ type: 'caller_sounds', sounds: false })
    await bench.pass(5000, 'quiet')
    expect([faults(bench), bench.server.sessions.length]).toEqual([['caller_unheard'], 2])
    await bench.close()
  })

  test('the words that another session is asked with outlive that session, too', async () => {
    let left = 2
    const replies = () => (left-- > 0 ? { fault: { kind: 'silence' } as const } : answer)
    const bench = await greeted({ standin: { replies, recognitionMs: 0 } })
    await turn(bench)
    await bench.pass(5900, 'quiet')
    // Its question never arrives.
    bench.server.loses = (data) => typeof data === 'string' && data.includes('InjectUserMessage')
    await bench.pass(1000, 'quiet')
    expect(bench.server.sessions).toHaveLength(2)
    left = 0
    bench.server.loses = () => false
    bench.last.cut()
    await bench.pass(800, 'quiet')
    expect(injected(bench)).toEqual(['caller turn 1'])
    expect(bench.words.at(-1)).toBe('agent: Yes, of course.')
    await bench.close()
  })

  test('a failure late in the window leaves the second chance', async () => {
    let asks = 0
    const replies = (): Reply => {
      asks += 1
      if (asks === 1) return { fault: { kind: 'silence' } }
      return asks === 2 ? { fault: { kind: 'silence' } } : answer
    }
    const bench = await greeted({ standin: { replies } })
    await turn(bench)
    await bench.pass(3500, 'quiet')
    bench.last.warn('THINK_REQUEST_FAILED', '')
    await bench.pass(3500, 'quiet')
    expect([faults(bench), bench.words.at(-1)]).toEqual([[], 'agent: Yes, of course.'])
    await bench.close()
  })

  test('while a long reply is heard an outage is no reason to give up', async () => {
    const bench = await greeted({ standin: { replies: [{ text: 'A long answer.', ms: 12_000 }], pace: 50 } })
    await turn(bench)
    await bench.pass(1000, 'quiet')
    bench.server.refuse = 503
    bench.last.cut()
    bench.taken()
    await bench.pass(10_000, 'quiet')
    expect([faults(bench), bench.of('reply_started')]).toEqual([[], []])
    bench.send({ type: 'reply_heard' })
    await bench.pass(8200, 'quiet')
    expect(faults(bench)).toEqual(['no_session'])
    await bench.close()
  })

  test('a held answer whose sound never comes is due when it is released', async () => {
    const replies = ({ index }: ReplyRequest): Reply =>
      index === 0
        ? { text: 'A long answer.', ms: 3000 }
        : { text: 'And this.', ms: 2000, fault: { kind: 'stall', afterMs: 0 } }
    const bench = await greeted({ standin: { replies, pace: 20 } })
    await turn(bench)
    await bench.pass(500, 'quiet')
    await bench.pass(500, 'hum')
    await bench.pass(700, 'quiet')
    bench.send({ type: 'interrupted', heardMs: 900 })
    bench.taken()
    await bench.pass(4300, 'quiet')
    expect(bench.of('incident').map(({ code }) => code)).toContain('reply_timeout')
    await bench.close()
  })

  test('a reply that stops is not waited for longer than one that does not begin', async () => {
    const text = 'A first sentence that is rather long and goes on.'
    const bench = await greeted({
      options: { reply_timeout_ms: 2000 },
      standin: { replies: [{ text, ms: 4000, fault: { kind: 'stall', afterMs: 600 } }] },
    })
    await turn(bench)
    await bench.pass(2600, 'quiet')
    expect(bench.of('incident').map(({ code }) => code)).toEqual(['reply_stalled'])
    await bench.close()
  })
})

describe('what nobody has heard', () => {
  test('is in no transcript and in no history: words whose sound failed', async () => {
    let left = 1
    const replies = (): Reply =>
      left-- > 0 ? { text: 'Never heard.', ms: 600, fault: { kind: 'stall', afterMs: 0 } } : answer
    const bench = await greeted({ standin: { replies } })
    await turn(bench)
    bench.last.text('assistant', 'Never heard.')
    bench.last.warn('SPEAK_REQUEST_FAILED', '')
    await bench.pass(7000, 'quiet')
    bench.send({ type: 'reply_heard' })
    expect(bench.words).toEqual(['caller: caller turn 1', 'agent: Yes, of course.'])
    bench.last.cut()
    await bench.pass(1000, 'quiet')
    expect(JSON.stringify(bench.last.settings?.context)).not.toContain('Never')
    await bench.close()
  })
})

describe('an answer of the server’s beside what was ordered', () => {
  test('is not taken for it', async () => {
    const bench = await greeted({
      standin: { callerTranscripts: ['mm-hm'], injected: { ms: 600 }, firstChunkAfterMs: 400 },
    })
    const session = bench.last
    // A reply of the server's sounds, and the caller coughs into it: the rest is asked for, and its answer is on the way.
    session.text('assistant', 'First half of it, and the second half.')
    session.sendChunk({ bytes: new Uint8Array(3200).fill(9), ms: 200 } as never, 0, false)
    await bench.pass(40, 'quiet')
    await bench.pass(300, 'hum')
    bench.send({ type: 'not_interrupted' })
    await bench.pass(20, 'hum')
    expect(bench.received().at(-1)).toBe('InjectAgentMessage')
    bench.taken()
    session.text('user', 'mm-hm')
    session.text('assistant', 'For the cough.')
    await bench.pass(460, 'quiet')
    expect(bench.words.filter((words) => words.includes('cough'))).toEqual([])
    expect(bench.of('reply_started')).toHaveLength(1)
    await bench.close()
  })
})
