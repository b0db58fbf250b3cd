import type { Milliseconds } from '#base/clock.ts'
import { overlapVerdicts } from '#call/barge-in.ts'
import type { SimulatedCall } from './simulated-call.ts'
import type { Utterance } from './utterances.ts'

/** What must be true of the turns of a call when it is over. */
export function checkTurns(call: SimulatedCall): void {
  checkRecords(call)
  checkOverlaps(call)
  for (const { from, until } of call.mutedSaid) {
    if (call.agentEar.hasAny(from, until)) call.report('overheard', `some of samples ${from} to ${until}`)
  }
  // A leg that takes nothing, and a machine that stands still, lose what the caller says.
  if (call.stalled || call.legFaults) return
  for (const utterance of call.utterances.all) checkUtterance(call, utterance)
  checkPatience(call)
}

function checkRecords(call: SimulatedCall): void {
  const { observer, agentEar } = call
  const facts = observer.facts[0]
  if (facts === undefined) return
  const wrong = (what: string) => call.report('records', what)
  for (const [at, turn] of facts.turns.entries()) {
    if (turn.index !== at + facts.turnsDropped) wrong(`turn ${turn.index} at ${at}`)
    if (turn.outcome === 'pending') wrong(`turn ${turn.index} has no outcome`)
    const { speechMs, endpointingMs, responseMs, engineMs, heardMs } = turn
    for (const [name, ms] of Object.entries({ speechMs, endpointingMs, responseMs, engineMs, heardMs })) {
      if (ms !== null && !(ms >= 0 && ms < 900_000)) wrong(`turn ${turn.index}: ${name} of ${ms}`)
    }
    if (turn.outcome === 'interrupted' && turn.endedBy === null) wrong(`turn ${turn.index} was never committed`)
  }
  if (observer.turns.length !== facts.turns.length + facts.turnsDropped) {
    wrong(`${observer.turns.length} turns told, ${facts.turns.length} kept`)
  }
  if (call.findsTurns) return
  const committed = observer.turns.filter(({ endedBy }) => endedBy !== null).length
  const { length: commits } = agentEar.commits
  if (committed > commits || committed < commits - agentEar.resumptions) {
    wrong(`${committed} turns ended, ${commits} commits, ${agentEar.resumptions} taken back`)
  }
}

function checkOverlaps(call: SimulatedCall): void {
  const { observer, plan } = call
  const facts = observer.facts[0]
  if (facts === undefined) return
  const wrong = (what: string) => call.report('records', what)
  for (const verdict of overlapVerdicts) {
    const told = observer.bargeIns.filter((one) => one.verdict === verdict).length
    const counted = facts.overlapCounts[verdict]
    const kept = facts.overlaps.filter((one) => one.verdict === verdict).length
    if (told !== counted || kept > counted) wrong(`${verdict}: ${told} told, ${counted} counted, ${kept} kept`)
  }
  const { onOverlap, pauseMaxMs } = plan.turns.bargeIn
  const pausedMsMax = onOverlap === 'none' ? 0 : pauseMaxMs + (call.stalled ? 200 : 20)
  for (const { startedMs, durationMs, pausedMs, verdict } of facts.overlaps) {
    const fits = durationMs >= 0 && pausedMs >= 0 && pausedMs <= pausedMsMax
    if (!fits) wrong(`${verdict} at ${startedMs}: ${durationMs} ms, paused for ${pausedMs} ms`)
  }
}

/** From its last sound on, a turn is over within so much. */
function longestPauseMs({ plan }: SimulatedCall): Milliseconds {
  const { silenceMs, minSilenceMs, maxSilenceMs } = plan.turns.endpointing
  return Math.max(silenceMs, minSilenceMs, maxSilenceMs) + 1000
}

const listening = ['listening', 'caller_speaking', 'endpointing', 'thinking'] as const
const listens = (state: string) => listening.some((one) => one === state)

/** Long enough for any policy, and nobody took it for an echo, or an echo for it. */
function isClear(call: SimulatedCall, { clear, muted, frames, fromMs, untilMs }: Utterance): boolean {
  const lied = call.echo?.lies.some((atMs) => atMs > fromMs - 1000 && atMs < untilMs + 2000) ?? false
  return clear && !muted && frames >= 15 && !lied
}

/** What a caller clearly says reaches the agent whole, and as a turn, where it is theirs to speak. */
function checkUtterance(call: SimulatedCall, utterance: Utterance): void {
  const { agentEar } = call
  const { from, until, fromMs, untilMs, noticedIn } = utterance
  if (!isClear(call, utterance) || noticedIn === null || noticedIn === 'ended') return
  if (endedBy(call, untilMs + 200)) return
  const name = `samples ${from} to ${until} from ${fromMs} to ${untilMs}, noticed in ${noticedIn}`
  if (call.findsTurns) {
    if (utterance.beganIn !== 'opening' && !agentEar.has(from, until, untilMs))
      call.report('turn_lost', `${name}: not heard`)
    return
  }
  if (noticedIn !== 'caller_speaking' && listens(noticedIn)) return call.report('turn_lost', `${name}: not noticed`)
  if (!isTurn(call, utterance)) return
  // What was said over the agent is kept for four seconds.
  if (noticedIn !== 'caller_speaking' && untilMs - fromMs > 3000) return
  if (agentEar.commits.some(({ atMs, cut }) => cut && atMs >= fromMs && atMs <= untilMs + 100)) return
  const commit = agentEar.commits.find(({ atMs }) => atMs >= untilMs)
  if (commit === undefined) {
    if (!endedBy(call, Math.max(call.utterances.lastLoudMs, untilMs) + longestPauseMs(call))) {
      call.report('turn_lost', `${name}: never committed`)
    }
  } else if (!agentEar.has(from, until, commit.atMs)) {
    call.report('turn_lost', `${name}: committed at ${commit.atMs} without all of it`)
  }
}

const endedBy = (call: SimulatedCall, atMs: Milliseconds) =>
  Math.min(call.hangUpMs ?? Number.POSITIVE_INFINITY, call.endingMs ?? Number.POSITIVE_INFINITY) <= atMs

/** It was the caller's to speak, or it was judged an interruption, or it was no echo in a guard time. */
function isTurn(call: SimulatedCall, { fromMs, untilMs, noticedIn, states }: Utterance): boolean {
  if (states.some(listens)) return true
  if (noticedIn === 'guarding' && states.every((state) => state === 'guarding')) return call.echo !== null
  const sinceMs = call.startedMs
  const overlaps = call.observer.facts[0]?.overlaps ?? []
  return overlaps.some(({ startedMs, durationMs, verdict }) => {
    const onsetMs = startedMs + sinceMs
    return verdict === 'interruption' && onsetMs < untilMs && onsetMs + durationMs > fromMs
  })
}

/** Who is hung up on for saying nothing has said nothing for so long. */
function checkPatience(call: SimulatedCall): void {
  if (call.cause !== 'no_input') return
  const { afterMs } = call.plan.turns.noInput
  const last = call.utterances.all.findLast((one) => isClear(call, one) && one.states.some(listens))
  const silentMs = (call.hangUpMs ?? 0) - (last?.untilMs ?? 0)
  if (afterMs === 0 || silentMs < afterMs)
    call.report('ending', `no input, ${silentMs} ms after the caller's last word`)
}
