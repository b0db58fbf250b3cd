import { messageItem } from './client-wire.ts'
import type { Conversation } from './conversation.ts'
import type { Sendable } from './link.ts'

const lineNote =
  'The line to you was interrupted and is there again. What follows was said before; parts may be missing.'

/**
 * Tells a new session what was said before it: in the one before, or in our own voice.
 * @param again there was one before
 */
export function putBack(conversation: Conversation, again: boolean, send: (event: Sendable) => boolean): void {
  const items = conversation.carryOver()
  if (again && items.length > 0) send({ type: 'conversation.item.create', item: messageItem('system', lineNote) })
  for (const { id, role, text } of items)
    send({ type: 'conversation.item.create', item: { ...messageItem(role, text), id } })
}
