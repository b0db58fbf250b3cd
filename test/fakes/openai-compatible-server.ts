import { encodeWav } from '#audio/wav.ts'
import type { Random } from '#base/random.ts'
import {
  readSpeech,
  readTranscription,
  type ScriptedSpeech,
  type ScriptedTranscription,
  type SeenSpeech,
  type SeenTranscription,
  voiceOf,
} from './openai-compatible-audio.ts'
import { chatProblem } from './openai-compatible-rules.ts'

/**
 * A stand-in for a server with OpenAI-compatible HTTP, true to the protocol page, that answers as a test has scripted
 * it: slowly, in odd pieces, with errors, or never. It also serves whole calls as a model whose words are known.
 */
export interface ScriptedAnswer {
  /** The deltas of the answer. */
  readonly pieces?: readonly string[]
  /** Functions that the model asks for, after the pieces. */
  readonly calls?: readonly { readonly name: string; readonly arguments: string }[]
  /** Thoughts that come before, as `delta.reasoning_content`. */
  readonly reasoning?: string
  /** Bytes per network write: 1 splits every character of several bytes, and every line end. */
  readonly chunkBytes?: number
  readonly crlf?: boolean
  /** Keep-alive comments, other fields, empty deltas, a chunk without choices: all that must be overlooked. */
  readonly noise?: boolean
  /** What it says that the answer has taken, where it is asked; else a token for each piece and each message. */
  readonly usage?: object | null
  readonly noDone?: boolean
  readonly noFinishReason?: boolean
  readonly delayMs?: number
  readonly pieceDelayMs?: number
  /** After the pieces, an error object inside the stream. */
  readonly midStreamError?: unknown
  /** After the pieces, nothing more, and the connection stays open. */
  readonly stall?: boolean
  /** After `[DONE]` the connection stays open. */
  readonly staysOpen?: boolean
  /** Not even headers. */
  readonly neverAnswers?: boolean
  /** One JSON answer although a stream was asked for. */
  readonly whole?: boolean
  readonly status?: number
  /** The body of an answer with this status. */
  readonly body?: unknown
  readonly headers?: Readonly<Record<string, string>>
}

export interface SeenRequest {
  readonly body: { readonly messages: readonly { role: string; content: string }[] } & Readonly<Record<string, unknown>>
  readonly authorization: string | null
}

export type Script = (request: SeenRequest, index: number) => ScriptedAnswer

export class OpenAiCompatibleServer {
  readonly requests: SeenRequest[] = []
  /** Answers that the client broke off. */
  aborted = 0
  models: readonly string[] = ['fake-model']
  /** What `GET /models` answers instead, for servers that refuse. */
  modelsStatus = 200
  modelsRequests = 0
  /** The keys that `GET /models` came with. */
  readonly modelsKeys: (string | null)[] = []
  readonly transcriptions: SeenTranscription[] = []
  readonly speeches: SeenSpeech[] = []
  /** What was refused because it breaks the protocol: a test that expects none looks here. */
  readonly problems: string[] = []
  transcribe: (seen: SeenTranscription, index: number) => ScriptedTranscription = () => ({ text: 'Hello.' })
  speak: (seen: SeenSpeech, index: number) => ScriptedSpeech = () => ({})
  private readonly script: Script
  private readonly server: Bun.Server<undefined>
  private readonly release = new AbortController()

  constructor(script: Script | ScriptedAnswer) {
    this.script = typeof script === 'function' ? script : () => script
    this.server = Bun.serve({
      hostname: '127.0.0.1',
      port: 0,
      idleTimeout: 0,
      fetch: (request) => this.handle(request),
    })
  }

  /** With the version path, as it is configured. */
  get baseUrl(): string {
    return `http://127.0.0.1:${this.server.port}/v1`
  }

  async close(): Promise<void> {
    this.release.abort()
    await this.server.stop(true)
  }

