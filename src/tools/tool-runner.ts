import * as v from 'valibot'
import type { Departure } from '#agent/provider.ts'
import type { Clock } from '#base/clock.ts'
import { type JsonSchema, jsonSchemaOf } from './json-schema.ts'
import type { Tool, ToolContext } from './tool.ts'

/**
 * Runs the tools of one agent: what the model sends is checked, a tool that takes too long or throws has failed, and every
 * outcome is something that the model can be told. Never throws, never rejects.
 */
export interface ToolOutcome {
  /** JSON, for the model. */
  readonly output: string
  readonly departure: Departure | null
  /** A stable code where it failed: `unknown_tool`, `bad_arguments`, `timeout`, `failed`. */
  readonly failure: string | null
}

export interface ToolDeclaration {
  readonly name: string
  readonly description: string
  readonly parameters: JsonSchema
}

export class ToolRunner {
  /** As a vendor's session is told them. */
  readonly declarations: readonly ToolDeclaration[]
  private readonly tools: readonly Tool[]
  private readonly clock: Clock

  constructor(tools: readonly Tool[], clock: Clock) {
    this.tools = tools
    this.clock = clock
    this.declarations = tools.map(({ name, description, parameters }) => ({
      name,
      description,
      parameters: jsonSchemaOf(parameters),
    }))
  }

  /** @param text the arguments as the model wrote them: JSON, or empty for none */
  async run(name: string, text: string, context: ToolContext): Promise<ToolOutcome> {
    const tool = this.tools.find((each) => each.name === name)
    if (tool === undefined) return failure('unknown_tool', 'there is no such tool')
    const input = v.safeParse(tool.parameters, parse(text))
    if (!input.success) return failure('bad_arguments', input.issues.map(explain).join('; '))
    const deadline = new AbortController()
    const signal = AbortSignal.any([deadline.signal, context.signal])
    const late = Promise.withResolvers<ToolOutcome>()
    using _ = this.clock.after(tool.deadlineMs, () => {
      deadline.abort()
      late.resolve(failure('timeout', `no result within ${tool.deadlineMs} ms`))
    })
    const run = Promise.try(() => tool.run(input.output, { ...context, signal })).then(
      ({ output, departure }) => ({ output: JSON.stringify(output), departure: departure ?? null, failure: null }),
      () => failure('failed', 'the tool failed'),
    )
    return await Promise.race([run, late.promise])
  }
}

function failure(code: string, why: string): ToolOutcome {
  return { output: JSON.stringify({ ok: false, error: why }), departure: null, failure: code }
}

/** The place and what was expected; never what was sent. */
function explain(issue: v.BaseIssue<unknown>): string {
  const path = (issue.path ?? []).map(({ key }) => String(key)).join('.')
  return `${path === '' ? 'the arguments' : path}: expected ${issue.expected ?? 'something else'}`
}

function parse(text: string): unknown {
  if (text.trim() === '') return {}
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
