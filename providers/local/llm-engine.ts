import type { ChatMessage } from '#agent/provider.ts'
import type { Random } from '#base/random.ts'
import type { LlamaBinding, LlamaModel, LlamaSequence, Token, TokenBias } from './llm-binding.ts'
import { SpokenCut } from './llm-spoken.ts'

/**
 * Several answers at once from one small model. Each lane is a sequence with a memory (KV cache) of its own; llama.cpp
 * computes all lanes in one batch, so that none waits for another. A request takes the free lane whose memory shares
 * the longest beginning with its prompt: a later turn of a call then only computes what is new.
 */

export const contextTokens = 2048
/** Four lanes of 2,048 tokens are 190 MB of memory for this model. */
export const lanesMax = 4
/** Requests that wait for a lane; more than this is refused. At half a second an answer, the last waits two seconds. */
export const waitingMax = 16

/** About half a second of work on one core. */
const sliceTokens = 96
/** More of a prompt would leave no room for a conversation. */
const primedTokensMax = 1536

/** Found by trying on this model: lower is duller, higher loses the thread; without the penalty it repeats itself. */
const sampling = { topK: 40, topP: 0.9, minP: 0.05 }
const penalty = 1.1
const penaltyTokens = 64
/** Of the answers that are tried where one held nothing that may be said. */
const freerTemperatures = [0.8, 1, 1.2] as const

export interface GenerateRequest {
  readonly messages: readonly ChatMessage[]
  readonly temperature: number
  readonly maxTokens: number
  readonly seed: number | undefined
}

export type GenerateEnd =
  | { readonly type: 'stop' | 'length' | 'aborted'; readonly promptTokens: number; readonly completionTokens: number }
  | { readonly type: 'overloaded' | 'too_long' }

interface Lane {
  readonly sequence: LlamaSequence
  busy: boolean
}

interface Waiting {
  readonly tokens: Token[]
  readonly take: (lane: Lane | undefined) => void
}

export class LlmEngine {
  private readonly model: LlamaModel
  private readonly random: Random
  private readonly bias: TokenBias
  private readonly lanes: readonly Lane[]
  private readonly waiting: Waiting[] = []

  constructor(binding: LlamaBinding, sequences: readonly LlamaSequence[], random: Random) {
    this.model = binding.model
    this.random = random
    this.lanes = sequences.map((sequence) => ({ sequence, busy: false }))
    this.bias = binding.newTokenBias().set(unspeakable(binding.model), 'never')
    // Whatever it doesn't understand, this model is "sorry for your loss": a caller should rather not hear that.
    this.bias
      .set(binding.model.tokenize(' sorry', false), { logit: -4 })
      .set(binding.model.tokenize(' loss', false), 'never')
  }

  static async create(binding: LlamaBinding, random: Random, threads: number): Promise<LlmEngine> {
    const template = binding.model.fileInfo.metadata.tokenizer.chat_template ?? ''
    if (!template.includes('<|im_start|>'))
      throw new Error('this model does not use the ChatML template, which is the only one known here')
    const context = await binding.model.createContext({
      contextSize: contextTokens,
      sequences: lanesMax,
      threads,
      batchSize: 512,
    })
    return new LlmEngine(
      binding,
      Array.from({ length: lanesMax }, () => context.getSequence()),
      random,
    )
  }

  get load(): { readonly active: number; readonly waiting: number } {
    return { active: this.lanes.filter(({ busy }) => busy).length, waiting: this.waiting.length }
  }

  /**
   * A short answer behind the prompt with which every call begins, so that the first caller pays neither for pages and
   * caches that are still cold nor for the prompt.
   */
  async warmUp(prompt: string): Promise<void> {
    const hello: ChatMessage = { role: 'user', content: 'Hello.' }
    const messages = prompt === '' ? [hello] : [systemMessage(prompt), hello]
    await this.generate({ messages, temperature: 0, maxTokens: 2, seed: 1 }, new AbortController().signal, () => {})
  }