  /** What it answers, also without its socket. */
  async handle(request: Request): Promise<Response> {
    const { pathname } = new URL(request.url)
    if (request.method === 'GET' && pathname === '/v1/models') {
      this.modelsRequests += 1
      this.modelsKeys.push(request.headers.get('authorization'))
      const body = {
        object: 'list',
        data: this.models.map((id) => ({ id, object: 'model', created: 0, owned_by: 'test' })),
      }
      return Response.json(this.modelsStatus === 200 ? body : { error: { message: 'no' } }, {
        status: this.modelsStatus,
      })
    }
    if (request.method === 'POST' && pathname === '/v1/audio/transcriptions') return await this.transcription(request)
    if (request.method === 'POST' && pathname === '/v1/audio/speech') return await this.speech(request)
    if (request.method !== 'POST' || pathname !== '/v1/chat/completions')
      return new Response('404 page not found', { status: 404 })
    const seen: SeenRequest = {
      body: (await request.json()) as SeenRequest['body'],
      authorization: request.headers.get('authorization'),
    }
    const problem = chatProblem(seen.body)
    if (problem !== null) return this.refuse(problem)
    const answer = this.script(seen, this.requests.push(seen) - 1)
    const refusal = await this.scripted(answer, request)
    if (refusal !== null) return refusal
    if (answer.whole) return Response.json(wholeCompletion((answer.pieces ?? []).join('')))
    const body = this.stream(answer, seen, request.signal)
    return new Response(body, { headers: { 'content-type': 'text/event-stream', ...answer.headers } })
  }

  private refuse(problem: string): Response {
    this.problems.push(problem)
    const error = { message: problem, type: 'invalid_request_error', param: null, code: null }
    return Response.json({ error }, { status: 400 })
  }

  /** What every answer can be instead: late, never, or a refusal. */
  private async scripted(
    answer: Pick<ScriptedAnswer, 'neverAnswers' | 'delayMs' | 'status' | 'body' | 'headers'>,
    request: Request,
  ): Promise<Response | null> {
    request.signal.addEventListener('abort', () => {
      this.aborted += 1
    })
    if (answer.neverAnswers) await this.forever(request.signal)
    if (answer.delayMs !== undefined) await Bun.sleep(answer.delayMs)
    if (answer.status === undefined) return null
    const text = typeof answer.body === 'string' ? answer.body : JSON.stringify(answer.body ?? {})
    return new Response(text, { status: answer.status, headers: { ...answer.headers } })
  }

  private async transcription(request: Request): Promise<Response> {
    const seen = await readTranscription(request)
    if (typeof seen === 'string') return this.refuse(seen)
    const answer = this.transcribe(seen, this.transcriptions.push(seen) - 1)
    const refusal = await this.scripted(answer, request)
    if (refusal !== null) return refusal
    const body = answer.answer ?? JSON.stringify({ text: answer.text ?? '', usage: { type: 'duration', seconds: 1 } })
    return new Response(body, { headers: { 'content-type': 'application/json' } })
  }

  private async speech(request: Request): Promise<Response> {
    const seen = await readSpeech(request)
    if (typeof seen === 'string') return this.refuse(seen)
    const answer = this.speak(seen, this.speeches.push(seen) - 1)
    const refusal = await this.scripted(answer, request)
    if (refusal !== null) return refusal
    const { sampleRateHz = 24_000 } = answer
    const samples = answer.samples ?? voiceOf(seen.input, sampleRateHz)
    const pcm = new Uint8Array(samples.buffer, samples.byteOffset, samples.byteLength)
    const bytes = answer.bytes ?? (seen.format === 'pcm' ? pcm : encodeWav({ sampleRateHz, samples }))
    const type = answer.contentType ?? (seen.format === 'pcm' ? 'audio/pcm' : 'audio/wav')
    return new Response(this.audio(bytes, answer, request.signal), { headers: { 'content-type': type } })
  }

  private async *audio(bytes: Uint8Array, answer: ScriptedSpeech, signal: AbortSignal): AsyncGenerator<Uint8Array> {
    const until = answer.stallAfterBytes ?? bytes.length
    const size = answer.chunkBytes ?? 4800
    for (let offset = 0; offset < until; offset += size) {
      yield bytes.subarray(offset, Math.min(until, offset + size))
      await Bun.sleep(answer.pieceDelayMs ?? 0)
    }
    if (answer.stallAfterBytes !== undefined) await this.forever(signal)
  }

