// Turns that are over and turns that are not, at telephone quality: what an end-of-turn model is measured on.

import { msToSamples } from '#audio/format.ts'
import { levelDbfs } from '#audio/level.ts'
import { clip, noiseSound } from './sounds.ts'
import { digitStrings, prompts, readSpeech, SPEECH_RATE_HZ, spokenDigits, type Utterance } from './speech.ts'
import { audibleStretches } from './wav-analysis.ts'
import { readWav } from './wav-file.ts'

/** From the first word to the last; 8 kHz. */
export type SaidTurn = Int16Array

export interface TurnSet {
  readonly name: string
  readonly turns: readonly SaidTurn[]
}

/** A prompt that begins so is a sentence of its own, unless it is one of `begunPrompts`. */
const sentenceStarts = [
  'please',
  'you',
  'your',
  'i',
  "i'm",
  'that',
  'this',
  'the',
  'there',
  'thank',
  'sorry',
  'goodbye',
]
/** Recorded to be gone on with: a number, a name or a time is said next. */
const begunPrompts = [
  'if this is correct press',
  'message from phone number',
  'please enter the first',
  'press one to listen to',
  'the estimated hold time is currently',
  'the last caller was',
  'the number i have is',
  'the number was successfully',
  'the person at extension',
  'this message lasts',
  'to call this number',
  'to listen to it',
  'you are currently caller number',
  'you are entering conference number',
]
/** Where a sentence is cut, as a share of its length. */
const cutShares = [0.3, 0.45, 0.6, 0.75]
/** Shorter ones have no middle. */
const sentenceMsMin = 1500

/** Sentences said to their end. @param every of the prompts one in so many */
export async function wholeTurns(every: number): Promise<TurnSet[]> {
  return [
    { name: 'read, whole', turns: await saidOf(await readSpeech()) },
    { name: 'prompts, whole', turns: await saidOf(await wholePrompts(every)) },
  ]
}

/**
 * Sentences broken off at a word, at four places each. Some of these places end a clause: who only heard the beginning
 * would take it for the whole, and no model can know better.
 */
export async function cutTurns(every: number): Promise<TurnSet[]> {
  const cut = async (utterances: readonly Utterance[]) => (await saidOf(utterances)).flatMap(cutSentence)
  return [
    { name: 'read, cut', turns: await cut(await readSpeech()) },
    { name: 'prompts, cut', turns: await cut(await wholePrompts(every)) },
  ]
}

/** Said to their end by the speaker, but to be gone on with, by their words. */
export async function begunTurns(): Promise<TurnSet> {
  const begun = (await prompts(500)).filter(({ words }) => begunPrompts.includes(words))
  return { name: 'prompts that are the beginning of a sentence', turns: await saidOf(begun) }
}

/** Digits one after the other as each is said alone: the voice falls at each of them, whether or not more follow. */
export async function digitTurns(count: number, seed: number): Promise<TurnSet[]> {
  const single = await Promise.all([...'0123456789'].map((digit) => spokenDigits(digit)))
  const strings = await digitStrings(count, seed)
  const three = await Promise.all(['421', '907', '358', '610'].map((digits) => spokenDigits(digits)))
  const whole = await saidOf(strings)
  return [
    { name: 'one digit', turns: await saidOf(single) },
    { name: 'three digits', turns: await saidOf(three) },
    { name: 'four to seven digits, whole', turns: whole },
    { name: 'four to seven digits, broken off half way', turns: whole.map((turn) => cutAt(turn, 0.5)) },
  ]
}

/** A voice of one's own, its silence taken off. */
export function saidOnly(samples: Int16Array): SaidTurn {
  const marginMs = 60
  const stretches = audibleStretches(samples, { sampleRateHz: SPEECH_RATE_HZ, thresholdDbfs: -42, joinGapMs: 400 })
  const at = (ms: number) => Math.max(0, msToSamples(ms, SPEECH_RATE_HZ))
  return samples.slice(at((stretches[0]?.startMs ?? 0) - marginMs), at((stretches.at(-1)?.endMs ?? 0) + marginMs))
}

export function cutSentence(turn: SaidTurn): SaidTurn[] {
  if (turn.length < msToSamples(sentenceMsMin, SPEECH_RATE_HZ)) return []
  return cutShares.map((share) => cutAt(turn, share))
}

/** Broken off at the quietest 30 ms within 150 ms of the place, which is mostly between two words. */
function cutAt(turn: SaidTurn, share: number): SaidTurn {
  const samples = (ms: number) => msToSamples(ms, SPEECH_RATE_HZ)
  const middle = Math.floor(turn.length * share)
  let quietest = Number.POSITIVE_INFINITY
  let end = middle
  for (let at = Math.max(0, middle - samples(150)); at <= middle + samples(150); at += samples(5)) {
    const level = levelDbfs(turn.subarray(at, at + samples(30)))
    if (level >= quietest) continue
    quietest = level
    end = at + samples(15)
  }
  const fade = samples(10)
  return turn.slice(0, end).map((sample, at) => Math.round(sample * Math.min(1, (end - 1 - at) / fade)))
}

/** The turn on a line with noise, and the silence after it. */
export function onLine(turn: SaidTurn, silenceMs: number, noiseDbfs = -60): Int16Array {
  const length = turn.length + msToSamples(silenceMs, SPEECH_RATE_HZ)
  const noise = noiseSound((length * 1000) / SPEECH_RATE_HZ, noiseDbfs, SPEECH_RATE_HZ, 5)
  return noise.map((sample, at) => clip(sample + (turn[at] ?? 0)))
}

/** How likely a turn that is over scores higher than one that is not; 0.5 is guessing, 1 is always. */
export function areaUnderCurve(over: readonly number[], notOver: readonly number[]): number {
  let wins = 0
  for (const high of over) for (const low of notOver) wins += high > low ? 1 : high === low ? 0.5 : 0
  return wins / (over.length * notOver.length)
}

async function wholePrompts(every: number): Promise<Utterance[]> {
  const whole = (await prompts(500)).filter(
    ({ words }) => sentenceStarts.includes(words.split(' ')[0] ?? '') && !begunPrompts.includes(words),
  )
  return whole.filter((_, index) => index % every === 0)
}

function saidOf(utterances: readonly Utterance[]): Promise<SaidTurn[]> {
  return Promise.all(utterances.map(async ({ path }) => saidOnly((await readWav(path)).samples)))
}
