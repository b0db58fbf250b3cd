import { describe, expect, test } from 'bun:test'
import { seededRandom } from '#base/random.ts'
import type { EvaluateOptions, LlamaBinding, LlamaSequence, Token, TokenBias } from '#providers/local/llm-binding.ts'
import { LlmEngine } from '#providers/local/llm-engine.ts'

/** A model whose tokens are characters; it counts what it computes, and says "Fine." to everything. */
class FakeSequence implements LlamaSequence {
  contextTokens: Token[] = []
  computed = 0
  /** What it says instead, one after the other. */
  says: string[] = []
  readonly temperatures: number[] = []
  onCompute: () => void = () => {}

  get nextTokenIndex(): number {
    return this.contextTokens.length
  }

  adaptStateToTokens(tokens: Token[]): Promise<void> {
    const differs = this.contextTokens.findIndex((token, index) => token !== tokens[index])
    if (differs >= 0) this.contextTokens.length = differs
    return Promise.resolve()
  }

  clearHistory(): Promise<void> {
    this.contextTokens = []
    return Promise.resolve()
  }

  async evaluateWithoutGeneratingNewTokens(tokens: Token[]): Promise<void> {
    this.computed += tokens.length
    this.contextTokens.push(...tokens)
    this.onCompute()
    await Promise.resolve()
  }

  async *evaluate(tokens: Token[], { temperature }: EvaluateOptions): AsyncGenerator<Token, void, undefined> {
    this.temperatures.push(temperature)
    await this.evaluateWithoutGeneratingNewTokens(tokens)
    for (const character of this.says.shift() ?? 'Fine. ') yield character.charCodeAt(0)
  }
}

function setUp() {
  const bias: TokenBias = { set: () => bias }
  const binding: LlamaBinding = {
    newTokenBias: () => bias,
    model: {
      tokenizer: null,
      fileInfo: { metadata: { tokenizer: { ggml: { tokens: [] } } } },
      tokenize: (text) => [...text].map((character) => character.charCodeAt(0)),
      detokenize: (tokens) => String.fromCharCode(...tokens),
      createContext: () => Promise.reject(new Error('no model here')),
    },
  }
  const sequences = Array.from({ length: 4 }, () => new FakeSequence())
  const engine = new LlmEngine(binding, sequences, seededRandom(1))
  const known = () => sequences.map(({ contextTokens }) => String.fromCharCode(...contextTokens))
  const computed = () => sequences.reduce((sum, sequence) => sum + sequence.computed, 0)
  const ask = (prompt: string, words: string) =>
    engine.generate(
      {
        messages: [
          { role: 'system', content: prompt },
          { role: 'user', content: words },
        ],
        temperature: 0,
        maxTokens: 20,
        seed: 1,
      },
      new AbortController().signal,
      () => {},
    )
  return { engine, sequences, known, computed, ask }
}

const prompt = `You are a baker. ${'We sell bread. '.repeat(20)}`.trim()
const system = `<|im_start|>system\n${prompt}<|im_end|>\n`

describe('priming', () => {
  test('after it every lane knows the prompt, and four first answers at once compute only what is new', async () => {
    const { engine, known, computed, ask } = setUp()
    await engine.warmUp(prompt)
    await engine.prime(prompt)
    for (const text of known()) expect(text.startsWith(system)).toBe(true)
    const before = computed()
    await Promise.all(['one', 'two', 'three', 'four'].map((words) => ask(prompt, words)))
    expect(computed() - before).toBeLessThan(4 * 80)
    expect(engine.load).toEqual({ active: 0, waiting: 0 })
  })

  test('a caller who waits for an answer comes first: it ends within a slice', async () => {
    const { engine, sequences, known, ask } = setUp()
    await engine.warmUp(prompt)
    const answers: Promise<unknown>[] = []
    const [, first] = sequences
    if (first === undefined) throw new Error('no lane')
    first.onCompute = () => {
      first.onCompute = () => {}
      answers.push(ask(prompt, 'Are you open?'))
    }
    await engine.prime(prompt)
    expect(known()[1]).toBe(system.slice(0, 96))
    expect(known().slice(2)).toEqual(['', ''])
    await Promise.all(answers)
    expect(engine.load.active).toBe(0)
  })

  test('without a prompt there is nothing to learn', async () => {
    const { engine, known } = setUp()
    await engine.warmUp('')
    await engine.prime('')
    expect(known().filter((text) => text !== '').length).toBe(1)
  })

  test('a prompt that fills the memory is learnt in part only', async () => {
    const { engine, sequences } = setUp()
    await engine.prime('x'.repeat(5000))
    for (const { contextTokens } of sequences) expect(contextTokens.length).toBe(1536)
  })
})

describe('an answer that was given before', () => {
  const askAgain = async (says: readonly string[]) => {
    const { engine, sequences } = setUp()
    for (const sequence of sequences) sequence.says = [...says]
    const said: string[] = []
    const messages = [
      { role: 'system', content: prompt },
      { role: 'user', content: 'How are you?' },
      { role: 'assistant', content: 'Fine.' },
      { role: 'user', content: 'Are you well?' },
    ] as const
    const request = { messages, temperature: 0, maxTokens: 20, seed: 1 }
    const { type } = await engine.generate(request, new AbortController().signal, (text) => said.push(text))
    return { said, type, temperatures: sequences.flatMap(({ temperatures }) => temperatures) }
  }

  test('is tried again, each time freer, until there are other words', async () => {
    const answered = await askAgain(['Fine. ', '', 'fine! ', 'Very well. '])
    expect(answered).toEqual({ said: ['Very well.'], type: 'stop', temperatures: [0, 0.8, 1, 1.2] })
  })

  test('is none where that is all there is', async () => {
    expect(await askAgain([])).toEqual({ said: [], type: 'stop', temperatures: [0, 0.8, 1, 1.2] })
  })
})
