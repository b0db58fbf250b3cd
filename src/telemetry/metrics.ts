import { stageNames } from '#agent/provider.ts'
import { tokenKinds } from '#agent/usage.ts'
import type { Clock } from '#base/clock.ts'
import { type OverlapVerdict, overlapVerdicts } from '#call/barge-in.ts'
import { turnEnders } from '#call/endpointing.ts'
import { type GateReason, gateReasons } from '#call/gate.ts'
import { type HangupCause, hangupCauses } from '#call/leg.ts'
import type { CallFacts, TurnRecord } from '#call/observer.ts'
import { type OneWayKind, oneWayKinds } from '#call/one-way.ts'
import { type FallbackReason, fallbackReasons } from '#call/playout-contract.ts'
import type { UsageRecord } from '#call/usage-log.ts'
import { type Counter, type Histogram, MetricRegistry } from './metric-registry.ts'
import type { MetricSources } from './metric-sources.ts'
import { exposeProcess, exposeSources } from './source-metrics.ts'

/**
 * What Prometheus scrapes. Events of calls are counted as they come; what the audio path counts by itself is read from
 * its owners at each scrape, so that path never touches this file. No label ever holds an id: each label's values come
 * from a closed list, or from the configuration.
 */

/** Around what callers feel: half a second is quick, two seconds are long. */
const responseBuckets = [0.2, 0.3, 0.4, 0.5, 0.6, 0.8, 1, 1.25, 1.5, 2, 2.5, 3, 4, 6, 10]
const stageBuckets = [0.05, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.75, 1, 1.5, 2, 3, 5, 10]
const reactionBuckets = [0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.4, 0.5, 0.75, 1]
const latenessBuckets = [0.001, 0.002, 0.005, 0.01, 0.02, 0.04, 0.08, 0.16]
const depthBuckets = [0.1, 0.5, 1, 2, 5, 10, 20, 60, 120]
const driftBuckets = [0.02, 0.05, 0.1, 0.5, 1, 5, 30]
const durationBuckets = [5, 10, 30, 60, 120, 300, 600, 1200, 1800, 3600]
const greetingBuckets = [0.02, 0.05, 0.1, 0.15, 0.2, 0.3, 0.5, 0.75, 1, 1.5, 2, 3, 5]

const streamEvents = ['overrun', 'file_failed', 'restart']
const frameKinds = ['in', 'out', 'refused', 'low', 'lost', 'late', 'duplicate', 'reordered', 'concealed']

/** Keys of `limits` that a call can reach and that say more than how many calls there are. */
const limitKinds = ['call_seconds', 'machine_talk_turns', 'provider_minutes_per_day'] as const
type LimitKind = (typeof limitKinds)[number]

