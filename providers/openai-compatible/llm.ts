import type { CallContext, Provider, Readiness, SessionOf } from '#agent/provider.ts'
import { LlmSession } from './llm-session.ts'
import type { OpenAiCompatibleOptions } from './options.ts'
import { commonDialect, type Dialect } from './request-wire.ts'
import { type OwnServer, Server, type ServerDeps } from './server.ts'

/**
 * A language model behind OpenAI-compatible HTTP: Ollama, llama.cpp, vLLM, a cloud, or the engine's own child process,
 * which comes in as an endpoint whose address may change when it is started anew.
 */
export interface LlmDependencies extends ServerDeps {
  /** Stands in for `options.base_url` where that is empty. */
  readonly endpoint?: OwnServer
}

export function createOpenAiCompatibleLlm(
  options: OpenAiCompatibleOptions,
  deps: LlmDependencies,
): OpenAiCompatibleLlm {
  return new OpenAiCompatibleLlm(options, deps)
}

export class OpenAiCompatibleLlm implements Provider<'llm'> {
  readonly name = 'openai_compatible'
  readonly role = 'llm'
  readonly turnDetection = 'none'
  readonly options: OpenAiCompatibleOptions
  readonly deps: LlmDependencies
  readonly server: Server
  /** Learnt by the sessions, for all that follow. */
  dialect: Dialect

  constructor(options: OpenAiCompatibleOptions, deps: LlmDependencies) {
    this.options = options
    this.deps = deps
    this.server = new Server(options, deps, { what: 'language model', role: 'llm' }, deps.endpoint)
    // The built-in model calls no functions.
    this.dialect = options.base_url === '' ? { ...commonDialect, tools: false } : commonDialect
  }

  readiness(): Readiness {
    return this.server.readiness
  }

  start(): void {
    this.server.start()
  }

  open(context: CallContext): Promise<SessionOf<'llm'>> {
    if (this.server.closed) return Promise.reject(new Error('the language model is closed'))
    const key = this.server.key()
    if (!key.ok) return Promise.reject(new Error(key.error))
    return Promise.resolve(new LlmSession(this, context))
  }

  close(): Promise<void> {
    return this.server.close()
  }
}
