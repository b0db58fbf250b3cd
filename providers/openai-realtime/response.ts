import type { Milliseconds } from '#base/clock.ts'
import type { Invocation } from '#tools/invocations.ts'
import type { ServerEvent } from './wire.ts'

/** One response of the server's, from `response.created` to `response.done`. */
export interface Response {
  readonly id: string
  /** `live`: it goes to the caller; `held`: until it is known whether it is wanted; `dropped`: what comes of it is nothing. */
  state: 'live' | 'held' | 'dropped'
  /** Its audio has begun to come. */
  audible: boolean
  lastAudioMs: Milliseconds
  readonly itemIds: string[]
  /** Of all messages that the server has put into the conversation for it, whether anybody wants them or not. */
  readonly messageIds: string[]
  readonly invocations: Invocation[]
  /** While it is held. */
  readonly held: ServerEvent[]
}

/** A reply of ten minutes comes in fewer pieces. */
const heldMax = 8192

export function newResponse(id: string, state: Response['state']): Response {
  return { id, state, audible: false, lastAudioMs: 0, itemIds: [], messageIds: [], invocations: [], held: [] }
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

export function noteItem(response: Response, event: ServerEvent): void {
  if (event.type !== 'output_item' || event.item.kind !== 'message') return
  if (!response.messageIds.includes(event.item.id)) response.messageIds.push(event.item.id)
}

/** Its end is kept in any case: without it nothing would follow. */
export function hold(response: Response, event: ServerEvent): void {
  if (response.held.length < heldMax || event.type === 'response_done') response.held.push(event)
}

/** It is held, and its end with it: the server is done with it. */
export function isFinished(response: Response): boolean {
  return response.state === 'held' && response.held.some((event) => event.type === 'response_done')
}

export function responseIdOf(event: ServerEvent): string | null {
  if (event.type === 'response_done') return event.response.id
  return 'responseId' in event ? event.responseId : null
}
