import type { FunctionDeclaration } from '#agent/functions.ts'
import type { Accepted, CallContext, ChatMessage, LlmEvent, LlmInput, SessionOf } from '#agent/provider.ts'
import { networkError } from '#agent/server-look.ts'
import { SessionLife } from '#agent/session-life.ts'
import type { TokenCounts } from '#agent/usage.ts'
import type { Milliseconds } from '#base/clock.ts'
import { readBounded } from './bounded-body.ts'
import { failureOfResponse, retryAfterMs, type WireFailure } from './failure-wire.ts'
import type { OpenAiCompatibleLlm } from './llm.ts'
import { commonDialect, type Dialect, dialectAfter, recentMessages, requestBody } from './request-wire.ts'
import type { Route } from './server.ts'
import { ChatStream, type WireEvent, wholeAnswer } from './wire.ts'

/**
 * The answers of one call, one at a time. A caller waits while this runs, so each answer has two deadlines that hold
 * over retries as well: the first word, and the whole. Once a word is out nothing is retried, since it may have
 * been spoken.
 */
export class LlmSession implements SessionOf<'llm'> {
  private readonly provider: OpenAiCompatibleLlm
  private readonly context: CallContext
  private listener: (event: LlmEvent) => void = () => {}
  private answer: Answer | undefined
  private readonly life: SessionLife

  constructor(provider: OpenAiCompatibleLlm, context: CallContext) {
    this.provider = provider
    this.context = context
    this.life = new SessionLife(context.signal, () => this.end())
  }

  onEvent(listener: (event: LlmEvent) => void): void {
    this.listener = listener
  }

  send(input: LlmInput): Accepted {
    if (this.life.over) return 'closed'
    if (input.type === 'cancel') {
      this.answer?.cancel()
      this.answer = undefined
      return 'sent'
    }
    if (this.answer !== undefined) return 'full'
    const answer: Answer = new Answer(this.provider, this.context, input, (event) => {
      // Whoever listens may ask for the next answer at once.
      if (event.type === 'done' || event.type === 'fault') this.answer = undefined
      this.listener(event)
    })
    this.answer = answer
    return 'sent'
  }

  close(): Promise<void> {
    return this.life.close()
  }

  private async end(): Promise<void> {
    const answer = this.answer
    this.answer = undefined
    answer?.cancel()
    await answer?.settled
    this.listener({ type: 'closed' })
  }
}

/** 1 MiB: an answer that comes whole, or a complaint, is shorter. */
const answerBytesMax = 1024 * 1024
/** So long after its last word a server may take to end its answer before the connection is closed. */
const readOutMaxMs: Milliseconds = 500

type Generate = Extract<LlmInput, { type: 'generate' }>

/** One answer: its request, its deadlines, its one retry beside those that teach what a server takes. */
class Answer {
  readonly settled: Promise<void>
  private readonly provider: OpenAiCompatibleLlm
  private readonly context: CallContext
  private readonly messages: readonly ChatMessage[]
  private readonly functions: readonly FunctionDeclaration[]
  private readonly emit: (event: LlmEvent) => void
  private readonly abort = new AbortController()
  private cancelled: boolean = false
  private expired: string | undefined
  private spoken: boolean = false
  private asks: boolean = false
  private firstWord: Disposable | undefined
  /** The server answers, and has not told what that has taken. */
  private untold: boolean = false
  /** The newest attempt has taught something of the server. */
  private learnt: boolean = false
  /** What this request was made with; another session may learn a better one meanwhile. */
  private dialect: Dialect = commonDialect

  constructor(
    provider: OpenAiCompatibleLlm,
    context: CallContext,
    { messages, functions = [] }: Generate,
    emit: (event: LlmEvent) => void,
  ) {
    this.provider = provider
    this.context = context
    this.functions = functions
    this.messages = recentMessages(messages, provider.options.history_turns)
    this.emit = emit
    this.settled = this.run()
  }

  /** Servers stop generating when the connection closes. */
  cancel(): void {
    this.account(null)
    this.cancelled = true
    this.abort.abort()
  }

  private async run(): Promise<void> {
    // The first event never comes out of `send` itself.
    await Promise.resolve()
    const { first_token_timeout_ms, total_timeout_ms } = this.provider.options
    const expire = (what: string) => () => {
      this.expired = what
      this.abort.abort()
    }
    using _total = this.context.clock.after(
      total_timeout_ms,
      expire(`the answer took more than ${total_timeout_ms} ms`),
    )
    using firstWord = this.context.clock.after(
      first_token_timeout_ms,
      expire(`no word within ${first_token_timeout_ms} ms`),
    )
    this.firstWord = firstWord
    const dueMs = this.context.clock.now() + first_token_timeout_ms
    let failure = await this.attempt()
    let retries = 1
    // What a server does not take is left out from then on: there is only so much that can be.
    while (failure?.retryable && !this.spoken && !this.abort.signal.aborted && (this.learnt || retries > 0)) {
      // Somebody else may answer until then.
      if (this.context.clock.now() + this.retryMs >= dueMs) break
      if (!this.learnt) retries -= 1
      await this.context.clock.sleep(this.retryMs, this.abort.signal)
      if (!this.abort.signal.aborted) failure = await this.attempt()
    }
    if (this.cancelled) return
    this.account(null)
    if (this.expired !== undefined) failure = { code: 'timeout', message: this.expired, retryable: true }
    if (failure === undefined) this.emit({ type: 'done' })
    else {
      if (failure.code === 'unreachable' || failure.code === 'unauthorized') this.provider.server.doubt()
      this.emit({ type: 'fault', ...failure })
    }
  }

