import type { Clock, Milliseconds } from '#base/clock.ts'
import type { Random } from '#base/random.ts'
import type { AgentSession } from './agent-session.ts'
import type { AnySession } from './server.ts'
import type { SentChunk } from './session-record.ts'

/** What a stand-in for Deepgram does; only clock and chance have to be given. Names are those of the other stand-in. */
export interface StandinOptions {
  readonly clock: Clock
  readonly random: Random
  /** Default 127.0.0.1. */
  readonly hostname?: string
  /** Default 0: any that is free. */
  readonly port?: number
  /** The only key that is accepted; without it any is, and none is needed. */
  readonly key?: string

  /** What the agent says, reply after reply, then from the start again; or a function that is asked each time. */
  readonly replies?: readonly Reply[] | ReplyScript
  /** How the greeting of the settings sounds, and the messages that a client injects; their text is the client's. */
  readonly greeting?: Reply
  readonly injected?: Reply
  /** How many times faster than real time audio is delivered; 0: all at once. Default 3. */
  readonly pace?: number
  /** Audio in one binary message. Default 100. */
  readonly chunkMs?: Milliseconds
  /** From the end of the caller's turn, or from a flush, to the first audio. Default 0. */
  readonly firstChunkAfterMs?: Milliseconds
  /** Chunks of an interrupted reply, or of cleared speech, that are sent all the same: they were under way. */
  readonly lateChunks?: number
  /** `AgentAudioDone` comes after an interruption as well; the real server leaves it out at times. */
  readonly audioDoneWhenInterrupted?: boolean

  /** What the caller said, turn by turn, in each session; empty or null: nothing that could be understood. */
  readonly callerTranscripts?: readonly (string | null)[] | ((turn: number) => string | null)
  /** Silence that ends a turn of the agent's, and one of Flux's. Default 500. */
  readonly turnSilenceMs?: Milliseconds
  /** Silence after which Flux thinks that the turn may be over, where `eager_eot_threshold` is set. Default 240. */
  readonly eagerSilenceMs?: Milliseconds
  /** From audio to its words: recognition runs behind. Default 0. */
  readonly recognitionMs?: Milliseconds

  /** Accepts connections and never says anything, not even `Welcome`. */
  readonly silentFromStart?: boolean
  /** `Settings` are answered with this error. */
  readonly settingsError?: { readonly code: string; readonly description?: string }
  /** After `SettingsApplied` nothing comes any more. */
  readonly muteAfterSettings?: boolean
  /** Sends messages that no client knows, in between. */
  readonly unknownMessages?: boolean
  /** Without audio and KeepAlive for so long a session ends. Default 10 s. */
  readonly idleMaxMs?: Milliseconds
  /** Refuses what connects; can be changed while it runs. */
  readonly refusal?: Refusal

  /** Keeps what was received and sent for tests to look at. Default true; the counters count either way. */
  readonly keepMessages?: boolean
  /** Keeps the caller's audio. Default true. */
  readonly keepAudio?: boolean
  readonly onSession?: (session: AnySession) => void
  /** Each text message as it is handed to the socket: for what is measured where nothing is kept. */
  readonly onSent?: (session: AnySession, message: ServerMessage) => void
  readonly onChunk?: (session: AnySession, chunk: SentChunk) => void
}

export type ServerMessage = Readonly<Record<string, unknown>> & { readonly type: string }

export interface Reply {
  readonly text?: string
  readonly audio?: ReplyAudio
  /** Without `audio`: so much of a pattern of tones (`tone-pattern.ts`). Default: 60 ms for each letter of `text`. */
  readonly ms?: Milliseconds
  /** Functions it calls, after what it says, in one request; `arguments` as an object, or as the very text. */
  readonly calls?: readonly FunctionCall[]
  /** Sent as `AgentThinking` before it. */
  readonly thinking?: string
  readonly fault?: ReplyFault
}

export interface ReplyAudio {
  readonly samples: Int16Array
  readonly sampleRateHz: number
}

export interface FunctionCall {
  readonly name: string
  readonly arguments: string | Readonly<Record<string, unknown>>
  readonly id?: string
  /** False: the server calls it itself, and only tells of it. Default true. */
  readonly clientSide?: boolean
}

export type ReplyFault =
  /** Nothing after the caller's words. */
  | { readonly kind: 'silence' }
  /** The language model takes so long; `SLOW_THINK_REQUEST` every 5 s meanwhile. */
  | { readonly kind: 'slow_think'; readonly ms: Milliseconds }
  /** After so much audio no more comes, and the reply never ends. */
  | { readonly kind: 'stall'; readonly afterMs: Milliseconds }
  /** After so much audio the connection is gone, without a close frame. */
  | { readonly kind: 'cut'; readonly afterMs: Milliseconds }
  /** `Error` in place of the reply (FAILED_TO_THINK by default), and the session ends. */
  | { readonly kind: 'error'; readonly code?: string; readonly description?: string }
  /** `Warning` (THINK_REQUEST_FAILED by default), and no reply. */
  | { readonly kind: 'warning'; readonly code?: string; readonly description?: string }

export interface ReplyRequest {
  /** Counted from 0 in each session; the greeting and injected messages do not count. */
  readonly index: number
  readonly asked: 'turn' | 'client'
  /** The caller's words, or those that a client put in their mouth. */
  readonly text: string
  /** What came before are the responses of functions. */
  readonly afterFunctionResponse: boolean
  readonly session: AgentSession
}

export type ReplyScript = (request: ReplyRequest) => Reply

export interface Refusal {
  readonly kind: 'bad_key' | 'rate_limited' | 'insufficient_quota' | 'server_error' | 'never_answers'
  readonly retryAfterSeconds?: number
}

export const standinDefaults = {
  hostname: '127.0.0.1',
  port: 0,
  pace: 3,
  chunkMs: 100,
  firstChunkAfterMs: 0,
  lateChunks: 0,
  turnSilenceMs: 500,
  eagerSilenceMs: 240,
  recognitionMs: 0,
  idleMaxMs: 10_000,
} as const

/** Which tones the greeting and the injected messages have, where they have no sound of their own: the last of 40. */
export const greetingNumber = 39
export const injectedNumber = 38
