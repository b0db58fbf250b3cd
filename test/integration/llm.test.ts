import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import * as v from 'valibot'
import type { CallContext, ChatMessage, LlmEvent } from '#agent/provider.ts'
import { SystemClock } from '#base/clock.ts'
import { silentLog } from '#base/log.ts'
import { seededRandom } from '#base/random.ts'
import { LlmProcess } from '#providers/local/llm-process.ts'
import { createOpenAiCompatibleLlm, type OpenAiCompatibleLlm } from '#providers/openai-compatible/llm.ts'
import { openAiCompatibleOptions } from '#providers/openai-compatible/options.ts'
import { selfCommand } from '#speech/executable.ts'
import { ModelStore, modelsFolder } from '#speech/model-store.ts'

/** The real child process with the real model behind the real provider: what a call without any key gets. */
const clock = new SystemClock()
/** The model gives way to everything else on the machine: on a busy one each answer takes seconds. */
const patienceMs = 240_000
const ids = ['llm-runtime', 'smollm2-135m-instruct']
const store = new ModelStore({ folder: modelsFolder(process.env), clock, log: silentLog, env: process.env })
const modelFile = store.path('smollm2-135m-instruct', 'SmolLM2-135M-Instruct.Q4_1.gguf')

const system: ChatMessage = {
  role: 'system',
  content: 'You are a friendly voice assistant on the telephone. Answer in one or two short, plain spoken sentences.',
}

function childProcess(): LlmProcess {
  return new LlmProcess({
    clock,
    random: seededRandom(1),
    log: silentLog,
    command: selfCommand,
    env: process.env,
    runtimeFolder: store.path('llm-runtime'),
    modelFile,
    prompt: system.content,
    missing: () => store.missing(ids),
  })
}

const endpoint = childProcess()
const options = v.parse(openAiCompatibleOptions, {
  temperature: 0,
  first_token_timeout_ms: 60_000,
  total_timeout_ms: 120_000,
})
let llm: OpenAiCompatibleLlm

beforeAll(async () => {
  const missing = await store.missing(ids)
  if (missing !== null) throw new Error(missing)
  llm = createOpenAiCompatibleLlm(options, { clock, random: seededRandom(1), log: silentLog, secrets: {}, endpoint })
  llm.start()
  await until(() => llm.readiness().ready)
}, patienceMs)

afterAll(async () => {
  const pid = endpoint.pid
  await llm.close()
  expect(alive(pid)).toBe(false)
})

interface Answered {
  readonly text: string
  readonly end: LlmEvent | undefined
  readonly firstMs: number
}

/** One answer in a session of its own. */
async function ask(messages: readonly ChatMessage[]): Promise<Answered> {
  const call = new AbortController()
  const session = await llm.open(context(call))
  const began = clock.now()
  let firstMs = 0
  const answered = await new Promise<Answered>((resolve) => {
    let text = ''
    session.onEvent((event) => {
      if (event.type === 'text') {
        firstMs ||= clock.now() - began
        text += event.delta
      } else if (event.type !== 'usage') resolve({ text, end: event, firstMs })
    })
    session.send({ type: 'generate', messages })
  })
  await session.close()
  return answered
}

function context(call: AbortController): CallContext {
  return { callId: 'c', sampleRateHz: 8000, language: 'en', prompt: '', greeting: '', signal: call.signal, clock }
}

const user = (content: string): ChatMessage => ({ role: 'user', content })

async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  for (let waited = 0; waited < 30_000; waited += 20) {
    if (await condition()) return
    await clock.sleep(20)
  }
  throw new Error('this did not happen within 30 s')
}

function alive(pid: number | undefined): boolean {
  try {
    return pid !== undefined && process.kill(pid, 0)
  } catch {
    return false
  }
}

async function active(): Promise<number> {
  const url = endpoint.baseUrl()?.replace('/v1', '/health') ?? ''
  const health: unknown = await (await fetch(url)).json()
  return typeof health === 'object' && health !== null && 'active' in health ? Number(health.active) : -1
}

