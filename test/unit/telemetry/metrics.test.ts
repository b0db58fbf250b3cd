import { describe, expect, test } from 'bun:test'
import { stageNames } from '#agent/provider.ts'
import type { Violation } from '#asterisk/audiosocket.ts'
import type { Rejection } from '#asterisk/audiosocket-server.ts'
import type { MediaRejection } from '#asterisk/media-websocket-door.ts'
import type { MediaViolation } from '#asterisk/media-websocket-leg.ts'
import type { Dropped } from '#asterisk/remote-endpoint.ts'
import type { RtpCounters } from '#asterisk/rtp-leg.ts'
import { patchcordResults } from '#call/admission.ts'
import { overlapVerdicts } from '#call/barge-in.ts'
import { turnEnders } from '#call/endpointing.ts'
import { gateReasons } from '#call/gate.ts'
import { hangupCauses, transports } from '#call/leg.ts'
import type { TurnRecord } from '#call/observer.ts'
import { oneWayKinds } from '#call/one-way.ts'
import { fallbackReasons } from '#call/playout-contract.ts'
import { unknownKinds } from '#call/session-store.ts'
import { turnStates } from '#call/turn-state.ts'
import type { MetricSources } from '#telemetry/metric-sources.ts'
import { Metrics } from '#telemetry/metrics.ts'
import { callFacts, turnRecord } from '../../fakes/call-facts.ts'
import { ManualClock } from '../../fakes/manual-clock.ts'
import { metricSources } from '../../fakes/metric-sources.ts'

const build = (sources: Partial<MetricSources> = {}) => {
  const metrics = new Metrics('1.2.3', new ManualClock(), metricSources(sources))
  metrics.expectProviders(['local', 'loopback'])
  return metrics
}

/** One sample by its whole name with labels; undefined where it is not exposed. */
async function sample(metrics: Metrics, name: string): Promise<number | undefined> {
  const { text } = await metrics.scrape()
  const line = text.split('\n').find((candidate) => candidate.startsWith(`${name} `))
  return line === undefined ? undefined : Number(line.slice(name.length + 1))
}

// As records, so that the compiler asks for a value that is added to a type.
const rejections: Record<Rejection, true> = {
  not_allowed: true,
  too_many_connections: true,
  uuid_timeout: true,
  closed_before_uuid: true,
  unknown_uuid: true,
  duplicate_uuid: true,
  refused: true,
  first_message_not_uuid: true,
  bad_uuid_length: true,
  second_uuid: true,
  oversized_payload: true,
  bad_dtmf: true,
  peer_error: true,
  unexpected_rate: true,
  flood: true,
}
const violations: readonly Violation[] = [
  'first_message_not_uuid',
  'bad_uuid_length',
  'second_uuid',
  'oversized_payload',
  'bad_dtmf',
  'peer_error',
  'unexpected_rate',
  'flood',
]
const mediaRejections: Record<MediaRejection, true> = {
  not_allowed: true,
  unauthorized: true,
  not_websocket: true,
  wrong_path: true,
  too_many_connections: true,
  connect_failed: true,
  start_timeout: true,
  closed_before_start: true,
  unknown_uuid: true,
  duplicate_uuid: true,
  refused: true,
}
const mediaViolations: Record<MediaViolation, true> = { format_mismatch: true, flood: true }
const rtpObstacles: Record<keyof RtpCounters['unsent'], true> = { refused: true, full: true, no_remote: true }
const rtpFlaws: Record<Dropped, true> = {
  short: true,
  version: true,
  extension: true,
  padding: true,
  payload_type: true,
  payload_size: true,
  foreign_source: true,
  not_allowed: true,
  no_call: true,
  unknown_source: true,
  flood: true,
}
const outcomes: Record<TurnRecord['outcome'], true> = {
  pending: true,
  answered: true,
  interrupted: true,
  no_words: true,
  fault: true,
  abandoned: true,
}
const each = (names: readonly string[]) => Object.fromEntries(names.map((name) => [name, 1]))