export class Metrics {
  readonly registry = new MetricRegistry()
  private readonly calls = this.registry.counter(
    'ai_agent_calls_total',
    'Calls that ended, by provider and hangup cause.',
    ['provider', 'cause'],
  )
  private readonly callDuration = this.registry.histogram(
    'ai_agent_call_duration_seconds',
    'How long calls lasted.',
    durationBuckets,
  )
  private readonly greeting = this.registry.histogram(
    'ai_agent_greeting_delay_seconds',
    'From a call’s admission to the first frame of its greeting.',
    greetingBuckets,
  )
  private readonly turns = this.registry.counter('ai_agent_turns_total', 'Turns of callers, by how they ended.', [
    'outcome',
  ])
  private readonly response = this.registry.histogram(
    'ai_agent_response_seconds',
    'Response time: caller’s end of speech to the first reply frame on the wire.',
    responseBuckets,
    ['provider'],
  )
  private readonly endpointing = this.registry.histogram(
    'ai_agent_endpointing_seconds',
    'Caller’s end of speech to the end of the turn.',
    stageBuckets,
  )
  private readonly stages = this.registry.histogram(
    'ai_agent_turn_stage_seconds',
    'End of the turn to each stage of the reply.',
    stageBuckets,
    ['stage'],
  )
  private readonly bargeIns = this.registry.counter(
    'ai_agent_barge_in_events_total',
    'Speech of callers over the agent’s, by verdict.',
    ['verdict'],
  )
  private readonly repliesTakenUp = this.registry.counter(
    'ai_agent_replies_taken_up_total',
    'Times that a reply was taken up again which a sound without words, or a listener’s words alone, had broken off.',
  )
  private readonly bargeInReaction = this.registry.histogram(
    'ai_agent_barge_in_reaction_seconds',
    'Onset of an interruption to where the agent fell silent.',
    reactionBuckets,
  )
  private readonly overlapSilence = this.registry.histogram(
    'ai_agent_overlap_silence_seconds',
    'For how long speech over the agent’s that was no interruption silenced it.',
    reactionBuckets,
  )
  private readonly turnEnds = this.registry.counter(
    'ai_agent_turn_ends_total',
    'Turns of callers that were over, by who said so.',
    ['by'],
  )
  private readonly engineDelay = this.registry.histogram(
    'ai_agent_engine_delay_seconds',
    'The agent’s first audio of a reply to its first frame on the wire.',
    latenessBuckets,
  )
  private readonly gatesExpired = this.registry.counter(
    'ai_agent_gates_expired_total',
    'Reasons to keep the gate shut that held for longer than they may.',
    ['reason'],
  )
  private readonly faults = this.registry.counter('ai_agent_provider_faults_total', 'Faults of providers in calls.', [
    'provider',
    'code',
  ])
  private readonly underruns = this.registry.counter(
    'ai_agent_underruns_total',
    'Times playout ran dry in mid-reply and went on, in ended calls.',
  )
  private readonly streams = this.registry.counter(
    'ai_agent_stream_events_total',
    'What else happened to the audio of ended calls: queue overruns, files that could not be played, media paths made anew.',
    ['event'],
  )
  private readonly frames = this.registry.counter(
    'ai_agent_frames_total',
    'Frames of 20 ms of ended calls: in and out, refused by the far side, sent with little behind them, lost, late, duplicate, reordered, concealed.',
    ['what'],
  )
  private readonly depth = this.registry.histogram(
    'ai_agent_playout_depth_seconds',
    'The most reply audio that was queued in each ended call.',
    depthBuckets,
  )
  private readonly drift = this.registry.histogram(
    'ai_agent_sample_clock_drift_seconds',
    'By how much the caller’s samples and the wall clock differed at the end of each call.',
    driftBuckets,
  )
  private readonly fallbacks = this.registry.counter(
    'ai_agent_fallbacks_total',
    'Replies whose rest was played from a file, by what led to it.',
    ['trigger'],
  )
  private readonly oneWays = this.registry.counter(
    'ai_agent_one_way_audio_total',
    'Calls with one-way audio, by what was found.',
    ['finding'],
  )
  private readonly conversions = this.registry.counter(
    'ai_agent_conversions_to_spare_total',
    'Needless conversions that the alignment audit of calls found.',
  )
  private readonly lag = this.registry.histogram(
    'ai_agent_loop_lag_seconds',
    'How late the 20 ms tick of all calls came.',
    latenessBuckets,
  )
  private readonly lateness = this.registry.histogram(
    'ai_agent_pacing_lateness_seconds',
    'How late the last frame of a tick had left.',
    latenessBuckets,
  )
  private readonly gateChanges = this.registry.counter(
    'ai_agent_gate_changes_total',
    'Times the gate between caller and agent closed or opened.',
    ['to'],
  )

  private readonly limits = this.registry.counter(
    'ai_agent_limits_reached_total',
    'Calls that reached a limit, by its key: those that it ended, and those that another provider took or nobody.',
    ['limit'],
  )

  private readonly costs = this.registry.counter(
    'ai_agent_cost_total',
    'What ended calls are estimated to have cost, by the prices of the configuration.',
    ['provider', 'currency'],
  )

  private readonly tokens = this.registry.counter(
    'ai_agent_tokens_total',
    'Tokens of models in ended calls, as their vendors tell them; each is counted once.',
    ['provider', 'token_type'],
  )

  private readonly untold = this.registry.counter(
    'ai_agent_answers_without_tokens_total',
    'Answers of models in ended calls whose tokens the vendor did not tell.',
    ['provider'],
  )

  // keyed by: name of a provider
  private readonly expected = new Set<string>()

  constructor(version: string, clock: Clock, sources: MetricSources) {
    exposeProcess(this.registry, version, clock)
    exposeSources(this.registry, sources)
    for (const stage of stageNames) this.stages.zero({ stage })
    for (const verdict of overlapVerdicts) this.bargeIns.inc({ verdict }, 0)
    for (const by of turnEnders) this.turnEnds.inc({ by }, 0)
    for (const reason of gateReasons) this.gatesExpired.inc({ reason }, 0)
    for (const outcome of ['answered', 'interrupted', 'no_words', 'fault', 'abandoned']) this.turns.inc({ outcome }, 0)
    for (const finding of oneWayKinds) this.oneWays.inc({ finding }, 0)
    for (const trigger of fallbackReasons) this.fallbacks.inc({ trigger }, 0)
    for (const event of streamEvents) this.streams.inc({ event }, 0)
    for (const what of frameKinds) this.frames.inc({ what }, 0)
    for (const limit of limitKinds) this.limits.inc({ limit }, 0)
    for (const to of ['closed', 'open']) this.gateChanges.inc({ to }, 0)
  }

