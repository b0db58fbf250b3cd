import type { StageName } from '#agent/provider.ts'
import type { Milliseconds } from '#base/clock.ts'
import type { OverlapVerdict } from './barge-in.ts'
import type { ChoiceFacts } from './choice.ts'
import type { TurnEnder } from './endpointing.ts'
import type { GateReason } from './gate.ts'
import type { IncidentRecord } from './incident-log.ts'
import type { HangupCause, Transport } from './leg.ts'
import type { OneWayAdvice, OneWayKind } from './one-way.ts'
import type { OverlapRecord } from './overlap-log.ts'
import type { FallbackReason } from './playout-contract.ts'
import type { UsageRecord } from './usage-log.ts'

/**
 * What a call tells the world about itself: the log, the metrics and the call's record listen here, so the call knows
 * none of them. Nothing on the 20 ms path is reported; counters of that path are read from their owners.
 */

/** The steps of a call, one info line each, in the order in which they can first happen. */
export const callSteps = [
  'admitted',
  'answered',
  'bridged',
  'media_open',
  'first_caller_audio',
  'gate_closed',
  'greeting_started',
  'greeting_finished',
  'gate_opened',
  'hangup',
  'cleaned',
] as const
export type CallStep = (typeof callSteps)[number]

/** Through the Stasis application, or straight from the dialplan's `AudioSocket()`. */
export type CallOrigin = 'ari' | 'dialplan'

export interface Caller {
  readonly number: string
  readonly name: string
  /** The extension or number that was dialled. */
  readonly dialled: string
}

/** One turn of the caller and what the agent made of it. Times are milliseconds; `null` where a stage did not happen. */
export interface TurnRecord {
  readonly index: number
  /** Since the call began. */
  startedMs: Milliseconds
  /** From the first to the last voiced window. */
  speechMs: Milliseconds | null
  /** End of speech → commit. */
  endpointingMs: Milliseconds | null
  /** Who said that the turn was over. */
  endedBy: TurnEnder | null
  /** Commit → each stage, as the session measured it. */
  stages: Partial<Record<StageName, Milliseconds>>
  /** End of speech → first reply frame on the wire. */
  responseMs: Milliseconds | null
  /** The agent's first audio → its first frame on the wire: what the engine itself adds. */
  engineMs: Milliseconds | null
  /** How much of the reply left playout. */
  heardMs: Milliseconds | null
  outcome: 'pending' | 'answered' | 'interrupted' | 'no_words' | 'fault' | 'abandoned'
  /** Kept only in memory unless `logging.transcripts` is on. */
  callerText: string
  agentText: string
}

/** The stream of one call; frames are of 20 ms. */
export interface AudioFacts {
  readonly framesIn: number
  readonly framesOut: number
  /** Frames that the far side did not take. */
  readonly framesRefused: number
  readonly underruns: number
  readonly overruns: number
  /** Replies whose rest took the file path, and stretches that could not be played from a file. */
  readonly fallbacks: number
  readonly filesFailed: number
  /** Media paths that followed a lost one. */
  readonly restarts: number
  /** Frames sent with less than the low watermark behind them. */
  readonly lowFrames: number
  /** The most reply audio that was ever queued. */
  readonly depthMaxMs: Milliseconds
  /** By how much the caller's samples ran ahead of the wall clock; behind it: negative. */
  readonly driftMs: Milliseconds
  /** Of datagrams; a stream has none of these. */
  readonly lost: number
  readonly late: number
  readonly duplicates: number
  readonly reordered: number
  readonly concealed: number
  readonly detectorFull: number
}

export interface CallFacts {
  readonly callId: string
  readonly caller: Caller
  readonly choice: ChoiceFacts
  readonly provider: string
  readonly origin: CallOrigin
  readonly transport: Transport
  readonly startedWallMs: Milliseconds
  readonly durationMs: Milliseconds
  /** For how long the agent's session was open; 0 where it never was. */
  readonly sessionMs: Milliseconds
  /** By provider: of a pipeline, of each of its parts. */
  readonly usage: readonly UsageRecord[]
  readonly cause: HangupCause
  /** Each step's first time, in milliseconds since the call began. */
  readonly steps: Readonly<Partial<Record<CallStep, Milliseconds>>>
  readonly turns: readonly TurnRecord[]
  readonly turnsDropped: number
  /** Characters of what the agent said, the greeting included; of an interrupted reply, as far as it tells. */
  readonly spokenCharacters: number
  /** Speech over the agent's, by verdict; of the newest of them, each by itself. */
  readonly overlapCounts: Readonly<Record<OverlapVerdict, number>>
  readonly overlaps: readonly OverlapRecord[]
  readonly faults: number
  /** What went wrong with the agent, faults among it. */
  readonly incidents: readonly IncidentRecord[]
  readonly digits: number
  readonly oneWay: readonly OneWayKind[]
  readonly audio: AudioFacts
}

export interface CallObserver {
  /** `detail` is `again` where a step that comes back in each turn has been reported before. */
  step(callId: string, step: CallStep, sinceStartMs: Milliseconds, detail?: string): void
  gate(closed: boolean): void
  /** The caller broke in; `heardMs` of the greeting or the reply had been heard. */
  interrupted(callId: string, what: 'greeting' | 'reply', heardMs: Milliseconds): void
  /**
   * Speech over the agent's is over, or has interrupted it. `reactionMs`: from its onset to where the agent fell silent,
   * for an interruption; `pausedMs`: for how long it silenced the agent while it was not known what it was.
   */
  bargeIn(callId: string, verdict: OverlapVerdict, reactionMs: Milliseconds, pausedMs: Milliseconds): void
  /** What had broken off a reply held no word, or a listener's: the agent says the rest of it. */
  takenUp(callId: string): void
  /** A reason to keep the gate shut held for longer than it may, and holds no more. */
  gateExpired(callId: string, reason: GateReason): void
  turn(callId: string, provider: string, turn: TurnRecord): void
  transcript(callId: string, side: 'caller' | 'agent', text: string): void
  /** Every conversion between the caller's telephone and the provider; `needless` says which could be spared, and how. */
  alignment(callId: string, path: string, needless: readonly string[]): void
  oneWay(callId: string, kind: OneWayKind, advice: OneWayAdvice): void
  fellBack(callId: string, reason: FallbackReason): void
  /** The media path was lost and is being made anew. */
  restarted(callId: string): void
  fault(callId: string, provider: string, code: string, message: string): void
  /** A caller comes whom this provider may not answer today; `fallback`: who answers, null where nobody does. */
  quotaReached(provider: string, fallback: string | null): void
  /** The call is over and nothing of it is left. */
  finished(facts: CallFacts): void
}
