/**
 * The life of one call, as a pure table; `call.ts` performs what follows from it.
 *
 * | state    | event    | next     |                                                          |
 * |----------|----------|----------|----------------------------------------------------------|
 * | ringing  | answered | answered | the channel is up                                        |
 * | answered | bridged  | bridged  | caller and media channel hear each other                 |
 * | ringing, answered, bridged | end | draining | whoever ends it, at whatever moment, once |
 * | draining | cleaned  | ended    | nothing of the call is left                              |
 *
 * A pair that is not in the table changes nothing: a second hang-up, or an answer that arrives after the caller left.
 */
export const callStates = ['ringing', 'answered', 'bridged', 'draining', 'ended'] as const
export type CallState = (typeof callStates)[number]

export const callStateEvents = ['answered', 'bridged', 'end', 'cleaned'] as const
export type CallStateEvent = (typeof callStateEvents)[number]

const table: Record<CallState, Partial<Record<CallStateEvent, CallState>>> = {
  ringing: { answered: 'answered', end: 'draining' },
  answered: { bridged: 'bridged', end: 'draining' },
  bridged: { end: 'draining' },
  draining: { cleaned: 'ended' },
  ended: {},
}

/** The next state, or null where this event means nothing in this state. */
export function nextCallState(state: CallState, event: CallStateEvent): CallState | null {
  return table[state][event] ?? null
}
