import type { Reply } from '../../test/standin/openai-realtime/options.ts'
import { callerCycle, type Utterance } from './media-speech.ts'

/**
 * What callers and stand-in say to each other in `just bench provider`, again and again every 16 s, over line noise. The
 * server's silence that ends a turn and its thinking lie between a turn's end and its reply.
 *
 * | from, s | who    | what                                                                            |
 * |---------|--------|---------------------------------------------------------------------------------|
 * | 1.0     | caller | a turn of 2 s                                                                   |
 * | 3.8     | agent  | a reply of 6 s                                                                  |
 * | 5.0     | caller | cuts in for half a second: at paces below 5 the reply is still being delivered  |
 * | 6.3     | agent  | a reply of 1.5 s                                                                |
 * | 9.0     | caller | a turn of 2 s                                                                   |
 * | 11.8    | agent  | a reply of 3 s, heard in full                                                   |
 */
const lengthMs = 16_000
/** Of the sample of speech; before it there is nothing but breath. */
const turn = { fromMs: 200, durationMs: 2000 }
/** One long vowel, so that it is loud from its beginning. */
const cut = { fromMs: 1220, durationMs: 500 }

const replyRateHz = 24_000
const wordMs = 400

/** Before this there is only noise. */
export const noiseUntilMs = 1000
export const utterances: readonly Utterance[] = [
  { atMs: noiseUntilMs, ...turn },
  { atMs: 5000, ...cut },
  { atMs: 9000, ...turn },
]

export function conversation(sampleRateHz: number): Promise<Int16Array> {
  return callerCycle(sampleRateHz, lengthMs, utterances)
}

/** To the utterances, one after the other. */
const replies = [reply(6000), reply(1500), reply(3000)]

/**
 * Callers do not speak in chorus: each begins somewhere in the conversation, evenly spread, and says by the last digit of
 * its UUID which utterance is its first.
 * @param nth caller
 * @param uuid of which all digits but the last are chance
 */
export function placeOf(nth: number, uuid: string): { readonly fromMs: number; readonly uuid: string } {
  const goldenRatio = 0.618034
  const fromMs = ((nth * goldenRatio) % 1) * lengthMs
  const first = utterances.filter(({ atMs }) => atMs < fromMs).length % utterances.length
  return { fromMs, uuid: `${uuid.slice(0, -1)}${first}` }
}

/** @param uuid of the caller @param index of the reply in its session */
export function replyTo(uuid: string, index: number): Reply {
  return replies[(Number(uuid.at(-1)) + index) % replies.length] as Reply
}

/** From the end of the caller's turn to the first delta. */
export const thinkingMs = 300
/** Evens out where in the engine's 20 ms a reply falls: callers' frames leave at only a few different moments. */
export const thinkingJitterMs = 20

/** A tone on a steady level: no sample of it is zero, so that a caller tells it from silence by any of them. */
function reply(ms: number): Reply {
  const samples = Int16Array.from({ length: (ms * replyRateHz) / 1000 }, (_, index) =>
    Math.round(3000 + 2000 * Math.sin((2 * Math.PI * 440 * index) / replyRateHz)),
  )
  const text = Array.from({ length: Math.ceil(ms / wordMs) }, () => 'words').join(' ')
  return { text, audio: { samples, sampleRateHz: replyRateHz } }
}
