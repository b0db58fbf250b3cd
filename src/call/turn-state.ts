/**
 * Who has the floor. A pure table: state × event → next state and effects; `coordinator.ts` performs the effects.
 *
 * | state           | event                   | next            | effects                                                              |
 * |-----------------|-------------------------|-----------------|----------------------------------------------------------------------|
 * | opening         | reply_audio             | agent_speaking  | start_playout                                                        |
 * | opening         | reply_empty             | listening       | open_gate, start_waiting                                             |
 * | listening       | speech_started          | caller_speaking | stop_waiting, start_turn                                             |
 * | listening       | reply_audio             | agent_speaking  | stop_waiting, start_playout                                          |
 * | caller_speaking | speech_stopped          | endpointing     | start_endpointing                                                    |
 * | caller_speaking | turn_limit              | thinking        | commit_turn                                                          |
 * | caller_speaking | agent_took_turn         | thinking        | commit_turn                                                          |
 * | endpointing     | speech_started          | caller_speaking | stop_endpointing, continue_turn                                      |
 * | endpointing     | end_of_turn             | thinking        | stop_endpointing, commit_turn                                        |
 * | endpointing     | turn_limit              | thinking        | stop_endpointing, commit_turn                                        |
 * | endpointing     | agent_took_turn         | thinking        | stop_endpointing, commit_turn                                        |
 * | thinking        | speech_started          | caller_speaking | resume_turn                                                          |
 * | thinking        | reply_audio             | agent_speaking  | start_playout                                                        |
 * | thinking        | reply_empty             | listening       | start_waiting                                                        |
 * | agent_speaking  | speech_started          | overlap         | start_overlap                                                        |
 * | agent_speaking  | playout_done            | guarding        | start_guard                                                          |
 * | overlap         | speech_stopped          | overlap         | pause_overlap                                                        |
 * | overlap         | speech_started          | overlap         | continue_overlap                                                     |
 * | overlap         | interruption            | caller_speaking | end_overlap, flush_playout, open_gate, start_turn                    |
 * | overlap         | interruption_over       | endpointing     | end_overlap, flush_playout, open_gate, start_turn, start_endpointing |
 * | overlap         | no_interruption         | agent_speaking  | end_overlap                                                          |
 * | overlap         | playout_done            | guarding        | end_overlap, start_guard                                             |
 * | guarding        | guard_over              | listening       | open_gate, start_waiting                                             |
 * | guarding        | guard_over_in_speech    | caller_speaking | open_gate, start_turn                                                |
 * | guarding        | guard_over_after_speech | endpointing     | open_gate, start_turn, start_endpointing                             |
 * | guarding        | reply_audio             | agent_speaking  | stop_guard, start_playout                                            |
 * | any             | call_ended              | ended           | stop_everything                                                      |
 *
 * A pair that is not in the table changes nothing. `opening` is the time before the greeting sounds: nothing that the
 * line does then is a turn. `overlap` is speech over the agent's, until it is known what it was; what the reply does
 * meanwhile is decided in `barge-in.ts`. `guarding` is the time after a reply in which its echo may still come back.
 * `agent_took_turn` is the word of an agent that finds the turns itself: it answers, whatever our detector says.
 */
export const turnStates = [
  'opening',
  'listening',
  'caller_speaking',
  'endpointing',
  'thinking',
  'agent_speaking',
  'overlap',
  'guarding',
  'ended',
] as const
export type TurnState = (typeof turnStates)[number]

export const turnEvents = [
  'reply_audio',
  'reply_empty',
  'speech_started',
  'speech_stopped',
  'turn_limit',
  'agent_took_turn',
  'end_of_turn',
  'playout_done',
  'interruption',
  'interruption_over',
  'no_interruption',
  'guard_over',
  'guard_over_in_speech',
  'guard_over_after_speech',
  'call_ended',
] as const
export type TurnEvent = (typeof turnEvents)[number]

export type TurnEffect =
  | 'start_playout'
  | 'open_gate'
  | 'start_waiting'
  | 'stop_waiting'
  | 'start_turn'
  | 'start_endpointing'
  | 'commit_turn'
  | 'stop_endpointing'
  | 'continue_turn'
  | 'resume_turn'
  | 'start_overlap'
  | 'start_guard'
  | 'pause_overlap'
  | 'continue_overlap'
  | 'end_overlap'
  | 'flush_playout'
  | 'stop_guard'
  | 'stop_everything'

export interface TurnTransition {
  readonly state: TurnState
  readonly effects: readonly TurnEffect[]
}

type Row = Partial<Record<TurnEvent, TurnTransition>>

const to = (state: TurnState, ...effects: TurnEffect[]): TurnTransition => ({ state, effects })

const table: Record<TurnState, Row> = {
  opening: {
    reply_audio: to('agent_speaking', 'start_playout'),
    reply_empty: to('listening', 'open_gate', 'start_waiting'),
  },
  listening: {
    speech_started: to('caller_speaking', 'stop_waiting', 'start_turn'),
    reply_audio: to('agent_speaking', 'stop_waiting', 'start_playout'),
  },
  caller_speaking: {
    speech_stopped: to('endpointing', 'start_endpointing'),
    turn_limit: to('thinking', 'commit_turn'),
    agent_took_turn: to('thinking', 'commit_turn'),
  },
  endpointing: {
    speech_started: to('caller_speaking', 'stop_endpointing', 'continue_turn'),
    end_of_turn: to('thinking', 'stop_endpointing', 'commit_turn'),
    turn_limit: to('thinking', 'stop_endpointing', 'commit_turn'),
    agent_took_turn: to('thinking', 'stop_endpointing', 'commit_turn'),
  },
  thinking: {
    speech_started: to('caller_speaking', 'resume_turn'),
    reply_audio: to('agent_speaking', 'start_playout'),
    reply_empty: to('listening', 'start_waiting'),
  },
  agent_speaking: {
    speech_started: to('overlap', 'start_overlap'),
    playout_done: to('guarding', 'start_guard'),
  },
  overlap: {
    speech_stopped: to('overlap', 'pause_overlap'),
    speech_started: to('overlap', 'continue_overlap'),
    interruption: to('caller_speaking', 'end_overlap', 'flush_playout', 'open_gate', 'start_turn'),
    interruption_over: to(
      'endpointing',
      'end_overlap',
      'flush_playout',
      'open_gate',
      'start_turn',
      'start_endpointing',
    ),
    no_interruption: to('agent_speaking', 'end_overlap'),
    playout_done: to('guarding', 'end_overlap', 'start_guard'),
  },
  guarding: {
    guard_over: to('listening', 'open_gate', 'start_waiting'),
    guard_over_in_speech: to('caller_speaking', 'open_gate', 'start_turn'),
    guard_over_after_speech: to('endpointing', 'open_gate', 'start_turn', 'start_endpointing'),
    reply_audio: to('agent_speaking', 'stop_guard', 'start_playout'),
  },
  ended: {},
}

const ended = to('ended', 'stop_everything')

/** What changes, or null where this event means nothing in this state. */
export function nextTurn(state: TurnState, event: TurnEvent): TurnTransition | null {
  if (event === 'call_ended') return state === 'ended' ? null : ended
  return table[state][event] ?? null
}
