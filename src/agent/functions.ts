import type { Clock } from '#base/clock.ts'
import type { Departure } from './provider.ts'

/**
 * What a model may do beside speaking, as an agent sees it: a function has a name, parameters and an outcome. The tools
 * themselves lie above (`tools/`); whoever makes an agent hands it what runs them.
 */
export interface FunctionDeclaration {
  readonly name: string
  readonly description: string
  /** JSON Schema of one object. */
  readonly parameters: object
}

/** As the model has asked for it. */
export interface FunctionCall {
  readonly id: string
  readonly name: string
  /** The arguments: JSON, as the model wrote them. */
  readonly text: string
}

export interface FunctionOutcome {
  /** JSON, for the model. */
  readonly output: string
  /** The agent's part of the call is over. */
  readonly departure: Departure | null
  /** A stable code where it failed. */
  readonly failure: string | null
}

/** Runs functions; never throws, never rejects. `ToolRunner` is one. */
export interface FunctionRunner {
  readonly declarations: readonly FunctionDeclaration[]
  run(
    name: string,
    text: string,
    context: { readonly callId: string; readonly canTransfer: boolean; readonly signal: AbortSignal },
  ): Promise<FunctionOutcome>
}

/** @param names of the functions of this call; the agent's own where nothing is said */
export type CreateRunner = (clock: Clock, names?: readonly string[]) => FunctionRunner
