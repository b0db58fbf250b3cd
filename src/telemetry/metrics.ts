import { readdirSync } from 'node:fs'
import { Counter, Gauge, Histogram, Registry } from 'prom-client'
import { stageNames } from '#agent/provider.ts'
import type { Clock } from '#base/clock.ts'
import { patchcordResults } from '#call/admission.ts'
import { type HangupCause, hangupCauses } from '#call/leg.ts'
import type { CallFacts, TurnRecord } from '#call/observer.ts'
import { turnStates } from '#call/turn-state.ts'
import type { MetricSources } from './metric-sources.ts'

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
const durationBuckets = [5, 10, 30, 60, 120, 300, 600, 1200, 1800, 3600]
const greetingBuckets = [0.02, 0.05, 0.1, 0.15, 0.2, 0.3, 0.5, 0.75, 1, 1.5, 2, 3, 5]

export class Metrics {
  readonly registry = new Registry()
  private readonly calls = this.counter('ai_agent_calls_total', 'Calls that ended, by provider and hangup cause.', [
    'provider',
    'cause',
  ])
  private readonly callDuration = this.histogram(
    'ai_agent_call_duration_seconds',
    'How long calls lasted.',
    durationBuckets,
  )
  private readonly greeting = this.histogram(
    'ai_agent_greeting_delay_seconds',
    'From a call’s admission to the first frame of its greeting.',
    greetingBuckets,
  )
  private readonly turns = this.counter('ai_agent_turns_total', 'Turns of callers, by how they ended.', ['outcome'])
  private readonly response = this.histogram(
    'ai_agent_response_seconds',
    'Response time: caller’s end of speech to the first reply frame on the wire.',
    responseBuckets,
    ['provider'],
  )
  private readonly endpointing = this.histogram(
    'ai_agent_endpointing_seconds',
    'Caller’s end of speech to the end of the turn.',
    stageBuckets,
  )
  private readonly stages = this.histogram(
    'ai_agent_turn_stage_seconds',
    'End of the turn to each stage of the reply.',
    stageBuckets,
    ['stage'],
  )
  private readonly bargeIns = this.counter(
    'ai_agent_barge_in_events_total',
    'Speech of callers over the agent’s, by verdict.',
    ['verdict'],
  )
  private readonly bargeInReaction = this.histogram(
    'ai_agent_barge_in_reaction_seconds',
    'Onset of an interruption to the stop of playout.',
    reactionBuckets,
  )
  private readonly faults = this.counter('ai_agent_provider_faults_total', 'Faults of providers in calls.', [
    'provider',
    'code',
  ])
  private readonly underruns = this.counter(
    'ai_agent_underruns_total',
    'Times playout ran dry in mid-reply, in ended calls.',
  )
  private readonly framesRefused = this.counter(
    'ai_agent_frames_refused_total',
    'Frames dropped since the peer did not read, in ended calls.',
  )
  private readonly lateness = this.histogram(
    'ai_agent_pacing_lateness_seconds',
    'How late the 20 ms tick of all calls came.',
    latenessBuckets,
  )
  private readonly gateChanges = this.counter(
    'ai_agent_gate_changes_total',
    'Times the gate between caller and agent closed or opened.',
    ['to'],
  )

  constructor(version: string, clock: Clock, sources: MetricSources, providerNames: readonly string[]) {
    this.fixed(version, clock)
    this.fromSources(sources)
    for (const provider of providerNames) {
      for (const cause of hangupCauses) this.calls.inc({ provider, cause }, 0)
      this.response.zero({ provider })
    }
    for (const stage of stageNames) this.stages.zero({ stage })
    for (const verdict of ['interruption', 'false_interruption']) this.bargeIns.inc({ verdict }, 0)
    for (const outcome of ['answered', 'interrupted', 'no_words', 'fault', 'abandoned']) this.turns.inc({ outcome }, 0)
    for (const to of ['closed', 'open']) this.gateChanges.inc({ to }, 0)
  }

  /** The exposition and its content type, which Prometheus insists on. */
  async scrape(): Promise<{ readonly contentType: string; readonly text: string }> {
    return { contentType: this.registry.contentType, text: await this.registry.metrics() }
  }

  pacingLateness(latenessMs: number): void {
    this.lateness.observe(latenessMs / 1000)
  }

  gateChanged(closed: boolean): void {
    this.gateChanges.inc({ to: closed ? 'closed' : 'open' })
  }

