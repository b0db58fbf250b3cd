import { expect } from 'bun:test'
import * as v from 'valibot'
import type { CallContext, LlmEvent, SessionOf } from '#agent/provider.ts'
import { SystemClock } from '#base/clock.ts'
import type { Log, LogFields } from '#base/log.ts'
import { seededRandom } from '#base/random.ts'
import type { Secrets } from '#config/secrets.ts'
import { createOpenAiCompatibleLlm, type OpenAiCompatibleLlm } from '#providers/openai-compatible/llm.ts'
import { openAiCompatibleOptions } from '#providers/openai-compatible/options.ts'
import { OpenAiCompatibleServer, type Script, type ScriptedAnswer } from '../../../fakes/openai-compatible-server.ts'

/** A session of the language model with its stand-in. */

export const clock = new SystemClock()
const cleanups: (() => Promise<void>)[] = []

/** At the end of a test, the newest first. */
export function cleanUp(cleanup: () => Promise<void>): void {
  cleanups.push(cleanup)
}

export async function cleanAllUp(): Promise<void> {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup()
}

interface Bench {
  readonly server: OpenAiCompatibleServer
  readonly llm: OpenAiCompatibleLlm
  readonly session: SessionOf<'llm'>
  readonly events: LlmEvent[]
  readonly logged: string[]
  readonly call: AbortController
  ask(words?: string): Promise<LlmEvent | undefined>
}

export const callerWords = 'my account number is 4711'

export async function bench(
  script: Script | ScriptedAnswer,
  options: object = {},
  secrets: Secrets = {},
): Promise<Bench> {
  const server = new OpenAiCompatibleServer(script)
  cleanUp(() => server.close())
  const logged: string[] = []
  const llm = createOpenAiCompatibleLlm(v.parse(openAiCompatibleOptions, { base_url: server.baseUrl, ...options }), {
    clock,
    random: seededRandom(1),
    log: recordingLog(logged),
    secrets,
  })
  cleanUp(() => llm.close())
  llm.start()
  await until(() => llm.readiness().ready)
  const call = new AbortController()
  const context: CallContext = {
    callId: 'c',
    sampleRateHz: 8000,
    language: 'en',
    prompt: '',
    greeting: '',
    signal: call.signal,
    clock,
  }
  const session = await llm.open(context)
  const events: LlmEvent[] = []
  let wake = () => {}
  session.onEvent((event) => {
    if (event.type === 'usage') return
    events.push(event)
    if (event.type !== 'text') wake()
  })
  const ask = async (words = callerWords) => {
    const over = new Promise<void>((resolve) => {
      wake = resolve
    })
    expect(session.send({ type: 'generate', messages: [{ role: 'user', content: words }] })).toBe('sent')
    await over
    return events.at(-1)
  }
  return { server, llm, session, events, logged, call, ask }
}

export function recordingLog(lines: string[], more: LogFields = {}): Log {
  const write = (message: string, fields?: LogFields) =>
    void lines.push(JSON.stringify({ message, ...more, ...fields }))
  return {
    debug: write,
    info: write,
    warn: write,
    error: write,
    with: (fields) => recordingLog(lines, { ...more, ...fields }),
  }
}

export async function until(condition: () => boolean): Promise<void> {
  for (let waited = 0; waited < 2000; waited += 5) {
    if (condition()) return
    await clock.sleep(5)
  }
  throw new Error('this did not happen within 2 s')
}

export function textOf(events: readonly LlmEvent[]): string {
  return events.map((event) => (event.type === 'text' ? event.delta : '')).join('')
}
