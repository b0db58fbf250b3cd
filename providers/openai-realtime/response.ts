import type { Milliseconds } from '#base/clock.ts'
import type { Invocation, ServerEvent } from './wire.ts'

/** One response of the server's, from `response.created` to `response.done`. */
export interface Response {
  readonly id: string
  /** `live`: it goes to the caller; `held`: until it is known whether it is wanted; `dropped`: what comes of it is nothing. */
  state: 'live' | 'held' | 'dropped'
  /** Its audio has begun to come. */
  audible: boolean
  lastAudioMs: Milliseconds
  readonly itemIds: string[]
  readonly invocations: Invocation[]
  /** While it is held. */
  readonly held: ServerEvent[]
}

/** A reply of ten minutes comes in fewer pieces. */
export const heldMax = 8192

export function newResponse(id: string, state: Response['state']): Response {
  return { id, state, audible: false, lastAudioMs: 0, itemIds: [], invocations: [], held: [] }
}

/** An event names its function, or leaves that to the item: both come, in either order, and again at the end. */
export function noteInvocation(response: Response, invocation: Invocation): void {
  const index = response.invocations.findIndex(({ id }) => id === invocation.id)
  const known = response.invocations[index]
  if (known === undefined) response.invocations.push(invocation)
  else {
    const { id } = known
    response.invocations[index] = { id, name: invocation.name || known.name, text: invocation.text || known.text }
  }
}