  /**
   * Reads the prompt into the lanes that know nothing yet, for calls at once. On two cores four first answers at once
   * took 1.7 s without it and 1.1 s with it; with a prompt of 600 tokens 17 s and 2 s. It ends as soon as a caller
   * waits for an answer: the lanes that are left then learn the prompt with their first one.
   */
  async prime(prompt: string): Promise<void> {
    if (prompt === '') return
    const tokens = this.messageTokens(systemMessage(prompt)).slice(0, primedTokensMax)
    for (const lane of this.lanes) {
      if (lane.sequence.contextTokens.length > 0) continue
      if (this.load.active > 0) return
      lane.busy = true
      try {
        for (let next = 0; next < tokens.length && this.load.active === 1; next += sliceTokens)
          await lane.sequence.evaluateWithoutGeneratingNewTokens(tokens.slice(next, next + sliceTokens))
      } finally {
        this.free(lane)
      }
    }
  }

  /** `onText` gets the answer in pieces, as a plain synchronous call. */
  async generate(request: GenerateRequest, signal: AbortSignal, onText: (text: string) => void): Promise<GenerateEnd> {
    const tokens = this.prompt({ ...request, messages: recent(request.messages) })
    if (tokens === undefined) return { type: 'too_long' }
    if (!this.lanes.some(({ busy }) => !busy) && this.waiting.length >= waitingMax) return { type: 'overloaded' }
    const lane = await this.lane(tokens, signal)
    const usage = { promptTokens: tokens.length, completionTokens: 0 }
    if (lane === undefined) return { type: 'aborted', ...usage }
    try {
      let answer = await this.speak(lane.sequence, tokens, request, signal, onText)
      let alone: Token[] | undefined
      for (const temperature of freerTemperatures) {
        if (answer.said || answer.end.type === 'aborted') break
        // All it had to say was said before: once more, without the turns that led it there, and freer.
        alone ??= this.prompt({ ...request, messages: request.messages.filter(isSystemOrLast) }) ?? tokens
        const freer = { ...request, temperature: Math.max(request.temperature, temperature), seed: undefined }
        answer = await this.speak(lane.sequence, alone, freer, signal, onText)
      }
      return answer.end
    } finally {
      this.free(lane)
    }
  }

  private async speak(
    sequence: LlamaSequence,
    tokens: Token[],
    request: GenerateRequest,
    signal: AbortSignal,
    onText: (text: string) => void,
  ): Promise<{ readonly end: GenerateEnd; readonly said: boolean }> {
    await sequence.adaptStateToTokens(tokens, false)
    // At least one token must be computed to have something to choose the next one from.
    const known = Math.min(sequence.nextTokenIndex, tokens.length - 1)
    if (known < sequence.nextTokenIndex) await sequence.adaptStateToTokens(tokens.slice(0, known), false)
    const out: Token[] = []
    const cut = new SpokenCut(request.messages.flatMap(({ role, content }) => (role === 'assistant' ? [content] : [])))
    let said = false
    const say = (text: string) => {
      if (text === '') return
      said = true
      onText(text)
    }
    const words = new TokenText(this.model)
    const end = (type: 'stop' | 'length' | 'aborted') => ({
      end: { type, promptTokens: tokens.length, completionTokens: out.length },
      said,
    })
    // A long prompt goes in by slices: a client that leaves meanwhile is noticed, and other lanes get their turn.
    let next = known
    for (; tokens.length - next > sliceTokens; next += sliceTokens) {
      await sequence.evaluateWithoutGeneratingNewTokens(tokens.slice(next, next + sliceTokens))
      if (signal.aborted) return end('aborted')
    }
    const answer = sequence.evaluate(tokens.slice(next), {
      ...sampling,
      temperature: request.temperature,
      seed: request.seed ?? Math.floor(this.random.next() * 0x7fff_ffff),
      tokenBias: this.bias,
      repeatPenalty: { punishTokens: () => out.slice(-penaltyTokens), penalty },
    })
    for await (const token of answer) {
      if (signal.aborted) return end('aborted')
      out.push(token)
      const piece = cut.push(words.push(token))
      say(piece.text)
      if (piece.end) return end('stop')
      if (out.length >= request.maxTokens) break
    }
    const broken = out.length >= request.maxTokens
    say(cut.end(!broken))
    return end(broken ? 'length' : 'stop')
  }

