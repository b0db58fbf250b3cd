import type { SentReply } from '../fakes/scripted-agent.ts'
import type { Heard } from './ear.ts'
import { wasDry } from './replies.ts'
import type { SimulatedCall } from './simulated-call.ts'

/** What must be true of a call when it is over; what must be true at each moment is in `watch.ts`. */

/** A reply that is still under way when its call ends sounded, or was sent, this lately: playout gives up after 5 s. */
export const idleMsMax = 8000
/** For how long at most the machine stands still. */
export const stallMsMax = 100

export function checkFinished(call: SimulatedCall): void {
  checkEnd(call)
  checkCounters(call)
  for (const reply of call.session?.replies ?? []) checkReply(call, reply)
  checkOrder(call)
}

function checkEnd(call: SimulatedCall): void {
  const { observer, session, legs, pbx } = call
  if (observer.facts.length !== 1) call.report('ending', `the call ended ${observer.facts.length} times`)
  if (pbx.releases !== 1) call.report('ending', `the Asterisk side was released ${pbx.releases} times`)
  if (session !== null && !session.closed) call.report('left_over', 'the agent session is open')
  if (legs.some((leg) => !leg.ended)) call.report('left_over', 'a leg is open')
  if ((call.files?.playing ?? 0) > 0) call.report('left_over', 'a file plays on')
  if (observer.gates.at(-1) === true) call.report('left_over', 'the gate is shut')
  if (observer.gates.some((closed, index) => closed !== (index % 2 === 0))) {
    call.report('counters', `the gate was reported as ${observer.gates.join(', ')}`)
  }
}

function checkCounters(call: SimulatedCall): void {
  const audio = call.observer.facts[0]?.audio
  if (audio === undefined) return
  const sum = (what: 'taken' | 'refused') => call.legs.reduce((total, leg) => total + leg[what], 0)
  const compare = (name: string, counted: number, seen: number) => {
    if (counted !== seen) call.report('counters', `${name}: ${counted} counted, ${seen} seen`)
  }
  compare('frames out', audio.framesOut, sum('taken'))
  compare('frames refused', audio.framesRefused, sum('refused'))
  compare('restarts', audio.restarts, Math.max(0, call.legs.length - 1))
  compare('files failed', audio.filesFailed, call.files?.failed ?? 0)
  compare('interruptions', call.observer.facts[0]?.overlapCounts.interruption ?? 0, call.observer.interruptions.length)
  if (!isPlain(call)) return
  const { sure, perhaps } = gapsHeard(call)
  if (audio.underruns < sure || audio.underruns > sure + perhaps) {
    call.report('counters', `underruns: ${audio.underruns} counted, ${sure} heard, and perhaps ${perhaps} more`)
  }
}

/** All of it went the straight way: what is heard then follows from what was sent and when. */
export function isPlain(call: SimulatedCall): boolean {
  return !call.stalled && !call.legFaults && call.plan.playout.mode === 'stream' && call.observer.fallbacks.length === 0
}

/**
 * Silence within a reply: two runs of it that do not follow each other frame by frame. Not for sure one that was dry are
 * those before audio that came after the reply's end, or after five seconds of nothing: to the engine another reply may
 * begin there. Nor is what happens between the hanging up and the call's end, and where somebody spoke over the agent:
 * there it is a pause, and surely no more than that where there was audio to go on with.
 */
function gapsHeard(call: SimulatedCall): { readonly sure: number; readonly perhaps: number } {
  const goneMs = call.hangUpMs ?? Number.POSITIVE_INFINITY
  let sure = 0
  // Between two that are one to the engine there may be one too.
  let perhaps = call.joined.length
  for (const reply of call.session?.replies ?? []) {
    const lateFrom = reply.chunks.find((chunk) => chunk.late)?.from
    const runs = call.ear.heard.filter((run) => run.reply === reply.number)
    for (const [index, run] of runs.entries()) {
      const before = runs[index - 1]
      // Frame by frame they follow each other.
      if (before === undefined || run.atMs - before.atMs <= 20) continue
      const held = call.overlapTicks.some((atMs) => atMs > before.atMs && atMs < run.atMs)
      if (held && !ranDry(call, reply, before)) continue
      if (held || run.from === lateFrom || run.atMs > goneMs || wasDry(reply)) perhaps += 1
      else sure += 1
    }
    // What was left of a reply when the caller hung up goes on until the call has ended, unheard.
    const cutOff = reply.interrupted === null && (call.accepted[reply.number] ?? 0) > call.ear.samplesOf(reply.number)
    if (cutOff || reply.chunks.some((chunk) => chunk.accepted && chunk.atMs > goneMs)) perhaps += 1
  }
  return { sure, perhaps }
}

/** After that run there was not a frame more of the reply. */
function ranDry(call: SimulatedCall, reply: SentReply, run: Heard): boolean {
  const sent = reply.chunks.reduce(
    (until, { from, count, accepted, atMs }) => (accepted && atMs <= run.atMs ? from + count : until),
    0,
  )
  return sent - (run.from + run.count) < call.line.sampleRateHz / 50
}

