import { readdirSync } from 'node:fs'
import { availableParallelism, setPriority } from 'node:os'
import { basename } from 'node:path'
import { type Clock, SystemClock } from '#base/clock.ts'
import { type Random, systemRandom } from '#base/random.ts'
import { messageOf } from '#base/result.ts'
import { linesOf } from '#speech/child-process.ts'
import { loadLlama } from './llm-binding.ts'
import { LlmEngine } from './llm-engine.ts'
import {
  type AnswerHead,
  type ChatRequest,
  doneEvent,
  parseChatRequest,
  parseStart,
  renderChunk,
  renderCompletion,
  renderError,
  renderEvent,
  renderUsage,
} from './llm-wire.ts'

/**
 * The built-in language model: a server with OpenAI-compatible HTTP on a port of its own, run as a child process
 * (`internal llm`), so that a crash or a stall of the model can't touch a call's audio. It runs at a lower priority, and
 * it ends when its parent does, which it sees by the end of its standard input. The first line there is the prompt that
 * calls begin with (`renderStart`), which is nobody's business: arguments can be read by every user of the machine.
 */
export async function runLlmChild(argv: readonly string[]): Promise<number> {
  const folder = argument(argv, '--runtime')
  const file = argument(argv, '--model')
  if (folder === undefined || file === undefined) {
    console.error('usage: internal llm --runtime FOLDER --model FILE')
    return 2
  }
  lowerPriority()
  const input = linesOf(Bun.stdin.stream())
  const first = await input.next()
  if (first.done === true) return 0
  const prompt = parseStart(first.value)
  const threads = threadsFor(availableParallelism())
  let engine: LlmEngine
  try {
    engine = await LlmEngine.create(await loadLlama(folder, file, threads), systemRandom, threads)
    await engine.warmUp(prompt)
  } catch (thrown) {
    console.error(`the language model cannot be loaded: ${messageOf(thrown)}`)
    return 1
  }
  const app = new LlmServer(engine, basename(file).replace(/\.gguf$/i, ''), new SystemClock(), systemRandom)
  const server = Bun.serve({ hostname: '127.0.0.1', port: 0, idleTimeout: 0, fetch: (request) => app.handle(request) })
  console.log(JSON.stringify({ port: server.port }))
  engine.prime(prompt).catch((thrown) => console.error(`the prompt cannot be read in: ${messageOf(thrown)}`))
  for await (const _ of input) {
    // Nothing more is ever sent; only the end matters.
  }
  return 0
}

/**
 * The threads of one computation wait for each other by spinning, so one that lost its core to audio stops them all: on
 * two cores, one of them busy, a token took 29 ms with one thread and 1,500 ms with two. Idle, the second thread gains
 * this small model little: 10 instead of 12 ms a token, and half the time for a long prompt.
 */
export function threadsFor(cores: number): number {
  return cores >= 4 ? 2 : 1
}

/**
 * Audio comes first. On Linux priority belongs to a thread: those that the runtime made before this line are lowered
 * one by one (its pool computes the model), and those to come inherit it.
 */
function lowerPriority(): void {
  try {
    const threads = process.platform === 'linux' ? readdirSync('/proc/self/task').map(Number) : [process.pid]
    for (const thread of threads) setPriority(thread, 10)
  } catch {
    // A system that doesn't allow it still gets its answers.
  }
}

function argument(argv: readonly string[], name: string): string | undefined {
  const index = argv.indexOf(name)
  return index < 0 ? undefined : argv[index + 1]
}

/** 1 MiB: more than any prompt that fits the model. */
const bodyBytesMax = 1024 * 1024

/** The part of the engine that the server needs, so that its tests need no model. */
export type Generator = Pick<LlmEngine, 'generate' | 'load'>

/** Requests → answers, without a socket. */
export class LlmServer {
  private readonly engine: Generator
  private readonly model: string
  private readonly clock: Clock
  private readonly random: Random

  constructor(engine: Generator, model: string, clock: Clock, random: Random) {
    this.engine = engine
    this.model = model
    this.clock = clock
    this.random = random
  }

