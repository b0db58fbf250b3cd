import type { AudioFrame, SampleRateHz, WireFormat } from '#audio/format.ts'
import type { Clock, Milliseconds } from '#base/clock.ts'
import type { DialplanPlace } from '#call/dialplan-place.ts'
import type { FunctionCall, FunctionDeclaration } from './functions.ts'
import type { Usage } from './usage.ts'

/**
 * The contracts between a call and its partners. A provider is a factory that was configured once;
 * a session serves one call and dies with it. Faults are events, not throws.
 *
 * A cascade of stt + llm + tts (`cascade.ts`) stands behind the same `Agent` contract as a realtime
 * agent, so the call, the tests and the simulator know one kind of partner.
 */

/** What a session learns of its call. The signal aborts when the call is over: everything under way stops. */
/** What was said over a reply that it broke off. */
export interface WordsOverReply {
  readonly words: string
  /** BCP 47. */
  readonly language: string
  /** Of the reply, all that was heard. */
  readonly heard: string
  /** The sentence that was cut, whole, and what was said right before it. */
  readonly around: string
}

export interface CallContext {
  readonly callId: string
  /** The leg's rate: audio goes in and comes out at this rate; a provider converts, if its vendor needs another. */
  readonly sampleRateHz: SampleRateHz
  /** What the leg's audio is on its wire: a vendor that takes the same spares a conversion. */
  readonly wire?: WireFormat
  /** BCP 47, for example `en` or `de-AT`. */
  readonly language: string
  /** Is what a turn over a reply held a listener's, "yeah" or "okay", and no answer? Not given: it never is. */
  readonly isListening?: (turn: WordsOverReply) => boolean
  readonly prompt: string
  readonly greeting: string
  /** Instead of the provider's own; given only to one that can have another in each call. */
  readonly voice?: string
  /** Names of what the model may do, instead of the provider's own; given only to pipelines. */
  readonly tools?: readonly string[]
  /** The caller can be sent to another place in the dialplan; not so a call that came without ARI. */
  readonly canTransfer?: boolean
  readonly signal: AbortSignal
  readonly clock: Clock
}

/** `full` and `closed` are counted by the caller; nothing is thrown. */
export type Accepted = 'sent' | 'full' | 'closed'

export interface Session<Input, Event> {
  /** One listener, set before the first `send`; events are plain synchronous calls, the last is `closed`. */
  onEvent(listener: (event: Event) => void): void
  send(input: Input): Accepted
  /** Idempotent. After it resolves, nothing of the session runs any more. */
  close(): Promise<void>
}

export interface Fault {
  readonly type: 'fault'
  /** Stable, snake_case, fit for a metric label: `timeout`, `unreachable`, `bad_answer`, `overloaded` … */
  readonly code: string
  /** For the log: no caller's words, no secret. */
  readonly message: string
  /** Would the same request have a chance if made again? */
  readonly retryable: boolean
  /** The session has tried all it can: it will answer nothing more in this call. */
  readonly final?: boolean
}

/** Something went wrong and the session has seen to it: for the log, the metrics and the call's record. */
export interface Incident {
  readonly type: 'incident'
  /** As a fault's. */
  readonly code: string
  readonly message: string
}

/** How an agent ends its part of a call. */
export type Departure = { readonly kind: 'hang_up' } | { readonly kind: 'transfer'; readonly to: DialplanPlace }

export interface Closed {
  readonly type: 'closed'
}

// ── agent: a full-duplex partner ─────────────────────────────────────────────────────────────────────────────────

