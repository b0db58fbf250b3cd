import type { Log } from '#base/log.ts'
import type { CallFacts, CallObserver, CallStep } from '#call/observer.ts'
import { callCosts, type Prices, sumOf } from './call-cost.ts'
import { type CallRecordFile, callRecord, streamFacts } from './call-record.ts'
import type { Metrics } from './metrics.ts'

/** What each step of a call says in the log: one info line per call and step. */
const stepMessages: Record<CallStep, string> = {
  admitted: 'call admitted',
  answered: 'call answered',
  bridged: 'call bridged',
  media_open: 'media open',
  first_caller_audio: 'first caller audio',
  gate_closed: 'gate closed',
  greeting_started: 'greeting started',
  greeting_finished: 'greeting finished',
  gate_opened: 'gate opened',
  hangup: 'hang-up',
  cleaned: 'call cleaned',
}

/** Steps that come back in each turn: after their first time they are no news. */
const repeating: readonly CallStep[] = ['gate_closed', 'gate_opened']

/** Tells the log, the metrics and the record file what calls report. */
export function createCallObserver(
  log: Log,
  metrics: Metrics,
  records: CallRecordFile,
  transcripts: boolean,
  prices: Prices,
): CallObserver {
  return {
    step(callId, step, sinceStartMs, detail) {
      const fields = {
        call: callId,
        step,
        at_ms: Math.round(sinceStartMs),
        ...(detail === undefined ? {} : { detail }),
      }
      const again = repeating.includes(step) && detail === 'again'
      if (again) log.debug(stepMessages[step], fields)
      else log.info(stepMessages[step], fields)
    },
    gate: (closed) => metrics.gateChanged(closed),
    interrupted: (callId, what, heardMs) =>
      log.info('interrupted by the caller', { call: callId, what, heard_ms: Math.round(heardMs) }),
    bargeIn(callId, verdict, reactionMs, pausedMs) {
      metrics.bargeIn(verdict, reactionMs, pausedMs)
      log.debug('speech over the agent', { call: callId, verdict, paused_ms: Math.round(pausedMs) })
    },
    takenUp(callId) {
      metrics.takenUp()
      log.info('what interrupted asked for nothing: the reply is taken up', { call: callId })
    },
    gateExpired(callId, reason) {
      metrics.gateExpired(reason)
      log.warn('the gate was held shut for too long, and is open again', { call: callId, reason })
    },
    turn(callId, provider, turn) {
      metrics.turn(provider, turn)
      log.info('turn finished', {
        call: callId,
        outcome: turn.outcome,
        response_ms: turn.responseMs === null ? null : Math.round(turn.responseMs),
      })
    },
    transcript(callId, side, text) {
      if (transcripts) log.info('transcript', { call: callId, side, text })
    },
    alignment(callId, path, needless) {
      log.info('audio path', { call: callId, path, conversions_to_spare: needless.length })
      for (const advice of needless) log.warn('a conversion that could be spared', { call: callId, advice })
      metrics.conversionsToSpare(needless.length)
    },
    oneWay(callId, kind, { cause, cure }) {
      metrics.oneWay(kind)
      log.warn('one-way audio', { call: callId, kind, cause, cure })
    },
    fellBack(callId, reason) {
      metrics.fellBack(reason)
      log.warn('the rest of the reply is played from a file', { call: callId, reason })
    },
    restarted: (callId) => log.warn('the media path was lost: making it anew', { call: callId }),
    fault(callId, provider, code, message) {
      metrics.fault(provider, code)
      log.warn('provider fault', { call: callId, provider, code, why: message })
    },
    quotaReached(provider, fallback) {
      metrics.limitReached('provider_minutes_per_day')
      log.warn('the minutes of a provider are used up for today', { provider, fallback: fallback ?? 'none' })
    },
    finished(facts: CallFacts) {
      const { currency } = prices
      const costs = callCosts(facts, prices)
      metrics.finished(facts)
      for (const { provider, cost } of costs ?? []) metrics.cost(provider, currency, cost)
      log.info('call summary', { call: facts.callId, ...summary(facts) })
      records.append(callRecord(facts, transcripts, costs === null ? null : { cost: sumOf(costs), currency }))
    },
  }
}

/** The one line that says how a call went; no name, no number, no words. */
function summary(facts: CallFacts) {
  const { audio } = facts
  const responses = facts.turns.flatMap((turn) => (turn.responseMs === null ? [] : [turn.responseMs]))
  return {
    cause: facts.cause,
    duration_s: Math.round(facts.durationMs / 1000),
    provider: facts.provider,
    transport: facts.transport,
    turns: facts.turns.length + facts.turnsDropped,
    response_ms_max: responses.length === 0 ? null : Math.round(Math.max(...responses)),
    barge_ins: facts.overlapCounts.interruption,
    faults: facts.faults,
    one_way: facts.oneWay.join(',') || 'no',
    ...streamFacts(audio),
  }
}
