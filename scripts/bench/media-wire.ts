import type { Transport } from '#call/leg.ts'

/** What the three processes of `just bench media` say to each other: one orchestrates, one is the engine, one calls. */
export type Door = Transport

/** p50 and so on of a distribution, in milliseconds. */
export type Spread<Name extends string> = Readonly<Record<Name, number>>

export interface EngineJob {
  readonly door: Door
  /** Calls at once, short ones included. */
  readonly callsMax: number
  /** Where the callers' process takes WebSockets, as Asterisk's HTTP server does. */
  readonly mediaPort: number
  /** Turns are found by the engine's own speech detection, which else is off. */
  readonly vad: boolean
  /** Each pause is put to the end-of-turn model as well, as the engine does by default. */
  readonly turnEnds: boolean
  /** The engine refuses what would be too much, as it does by default; else it takes all. */
  readonly admission: boolean
}

export type ToEngine =
  /** All calls are up: count from here. */
  | { readonly type: 'begin' }
  | { readonly type: 'end' }
  /** The callers have hung up: say when no call is left. */
  | { readonly type: 'drain' }
  | { readonly type: 'stop' }

export interface EngineUsage {
  readonly wallMs: number
  readonly cpuMs: number
  readonly rssBytes: number
  /** The engine's own count. */
  readonly calls: number
  readonly loopLagMs: Spread<'p50' | 'p99' | 'max'>
}

export type FromEngine =
  | { readonly type: 'listening'; readonly port: number; readonly rssBytes: number }
  | { readonly type: 'begun' }
  | ({ readonly type: 'usage' } & EngineUsage)
  | { readonly type: 'drained'; readonly underruns: number; readonly lateTicks: number; readonly framesGivenUp: number }

export interface CallersJob {
  readonly door: Door
  /** The engine's: of its AudioSocket server, else of the stand-in for ARI. */
  readonly port: number
  readonly mediaPort: number
  readonly calls: number
  readonly seconds: number
  readonly setupRate: number
  /** Short calls a second beside the measured ones. */
  readonly churn: number
  /** Calls that are turned away at their set-up are counted, and are no failure. */
  readonly admission: boolean
}

export type ToCallers = { readonly type: 'begin' } | { readonly type: 'hang_up' }

export interface CallersFigures {
  /** Turned away at their set-up. */
  readonly refused: number
  readonly callsHeld: number
  readonly framesExpected: number
  readonly framesReceived: number
  readonly gapMs: Spread<'p50' | 'p95' | 'p99' | 'p999' | 'max'>
  readonly latenessMs: Spread<'p50' | 'p99' | 'max'>
  readonly lateFrames: number
  /** Share of the frames that held a reply and not silence. */
  readonly audibleShare: number
  readonly shortCalls: number
  readonly shortCallsFailed: number
  readonly cpuMsPerCallSecond: number
  /** How late the callers' own timers were: the gaps hold it, whatever the engine does. */
  readonly ownLagMs: Spread<'p50' | 'p99' | 'max'>
}

export type FromCallers =
  | { readonly type: 'up'; readonly setupMs: number }
  /** The seconds are over; frames are still taken, to see whether any is missing. */
  | { readonly type: 'elapsed' }
  | ({ readonly type: 'figures' } & CallersFigures)
  | { readonly type: 'failed'; readonly why: string }