  /** The free lane that knows the most of this prompt, or the one that is freed next. Undefined: the client has gone. */
  private lane(tokens: Token[], signal: AbortSignal): Promise<Lane | undefined> {
    const best = this.lanes
      .filter(({ busy }) => !busy)
      .map((lane) => ({ lane, shared: sharedTokens(lane.sequence.contextTokens, tokens) }))
      // Between equals, the one with the shortest memory: the others may be known to calls that go on.
      .sort(
        (a, b) => b.shared - a.shared || a.lane.sequence.contextTokens.length - b.lane.sequence.contextTokens.length,
      )[0]
    if (best !== undefined) {
      best.lane.busy = true
      return Promise.resolve(best.lane)
    }
    return new Promise((resolve) => {
      const leave = () => {
        const index = this.waiting.indexOf(entry)
        if (index >= 0) this.waiting.splice(index, 1)
        resolve(undefined)
      }
      const entry: Waiting = {
        tokens,
        take: (lane) => {
          signal.removeEventListener('abort', leave)
          resolve(lane)
        },
      }
      signal.addEventListener('abort', leave, { once: true })
      this.waiting.push(entry)
    })
  }

  private free(lane: Lane): void {
    const next = this.waiting.shift()
    if (next === undefined) lane.busy = false
    else next.take(lane)
  }

  /** ChatML, without the oldest turns where all would not fit; undefined where even the newest words don't. */
  private prompt({ messages, maxTokens }: GenerateRequest): Token[] | undefined {
    const room = contextTokens - maxTokens - 8
    const parts = messages.map((message) => ({ message, tokens: this.messageTokens(message) }))
    const opening = this.model.tokenize('<|im_start|>assistant\n', true)
    const length = () => parts.reduce((sum, { tokens }) => sum + tokens.length, opening.length)
    while (length() > room) {
      const oldest = parts.findIndex(({ message }, index) => message.role !== 'system' && index < parts.length - 1)
      if (oldest < 0) return undefined
      parts.splice(oldest, 1)
    }
    return [...parts.flatMap(({ tokens }) => tokens), ...opening]
  }

  /** A caller's words are never read as markers, whatever they are. */
  private messageTokens({ role, content }: ChatMessage): Token[] {
    const marker = (text: string) => this.model.tokenize(text, true)
    return [
      ...marker(`<|im_start|>${role}\n`),
      ...this.model.tokenize(content.trim(), false),
      ...marker('<|im_end|>\n'),
    ]
  }
}

/** More than so many of the last exchanges only make this model say the same again. */
const exchangesMax = 3

/**
 * The system messages and the end of the conversation. Its beginning moves on only every third turn: in between, each
 * prompt begins with the one before, and only what is new must be computed.
 */
function recent(messages: readonly ChatMessage[]): readonly ChatMessage[] {
  const spoken = messages.filter(({ role }) => role !== 'system')
  const exchanges = Math.floor(spoken.length / 2)
  const left = exchanges <= exchangesMax ? 0 : exchangesMax * Math.floor((exchanges - 1) / exchangesMax)
  const kept = new Set(spoken.slice(left * 2))
  return messages.filter((message) => message.role === 'system' || kept.has(message))
}

function systemMessage(content: string): ChatMessage {
  return { role: 'system', content }
}

function isSystemOrLast(message: ChatMessage, index: number, all: readonly ChatMessage[]): boolean {
  return message.role === 'system' || index === all.length - 1
}

/** Tokens → text, holding back the bytes of a character that isn't complete. */
class TokenText {
  private readonly model: LlamaModel
  private pending: Token[] = []

  constructor(model: LlamaModel) {
    this.model = model
  }

  push(token: Token): string {
    this.pending.push(token)
    const text = this.model.detokenize(this.pending)
    // A character has at most four bytes, hence four tokens.
    if (text.endsWith('\ufffd') && this.pending.length < 4) return ''
    this.pending = []
    return text
  }
}

function sharedTokens(known: readonly Token[], wanted: readonly Token[]): number {
  let index = 0
  while (index < known.length && known[index] === wanted[index]) index += 1
  return index
}

/**
 * Tokens with line breaks, marks of lists, headings, markup or placeholders, and the first byte of emoji. Ċ is the
 * vocabulary's sign for a line break, ð for the byte 0xF0.
 */
function unspeakable(model: LlamaModel): Token[] {
  return model.fileInfo.metadata.tokenizer.ggml.tokens.flatMap((text, token) =>
    /[Ċ*#_`~^|<>{}[\]\\@ð]/.test(text) && !text.startsWith('<|') ? [token] : [],
  )
}
