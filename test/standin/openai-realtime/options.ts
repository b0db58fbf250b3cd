import type { RealtimeAudioFormats } from 'openai/resources/realtime/realtime'
import type { Clock, Milliseconds } from '#base/clock.ts'
import type { Random } from '#base/random.ts'
import type { Eagerness } from '../turn-finder.ts'
import type { WireEvent } from './beta.ts'
import type { StandinSession } from './session.ts'
import type { SentDelta } from './session-record.ts'

/** What a stand-in for the Realtime API does; only clock and chance have to be given. */
export interface StandinOptions {
  readonly clock: Clock
  readonly random: Random
  /** Default 127.0.0.1. */
  readonly hostname?: string
  /** Default 0: any that is free. */
  readonly port?: number
  /** The only key that is accepted; without it any is, and none is needed. */
  readonly key?: string
  /** The only models there are; without it any is. `/models` lists them. */
  readonly models?: readonly string[]
  /** Takes `/openai/v1/realtime` with the header `api-key`, as Azure does, and not `/v1/realtime`. */
  readonly azure?: boolean
  /** Which spelling of events it speaks; `beta` tolerates the header `OpenAI-Beta`, which `ga` refuses. */
  readonly names?: 'ga' | 'beta'

  /** What it says, response after response, then from the start again; or a function that is asked each time. */
  readonly replies?: readonly Reply[] | ReplyScript
  /** Said to a `response.create` before the caller's first turn; without it the script's next reply is. */
  readonly greeting?: Reply
  /** How many times faster than real time a reply is delivered; 0: all at once. Default 3. */
  readonly pace?: number
  /** Audio in one delta. Default 100. */
  readonly deltaMs?: Milliseconds
  /** From `response.created` to the first delta. Default 0. */
  readonly firstDeltaAfterMs?: Milliseconds
  /** The output is in this format whatever the session was told, for clients that check what they get. */
  readonly answerFormat?: RealtimeAudioFormats
  /** Deltas of a cancelled response that are sent all the same, before its `response.done`: they were under way. */
  readonly lateDeltas?: number
  /** The same, after its `response.done`. */
  readonly lateDeltasAfterDone?: number

  /**
   * What the caller said, turn by turn, where transcription is configured; null: the transcription fails. Default:
   * `caller turn 1` and so on.
   */
  readonly callerTranscripts?: readonly (string | null)[] | ((turn: number) => string | null)
  /** From the commit to the transcript: it comes from another model, and may come late. Default 300. */
  readonly transcriptionAfterMs?: Milliseconds
  /** Silence that ends a turn for semantic VAD, by eagerness. It hears no meaning: each is one length. */
  readonly semanticSilenceMs?: Partial<Readonly<Record<Eagerness, Milliseconds>>>

  /** A session ends by itself after this. Default 60 minutes. */
  readonly sessionMaxMs?: Milliseconds
  /** Accepts the connection and never says anything, not even `session.created`. */
  readonly silentFromStart?: boolean
  /** Sends events that no client knows, in between. */
  readonly unknownEvents?: boolean
  /** Refuses what connects; can be changed while it runs. */
  readonly refusal?: Refusal

  /** Keeps what was received and sent for tests to look at. Default true; the counters count either way. */
  readonly keepEvents?: boolean
  /** Keeps the caller's audio. Default true. */
  readonly keepAudio?: boolean
  readonly onSession?: (session: StandinSession) => void
  /** Each event as it is handed to the socket, audio deltas excepted: for what is measured where nothing is kept. */
  readonly onSent?: (session: StandinSession, event: WireEvent) => void
  readonly onDelta?: (session: StandinSession, delta: SentDelta) => void
}

export interface Reply {
  /** Its transcript, or with text output the reply itself. */
  readonly text?: string
  readonly audio?: ReplyAudio
  /** Without `audio`: so much of a pattern of tones (`tone-pattern.ts`). Default: 60 ms for each letter of `text`. */
  readonly ms?: Milliseconds
  /** Functions it calls, after what it says; `arguments` as an object, or as the very text. */
  readonly calls?: readonly FunctionCall[]
  /** What it says that the response has taken; else it counts. */
  readonly usage?: object
  readonly fault?: ReplyFault
}

export interface ReplyAudio {
  readonly samples: Int16Array
  readonly sampleRateHz: number
}

export interface FunctionCall {
  readonly name: string
  readonly arguments: string | Readonly<Record<string, unknown>>
  readonly callId?: string
}

export type ReplyFault =
  /** Nothing after `response.created`. */
  | { readonly kind: 'silence' }
  /** After so much audio no more comes, and the response stays open. */
  | { readonly kind: 'stall'; readonly afterMs: Milliseconds }
  /** After so much audio the connection is gone, without a close frame. */
  | { readonly kind: 'cut'; readonly afterMs: Milliseconds }
  /** `response.done` with status failed, as when the quota has run out in mid-session. */
  | { readonly kind: 'failed'; readonly type?: string; readonly code?: string; readonly message?: string }
  /** An event `error` (server_error by default) in place of the response. */
  | { readonly kind: 'error'; readonly type?: string; readonly code?: string; readonly message?: string }
  /** Ends early: `response.done` with status incomplete. */
  | {
      readonly kind: 'incomplete'
      readonly afterMs: Milliseconds
      readonly reason?: 'max_output_tokens' | 'content_filter'
    }

export interface ReplyRequest {
  /** Counted from 0 in each session; greetings by `greeting` do not count. */
  readonly index: number
  readonly asked: 'turn' | 'client'
  /** Those of this very `response.create`. */
  readonly instructions: string | null
  /** The latest item of the conversation is the output of a function. */
  readonly afterFunctionOutput: boolean
  readonly session: StandinSession
}

export type ReplyScript = (request: ReplyRequest) => Reply

export interface Refusal {
  readonly kind: 'bad_key' | 'rate_limited' | 'insufficient_quota' | 'unknown_model' | 'server_error' | 'never_answers'
  readonly retryAfterSeconds?: number
  /**
   * The upgrade succeeds, then comes an event `error` and a close frame (3000 for the key, else 4000) whose reason is
   * `type.code`: seen of the real server for bad keys and for what is wrong with the request.
   */
  readonly afterUpgrade?: boolean
}

export const standinDefaults = {
  hostname: '127.0.0.1',
  port: 0,
  names: 'ga',
  pace: 3,
  deltaMs: 100,
  firstDeltaAfterMs: 0,
  transcriptionAfterMs: 300,
  sessionMaxMs: 60 * 60_000,
} as const
