/**
 * Who has the floor. A pure table: state × event → next state and effects; `coordinator.ts` performs the effects.
 *
 * | state           | event               | next            | effects                                              |
 * |-----------------|---------------------|-----------------|------------------------------------------------------|
 * | opening         | reply_audio         | agent_speaking  | start_playout                                        |
 * | opening         | reply_empty         | listening       | open_gate                                            |
 * | listening       | speech_started      | caller_speaking | start_turn                                           |
 * | listening       | reply_audio         | agent_speaking  | start_playout                                        |
 * | caller_speaking | speech_stopped      | endpointing     | start_silence_limit                                  |
 * | caller_speaking | turn_limit          | thinking        | commit_turn                                          |
 * | endpointing     | speech_started      | caller_speaking | stop_silence_limit, continue_turn                    |
 * | endpointing     | silence_limit       | thinking        | commit_turn                                          |
 * | endpointing     | turn_limit          | thinking        | stop_silence_limit, commit_turn                      |
 * | thinking        | speech_started      | caller_speaking | resume_turn                                          |
 * | thinking        | reply_audio         | agent_speaking  | start_playout                                        |
 * | thinking        | reply_empty         | listening       |                                                      |
 * | agent_speaking  | speech_started      | overlap         | start_barge_in_limit                                 |
 * | agent_speaking  | playout_done        | guarding        | start_guard                                          |
 * | overlap         | speech_stopped      | agent_speaking  | stop_barge_in_limit, note_false_interruption         |
 * | overlap         | barge_in_confirmed  | caller_speaking | flush_playout, open_gate, start_turn                 |
 * | overlap         | playout_done        | guarding        | stop_barge_in_limit, start_guard                     |
 * | guarding        | guard_over          | listening       | open_gate                                            |
 * | guarding        | guard_over_in_speech| caller_speaking | open_gate, start_turn                                |
 * | guarding        | reply_audio         | agent_speaking  | stop_guard, start_playout                            |
 * | any             | call_ended          | ended           | stop_everything                                      |
 *
 * A pair that is not in the table changes nothing. `opening` is the time before the greeting sounds: nothing that the
 * line does then is a turn. `guarding` is the time after a reply in which its echo may still come back.
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
  'speech_started',
  'speech_stopped',
  'silence_limit',
  'turn_limit',
  'reply_audio',
  'reply_empty',
  'barge_in_confirmed',
  'playout_done',
  'guard_over',
  'guard_over_in_speech',
  'call_ended',
] as const
export type TurnEvent = (typeof turnEvents)[number]

export type TurnEffect =
  | 'start_turn'
  | 'continue_turn'
  | 'resume_turn'
  | 'commit_turn'
  | 'start_silence_limit'
  | 'stop_silence_limit'
  | 'start_playout'
  | 'flush_playout'
  | 'start_barge_in_limit'
  | 'stop_barge_in_limit'
  | 'note_false_interruption'
  | 'start_guard'
  | 'stop_guard'
  | 'open_gate'
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
    reply_empty: to('listening', 'open_gate'),
  },
  listening: {
    speech_started: to('caller_speaking', 'start_turn'),
    reply_audio: to('agent_speaking', 'start_playout'),
  },
  caller_speaking: {
    speech_stopped: to('endpointing', 'start_silence_limit'),
    turn_limit: to('thinking', 'commit_turn'),
  },
  endpointing: {
    speech_started: to('caller_speaking', 'stop_silence_limit', 'continue_turn'),
    silence_limit: to('thinking', 'commit_turn'),
    turn_limit: to('thinking', 'stop_silence_limit', 'commit_turn'),
  },
  thinking: {
    speech_started: to('caller_speaking', 'resume_turn'),
    reply_audio: to('agent_speaking', 'start_playout'),
    reply_empty: to('listening'),
  },
  agent_speaking: {
    speech_started: to('overlap', 'start_barge_in_limit'),
    playout_done: to('guarding', 'start_guard'),
  },
  overlap: {
    speech_stopped: to('agent_speaking', 'stop_barge_in_limit', 'note_false_interruption'),
    barge_in_confirmed: to('caller_speaking', 'flush_playout', 'open_gate', 'start_turn'),
    playout_done: to('guarding', 'stop_barge_in_limit', 'start_guard'),
  },
  guarding: {
    guard_over: to('listening', 'open_gate'),
    guard_over_in_speech: to('caller_speaking', 'open_gate', 'start_turn'),
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