export type AgentInput =
  | { readonly type: 'audio'; readonly frame: AudioFrame }
  /** From our detector, for agents that have none: the speech began `agoMs` before the newest audio sent. */
  | { readonly type: 'speech_started'; readonly agoMs: Milliseconds }
  | { readonly type: 'speech_stopped' }
  /**
   * What our detector hears while the agent is silent, to one that finds the turns itself: only a sign to notice by that
   * it does not hear the caller, or does not find their end.
   */
  | { readonly type: 'caller_sounds'; readonly sounds: boolean }
  /**
   * The caller's turn is over: answer it. One that finds the turns itself is told when a turn has lasted too long.
   * `forGood`: a key of theirs has ended what the turn broke off.
   */
  | { readonly type: 'turn_committed'; readonly forGood?: boolean }
  /**
   * The caller went on before any reply was heard: drop the reply, what was said and what comes now are one turn.
   * `forGood`: a key of theirs ended it, and it is not wanted any more.
   */
  | { readonly type: 'turn_resumed'; readonly forGood?: boolean }
  /**
   * The caller broke in; `heardMs` of the reply had left playout. `forGood`: it is not to be taken up, whatever turns
   * out to have been said.
   */
  | { readonly type: 'interrupted'; readonly heardMs: Milliseconds; readonly forGood?: boolean }
  /**
   * To an agent that finds the turns itself: what it has heard over its reply was no interruption, but a cough, a
   * listener's "mm-hm" or its own echo. The reply goes on; what it made of it is to be dropped.
   */
  | { readonly type: 'not_interrupted' }
  /** The last frame of a reply has left: what comes now is a reply of its own, and `heardMs` counts anew. */
  | { readonly type: 'reply_heard' }
  /** Speak this text as a reply of its own. */
  | { readonly type: 'say'; readonly text: string }

export type AgentEvent =
  | { readonly type: 'speech_started' }
  /** `agoMs`: it ended so long before; an agent may know late that a turn is over. */
  | { readonly type: 'speech_stopped'; readonly agoMs?: Milliseconds }
  /**
   * A recogniser's own word on the pause that is under way: the caller's turn is over, or (`done: false`) it is not after
   * all. Only counts where `turn_taking.stop` is `provider`.
   */
  | { readonly type: 'turn_end'; readonly done: boolean }
  /** A tool runs, or has ended: the silence meanwhile is not the caller's. */
  | { readonly type: 'tool'; readonly running: boolean }
  /** A reply is being made: its audio is due. */
  | { readonly type: 'reply_started' }
  /** Reply audio at the leg's rate, any length, as fast as it comes. The receiver copies what it keeps. */
  | { readonly type: 'audio'; readonly frame: AudioFrame }
  | {
      readonly type: 'transcript'
      readonly side: 'caller' | 'agent'
      readonly final: boolean
      readonly text: string
      /** Of words that are written down late: when the caller had said them, or the agent began to, on the clock. */
      readonly spokenAtMs?: Milliseconds
      /** Of the agent's that were interrupted: what had been told before as said, whose place `text` takes. */
      readonly corrects?: string
      /** Of the agent's, where a reply was taken up: what had been heard of it before, to the end of a sentence. */
      readonly follows?: string
    }
  /** A stage of this turn took so long, measured by the session: `stt`, `llm_first_token`, `tts_first_audio`. */
  | { readonly type: 'stage'; readonly stage: StageName; readonly durationMs: Milliseconds }
  | { readonly type: 'reply_done' }
  /** The caller's turn held no words; the agent has nothing to answer. */
  | { readonly type: 'nothing_heard' }
  /** The caller's turn held no words, or a listener's, and had broken off a reply: its rest is the reply that follows. */
  | { readonly type: 'taken_up' }
  /** When what has been said until now has been heard, the call ends here, or goes on elsewhere. */
  | { readonly type: 'leave'; readonly how: Departure }
  | Usage
  | Incident
  | Fault
  | Closed

export const stageNames = ['stt', 'llm_first_token', 'llm_first_sentence', 'tts_first_audio'] as const
export type StageName = (typeof stageNames)[number]

// ── stt, llm, tts: the parts of a cascade ────────────────────────────────────────────────────────────────────────

export type SttInput =
  | { readonly type: 'audio'; readonly frame: AudioFrame }
  | { readonly type: 'speech_started'; readonly agoMs: Milliseconds }
  /** A pause: a recogniser that works on whole utterances may start on what it has. */
  | { readonly type: 'speech_stopped' }
  /** The turn is over: answer with one `transcript` that is final, empty when no words were heard. */
  | { readonly type: 'finalize' }

