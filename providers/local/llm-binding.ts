import { join } from 'node:path'

/**
 * The door to node-llama-cpp (llama.cpp inside). It is no dependency of the engine: it is installed into the model
 * store, and this child process alone loads it, by its absolute path. The types are the few members that are used.
 */

export type Token = number

export interface LlamaSequence {
  readonly contextTokens: readonly Token[]
  readonly nextTokenIndex: number
  /** Keeps what the state and these tokens have in common from the start, and drops the rest of the state. */
  adaptStateToTokens(tokens: Token[], allowShift: boolean): Promise<void>
  clearHistory(): Promise<void>
  evaluateWithoutGeneratingNewTokens(tokens: Token[]): Promise<void>
  evaluate(tokens: Token[], options: EvaluateOptions): AsyncGenerator<Token, void, undefined>
}

export interface EvaluateOptions {
  readonly temperature: number
  readonly topK: number
  readonly topP: number
  readonly minP: number
  readonly seed: number
  readonly tokenBias: unknown
  readonly repeatPenalty: { readonly punishTokens: () => Token[]; readonly penalty: number }
}

export interface LlamaModel {
  readonly tokenizer: unknown
  readonly fileInfo: {
    readonly metadata: {
      readonly tokenizer: { readonly ggml: { readonly tokens: readonly string[] }; readonly chat_template?: string }
    }
  }
  tokenize(text: string, specialTokens: boolean): Token[]
  detokenize(tokens: readonly Token[]): string
  createContext(options: {
    contextSize: number
    sequences: number
    threads: number
    batchSize: number
  }): Promise<{ getSequence(): LlamaSequence }>
}

export interface TokenBias {
  set(tokens: Token | Token[], bias: 'never' | { readonly logit: number }): this
}

export interface LlamaBinding {
  readonly model: LlamaModel
  readonly newTokenBias: () => TokenBias
}

interface Module {
  getLlama(options: object): Promise<{ loadModel(options: { modelPath: string }): Promise<LlamaModel> }>
  readonly TokenBias: new (tokenizer: unknown) => TokenBias
}

/** @param runtimeFolder the folder with `node_modules/node-llama-cpp` @param modelFile a GGUF file */
export async function loadLlama(runtimeFolder: string, modelFile: string, threads: number): Promise<LlamaBinding> {
  // To find out whether its library fits this machine, node-llama-cpp starts `process.execPath` with a script of its
  // own. Inside the compiled engine that would be the engine; this variable makes the binary act as plain Bun.
  process.env.BUN_BE_BUN = '1'
  const module = (await import(join(runtimeFolder, 'node_modules/node-llama-cpp/dist/index.js'))) as Module
  const llama = await module.getLlama({
    build: 'never',
    gpu: false,
    skipDownload: true,
    logLevel: 'error',
    maxThreads: threads,
  })
  const model = await llama.loadModel({ modelPath: modelFile })
  return { model, newTokenBias: () => new module.TokenBias(model.tokenizer) }
}