  /** Calls of these may come: their series stand at zero from now on, or where they are. */
  expectProviders(names: readonly string[]): void {
    for (const provider of names.filter((name) => !this.expected.has(name))) {
      this.expected.add(provider)
      for (const cause of hangupCauses) this.calls.inc({ provider, cause }, 0)
      this.response.zero({ provider })
    }
  }

  /** The exposition and its content type. */
  scrape(): Promise<{ readonly contentType: string; readonly text: string }> {
    return this.registry.scrape()
  }

  /** One tick: how late it began, and how late its last frame had left. */
  pacing(lagMs: number, latenessMs: number): void {
    this.lag.observe(lagMs / 1000)
    this.lateness.observe(latenessMs / 1000)
  }

  conversionsToSpare(count: number): void {
    this.conversions.inc(count)
  }

  oneWay(kind: OneWayKind): void {
    this.oneWays.inc({ finding: kind })
  }

  fellBack(reason: FallbackReason): void {
    this.fallbacks.inc({ trigger: reason })
  }

  gateChanged(closed: boolean): void {
    this.gateChanges.inc({ to: closed ? 'closed' : 'open' })
  }

  bargeIn(verdict: OverlapVerdict, reactionMs: number, pausedMs: number): void {
    this.bargeIns.inc({ verdict })
    if (verdict === 'interruption') seconds(this.bargeInReaction, reactionMs)
    else seconds(this.overlapSilence, pausedMs)
  }

  limitReached(limit: LimitKind): void {
    this.limits.inc({ limit })
  }

  cost(provider: string, currency: string, cost: number): void {
    this.costs.inc({ provider, currency }, cost)
  }

  private used({ provider, tokens, untold }: UsageRecord): void {
    if (untold > 0) this.untold.inc({ provider }, untold)
    if (tokens === null) return
    for (const kind of tokenKinds) this.tokens.inc({ provider, token_type: kind }, tokens[kind])
  }

  takenUp(): void {
    this.repliesTakenUp.inc()
  }

  gateExpired(reason: GateReason): void {
    this.gatesExpired.inc({ reason })
  }

  fault(provider: string, code: string): void {
    this.faults.inc({ provider, code })
  }

  turn(provider: string, turn: TurnRecord): void {
    this.turns.inc({ outcome: turn.outcome })
    if (turn.responseMs !== null) this.response.observe({ provider }, Math.max(0, turn.responseMs) / 1000)
    if (turn.endpointingMs !== null) seconds(this.endpointing, turn.endpointingMs)
    if (turn.endedBy !== null) this.turnEnds.inc({ by: turn.endedBy })
    if (turn.engineMs !== null) seconds(this.engineDelay, turn.engineMs)
    for (const stage of stageNames) {
      const durationMs = turn.stages[stage]
      if (durationMs !== undefined) this.stages.observe({ stage }, durationMs / 1000)
    }
  }

  finished(facts: CallFacts): void {
    const cause: HangupCause = facts.cause
    this.calls.inc({ provider: facts.provider, cause })
    for (const each of facts.usage) this.used(each)
    if (cause === 'time_limit') this.limitReached('call_seconds')
    if (cause === 'machine_talk') this.limitReached('machine_talk_turns')
    seconds(this.callDuration, facts.durationMs)
    if (facts.steps.greeting_started !== undefined) seconds(this.greeting, facts.steps.greeting_started)
    const { audio } = facts
    if (audio.underruns > 0) this.underruns.inc(audio.underruns)
    count(this.streams, 'event', 'overrun', audio.overruns)
    count(this.streams, 'event', 'file_failed', audio.filesFailed)
    count(this.streams, 'event', 'restart', audio.restarts)
    count(this.frames, 'what', 'in', audio.framesIn)
    count(this.frames, 'what', 'out', audio.framesOut)
    count(this.frames, 'what', 'refused', audio.framesRefused)
    count(this.frames, 'what', 'low', audio.lowFrames)
    count(this.frames, 'what', 'lost', audio.lost)
    count(this.frames, 'what', 'late', audio.late)
    count(this.frames, 'what', 'duplicate', audio.duplicates)
    count(this.frames, 'what', 'reordered', audio.reordered)
    count(this.frames, 'what', 'concealed', audio.concealed)
    seconds(this.depth, audio.depthMaxMs)
    seconds(this.drift, Math.abs(audio.driftMs))
  }
}

function seconds(histogram: Histogram<string>, durationMs: number): void {
  if (Number.isFinite(durationMs)) histogram.observe(Math.max(0, durationMs) / 1000)
}

/** Every label stands at zero from the start, and most of these are zero: they cost nothing then. */
function count<Label extends string>(counter: Counter<Label>, label: Label, value: string, number: number): void {
  if (number > 0) counter.inc({ [label]: value } as Record<Label, string>, number)
}