export type SttEvent =
  | { readonly type: 'transcript'; readonly final: boolean; readonly text: string }
  /** The turn is over, by its own judgement; or (`done: false`) it is not after all. */
  | { readonly type: 'turn_end'; readonly done: boolean }
  | Usage
  | Incident
  | Fault
  | Closed

export interface ChatMessage {
  readonly role: 'system' | 'user' | 'assistant' | 'tool'
  readonly content: string
  /** Of the assistant: functions that it has asked for; each is answered by one message of the role `tool`. */
  readonly calls?: readonly FunctionCall[]
  /** Of a `tool`: the id of what it answers. */
  readonly callId?: string
}

export type LlmInput =
  /** `functions`: what the model may ask for; none where it is to speak only. */
  | {
      readonly type: 'generate'
      readonly messages: readonly ChatMessage[]
      readonly functions?: readonly FunctionDeclaration[]
    }
  /** Stop the answer that is being made; no event of it comes after this. */
  | { readonly type: 'cancel' }

export type LlmEvent =
  | { readonly type: 'text'; readonly delta: string }
  /** The model asks for functions, all of them at once, before `done`. */
  | { readonly type: 'function_calls'; readonly calls: readonly FunctionCall[] }
  /** The answer is complete. */
  | { readonly type: 'done' }
  | Usage
  | Incident
  | Fault
  | Closed

export type TtsInput =
  /** Sentences queue and come out in order; each ends with one `spoken`. */
  | { readonly type: 'speak'; readonly text: string }
  /** Drop what is queued or being made; no audio of it comes after this. */
  | { readonly type: 'cancel' }

export type TtsEvent =
  | { readonly type: 'audio'; readonly frame: AudioFrame }
  /** All audio of one `speak` has been sent. */
  | { readonly type: 'spoken'; readonly text: string }
  | Usage
  | Incident
  | Fault
  | Closed

export interface Roles {
  readonly agent: { readonly input: AgentInput; readonly event: AgentEvent }
  readonly stt: { readonly input: SttInput; readonly event: SttEvent }
  readonly llm: { readonly input: LlmInput; readonly event: LlmEvent }
  readonly tts: { readonly input: TtsInput; readonly event: TtsEvent }
}
export type Role = keyof Roles
export type SessionOf<R extends Role> = Session<Roles[R]['input'], Roles[R]['event']>

/** Whether calls can be opened now; `reason` says in plain words what is missing and how to cure it. */
export type Readiness = { readonly ready: true } | { readonly ready: false; readonly reason: string }

/**
 * Who decides when the caller speaks and has finished: `engine`, our detector and coordinator;
 * `provider`, the vendor's own events; `none`, nobody, since the agent takes no turns (loopback).
 */
export type TurnDetection = 'engine' | 'provider' | 'none'

export interface AudioRates {
  /** What it hears, and what it speaks, before and after its own conversions. */
  readonly inputHz: number
  readonly outputHz: number
}

export interface Provider<R extends Role> {
  readonly name: string
  readonly role: R
  /** Only meaningful for agents; the parts of a cascade say `none`. */
  readonly turnDetection: TurnDetection
  readiness(): Readiness
  /** The rates it works at for a leg of this rate; without it, the leg's own. The alignment audit names what differs. */
  audioRates?(legHz: SampleRateHz): AudioRates
  /** What its sessions have met with, by name, since it started: a metric reads it. */
  events?(): Readonly<Record<string, number>>
  /** Jobs of all calls that wait inside the provider, where it has queues: 0 when no call is live. */
  queued?(): number
  /**
   * The words in a stretch of audio at any rate, where the provider can write some down at once: what is said over the
   * agent is judged by them. Empty: none were heard; null: it cannot say now. Never rejects.
   */
  wordsIn?(samples: Int16Array<ArrayBuffer>, sampleRateHz: number, signal: AbortSignal): Promise<string | null>
  /** Begins loading, connecting or spawning in the background; idempotent, never throws. */
  start(): void
  /** Throws only when the session cannot be opened; the message names the cure. */
  open(context: CallContext): Promise<SessionOf<R>>
  /** Ends workers and child processes. Idempotent. */
  close(): Promise<void>
}
