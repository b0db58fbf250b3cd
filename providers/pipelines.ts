import { createCascade } from '#agent/cascade.ts'
import { createFallback } from '#agent/fallback.ts'
import type { PartRole } from '#agent/fallback-memory.ts'
import type { Provider } from '#agent/provider.ts'
import type { Clock } from '#base/clock.ts'
import type { Log } from '#base/log.ts'
import type { Random } from '#base/random.ts'
import type { Pipeline, RoleEntry } from '#config/pipeline-schema.ts'
import type { Tool } from '#tools/tool.ts'
import { ToolRunner } from '#tools/tool-runner.ts'

/**
 * A pipeline of the configuration as an agent: each role one part, or an ordered list of them, and the three of them a
 * cascade under the pipeline's name.
 */
export interface PipelineDeps {
  readonly clock: Clock
  readonly random: Random
  readonly log: Log
  readonly tools: readonly Tool[]
  /** One part, made of a provider's name or of what a pipeline says in place. */
  readonly part: <R extends PartRole>(role: R, entry: RoleEntry) => Provider<R>
}

export function createPipeline(name: string, pipeline: Pipeline, deps: PipelineDeps): Provider<'agent'> {
  const { clock, random, tools } = deps
  const { options } = pipeline
  const log = deps.log.with({ pipeline: name })
  const role = <R extends PartRole>(which: R): Provider<R> => {
    const choice = pipeline[which]
    const members = entriesOf(choice).map((entry) => deps.part(which, entry))
    const [first] = members
    if (first !== undefined && members.length === 1) return first
    return createFallback(which, members, { clock, random, log, retryAfterMs: options.retry_after_ms })
  }
  return createCascade({
    name,
    stt: role('stt'),
    llm: role('llm'),
    tts: role('tts'),
    replyMaxMs: options.reply_timeout_ms,
    ...(options.language === '' ? {} : { language: options.language }),
    ...(tools.length === 0 ? {} : { functions: { create: (its: Clock) => new ToolRunner(tools, its), log } }),
  })
}

function entriesOf(choice: Pipeline[PartRole]): readonly RoleEntry[] {
  return Array.isArray(choice) ? choice : [choice as RoleEntry]
}
