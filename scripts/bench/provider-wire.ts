import type { CallersJob, EngineJob, FromCallers } from './media-wire.ts'

/**
 * What the processes of `just bench provider` say to each other, beside what those of `just bench media` say: one is the
 * engine, one calls it, one is the stand-in for the vendor's server, and one orchestrates. All times that are compared
 * are `commonNow()` of `turns-wire.ts`.
 */
export const providerFormats = {
  openai_realtime: ['pcmu', 'pcm24'],
  deepgram: ['mulaw', 'linear16'],
} as const
export type ProviderName = keyof typeof providerFormats
export type ProviderFormat = (typeof providerFormats)[ProviderName][number]
export const providerNames = Object.keys(providerFormats) as readonly ProviderName[]

/** What its callers can come through. */
export const providerDoors = ['audiosocket', 'externalmedia'] as const
export type ProviderDoor = (typeof providerDoors)[number]

export interface ProviderCallersJob extends CallersJob {
  readonly door: ProviderDoor
}

export interface ProviderEngineJob extends EngineJob {
  /** Of the stand-in. */
  readonly baseUrl: string
  readonly provider: ProviderName
  readonly format: ProviderFormat
}

export interface StandinJob {
  readonly provider: ProviderName
  /** How many times faster than real time a reply is delivered. */
  readonly pace: number
}

export type ToStandin =
  | { readonly type: 'begin' }
  /** Say what was seen; it goes on serving. */
  | { readonly type: 'end' }

export interface StandinSeen {
  readonly sessions: readonly SessionSeen[]
  /** Messages on the sockets of all sessions between begin and end, by what the engine did with them. */
  readonly bytesSent: number
  readonly bytesReceived: number
  /** The server's own. */
  readonly cpuMs: number
}

export type FromStandin =
  | { readonly type: 'listening'; readonly baseUrl: string }
  | ({ readonly type: 'seen' } & StandinSeen)

/** One session, from its beginning on. */
export interface SessionSeen {
  /** The caller's UUID, which the bench has put into the instructions, or the prompt. */
  readonly call: string
  /** When each append came in. */
  readonly appends: readonly number[]
  /** When the first delta of each reply was handed to the socket. */
  readonly replies: readonly number[]
  readonly speechStarted: readonly number[]
  /** What the server had to object to, by code. */
  readonly errors: readonly string[]
}

/** What a caller did and heard between begin and end, and a little after. */
export interface CallHeard {
  readonly call: string
  /** When each frame was handed to the socket. */
  readonly sent: readonly number[]
  /** Stretches without a silent frame: when their first and last frames came. */
  readonly audible: readonly Stretch[]
}

export interface Stretch {
  readonly fromMs: number
  readonly untilMs: number
}

export type FromProviderCallers =
  | FromCallers
  | { readonly type: 'heard'; readonly fromMs: number; readonly untilMs: number; readonly calls: readonly CallHeard[] }
