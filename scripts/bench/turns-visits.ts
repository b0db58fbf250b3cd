import type { Random } from '#base/random.ts'
import type { Clip, Turn } from '../../test/material/material.ts'
import { audibleDbfs, type Said, type Sound, type TurnsCaller } from './turns-caller.ts'
import { type EchoOutcome, echoOutcome } from './turns-echo.ts'
import { commonNow, type TurnsEvent, turnWordsMaxMs } from './turns-wire.ts'

/** What callers of `just bench turns` do, and what became of each thing they did. */

/** What was played over the agent's reply. */
export interface OverlapOutcome {
  readonly clip: Clip
  readonly condition: string
  readonly said: Said
  /** When the agent was told that it had been interrupted; null: it was not. */
  readonly interruptedMs: number | null
  /** It had been, and a pipeline would have gone on with the reply. */
  readonly takenUp: boolean
  /** Onset → the last frame of the agent's that came; null where nothing interrupted it. */
  readonly reactionMs: number | null
  /** For how long nothing of the agent was heard, from the onset to a little after the offset. */
  readonly silenceMs: number
  /** How long the reply had sounded when it began. */
  readonly intoReplyMs: number
}

export interface TurnOutcome {
  readonly turn: Turn
  readonly condition: string
  readonly said: Said
  /** Turns that were ended while the caller still spoke. */
  readonly cutOffs: number
  /** The caller's last sound → the end of the turn, and → the first frame of the reply; null: neither came. */
  readonly endpointMs: number | null
  readonly responseMs: number | null
  /** The end of the turn → the first frame of the reply. */
  readonly engineMs: number | null
}

/** Longer than any pause that may end a turn, and the reply's first frame. */
const answerWithinMs = 4000
/** What a sound does to the agent shows within this time after it. */
const afterMs = 1000
/** A frame that was under way when the reply was flushed. */
const underWayMs = 60
/** The words of a turn are told so much later than they may be known. */
const wordsLateMs = 500

const eventsBetween = (caller: TurnsCaller, event: TurnsEvent, fromMs: number, untilMs: number) =>
  caller.told.filter((told) => told.event === event && told.atMs >= fromMs && told.atMs < untilMs)

/** Keeps a long reply under way and speaks over it, one clip after the other. @returns those that could not be played */
export async function overlapVisit(
  caller: TurnsCaller,
  clips: readonly Clip[],
  question: Sound,
  condition: string,
  random: Random,
  outcome: (one: OverlapOutcome) => void,
): Promise<readonly Clip[]> {
  await caller.wait(600)
  for (const [index, clip] of clips.entries()) {
    const begun = await underReply(caller, question)
    // Over such a noise no turn has an end: what is left is played on another line.
    if (begun === null) return clips.slice(index)
    // From 0.3 s into a reply on: what comes early must be heard as well as what comes late.
    const dueMs = Math.max(begun + 300 + random.next() * 2700, commonNow() + 300)
    await caller.wait(dueMs - commonNow())
    const said = await caller.say(clip)
    await caller.wait(afterMs)
    const [interrupted] = eventsBetween(caller, 'interrupted', said.onsetMs, said.offsetMs + afterMs)
    const untilMs = (interrupted?.atMs ?? Number.POSITIVE_INFINITY) + underWayMs
    const frames = caller.heard.filter(({ atMs }) => atMs >= said.onsetMs && atMs <= said.offsetMs + afterMs - 200)
    const last = frames.findLast(({ atMs, dbfs }) => dbfs > audibleDbfs && atMs <= untilMs)
    const since = (...events: TurnsEvent[]) =>
      caller.told.filter(({ event, atMs }) => events.includes(event) && atMs >= said.onsetMs)
    // A turn that goes on is judged anew.
    const fate = () => since('taken_up', 'lost').at(-1)?.event
    // The interruption is a turn of its own, and its reply is the next to be spoken over.
    if (interrupted !== undefined) {
      await caller.until(() => caller.soundsSince(100) !== null, answerWithinMs)
      const isOver = since('committed').length > 0
      if (isOver) await caller.until(() => fate() !== undefined, turnWordsMaxMs + wordsLateMs)
    }
    outcome({
      clip,
      condition,
      said,
      interruptedMs: interrupted?.atMs ?? null,
      takenUp: interrupted !== undefined && fate() === 'taken_up',
      reactionMs: interrupted === undefined ? null : Math.max(0, (last?.atMs ?? said.onsetMs) - said.onsetMs),
      silenceMs: frames.filter(({ dbfs }) => dbfs <= audibleDbfs).length * 20,
      intoReplyMs: said.onsetMs - begun,
    })
  }
  return []
}

/** When the reply that sounds began, with four seconds of it to come; asks for another where there is none. */
async function underReply(caller: TurnsCaller, question: Sound): Promise<number | null> {
  for (let attempt = 0; attempt < 2; attempt += 1) {
    const since = caller.soundsSince(700)
    if (since !== null && commonNow() - since < 8500) return since
    await caller.until(() => caller.quietMs >= 700, 16_000)
    await caller.say(question)
    await caller.until(() => caller.soundsSince(100) !== null && caller.quietMs < 100, answerWithinMs)
  }
  return caller.soundsSince(700)
}

/** Speaks whole turns, each when the agent has been silent for a while. */
export async function turnsVisit(
  caller: TurnsCaller,
  turns: readonly Turn[],
  condition: string,
  outcome: (one: TurnOutcome) => void,
): Promise<void> {
  await caller.wait(600)
  for (const turn of turns) {
    await caller.until(() => caller.quietMs >= 900, 20_000)
    const begunMs = commonNow()
    const said = await caller.say(turn)
    const committed = () => eventsBetween(caller, 'committed', said.offsetMs - lastSoundMs, Number.POSITIVE_INFINITY)[0]
    await caller.until(() => committed() !== undefined, answerWithinMs)
    const end = committed()
    const first = () =>
      end === undefined ? undefined : caller.heard.find((h) => h.atMs >= end.atMs && h.dbfs > audibleDbfs)
    await caller.until(() => first() !== undefined, 1000)
    const cutOffs = eventsBetween(caller, 'committed', begunMs, said.offsetMs - lastSoundMs).length
    const frame = first()
    outcome({
      turn,
      condition,
      said,
      cutOffs,
      endpointMs: end === undefined ? null : end.atMs - said.offsetMs,
      responseMs: frame === undefined ? null : frame.atMs - said.offsetMs,
      engineMs: end === undefined || frame === undefined ? null : frame.atMs - end.atMs,
    })
  }
}

/** A turn that ends within the last sound's own fading has ended at its end. */
const lastSoundMs = 40

/** Takes turns on a line that brings the agent back. */
export async function echoVisit(
  caller: TurnsCaller,
  turns: readonly Sound[],
  outcome: (one: EchoOutcome) => void,
): Promise<void> {
  await caller.wait(600)
  const spoken: Said[] = []
  for (const turn of turns) {
    const said = await caller.say(turn)
    spoken.push(said)
    const answered = () => eventsBetween(caller, 'committed', said.offsetMs - lastSoundMs, Number.POSITIVE_INFINITY)
    await caller.until(() => answered().length > 0, answerWithinMs)
    // The whole reply, and what of it may still come back.
    await caller.until(() => caller.quietMs < 100, 2000)
    await caller.until(() => caller.quietMs >= 2500, 30_000)
  }
  outcome(echoOutcome(spoken, caller.told, lastSoundMs, answerWithinMs))
}
