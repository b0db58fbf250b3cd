import { resultInWords, type ToolResult } from '#tools/invocations.ts'
import { messageItem } from './client-wire.ts'
import type { Conversation } from './conversation.ts'
import type { Sendable } from './link.ts'
import type { CutItem } from './sounding.ts'

const lineNote =
  'The line to you was interrupted and is there again. What follows was said before; parts may be missing.'

/**
 * Tells a new session what was said before it: in the one before, or in our own voice.
 *
 * @param results what functions have brought: their calls are unknown there
 * @param again there was one before
 * @returns the new ids of items, by those before
 */
export function putBack(
  conversation: Conversation,
  results: readonly ToolResult[],
  again: boolean,
  send: (event: Sendable) => boolean,
): ReadonlyMap<string, string> {
  const put = (item: ReturnType<typeof messageItem>) => send({ type: 'conversation.item.create', item })
  const items = conversation.carryOver()
  if (again && items.length > 0) put(messageItem('system', lineNote))
  for (const { id, role, text } of items) put({ ...messageItem(role, text), id })
  if (again) for (const result of results) put(messageItem('system', resultInWords(result)))
  // keyed by: the id before
  return new Map(items.map(({ before, id }) => [before, id]))
}

/** Of what sounds only so much was heard. */
export function tellHeard(
  { itemId, heardMs, totalMs, unfinished, asText }: CutItem,
  conversation: Conversation,
  send: (event: Sendable) => boolean,
): void {
  if (!asText) {
    send({ type: 'conversation.item.truncate', item_id: itemId, content_index: 0, audio_end_ms: heardMs })
    return conversation.cut(itemId, heardMs, totalMs, unfinished)
  }
  conversation.cut(itemId, heardMs, totalMs, unfinished)
  send({ type: 'conversation.item.delete', item_id: itemId })
  const anew = conversation.replace(itemId)
  if (anew === null || anew.text === '') return
  const item = { ...messageItem('assistant', anew.text), id: anew.id }
  const place = anew.previousId === null ? {} : { previous_item_id: anew.previousId }
  send({ type: 'conversation.item.create', item, ...place })
}