/** Everything that can happen has happened, in calls whose ids and words are easy to find again. */
function busy(): Metrics {
  const metrics = build({
    turnStates: () => each(turnStates),
    refused: () => each(patchcordResults),
    unknownEvents: () => each(unknownKinds),
    audioSocket: () => ({
      connections: 1,
      accepted: 1,
      rejected: each(Object.keys(rejections)),
      violations: each(violations),
      unknownKinds: 1,
    }),
    transport: () => 'websocket',
    rtp: () => ({
      openPorts: 1,
      packetsIn: 1,
      packetsOut: 1,
      dropped: each(Object.keys(rtpFlaws)),
      unsent: each(Object.keys(rtpObstacles)),
      bindFailures: 1,
    }),
    mediaWebSocket: () => ({
      connections: 1,
      accepted: 1,
      rejected: each(Object.keys(mediaRejections)),
      violations: each(Object.keys(mediaViolations)),
      framesShed: 1,
      xoffs: 1,
      errors: 1,
      unknownEvents: 1,
      malformedEvents: 1,
    }),
    warmUpExtraMs: () => ({ local: 20, loopback: 0 }),
    providersReady: () => ({ local: true, loopback: false }),
    queued: () => ({ local: 2, loopback: 0 }),
    usedMs: () => ({ local: 90_000, loopback: 0 }),
  })
  for (const cause of hangupCauses) metrics.finished(callFacts({ cause }))
  for (const outcome of Object.keys(outcomes) as TurnRecord['outcome'][]) {
    metrics.turn('local', turnRecord({ outcome, stages: each(stageNames) }))
  }
  metrics.fault('local', 'unreachable')
  for (const verdict of overlapVerdicts) metrics.bargeIn(verdict, 250, 100)
  metrics.takenUp()
  for (const reason of gateReasons) metrics.gateExpired(reason)
  metrics.gateChanged(true)
  metrics.gateChanged(false)
  metrics.pacing(3, 5)
  for (const kind of oneWayKinds) metrics.oneWay(kind)
  for (const reason of fallbackReasons) metrics.fellBack(reason)
  metrics.conversionsToSpare(1)
  metrics.cost('local', 'EUR', 0.25)
  metrics.limitReached('provider_minutes_per_day')
  return metrics
}

describe('labels', () => {
  const closedLists: Record<string, readonly string[]> = {
    provider: ['local', 'loopback'],
    cause: hangupCauses,
    outcome: Object.keys(outcomes),
    answer: ['changed', 'unchanged', 'refused'],
    stage: stageNames,
    verdict: overlapVerdicts,
    by: turnEnders,
    to: ['closed', 'open'],
    state: turnStates,
    result: patchcordResults,
    kind: unknownKinds,
    reason: [...Object.keys(rejections), ...Object.keys(mediaRejections), ...gateReasons],
    violation: [...violations, ...Object.keys(mediaViolations)],
    transport: transports,
    way: ['in', 'out'],
    flaw: Object.keys(rtpFlaws),
    obstacle: Object.keys(rtpObstacles),
    // A fault's code is its provider's own, short and stable.
    code: ['unreachable'],
    finding: oneWayKinds,
    trigger: fallbackReasons,
    event: ['overrun', 'file_failed', 'restart', 'shed', 'xoff', 'error', 'unknown', 'malformed'],
    what: ['in', 'out', 'refused', 'low', 'lost', 'late', 'duplicate', 'reordered', 'concealed'],
    limit: ['call_seconds', 'machine_talk_turns', 'provider_minutes_per_day'],
    currency: ['EUR'],
    version: ['1.2.3'],
    bun: [Bun.version],
  }

  test('every value comes from a closed list or from the configuration', async () => {
    for (const metric of await busy().registry.getMetricsAsJSON()) {
      for (const { labels } of metric.values) {
        for (const [label, value] of Object.entries(labels)) {
          if (label === 'le') continue
          expect({ metric: metric.name, label, known: closedLists[label]?.includes(String(value)) }).toEqual({
            metric: metric.name,
            label,
            known: true,
          })
        }
      }
    }
  })

  test('no id, no number and no word of a caller is in the exposition', async () => {
    const { text } = await busy().scrape()
    for (const secret of ['call-id-7f3a', '4312345', 'Ada', 'secret', 'answer to them'])
      expect(text).not.toContain(secret)
  })

  test('a series is there from the start, at 0, so that a rate never begins with a gap', async () => {
    const metrics = build()
    for (const cause of hangupCauses) {
      expect(await sample(metrics, `ai_agent_calls_total{provider="local",cause="${cause}"}`)).toBe(0)
    }
    for (const result of patchcordResults) {
      expect(await sample(metrics, `ai_agent_calls_refused_total{result="${result}"}`)).toBe(0)
    }
    for (const state of turnStates) {
      expect(await sample(metrics, `ai_agent_conversation_state{state="${state}"}`)).toBe(0)
    }
    expect(await sample(metrics, 'ai_agent_response_seconds_count{provider="loopback"}')).toBe(0)
  })
})

