import type { AgentEvent, StageName } from '#agent/provider.ts'
import type { Milliseconds } from '#base/clock.ts'
import type { TurnEnder } from './endpointing.ts'
import type { TurnRecord } from './observer.ts'

export type Transcript = Extract<AgentEvent, { type: 'transcript' }>

/** A call longer than this many turns keeps the newest. */
const turnsMax = 400

/** The turns of one call with their stage times: one record per turn of the caller. */
export class TurnLog {
  private readonly callStartedMs: Milliseconds
  private readonly records: TurnRecord[] = []
  private current: TurnRecord | null = null
  private count = 0
  dropped = 0
  /** Of all that the agent said, in turns and outside of them. */
  spokenCharacters = 0

  constructor(callStartedMs: Milliseconds) {
    this.callStartedMs = callStartedMs
  }

  get all(): readonly TurnRecord[] {
    return this.records
  }

  /** When the open turn began, on the clock; null where none is open. */
  get startedMs(): Milliseconds | null {
    return this.current === null ? null : this.current.startedMs + this.callStartedMs
  }

  /** The caller begins to speak, with no turn of theirs open. */
  begin(nowMs: Milliseconds): void {
    this.finish('abandoned')
    this.current = {
      index: this.count,
      startedMs: nowMs - this.callStartedMs,
      speechMs: null,
      endpointingMs: null,
      endedBy: null,
      stages: {},
      responseMs: null,
      engineMs: null,
      heardMs: null,
      outcome: 'pending',
      callerText: '',
      agentText: '',
    }
    this.count += 1
    this.records.push(this.current)
    if (this.records.length > turnsMax) {
      this.records.shift()
      this.dropped += 1
    }
  }

  committed(speechStoppedMs: Milliseconds, nowMs: Milliseconds, by: TurnEnder): void {
    if (this.current === null) return
    this.current.speechMs = speechStoppedMs - this.callStartedMs - this.current.startedMs
    this.current.endpointingMs = nowMs - speechStoppedMs
    this.current.endedBy = by
  }

  /** The caller went on: what the agent made of the turn so far is void. */
  resumed(speechStartedMs: Milliseconds): void {
    // After a fault the turn was closed: what comes now is a turn of its own.
    if (this.current === null) return this.begin(speechStartedMs)
    this.current.stages = {}
    this.current.callerText = ''
    this.current.agentText = ''
  }

  stage(stage: StageName, durationMs: Milliseconds): void {
    if (this.current !== null) this.current.stages[stage] ??= durationMs
  }

  /**
   * A later final of the same side replaces the earlier: after an interruption, what was heard of the reply. Words that
   * are written down late belong to the turn of the moment when they were said.
   */
  text({ side, text, final, spokenAtMs, corrects = '' }: Transcript): void {
    if (!final) return
    // Of a correction only what goes beyond the words that were counted before.
    if (side === 'agent') this.spokenCharacters += Math.max(0, text.length - corrects.length)
    const turn = spokenAtMs === undefined ? this.current : this.at(spokenAtMs)
    if (turn === null) return
    if (side === 'caller') turn.callerText = text
    else turn.agentText = text
  }

  /** @param engineMs from the agent's first audio to its first frame on the wire; null where it is not known */
  replyStarted(responseMs: Milliseconds, engineMs: Milliseconds | null): void {
    if (this.current === null) return
    this.current.responseMs ??= responseMs
    this.current.engineMs ??= engineMs
  }

  private at(atMs: Milliseconds): TurnRecord | null {
    return this.records.findLast(({ startedMs }) => startedMs + this.callStartedMs <= atMs) ?? null
  }

  /** Closes the open turn and returns it; null where none is open. */
  finish(outcome: TurnRecord['outcome'], heardMs?: Milliseconds): TurnRecord | null {
    const turn = this.current
    if (turn === null) return null
    this.current = null
    turn.outcome = outcome
    if (heardMs !== undefined) turn.heardMs = heardMs
    return turn
  }
}
