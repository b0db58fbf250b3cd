import { spread } from './media-figures.ts'
import type { CallHeard, SessionSeen } from './provider-wire.ts'

/**
 * What the callers and the stand-in noted, put together: how long the engine took between two sockets. Everything is
 * measured from outside, so that measuring costs the engine nothing; the ways through both sockets and the event loops of
 * both other processes are in it.
 */
export interface Delay {
  readonly p50: number | null
  readonly p95: number | null
}

export interface ProviderDelays {
  /** The last frame of an append leaves the caller → the append is at the server. */
  readonly append: Delay
  readonly appends: number
  /** A reply's first delta leaves the server → its first frame is at the caller. */
  readonly firstAudio: Delay
  readonly replies: number
  /** The server says that the caller speaks → the last frame of the reply has sounded at the caller. */
  readonly interruption: Delay
  readonly interruptions: number
  /** Replies of which the caller heard nothing. */
  readonly repliesUnheard: number
  /** Replies that began while another one sounded: not measured. */
  readonly repliesOverlaid: number
}

export interface Window {
  readonly fromMs: number
  readonly untilMs: number
}

/** What happens near the end of the window is not waited for; frames are kept a little longer. */
const edgeMs = 500
const frameMs = 20
/** A frame may come late: so long after the end of its last frame a reply may still go on. */
const lateMs = 10
/** The clocks of two processes differ by so much. */
const clockErrorMs = 0.5

export function providerDelays(
  window: Window,
  calls: readonly CallHeard[],
  sessions: readonly SessionSeen[],
  framesPerAppend: number,
): ProviderDelays {
  const append: number[] = []
  const firstAudio: number[] = []
  const interruption: number[] = []
  let [repliesUnheard, repliesOverlaid] = [0, 0]
  // keyed by: the caller's UUID
  const seen = new Map(sessions.map((session) => [session.call, session]))
  const inside = (atMs: number) => atMs >= window.fromMs && atMs <= window.untilMs - edgeMs
  for (const call of calls) {
    const session = seen.get(call.call)
    if (session === undefined) continue
    append.push(...appendDelays(call.sent, session.appends.filter(inside), framesPerAppend))
    for (const atMs of session.replies.filter(inside)) {
      const first = firstFrameMs(call, atMs)
      if (first === 'overlaid') repliesOverlaid += 1
      else if (first === 'unheard') repliesUnheard += 1
      else firstAudio.push(first - atMs)
    }
    for (const atMs of session.speechStarted.filter(inside)) {
      const sounding = call.audible.find(({ fromMs, untilMs }) => fromMs <= atMs && atMs <= untilMs + frameMs + lateMs)
      if (sounding !== undefined) interruption.push(Math.max(0, sounding.untilMs + frameMs - atMs))
    }
  }
  return {
    append: delay(append),
    appends: append.length,
    firstAudio: delay(firstAudio),
    replies: firstAudio.length,
    interruption: delay(interruption),
    interruptions: interruption.length,
    repliesUnheard,
    repliesOverlaid,
  }
}

/**
 * Which frames are in which append nobody says, but they follow each other: append n ends with frame n × size + shift, and
 * no append arrives before its last frame has left. The latest shift for which that holds is the true one, as long as the
 * engine was quicker than a frame's 20 ms at least once.
 */
export function appendDelays(sent: readonly number[], appends: readonly number[], framesPerAppend: number): number[] {
  let shift = Number.POSITIVE_INFINITY
  let latest = -1
  for (const [index, atMs] of appends.entries()) {
    while ((sent[latest + 1] ?? Number.POSITIVE_INFINITY) <= atMs + clockErrorMs) latest += 1
    // What left before the first that was noted could be anywhere.
    if (latest >= 0) shift = Math.min(shift, latest - index * framesPerAppend)
  }
  return appends.flatMap((atMs, index) => {
    const lastMs = sent[index * framesPerAppend + shift]
    return lastMs === undefined ? [] : [Math.max(0, atMs - lastMs)]
  })
}

function firstFrameMs({ audible }: CallHeard, atMs: number): number | 'unheard' | 'overlaid' {
  if (audible.some(({ fromMs, untilMs }) => fromMs < atMs && untilMs > atMs)) return 'overlaid'
  return audible.find(({ fromMs }) => fromMs >= atMs)?.fromMs ?? 'unheard'
}

/** Nothing where nothing was measured: no time is not zero. */
function delay(values: readonly number[]): Delay {
  return values.length === 0 ? { p50: null, p95: null } : spread(Float64Array.from(values), ['p50', 'p95'])
}