describe('the built-in language model', () => {
  test(
    'knows the capital of France',
    async () => {
      const { text, end } = await ask([system, user('What is the capital of France?')])
      expect(text).toContain('Paris')
      expect(end).toEqual({ type: 'done' })
    },
    patienceMs,
  )

  test(
    'different questions get different short replies that a voice can speak',
    async () => {
      const questions = [
        'What are your opening hours?',
        'I would like to book a table for four people tonight.',
        'My name is Susan and I lost my credit card.',
        'How do I reset my password?',
        'one two three four five six seven',
        'go forward ten meters',
        'Do you sell shoes?',
        'What should I cook for dinner?',
        'hello can you hear me',
        'Write me a list of ten fruits, with a star before each.',
      ]
      const replies: string[] = []
      for (const question of questions) replies.push((await ask([system, user(question)])).text)
      expect(new Set(replies).size).toBe(questions.length)
      for (const reply of replies) {
        expect(reply).toMatch(/^[^\n*#_<>[\]{}|]+[.!?]["')]?$/)
        // 60 tokens are at most 50 words, and two sentences.
        expect(reply.split(/\s+/).length).toBeLessThanOrEqual(50)
      }
    },
    patienceMs,
  )

  test(
    'a long call never hears the same sentence twice',
    async () => {
      const messages: ChatMessage[] = [system]
      for (let turn = 0; turn < 10; turn += 1) {
        messages.push(user('hello can you hear me'))
        const { text, end } = await ask(messages)
        expect(end).toEqual({ type: 'done' })
        messages.push({ role: 'assistant', content: text })
      }
      const said = messages.filter(({ role }) => role === 'assistant').map(({ content }) => content)
      // The last seven turns, which the model may see, and those before differ from their neighbours.
      for (const [index, text] of said.entries()) if (index > 0) expect(text).not.toBe(said[index - 1] ?? '')
    },
    patienceMs,
  )

  test(
    'a later turn only computes what is new',
    async () => {
      const long: ChatMessage = {
        role: 'system',
        content: `${system.content} ${'We sell bread, rolls, cake and coffee. '.repeat(60)}`,
      }
      const first = await ask([long, user('What do you sell?')])
      const second = await ask([
        long,
        user('What do you sell?'),
        { role: 'assistant', content: first.text },
        user('And on Sunday?'),
      ])
      console.log(
        `first sentence: ${first.firstMs.toFixed(0)} ms with 600 new tokens, ${second.firstMs.toFixed(0)} ms on the next turn`,
      )
      expect(second.firstMs).toBeLessThan(first.firstMs * 0.7)
    },
    patienceMs,
  )

  test(
    'a cancelled answer stops the model',
    async () => {
      const call = new AbortController()
      const session = await llm.open(context(call))
      const events: LlmEvent[] = []
      session.onEvent((event) => events.push(event))
      session.send({
        type: 'generate',
        messages: [system, user(`Tell me a story. ${'It is about a long way home. '.repeat(150)}`)],
      })
      await until(async () => (await active()) === 1)
      session.send({ type: 'cancel' })
      await until(async () => (await active()) === 0)
      expect(events).toEqual([])
      await session.close()
      expect(events).toEqual([{ type: 'closed' }])
    },
    patienceMs,
  )

  test(
    'five calls at once are all answered, and a flood is turned away in time',
    async () => {
      const five = await Promise.all(
        ['one', 'two', 'three', 'four', 'five'].map((word) => ask([system, user(`Say the word ${word}.`)])),
      )
      expect(five.map(({ end }) => end?.type)).toEqual(['done', 'done', 'done', 'done', 'done'])
      // Four lanes and sixteen places to wait: of thirty at once at least ten get the status 503.
      const statuses = await Promise.all(
        Array.from({ length: 30 }, async (_, index) => {
          const body = JSON.stringify({ messages: [user(`Say the number ${index}.`)], max_tokens: 12 })
          const response = await fetch(`${endpoint.baseUrl()}/chat/completions`, { method: 'POST', body })
          await response.text()
          return response.status
        }),
      )
      expect(statuses.filter((status) => status === 503).length).toBeGreaterThanOrEqual(1)
      expect(statuses.filter((status) => status === 200).length).toBeGreaterThanOrEqual(20)
      expect(await active()).toBe(0)
    },
    patienceMs,
  )

  test.if(process.platform === 'linux')('every thread of it gives way to audio', () => {
    const tasks = readdirSync(`/proc/${endpoint.pid}/task`)
    // proc(5): the 19th field is the nice value; the name, which may hold spaces, ends with a parenthesis.
    const nices = tasks.map(
      (task) =>
        readFileSync(join(`/proc/${endpoint.pid}/task`, task, 'stat'), 'utf8')
          .split(') ')[1]
          ?.split(' ')[16],
    )
    expect(new Set(nices)).toEqual(new Set(['10']))
  })

  test(
    'a signal that a supervisor sends to the whole group does not end it: a draining engine needs it',
    async () => {
      const { pid } = endpoint
      for (const signal of ['SIGTERM', 'SIGINT'] as const) process.kill(pid ?? 0, signal)
      await Bun.sleep(500)
      expect(endpoint.pid).toBe(pid)
      expect((await ask([system, user('What is the capital of France?')])).text).toContain('Paris')
    },
    patienceMs,
  )

  test(
    'when it is killed, it comes back and answers',
    async () => {
      process.kill(endpoint.pid ?? 0, 'SIGKILL')
      await until(() => !endpoint.readiness().ready)
      await until(() => llm.readiness().ready && endpoint.readiness().ready)
      expect((await ask([system, user('What is the capital of France?')])).text).toContain('Paris')
    },
    patienceMs,
  )

  test(
    'it ends when the engine dies without a word',
    async () => {
      const parent = Bun.spawn(
        [
          process.execPath,
          '-e',
          `
        const child = Bun.spawn(${JSON.stringify(selfCommand(['internal', 'llm', '--runtime', store.path('llm-runtime'), '--model', modelFile]))}, { stdin: 'pipe', stdout: 'inherit', cwd: ${JSON.stringify(store.path('llm-runtime'))} })
        child.stdin.write('""\\n')
        child.stdin.flush()
        console.log('pid ' + child.pid)
        setInterval(() => {}, 1000)`,
        ],
        { stdout: 'pipe', stdin: 'ignore' },
      )
      let output = ''
      for await (const bytes of parent.stdout) {
        output += new TextDecoder().decode(bytes)
        if (output.includes('port')) break
      }
      const pid = Number(/pid (\d+)/.exec(output)?.[1])
      expect(alive(pid)).toBe(true)
      parent.kill('SIGKILL')
      await until(() => !alive(pid))
    },
    patienceMs,
  )
})
