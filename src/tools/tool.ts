import type * as v from 'valibot'
import type { Departure } from '#agent/provider.ts'
import type { Milliseconds } from '#base/clock.ts'

/**
 * What a model may do beside speaking, the same for every vendor: a name and a description that the model reads, its
 * parameters as one schema that both checks what the model sends and is shown to it (`json-schema.ts`), a deadline, and a
 * result. A tool knows no vendor and no call: what is to become of the call it says in its result.
 */
export interface Tool {
  /** snake_case: the name that the model calls it by. */
  readonly name: string
  /** When to use it, and what happens then, in words for the model. */
  readonly description: string
  readonly parameters: ToolParameters
  /** Without an answer by then it has failed. */
  readonly deadlineMs: Milliseconds
  /** @param input as `parameters` has let it through. It may throw: that is a failure which the model is told of. */
  run(input: Readonly<Record<string, unknown>>, context: ToolContext): ToolResult | Promise<ToolResult>
}

export type ToolParameters = v.GenericSchema<unknown, Readonly<Record<string, unknown>>>

/** What a tool may know of the call. The signal aborts at the deadline, and when the call is over. */
export interface ToolContext {
  readonly callId: string
  /** The caller can be sent to another place in the dialplan. */
  readonly canTransfer: boolean
  readonly signal: AbortSignal
}

export interface ToolResult {
  /** What the model is told of it. */
  readonly output: Readonly<Record<string, string | number | boolean>>
  /** The agent's part of the call is over, once its last words have been heard. */
  readonly departure?: Departure
}