  /** 100 to 200 ms, or what the server asked for: it is worth waiting for while the first word isn't due. */
  private retryMs = 0

  private async attempt(): Promise<WireFailure | undefined> {
    this.retryMs = 100 + 100 * this.provider.deps.random.next()
    this.learnt = false
    this.account(null)
    const route = this.provider.server.route()
    if (route === undefined) {
      const state = this.provider.readiness()
      return unreachable(state.ready ? 'the language model has no address' : state.reason)
    }
    try {
      const response = await this.request(route)
      if (!response.ok) return await this.refused(response)
      this.untold = true
      return await this.read(response)
    } catch (thrown) {
      // Network errors name hosts and ports, never contents.
      return this.spoken
        ? { code: 'bad_answer', message: 'the connection broke within the answer', retryable: true }
        : unreachable(`the language model cannot be reached: ${networkError(thrown)}`)
    }
  }

  /** Once for each answer; null: it has an end, and was not told. */
  private account(tokens: TokenCounts | null): void {
    if (!this.untold) return
    this.untold = false
    this.emit({ type: 'usage', tokens })
  }

  private request(route: Route): Promise<Response> {
    const { options, dialect, server } = this.provider
    this.dialect = dialect
    const body = requestBody({
      model: route.model,
      messages: this.messages,
      functions: this.functions,
      temperature: options.temperature,
      maxTokens: options.max_tokens,
      dialect,
    })
    const headers = { 'content-type': 'application/json', ...route.headers }
    return server.request(`${route.baseUrl}/chat/completions`, {
      method: 'POST',
      headers,
      body,
      signal: this.abort.signal,
    })
  }

  private async refused(response: Response): Promise<WireFailure> {
    const body = (await readBounded(response, answerBytesMax)) ?? ''
    const dialect = dialectAfter(response.status, body, this.dialect)
    const failure = failureOfResponse(response.status, body)
    if (dialect !== undefined) {
      this.provider.dialect = dialect
      this.learnt = true
      this.retryMs = 0
      return { ...failure, retryable: true }
    }
    this.retryMs = retryAfterMs(response.headers) ?? this.retryMs
    return failure
  }

  private async read(response: Response): Promise<WireFailure | undefined> {
    if (response.headers.get('content-type')?.includes('application/json')) {
      return this.pass(wholeAnswer((await readBounded(response, answerBytesMax)) ?? '')).failure
    }
    const stream = new ChatStream()
    const reader = response.body?.getReader()
    let piece = await reader?.read()
    while (piece?.done === false && !stream.done) {
      const { failure } = this.pass(stream.push(piece.value))
      if (failure !== undefined || this.abort.signal.aborted) {
        // That closes the connection.
        await reader?.cancel()
        return failure
      }
      if (!stream.done) piece = await reader?.read()
    }
    if (reader !== undefined && stream.done) void this.readOut(reader)
    return this.pass(stream.end()).failure
  }

  /** A connection whose answer has been read to its end serves the next one; whose server leaves it open does not. */
  private async readOut(reader: Pick<ReadableStreamDefaultReader<Uint8Array>, 'read' | 'cancel'>): Promise<void> {
    using _limit = this.context.clock.after(readOutMaxMs, () => void reader.cancel().catch(() => {}))
    try {
      while (!(await reader.read()).done);
    } catch {
      // It is closed, then.
    }
  }

  /** Hands words on; an end without any word is a failure. */
  private pass(events: readonly WireEvent[]): { readonly failure: WireFailure | undefined } {
    for (const event of events) {
      if (this.abort.signal.aborted) return { failure: undefined }
      if (event.type === 'error') return { failure: event.failure }
      if (event.type === 'usage') {
        this.account(event.tokens)
        continue
      }
      if (event.type === 'finish') {
        return {
          failure:
            this.spoken || this.asks
              ? undefined
              : { code: 'bad_answer', message: 'the answer holds no words', retryable: true },
        }
      }
      if (event.type === 'calling') {
        this.firstWord?.[Symbol.dispose]()
        continue
      }
      if (event.type === 'calls') {
        this.asks = true
        this.emit({ type: 'function_calls', calls: event.calls })
        continue
      }
      if (event.delta.trim() === '' && !this.spoken) continue
      this.spoken = true
      this.firstWord?.[Symbol.dispose]()
      this.emit({ type: 'text', delta: event.delta })
    }
    return { failure: undefined }
  }
}

function unreachable(message: string): WireFailure {
  return { code: 'unreachable', message, retryable: true }
}