  bargeIn(verdict: 'interruption' | 'false_interruption', reactionMs: number): void {
    this.bargeIns.inc({ verdict })
    if (verdict === 'interruption') seconds(this.bargeInReaction, reactionMs)
  }

  fault(provider: string, code: string): void {
    this.faults.inc({ provider, code })
  }

  turn(provider: string, turn: TurnRecord): void {
    this.turns.inc({ outcome: turn.outcome })
    if (turn.responseMs !== null) this.response.observe({ provider }, Math.max(0, turn.responseMs) / 1000)
    if (turn.endpointingMs !== null) seconds(this.endpointing, turn.endpointingMs)
    for (const stage of stageNames) {
      const durationMs = turn.stages[stage]
      if (durationMs !== undefined) this.stages.observe({ stage }, durationMs / 1000)
    }
  }

  finished(facts: CallFacts): void {
    const cause: HangupCause = facts.cause
    this.calls.inc({ provider: facts.provider, cause })
    seconds(this.callDuration, facts.durationMs)
    if (facts.steps.greeting_started !== undefined) seconds(this.greeting, facts.steps.greeting_started)
    this.underruns.inc(facts.audio.underruns)
    this.framesRefused.inc(facts.audio.framesRefused)
  }

  private fixed(version: string, clock: Clock): void {
    this.gauge('ai_agent_build_info', 'Constant 1; the labels say what runs.', ['version', 'bun']).set(
      { version, bun: Bun.version },
      1,
    )
    this.gauge('process_start_time_seconds', 'When the process started, in seconds since 1970.').set(
      Math.round(clock.wallNow() / 1000 - process.uptime()),
    )
    this.read('process_resident_memory_bytes', 'Memory of the process that is in RAM, workers included.', () =>
      process.memoryUsage.rss(),
    )
    this.read('process_open_fds', 'Open files and sockets of the process; 0 where the system does not tell.', openFiles)
    this.total('process_cpu_seconds_total', 'CPU time of the process, workers included.', () => {
      const usage = process.cpuUsage()
      return (usage.user + usage.system) / 1e6
    })
  }

  private fromSources(sources: MetricSources): void {
    this.read('ai_agent_calls_active', 'Calls being served.', sources.activeCalls)
    this.read('ai_agent_provider_sessions', 'Open sessions of providers.', sources.providerSessions)
    this.readEach(
      'ai_agent_conversation_state',
      'Calls by the state of their turn.',
      'state',
      turnStates,
      sources.turnStates,
    )
    this.read(
      'ai_agent_tts_gating_active',
      'Calls whose caller is not listened to now, since the agent speaks.',
      sources.gatesClosed,
    )
    this.read(
      'ai_agent_audio_capture_enabled',
      'Calls whose caller is listened to now.',
      () => sources.activeCalls() - sources.gatesClosed(),
    )
    this.read('ai_agent_ari_connected', '1 while the event socket to Asterisk is open.', () =>
      sources.ariConnected() ? 1 : 0,
    )
    this.total('ai_agent_ari_events_total', 'Messages on the event socket.', () => sources.ariEvents().received)
    this.total(
      'ai_agent_ari_events_malformed_total',
      'Messages on the event socket that made no sense.',
      () => sources.ariEvents().malformed,
    )
    this.total(
      'ai_agent_ari_reconnects_total',
      'Attempts to reach Asterisk again.',
      () => sources.ariEvents().reconnects,
    )
    this.totalEach(
      'ai_agent_calls_refused_total',
      'Callers sent back to the dialplan, by PATCHCORD_RESULT.',
      'result',
      patchcordResults,
      sources.refused,
    )
    this.totalEach(
      'ai_agent_unknown_events_total',
      'Events for a call, channel or playback that nobody knows.',
      'kind',
      [],
      sources.unknownEvents,
    )
    this.totalEach(
      'ai_agent_orphans_removed_total',
      'Callers, media channels and bridges of this application that no call owned.',
      'orphan',
      [],
      sources.orphans,
    )
    this.read(
      'ai_agent_audiosocket_connections',
      'Open AudioSocket connections.',
      () => sources.audioSocket().connections,
    )
    this.total(
      'ai_agent_audiosocket_accepted_total',
      'AudioSocket connections that became a leg.',
      () => sources.audioSocket().accepted,
    )
    this.totalEach(
      'ai_agent_audiosocket_rejected_total',
      'AudioSocket connections turned away, by reason.',
      'reason',
      [],
      () => sources.audioSocket().rejected,
    )
    this.totalEach(
      'ai_agent_audiosocket_violations_total',
      'Legs ended since their peer broke the protocol.',
      'violation',
      [],
      () => sources.audioSocket().violations,
    )
    this.total(
      'ai_agent_audiosocket_unknown_messages_total',
      'AudioSocket messages of a kind that is not known, skipped.',
      () => sources.audioSocket().unknownKinds,
    )
    this.total('ai_agent_pacing_ticks_total', 'Ticks of the 20 ms clock.', () => sources.pacer().ticks)
    this.total(
      'ai_agent_pacing_late_ticks_total',
      'Ticks so late that a frame time had been missed.',
      () => sources.pacer().lateTicks,
    )
    this.total(
      'ai_agent_pacing_frames_skipped_total',
      'Frame times given up since a tick was more than 100 ms late.',
      () => sources.pacer().framesSkipped,
    )
    this.read('ai_agent_vad_sessions', 'Calls under speech detection.', () => sources.detector().open)
    this.total('ai_agent_vad_windows_total', 'Windows of 32 ms judged.', () => sources.detector().windows)
    this.total(
      'ai_agent_vad_windows_dropped_total',
      'Windows dropped since speech detection was behind.',
      () => sources.detector().droppedWindows,
    )
    this.total(
      'ai_agent_vad_restarts_total',
      'Times the speech detection worker was started again.',
      () => sources.detector().restarts,
    )
    this.readEach('ai_agent_provider_ready', '1 where the provider can take calls.', 'provider', [], () =>
      Object.fromEntries(Object.entries(sources.providersReady()).map(([name, ready]) => [name, ready ? 1 : 0])),
    )
    this.readEach(
      'ai_agent_provider_queue',
      'Jobs of all calls that wait inside the provider.',
      'provider',
      [],
      sources.queued,
    )
    this.read('ai_agent_timers', 'Timers that are armed.', sources.timers)
    this.total('ai_agent_call_records_total', 'Call records written.', () => sources.records().written)
    this.total(
      'ai_agent_call_records_lost_total',
      'Call records that could not be written.',
      () => sources.records().lost,
    )
  }

