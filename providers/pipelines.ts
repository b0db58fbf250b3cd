import { createCascade } from '#agent/cascade.ts'
import { createFallback } from '#agent/fallback.ts'
import type { PartRole } from '#agent/fallback-memory.ts'
import type { Provider } from '#agent/provider.ts'
import type { Clock } from '#base/clock.ts'
import type { Pipeline, RoleEntry } from '#config/pipeline-schema.ts'
import type { Configuration } from '#config/schema.ts'
import { ToolRunner } from '#tools/tool-runner.ts'
import { createTools } from '#tools/tools.ts'
import { type PartDeps, type PartPlan, planPart } from './parts.ts'
import type { VendorsConfiguration } from './schemas.ts'

/**
 * A pipeline of the configuration as an agent: each role one part, or an ordered list of them, and the three of them a
 * cascade under the pipeline's name.
 */
export interface PipelinePlan {
  /** All that shapes it, as JSON has it. */
  readonly inputs: object
  make(deps: PartDeps): Provider<'agent'>
}

export function planPipeline(
  name: string,
  pipeline: Pipeline,
  configuration: Configuration<VendorsConfiguration>,
): PipelinePlan {
  const { options, tools } = pipeline
  const { destinations } = configuration.transfer
  const listOf = <R extends PartRole>(role: R): readonly PartPlan<R>[] =>
    entriesOf(pipeline[role]).map((entry) => planPart(role, entry, configuration))
  const [stt, llm, tts] = [listOf('stt'), listOf('llm'), listOf('tts')]
  const inputsOf = (plans: readonly { readonly inputs: object }[]) => plans.map(({ inputs }) => inputs)
  return {
    inputs: { name, options, tools, destinations, stt: inputsOf(stt), llm: inputsOf(llm), tts: inputsOf(tts) },
    make(deps) {
      const log = deps.log.with({ pipeline: name })
      return createCascade({
        name,
        stt: partOf('stt', stt, options, deps),
        llm: partOf('llm', llm, options, deps),
        tts: partOf('tts', tts, options, deps),
        replyMaxMs: options.reply_timeout_ms,
        ...(options.language === '' ? {} : { language: options.language }),
        functions: {
          create: (clock: Clock, names = tools) => new ToolRunner(createTools(names, { destinations }), clock),
          log,
        },
      })
    },
  }
}

function partOf<R extends PartRole>(
  role: R,
  plans: readonly PartPlan<R>[],
  { retry_after_ms: retryAfterMs }: Pipeline['options'],
  deps: PartDeps,
): Provider<R> {
  const members = plans.map((plan) => plan.make(deps))
  const [first] = members
  if (first !== undefined && members.length === 1) return first
  return createFallback(role, members, { ...deps, retryAfterMs })
}

function entriesOf(choice: Pipeline[PartRole]): readonly RoleEntry[] {
  return Array.isArray(choice) ? choice : [choice as RoleEntry]
}