describe('numbers', () => {
  test('a call that ended', async () => {
    const metrics = build()
    metrics.finished(callFacts({ durationMs: 61_500 }))
    metrics.finished(callFacts({ cause: 'media_lost', durationMs: 500, steps: {} }))
    expect(await sample(metrics, 'ai_agent_calls_total{provider="local",cause="caller"}')).toBe(1)
    expect(await sample(metrics, 'ai_agent_calls_total{provider="local",cause="media_lost"}')).toBe(1)
    expect(await sample(metrics, 'ai_agent_call_duration_seconds_sum')).toBe(62)
    expect(await sample(metrics, 'ai_agent_greeting_delay_seconds_count')).toBe(1)
    expect(await sample(metrics, 'ai_agent_greeting_delay_seconds_bucket{le="0.15"}')).toBe(1)
    expect(await sample(metrics, 'ai_agent_greeting_delay_seconds_bucket{le="0.1"}')).toBe(0)
    expect(await sample(metrics, 'ai_agent_underruns_total')).toBe(6)
    const frames = {
      in: 20,
      out: 22,
      refused: 4,
      low: 18,
      lost: 24,
      late: 26,
      duplicate: 28,
      reordered: 30,
      concealed: 32,
    }
    for (const [what, count] of Object.entries(frames)) {
      expect(await sample(metrics, `ai_agent_frames_total{what="${what}"}`)).toBe(count)
    }
    for (const [event, count] of Object.entries({ overrun: 8, file_failed: 14, restart: 16 })) {
      expect(await sample(metrics, `ai_agent_stream_events_total{event="${event}"}`)).toBe(count)
    }
    expect(await sample(metrics, 'ai_agent_playout_depth_seconds_sum')).toBe(2.469)
    // Behind the clock is as far off as ahead of it: twice 40.2 ms.
    expect(await sample(metrics, 'ai_agent_sample_clock_drift_seconds_sum')).toBeCloseTo(0.0804, 6)
  })

  test('a turn: seconds, and nothing for what did not happen', async () => {
    const metrics = build()
    metrics.turn('local', turnRecord({ responseMs: 850, endpointingMs: 600, stages: { stt: 90 } }))
    metrics.turn('local', turnRecord({ responseMs: null, endpointingMs: null, stages: {}, outcome: 'no_words' }))
    expect(await sample(metrics, 'ai_agent_turns_total{outcome="answered"}')).toBe(1)
    expect(await sample(metrics, 'ai_agent_turns_total{outcome="no_words"}')).toBe(1)
    expect(await sample(metrics, 'ai_agent_response_seconds_sum{provider="local"}')).toBe(0.85)
    expect(await sample(metrics, 'ai_agent_response_seconds_count{provider="local"}')).toBe(1)
    expect(await sample(metrics, 'ai_agent_endpointing_seconds_sum')).toBe(0.6)
    expect(await sample(metrics, 'ai_agent_turn_stage_seconds_sum{stage="stt"}')).toBe(0.09)
    expect(await sample(metrics, 'ai_agent_turn_stage_seconds_count{stage="llm_first_token"}')).toBe(0)
  })

  test('a reply that began before the detector knew of the end is a response time of 0, not below', async () => {
    const metrics = build()
    metrics.turn('local', turnRecord({ responseMs: -40 }))
    expect(await sample(metrics, 'ai_agent_response_seconds_sum{provider="local"}')).toBe(0)
  })

  test('speech over the agent: each by its verdict, the reaction of the true ones', async () => {
    const metrics = build()
    metrics.bargeIn('interruption', 250, 40)
    metrics.bargeIn('backchannel', 900, 125)
    expect(await sample(metrics, 'ai_agent_barge_in_events_total{verdict="interruption"}')).toBe(1)
    expect(await sample(metrics, 'ai_agent_barge_in_events_total{verdict="backchannel"}')).toBe(1)
    expect(await sample(metrics, 'ai_agent_barge_in_reaction_seconds_sum')).toBe(0.25)
    expect(await sample(metrics, 'ai_agent_overlap_silence_seconds_sum')).toBe(0.125)
  })

  test('what its owners count is read anew at each scrape, and never added up', async () => {
    let received = 5
    let rejected: Record<string, number> = { uuid_timeout: 2 }
    const metrics = build({
      activeCalls: () => 3,
      gatesClosed: () => 1,
      listening: () => 2,
      ariConnected: () => true,
      ariEvents: () => ({ received, ignored: 0, malformed: 1, reconnects: 2 }),
      audioSocket: () => ({ connections: 3, accepted: 9, rejected, violations: {}, unknownKinds: 0 }),
    })
    expect(await sample(metrics, 'ai_agent_ari_events_total')).toBe(5)
    received = 7
    rejected = { uuid_timeout: 3, refused: 1 }
    expect(await sample(metrics, 'ai_agent_ari_events_total')).toBe(7)
    expect(await sample(metrics, 'ai_agent_audiosocket_rejected_total{reason="uuid_timeout"}')).toBe(3)
    expect(await sample(metrics, 'ai_agent_audiosocket_rejected_total{reason="refused"}')).toBe(1)
    expect(await sample(metrics, 'ai_agent_calls_active')).toBe(3)
    expect(await sample(metrics, 'ai_agent_audio_capture_enabled')).toBe(2)
    expect(await sample(metrics, 'ai_agent_ari_connected')).toBe(1)
  })

  test('lateness of the 20 ms clock is in seconds', async () => {
    const metrics = build()
    metrics.pacing(2, 7)
    expect(await sample(metrics, 'ai_agent_loop_lag_seconds_sum')).toBe(0.002)
    expect(await sample(metrics, 'ai_agent_pacing_lateness_seconds_sum')).toBe(0.007)
    expect(await sample(metrics, 'ai_agent_pacing_lateness_seconds_bucket{le="0.005"}')).toBe(0)
    expect(await sample(metrics, 'ai_agent_pacing_lateness_seconds_bucket{le="0.01"}')).toBe(1)
  })

  test('one-way audio, fallbacks and needless conversions are counted by their kind, from 0 on', async () => {
    const metrics = build()
    const names = [
      ...oneWayKinds.map((kind) => `ai_agent_one_way_audio_total{finding="${kind}"}`),
      ...fallbackReasons.map((reason) => `ai_agent_fallbacks_total{trigger="${reason}"}`),
      'ai_agent_conversions_to_spare_total',
    ]
    for (const name of names) expect(await sample(metrics, name)).toBe(0)
    for (const kind of oneWayKinds) metrics.oneWay(kind)
    for (const reason of fallbackReasons) metrics.fellBack(reason)
    metrics.conversionsToSpare(1)
    for (const name of names) expect(await sample(metrics, name)).toBe(1)
  })

  test('the way of audio is one of three, and what underruns have added is in seconds', async () => {
    const metrics = build({ transport: () => 'externalmedia', warmUpExtraMs: () => ({ local: 120 }) })
    for (const transport of transports) {
      const value = await sample(metrics, `ai_agent_audio_transport{transport="${transport}"}`)
      expect(value).toBe(transport === 'externalmedia' ? 1 : 0)
    }
    expect(await sample(metrics, 'ai_agent_warm_up_extra_seconds{provider="local"}')).toBe(0.12)
  })

  test('what runs is named', async () => {
    expect(await sample(build(), `ai_agent_build_info{version="1.2.3",bun="${Bun.version}"}`)).toBe(1)
  })
})

test('limits that calls have reached, and the minutes of today', async () => {
  const metrics = busy()
  expect(await sample(metrics, 'ai_agent_limits_reached_total{limit="call_seconds"}')).toBe(1)
  expect(await sample(metrics, 'ai_agent_limits_reached_total{limit="provider_minutes_per_day"}')).toBe(1)
  expect(await sample(metrics, 'ai_agent_provider_minutes_today{provider="local"}')).toBe(1.5)
})