  private async *stream(answer: ScriptedAnswer, seen: SeenRequest, signal: AbortSignal): AsyncGenerator<Uint8Array> {
    const newline = answer.crlf ? '\r\n' : '\n'
    const bytes = (text: string) => new TextEncoder().encode(text)
    const event = (data: unknown) =>
      bytes(`data: ${typeof data === 'string' ? data : JSON.stringify(data)}${newline}${newline}`)
    const cut = function* (whole: Uint8Array) {
      const size = answer.chunkBytes ?? whole.length
      for (let offset = 0; offset < whole.length; offset += size) yield whole.subarray(offset, offset + size)
    }
    if (answer.noise) yield bytes(`: keep-alive${newline}${newline}event: message${newline}id: 7${newline}`)
    yield* cut(event(chunk({ role: 'assistant', content: '' })))
    if (answer.reasoning !== undefined) yield* cut(event(chunk({ reasoning_content: answer.reasoning })))
    for (const piece of answer.pieces ?? []) {
      if (answer.pieceDelayMs !== undefined) await Bun.sleep(answer.pieceDelayMs)
      // A pause between writes lets them arrive as reads of their own.
      for (const part of cut(event({ ...chunk({ content: piece }), obfuscation: 'x4' }))) {
        yield part
        if (answer.chunkBytes !== undefined) await Bun.sleep(0)
      }
    }
    if (answer.midStreamError !== undefined) {
      yield event({ error: answer.midStreamError })
      return
    }
    if (answer.stall) await this.forever(signal)
    for (const [index, call] of (answer.calls ?? []).entries()) {
      const half = Math.ceil(call.arguments.length / 2)
      const first = { index, id: `call_${index}`, type: 'function', function: { name: call.name, arguments: '' } }
      yield* cut(event(chunk({ tool_calls: [first] })))
      for (const part of [call.arguments.slice(0, half), call.arguments.slice(half)])
        yield* cut(event(chunk({ tool_calls: [{ index, function: { arguments: part } }] })))
    }
    if (!answer.noFinishReason) yield* cut(event(chunk({}, answer.calls === undefined ? 'stop' : 'tool_calls')))
    if (answer.noise)
      yield event({ ...chunk({}), choices: [], usage: { prompt_tokens: 1, completion_tokens: 1, total_tokens: 2 } })
    const usage = usageOf(answer, seen)
    if (usage !== null) yield* cut(event({ ...chunk({}), choices: [], usage }))
    if (!answer.noDone) yield* cut(event('[DONE]'))
    if (answer.staysOpen) await this.forever(signal)
  }

  private forever(signal: AbortSignal): Promise<void> {
    const ended = AbortSignal.any([signal, this.release.signal])
    return new Promise((resolve) => ended.addEventListener('abort', () => resolve(), { once: true }))
  }
}

function usageOf({ usage, pieces = [] }: ScriptedAnswer, { body }: SeenRequest): object | null {
  if (body.stream_options === undefined) return null
  return usage === undefined ? { prompt_tokens: body.messages.length, completion_tokens: pieces.length } : usage
}

function chunk(delta: object, finishReason: string | null = null) {
  const choices = [{ index: 0, delta, finish_reason: finishReason, logprobs: null }]
  return { id: 'chatcmpl-1', object: 'chat.completion.chunk', created: 1, model: 'fake-model', choices, usage: null }
}

function wholeCompletion(content: string) {
  const choices = [{ index: 0, message: { role: 'assistant', content, refusal: null }, finish_reason: 'stop' }]
  return { id: 'chatcmpl-1', object: 'chat.completion', created: 1, model: 'fake-model', choices, usage: null }
}

/** Short everyday words that a voice speaks plainly and a recogniser knows. */
const words =
  'apple river morning yellow garden seven window winter paper silver mountain butter orange simple monday kitchen summer animal pocket doctor'.split(
    ' ',
  )

/** A sentence of random words: nobody can answer with these without having asked this server. */
export function randomSentence(random: Random, count = 6): string {
  const picked = Array.from({ length: count }, () => words[Math.floor(random.next() * words.length)] ?? 'apple')
  const text = picked.join(' ')
  return `${text[0]?.toUpperCase()}${text.slice(1)}.`
}

/** A model that answers each request with random words; `said` holds them. */
export function randomWordsServer(random: Random): {
  readonly server: OpenAiCompatibleServer
  readonly said: string[]
} {
  const said: string[] = []
  const server = new OpenAiCompatibleServer(() => {
    const sentence = randomSentence(random)
    said.push(sentence)
    return { pieces: sentence.split(/(?= )/) }
  })
  return { server, said }
}
