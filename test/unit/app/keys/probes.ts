import { bargeInProbes } from './barge-in.ts'
import { callProbes } from './calls.ts'
import { choiceProbes } from './choice.ts'
import { deepgramProbes } from './deepgram.ts'
import { deepgramPartProbes } from './deepgram-parts.ts'
import { doorProbes } from './doors.ts'
import { openAiCompatibleProbes } from './openai-compatible.ts'
import { openAiRealtimeProbes } from './openai-realtime.ts'
import { operatorProbes } from './operators.ts'
import { pipelineProbes } from './pipelines.ts'
import { priceProbes } from './prices.ts'
import type { Probes } from './probe.ts'
import { streamingProbes } from './streaming.ts'
import { telephoneProbes } from './telephone.ts'
import { turnProbes } from './turns.ts'

/** How a change of each key is seen, by area. */
export const probes: Probes = {
  ...turnProbes,
  ...bargeInProbes,
  ...streamingProbes,
  ...callProbes,
  ...telephoneProbes,
  ...priceProbes,
  ...choiceProbes,
  ...openAiCompatibleProbes,
  ...openAiRealtimeProbes,
  ...deepgramProbes,
  ...deepgramPartProbes,
  ...pipelineProbes,
  ...doorProbes,
  ...operatorProbes,
}
