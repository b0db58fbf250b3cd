import * as v from 'valibot'
import { identifier } from '#base/identifier.ts'

/**
 * Messages of `/v1/listen` and of Flux's `/v2/listen` → what a recogniser does with them; pure, without a socket. Tolerant:
 * what is not known is counted and passed over, fields that are not needed are not looked at.
 */
export type ListenMessage =
  | ListenResults
  /** No words for `utterance_end_ms`, whatever the noise. */
  | { readonly type: 'utterance_end' }
  | FluxTurn
  | { readonly type: 'error'; readonly code: string }
  /** Known, and nothing follows from it. */
  | { readonly type: 'acknowledged'; readonly what: string }

/** What was recognised in a stretch of audio. */
export interface ListenResults {
  readonly type: 'results'
  readonly words: readonly HeardWord[]
  readonly startMs: number
  readonly endMs: number
  readonly isFinal: boolean
  /** By silence, the utterance is over. */
  readonly speechFinal: boolean
  readonly fromFinalize: boolean
}

export interface HeardWord {
  readonly text: string
  readonly startMs: number
}

export interface FluxTurn {
  readonly type: 'turn'
  readonly event: 'start' | 'update' | 'eager_end' | 'resumed' | 'end'
  readonly turn: number
  /** All words of the turn so far. */
  readonly words: readonly string[]
  /** The audio up to here has been recognised. */
  readonly endMs: number
}

const word = v.looseObject({ word: v.string(), punctuated_word: v.nullish(v.string()), start: v.nullish(v.number()) })
const resultsShape = v.looseObject({
  start: v.number(),
  duration: v.number(),
  is_final: v.nullish(v.boolean()),
  speech_final: v.nullish(v.boolean()),
  from_finalize: v.nullish(v.boolean()),
  channel: v.looseObject({
    alternatives: v.array(v.looseObject({ transcript: v.string(), words: v.nullish(v.array(word)) })),
  }),
})
const turnShape = v.looseObject({
  event: v.string(),
  turn_index: v.number(),
  transcript: v.string(),
  audio_window_end: v.number(),
})
const errorShape = v.looseObject({ code: v.string() })

const turnEvents: Readonly<Record<string, FluxTurn['event']>> = {
  StartOfTurn: 'start',
  Update: 'update',
  EagerEndOfTurn: 'eager_end',
  TurnResumed: 'resumed',
  EndOfTurn: 'end',
}

const acknowledged = ['Metadata', 'SpeechStarted', 'Connected', 'ConfigureSuccess', 'ConfigureFailure']

const onceShape = v.looseObject({
  results: v.looseObject({
    channels: v.array(
      v.looseObject({ alternatives: v.nullish(v.array(v.looseObject({ transcript: v.nullish(v.string()) }))) }),
    ),
  }),
})

/** The answer to one stretch of audio → its words; null where it is none. */
export function readTranscript(text: string): string | null {
  const parsed = v.safeParse(onceShape, parse(text))
  if (!parsed.success) return null
  return (parsed.output.results.channels[0]?.alternatives?.[0]?.transcript ?? '').trim()
}

export function readListenMessage(text: string): ListenMessage | 'unknown' | 'malformed' {
  const message = typed(parse(text))
  if (message === null) return 'malformed'
  switch (message.type) {
    case 'Results':
      return results(message) ?? 'malformed'
    case 'UtteranceEnd':
      return { type: 'utterance_end' }
    case 'TurnInfo':
      return turn(message)
    case 'Error': {
      const parsed = v.safeParse(errorShape, message)
      return { type: 'error', code: parsed.success ? identifier(parsed.output.code) || 'unnamed' : 'unnamed' }
    }
    default:
      return acknowledged.includes(message.type) ? { type: 'acknowledged', what: message.type } : 'unknown'
  }
}

function results(message: object): ListenResults | null {
  const parsed = v.safeParse(resultsShape, message)
  if (!parsed.success) return null
  const { start, duration, channel, is_final, speech_final, from_finalize } = parsed.output
  const best = channel.alternatives[0]
  const startMs = start * 1000
  const timed = (best?.words ?? []).map((each) => ({
    text: each.punctuated_word ?? each.word,
    startMs: (each.start ?? start) * 1000,
  }))
  // Words without their times are as early as they can be.
  const untimed = split(best?.transcript ?? '').map((each) => ({ text: each, startMs }))
  return {
    type: 'results',
    words: timed.length > 0 ? timed : untimed,
    startMs,
    endMs: (start + duration) * 1000,
    isFinal: is_final === true,
    speechFinal: speech_final === true,
    fromFinalize: from_finalize === true,
  }
}

function turn(message: object): FluxTurn | 'unknown' | 'malformed' {
  const parsed = v.safeParse(turnShape, message)
  if (!parsed.success) return 'malformed'
  const { event, turn_index, transcript, audio_window_end } = parsed.output
  const known = Object.hasOwn(turnEvents, event) ? turnEvents[event] : undefined
  if (known === undefined) return 'unknown'
  return { type: 'turn', event: known, turn: turn_index, words: split(transcript), endMs: audio_window_end * 1000 }
}

function split(text: string): string[] {
  return text.split(/\s+/).filter((each) => each !== '')
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return null
  }
}

function typed(value: unknown): { readonly type: string } | null {
  const isMessage = typeof value === 'object' && value !== null && 'type' in value && typeof value.type === 'string'
  return isMessage ? (value as { type: string }) : null
}