/** Heard is what was sent and taken, sample by sample, from its first on, and to its last unless it was cut. */
function checkReply(call: SimulatedCall, reply: SentReply): void {
  const heard = call.ear.heard.filter((run) => run.reply === reply.number)
  const taken = mergedChunks(reply)
  // Where a file breaks off, or is stopped, is known to a few frames: so much may be missing or doubled there, once for
  // each. What breaks off while the engine stands still is known of behind that.
  const frameSamples = call.line.sampleRateHz / 50
  const stallFrames = call.stalled ? stallMsMax / 20 : 0
  const slips = (call.files?.slipFrames ?? [])
    .map((frames) => (frames + stallFrames) * frameSamples)
    .sort((a, b) => a - b)
  const takeSlip = (slip: number) => {
    const index = slips.findIndex((slipMax) => Math.abs(slip) <= slipMax)
    if (index >= 0) slips.splice(index, 1)
    return index >= 0
  }
  let piece = 0
  let next = taken[0]?.from ?? 0
  for (const run of heard) {
    const slip = run.from - next
    if (slip !== 0 && !takeSlip(slip))
      call.report(slip > 0 ? 'lost' : 'doubled', `${name(reply, run)}: sample ${next} was to come`)
    next = run.from + run.count
    const end = taken[piece]?.until ?? 0
    if (next > end) return call.report('strange', `${name(reply, run)}: the engine had the floor for ${end} only`)
    if (next === end && piece + 1 < taken.length) {
      piece += 1
      next = taken[piece]?.from ?? 0
    }
  }
  const whole = piece === taken.length - 1 && next === taken.at(-1)?.until
  if (taken.length === 0 || whole || reply.interrupted !== null) return
  if (takeSlip((taken.at(-1)?.until ?? 0) - next)) return
  checkBrokenOff(call, reply, heard, next)
}

const name = (reply: SentReply, run: Heard) =>
  `reply ${reply.number}, samples ${run.from} to ${run.from + run.count - 1} by ${run.via} at ${run.atMs}`

/** Not heard to its end, and not interrupted: only the end of the call excuses that. */
function checkBrokenOff(call: SimulatedCall, reply: SentReply, heard: readonly Heard[], next: number): void {
  const endedMs = call.hangUpMs ?? 0
  const lastMs = Math.max(heard.at(-1)?.atMs ?? 0, ...withJoined(call, reply).map(lastAcceptedMs))
  const later = call.ear.heard.find((run) => run.reply > reply.number)
  if (later !== undefined) {
    call.report('lost', `reply ${reply.number} ends at sample ${next}, and reply ${later.reply} follows`)
  } else if (endedMs - lastMs > idleMsMax) {
    call.report('lost', `reply ${reply.number} ends at sample ${next}, ${endedMs - lastMs} ms before the call does`)
  }
}

/** And those that came before it was over: they are one to the engine. */
function withJoined(call: SimulatedCall, reply: SentReply): SentReply[] {
  const later = call.session?.replies.slice(reply.number) ?? []
  const other = later.findIndex(({ number, chunks }) => chunks.length > 0 && !call.joined.includes(number))
  return [reply, ...later.slice(0, other < 0 ? later.length : other)]
}

const lastAcceptedMs = ({ chunks }: SentReply) => chunks.findLast(({ accepted }) => accepted)?.atMs ?? 0

/** Replies follow each other; they are not mixed. */
function checkOrder(call: SimulatedCall): void {
  let latest = 0
  for (const run of call.ear.heard) {
    if (run.reply < latest) return call.report('doubled', `reply ${run.reply} sounds again after reply ${latest}`)
    latest = run.reply
  }
}

/** What the engine took of a reply, neighbours joined. */
function mergedChunks(reply: SentReply): { from: number; until: number }[] {
  const merged: { from: number; until: number }[] = []
  for (const { from, count, accepted } of reply.chunks) {
    if (!accepted) continue
    const last = merged.at(-1)
    if (last?.until === from) last.until += count
    else merged.push({ from, until: from + count })
  }
  return merged
}

/** A reply begins to sound at the first tick after its warm-up is there, and not before. */
export function checkStart(call: SimulatedCall, reply: SentReply): void {
  const [first] = reply.chunks
  const warmUpMs = call.warmUps[reply.number]
  if (first?.accepted !== true || warmUpMs === undefined) return
  // One that another follows at once is one reply with it.
  if (call.joined.some((number) => number === reply.number || number === reply.number + 1)) return
  // Nothing less than a frame can leave, unless it is all there is.
  const enoughMs = enoughSince(reply, (Math.max(20, warmUpMs) * call.line.sampleRateHz) / 1000)
  const startMs = call.ear.heard.find((run) => run.reply === reply.number)?.atMs
  // A provider that stops is waited for five seconds; then what there is of the reply sounds.
  const gaveUp = enoughMs === null && startMs !== undefined && startMs - first.atMs >= 4900
  if (startMs !== undefined && (enoughMs === null || startMs < enoughMs) && !gaveUp) {
    call.report('early_start', `reply ${reply.number} at ${startMs}, its warm-up of ${warmUpMs} ms at ${enoughMs}`)
  }
  if (enoughMs === null) return
  const overMs = Math.min(
    reply.interrupted?.atMs ?? Number.POSITIVE_INFINITY,
    call.hangUpMs ?? Number.POSITIVE_INFINITY,
  )
  if (overMs <= enoughMs + 20) return
  // Held back before it has begun.
  const dueMs = Math.min(startMs ?? overMs, overMs)
  if (call.overlapTicks.some((atMs) => atMs >= enoughMs && atMs <= dueMs)) return
  if (startMs === undefined || startMs > enoughMs + 20) {
    call.report('late_start', `reply ${reply.number} at ${startMs}, its warm-up of ${warmUpMs} ms at ${enoughMs}`)
  }
}

/** When the warm-up was there, or all of the reply; null where neither came, or what came was not taken. */
function enoughSince(reply: SentReply, warmUpSamples: number): number | null {
  let samples = 0
  for (const { count, accepted, atMs, late } of reply.chunks) {
    if (late) return reply.doneMs
    if (!accepted) return null
    samples += count
    if (samples >= warmUpSamples) return atMs
  }
  return reply.doneMs
}