  private counter<Label extends string>(name: string, help: string, labelNames: readonly Label[] = []): Counter<Label> {
    return new Counter({ name, help, labelNames, registers: [this.registry] })
  }

  private gauge<Label extends string>(name: string, help: string, labelNames: readonly Label[] = []): Gauge<Label> {
    return new Gauge({ name, help, labelNames, registers: [this.registry] })
  }

  private histogram<Label extends string>(
    name: string,
    help: string,
    buckets: number[],
    labelNames: readonly Label[] = [],
  ): Histogram<Label> {
    return new Histogram({ name, help, buckets, labelNames, registers: [this.registry] })
  }

  private read(name: string, help: string, value: () => number): void {
    new Gauge({
      name,
      help,
      registers: [this.registry],
      collect() {
        this.set(value())
      },
    })
  }

  private readEach(
    name: string,
    help: string,
    label: string,
    known: readonly string[],
    values: () => Readonly<Partial<Record<string, number>>>,
  ): void {
    new Gauge({
      name,
      help,
      labelNames: [label],
      registers: [this.registry],
      collect() {
        this.reset()
        for (const value of known) this.set({ [label]: value }, 0)
        for (const [value, number] of Object.entries(values())) this.set({ [label]: value }, number ?? 0)
      },
    })
  }

  private total(name: string, help: string, value: () => number): void {
    new Counter({
      name,
      help,
      registers: [this.registry],
      collect() {
        this.reset()
        this.inc(value())
      },
    })
  }

  private totalEach(
    name: string,
    help: string,
    label: string,
    known: readonly string[],
    values: () => Readonly<Partial<Record<string, number>>>,
  ): void {
    new Counter({
      name,
      help,
      labelNames: [label],
      registers: [this.registry],
      collect() {
        this.reset()
        for (const value of known) this.inc({ [label]: value }, 0)
        for (const [value, number] of Object.entries(values())) this.inc({ [label]: value }, number ?? 0)
      },
    })
  }
}

function openFiles(): number {
  try {
    return readdirSync('/proc/self/fd').length
  } catch {
    return 0
  }
}

function seconds(histogram: Histogram<string>, durationMs: number): void {
  if (Number.isFinite(durationMs)) histogram.observe(Math.max(0, durationMs) / 1000)
}