  async handle(request: Request): Promise<Response> {
    const { pathname } = new URL(request.url)
    const path = `${request.method} ${pathname}`
    if (path === 'GET /health') return Response.json({ status: 'ok', ...this.engine.load })
    if (path === 'GET /v1/models') {
      return Response.json({
        object: 'list',
        data: [{ id: this.model, object: 'model', created: 0, owned_by: 'patchcord' }],
      })
    }
    if (path !== 'POST /v1/chat/completions')
      return Response.json(renderError('no such path', 'not_found'), { status: 404 })
    if (Number(request.headers.get('content-length') ?? 0) > bodyBytesMax) return tooLarge()
    const body = await request.text()
    if (body.length > bodyBytesMax) return tooLarge()
    const parsed = parseChatRequest(body)
    if (!parsed.ok) return Response.json(renderError(parsed.error, 'invalid_request_error'), { status: 400 })
    return this.answer(parsed.value, request.signal)
  }

  /** The status is known once the first words, the end, or a refusal is there: a stream begins only then. */
  private async answer(request: ChatRequest, signal: AbortSignal): Promise<Response> {
    const head: AnswerHead = {
      id: `chatcmpl-${this.random.uuid()}`,
      created: Math.floor(this.clock.wallNow() / 1000),
      model: this.model,
    }
    const gone = new AbortController()
    const either = AbortSignal.any([signal, gone.signal])
    const sink = new Sink()
    const generating = this.engine.generate(request, either, (text) =>
      sink.write(renderChunk(head, { content: text }, null), text),
    )
    const first = await Promise.race([sink.begun, generating])
    if (first !== undefined && (first.type === 'overloaded' || first.type === 'too_long')) return refusal(first.type)
    const finish = generating.then(
      (end) => {
        const usage =
          request.includeUsage && 'promptTokens' in end ? renderUsage(head, end.promptTokens, end.completionTokens) : ''
        sink.write(renderChunk(head, {}, end.type === 'length' ? 'length' : 'stop') + usage + doneEvent, '')
        sink.close()
        return end
      },
      (thrown) => {
        console.error(`an answer failed: ${messageOf(thrown)}`)
        sink.write(renderEvent(renderError('the model failed', 'server_error')), '')
        sink.close()
        return undefined
      },
    )
    if (request.stream) {
      const opening = renderChunk(head, { role: 'assistant', content: '' }, null)
      return new Response(
        sink.stream(opening, () => gone.abort()),
        { headers: { 'content-type': 'text/event-stream', 'cache-control': 'no-store' } },
      )
    }
    const end = await finish
    if (end === undefined || !('promptTokens' in end))
      return Response.json(renderError('the model failed', 'server_error'), { status: 500 })
    const reason = end.type === 'length' ? 'length' : 'stop'
    return Response.json(renderCompletion(head, sink.words, reason, end.promptTokens, end.completionTokens))
  }
}

/** Pieces of an answer on their way from the engine, which pushes, to the response, which pulls. */
class Sink {
  /** Resolves with the first piece. */
  readonly begun: Promise<undefined>
  words = ''
  private readonly begin: () => void
  private readonly pieces: string[] = []
  private controller: ReadableStreamDefaultController<Uint8Array> | undefined
  private closed: boolean = false

  constructor() {
    const { promise, resolve } = Promise.withResolvers<undefined>()
    this.begun = promise
    this.begin = () => resolve(undefined)
  }

  write(event: string, words: string): void {
    this.words += words
    if (this.controller === undefined) this.pieces.push(event)
    else this.controller.enqueue(new TextEncoder().encode(event))
    this.begin()
  }

  close(): void {
    if (this.closed) return
    this.closed = true
    this.controller?.close()
  }

  stream(opening: string, onCancel: () => void): ReadableStream<Uint8Array> {
    return new ReadableStream({
      start: (controller) => {
        controller.enqueue(new TextEncoder().encode([opening, ...this.pieces].join('')))
        if (this.closed) controller.close()
        else this.controller = controller
      },
      cancel: () => {
        this.closed = true
        this.controller = undefined
        onCancel()
      },
    })
  }
}

function refusal(type: 'overloaded' | 'too_long'): Response {
  if (type === 'too_long') {
    return Response.json(
      renderError('the prompt and the newest words do not fit the model', 'context_length_exceeded'),
      { status: 400 },
    )
  }
  return Response.json(renderError('too many answers at once', 'overloaded'), {
    status: 503,
    headers: { 'retry-after-ms': '300' },
  })
}

function tooLarge(): Response {
  return Response.json(renderError('the request is too large', 'invalid_request_error'), { status: 413 })
}
