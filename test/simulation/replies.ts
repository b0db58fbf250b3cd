import { msToSamples, type SampleRateHz } from '#audio/format.ts'
import type { Milliseconds } from '#base/clock.ts'
import type { ReplyEvent, ReplyScript, SentReply } from '../fakes/scripted-agent.ts'
import type { Dice } from './dice.ts'

/** Replies as the worst of providers send them, each out of chance. */
export interface ReplyTaste {
  readonly sampleRateHz: SampleRateHz
  /** Longer replies cost time to simulate; some seeds have them. */
  readonly replyMsMax: Milliseconds
  /** How often a reply is spoiled in a way that is not its pace, 0 to 1. */
  readonly spoiled: number
  /** Each reply is announced. Where it is not, what comes soon after a reply is taken for its late rest. */
  readonly announces: boolean
}

export function randomReply(dice: Dice, taste: ReplyTaste, greeting: boolean): ReplyScript {
  const startMs = greeting ? dice.between(0, 400) : dice.pick([0, dice.between(0, 300), dice.between(300, 2000)])
  const announced = taste.announces || dice.chance(0.7)
  const head: ReplyEvent[] = announced ? [{ atMs: 0, type: 'reply_started' }] : []
  if (!greeting && dice.chance(taste.spoiled * 0.3)) {
    const type = dice.pick<'nothing_heard' | 'fault' | 'reply_done' | 'closed'>([
      'nothing_heard',
      'fault',
      'reply_done',
      'closed',
    ])
    // An agent that closes by itself ends the call: seldom, or nothing else would be seen.
    return [...head, { atMs: startMs, type: type === 'closed' && dice.chance(0.8) ? 'reply_done' : type }]
  }
  const audio = audioEvents(dice, taste, startMs)
  const lastMs = audio.at(-1)?.atMs ?? startMs
  return [...head, ...audio, ...ending(dice, taste, lastMs)]
}

type Pace = 'burst' | 'slow' | 'even' | 'stalling' | 'ragged'

function audioEvents(dice: Dice, taste: ReplyTaste, startMs: Milliseconds): ReplyEvent[] {
  const pace = dice.pick<Pace>(['burst', 'burst', 'slow', 'even', 'stalling', 'ragged'])
  const replyMs = dice.chance(0.05) ? dice.between(1, 40) : dice.between(100, taste.replyMsMax)
  const total = Math.max(1, msToSamples(replyMs, taste.sampleRateHz) - dice.between(0, 7))
  const chunkMs = dice.pick([1, 10, 20, 30, 100, 250])
  const events: ReplyEvent[] = []
  let sent = 0
  let atMs = startMs
  while (sent < total) {
    const odd = pace === 'ragged' ? dice.between(1, msToSamples(chunkMs, taste.sampleRateHz) * 2) : 0
    const wanted = odd === 0 ? msToSamples(chunkMs, taste.sampleRateHz) : odd
    // No timeline of more than some thousand events: a burst comes in larger pieces.
    const samples = Math.min(total - sent, Math.max(wanted, pace === 'burst' ? Math.ceil(total / 20) : 1))
    const playMs = (samples * 1000) / taste.sampleRateHz
    // All of a burst within 200 ms, whatever its length.
    if (pace === 'burst') atMs += (200 * samples) / total
    else if (pace === 'slow') atMs += playMs / 0.9
    else atMs += playMs
    if (pace === 'stalling' && dice.chance(0.05)) atMs += dice.between(50, 3000)
    if (pace === 'ragged') atMs += dice.between(-30, 30)
    atMs = Math.max(atMs, events.at(-1)?.atMs ?? startMs)
    events.push({ atMs, type: 'audio', samples })
    sent += samples
  }
  return events
}

const endings = ['never', 'late', 'soon_after', 'long_after', 'fault'] as const

/** How the end of a reply is told, or is not. */
function ending(dice: Dice, taste: ReplyTaste, lastMs: Milliseconds): ReplyEvent[] {
  if (!dice.chance(taste.spoiled)) return [{ atMs: lastMs, type: 'reply_done' }]
  const lateSamples = msToSamples(dice.between(1, 600), taste.sampleRateHz)
  switch (dice.pick(endings)) {
    case 'never':
      return []
    case 'late':
      return [{ atMs: lastMs + dice.between(20, 4000), type: 'reply_done' }]
    case 'soon_after':
      return moreAfterTheEnd(lastMs, dice.between(1, 250), lateSamples, dice.chance(0.5))
    case 'long_after':
      return moreAfterTheEnd(lastMs, dice.between(250, 6000), lateSamples, dice.chance(0.5))
    case 'fault':
      return [{ atMs: lastMs + dice.between(0, 500), type: 'fault' }]
  }
}

function moreAfterTheEnd(lastMs: Milliseconds, afterMs: Milliseconds, samples: number, ends: boolean): ReplyEvent[] {
  const atMs = lastMs + afterMs
  return [
    { atMs: lastMs, type: 'reply_done' },
    { atMs, type: 'audio', samples },
    ...(ends ? ([{ atMs, type: 'reply_done' }] as const) : []),
  ]
}

/** Five seconds without audio end a reply; what comes then is another one to the engine. */
export function wasDry({ chunks }: SentReply): boolean {
  return chunks.some((chunk, index) => {
    const before = chunks[index - 1]
    return before !== undefined && chunk.atMs - before.atMs >= 4900
  })
}
