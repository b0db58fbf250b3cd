import { wordsKind } from '../../src/call/backchannels.ts'
import type { Clip } from '../../test/material/material.ts'
import { percentile } from './figures.ts'
import type { EchoOutcome } from './turns-echo.ts'
import type { OverlapOutcome, TurnOutcome } from './turns-visits.ts'

/** What callers met, as the figures of `just bench turns`. Rates are shares of 1; `n` says of how many. */
export interface Spread {
  readonly n: number
  readonly p50: number
  readonly p95: number
}

export interface TurnsFigures {
  readonly response_ms: Spread
  readonly endpoint_delay_ms: Spread
  readonly engine_added_ms: Spread
  readonly false_cutoff_rate: number
  /** Turns to which nothing was answered, not even in a pause. */
  readonly unanswered_turn_rate: number
  readonly barge_in_reaction_ms: Spread
  readonly missed_interruption_rate: number
  readonly backchannel_false_stop_rate: number
  readonly noise_false_stop_rate: number
  /** Backchannels and noises that cost the rest of a reply, for a pipeline would not take it up. */
  readonly lost_reply_rate: number
  /** Interruptions after which a pipeline would go on with the reply that they broke off. */
  readonly overruled_interruption_rate: number
  readonly overlap_silence_ms: Spread
  readonly echo_self_answer_count: number
  readonly echo_broken_off_count: number
  readonly echo_unanswered_count: number
  readonly played: Readonly<Record<string, number>>
}

export interface Outcomes {
  readonly overlaps: readonly OverlapOutcome[]
  readonly turns: readonly TurnOutcome[]
  readonly echoes: readonly EchoOutcome[]
}

export const isInterruption = ({ label }: Clip): boolean => label.startsWith('interruption')
export const isBackchannel = ({ label }: Clip): boolean => label === 'backchannel'

/** "Okay, but wait a second": so far as "okay" it is what a listener says. */
export function beginsAsAssent(clip: Clip): boolean {
  const words = (clip.text ?? '').split(' ')
  const begin = words.map((_, index) => words.slice(0, index).join(' '))
  return isInterruption(clip) && begin.some((text) => wordsKind(text, clip.language) === 'assent')
}

const isUnanswered = ({ cutOffs, endpointMs }: TurnOutcome): boolean => cutOffs === 0 && endpointMs === null

export function turnsFigures({ overlaps, turns, echoes }: Outcomes): TurnsFigures {
  const interruptions = overlaps.filter(({ clip }) => isInterruption(clip))
  const backchannels = overlaps.filter(({ clip }) => isBackchannel(clip))
  const noises = overlaps.filter(({ clip }) => !isInterruption(clip) && !isBackchannel(clip))
  const whole = turns.filter(({ cutOffs }) => cutOffs === 0)
  const paused = turns.filter(({ turn }) => turn.pauses.length > 0)
  const ofEchoes = (count: (one: EchoOutcome) => number) => echoes.reduce((sum, one) => sum + count(one), 0)
  return {
    response_ms: spread(whole.flatMap(({ responseMs }) => responseMs ?? [])),
    endpoint_delay_ms: spread(whole.flatMap(({ endpointMs }) => endpointMs ?? [])),
    engine_added_ms: spread(turns.flatMap(({ engineMs }) => engineMs ?? [])),
    false_cutoff_rate: share(turns, ({ cutOffs }) => cutOffs > 0),
    unanswered_turn_rate: share(turns, isUnanswered),
    barge_in_reaction_ms: spread(interruptions.flatMap(({ reactionMs }) => reactionMs ?? [])),
    missed_interruption_rate: share(interruptions, ({ interruptedMs }) => interruptedMs === null),
    backchannel_false_stop_rate: share(backchannels, ({ interruptedMs }) => interruptedMs !== null),
    noise_false_stop_rate: share(noises, ({ interruptedMs }) => interruptedMs !== null),
    lost_reply_rate: share(
      [...backchannels, ...noises],
      ({ interruptedMs, takenUp }) => interruptedMs !== null && !takenUp,
    ),
    overruled_interruption_rate: share(interruptions, ({ takenUp }) => takenUp),
    // Of those that stopped the agent too: its silence then lasts to the end of what is looked at.
    overlap_silence_ms: spread([...backchannels, ...noises].map(({ silenceMs }) => silenceMs)),
    echo_self_answer_count: ofEchoes(({ selfAnswers }) => selfAnswers),
    echo_broken_off_count: ofEchoes(({ brokenOff }) => brokenOff),
    echo_unanswered_count: ofEchoes(({ unanswered }) => unanswered),
    played: {
      turns: turns.length,
      turns_with_pauses: paused.length,
      interruption_words: overlaps.filter(({ clip }) => clip.label === 'interruption_word').length,
      interruption_phrases: overlaps.filter(({ clip }) => clip.label === 'interruption_phrase').length,
      backchannels: backchannels.length,
      noises: noises.length,
      echo_turns: ofEchoes(({ turns }) => turns),
    },
  }
}

/** One line for each group that may differ: what was played, by whom, over which noise. */
export function breakdown({ overlaps, turns }: Outcomes): string[] {
  const lines: string[] = []
  const of = (name: string, group: readonly OverlapOutcome[]) => {
    if (group.length === 0) return
    const stopped = share(group, ({ interruptedMs }) => interruptedMs !== null)
    const reaction = spread(group.flatMap(({ reactionMs }) => reactionMs ?? []))
    const silence = spread(group.map(({ silenceMs }) => silenceMs))
    lines.push(
      `  ${name}: n ${group.length}, stopped the agent ${(stopped * 100).toFixed(1)} %, reaction p50 ${reaction.p50} p95 ${reaction.p95} ms, silence p50 ${silence.p50} p95 ${silence.p95} ms`,
    )
  }
  const labels = [...new Set(overlaps.map(({ clip }) => clip.label))].sort()
  for (const label of labels) {
    const mine = overlaps.filter(({ clip }) => clip.label === label)
    of(
      `${label}, human`,
      mine.filter(({ clip }) => clip.human),
    )
    of(
      `${label}, synthetic`,
      mine.filter(({ clip }) => !clip.human),
    )
  }
  for (const condition of [...new Set(overlaps.map((one) => one.condition))].sort()) {
    const mine = overlaps.filter((one) => one.condition === condition)
    of(
      `interruptions, ${condition}`,
      mine.filter(({ clip }) => isInterruption(clip)),
    )
    of(
      `all else, ${condition}`,
      mine.filter(({ clip }) => !isInterruption(clip)),
    )
  }
  const languages = [
    ...Map.groupBy([...overlaps.map(({ clip }) => clip), ...turns.map(({ turn }) => turn)], ({ language }) => language),
  ]
  lines.push(
    `  languages: ${languages
      .map(([language, all]) => `${language} ${all.length}`)
      .sort()
      .join(', ')}`,
  )
  const begun = overlaps.filter(({ clip }) => beginsAsAssent(clip))
  of('interruptions that begin as assent does', begun)
  of(
    'interruptions of other known words',
    overlaps.filter(({ clip }) => isInterruption(clip) && clip.text !== null && !beginsAsAssent(clip)),
  )
  const early = overlaps.filter(({ clip, intoReplyMs }) => isInterruption(clip) && intoReplyMs < 1000)
  of('interruptions within the first second of a reply', early)
  const ofTurns = (name: string, mine: readonly TurnOutcome[]) => {
    if (mine.length === 0) return
    const delay = spread(mine.filter(({ cutOffs }) => cutOffs === 0).flatMap(({ endpointMs }) => endpointMs ?? []))
    const [cut, none] = [share(mine, ({ cutOffs }) => cutOffs > 0), share(mine, isUnanswered)]
    lines.push(
      `  turns, ${name}: n ${mine.length}, cut off ${(cut * 100).toFixed(1)} %, not answered ${(none * 100).toFixed(1)} %, endpoint delay p50 ${delay.p50} p95 ${delay.p95} ms`,
    )
  }
  for (const [condition, mine] of groups(turns, (one) => one.condition)) ofTurns(condition, mine)
  for (const [kind, mine] of groups(turns, ({ turn }) => turn.kind)) ofTurns(kind, mine)
  return lines
}

/** By name. */
function groups<T>(all: readonly T[], nameOf: (one: T) => string): [string, T[]][] {
  return [...Map.groupBy(all, nameOf)].sort(([one], [other]) => (one < other ? -1 : 1))
}

export function spread(values: readonly number[]): Spread {
  const at = (share: number) => Math.round(percentile(values, share))
  return { n: values.length, p50: at(0.5), p95: at(0.95) }
}

function share<T>(all: readonly T[], holds: (one: T) => boolean): number {
  return all.length === 0 ? Number.NaN : Math.round((all.filter(holds).length / all.length) * 1000) / 1000
}
