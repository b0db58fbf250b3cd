import type { ConversationItem } from 'openai/resources/realtime/realtime'
import { type ApiError, invalidRequest } from './api-error.ts'

/** The items of a conversation in their order, and how much of each has been heard of the assistant. */
export interface HeldItem {
  readonly id: string
  item: WireItem
  /** What was delivered of an assistant's audio, less what was truncated. */
  audioMs: number
}

/** As it goes over the wire; a member has what its type has. */
export type WireItem = Readonly<Record<string, unknown>> & { readonly id: string; readonly type: string }

const idLengthMax = 32

export class Conversation {
  readonly items: HeldItem[] = []

  get lastId(): string | null {
    return this.items.at(-1)?.id ?? null
  }

  get last(): HeldItem | undefined {
    return this.items.at(-1)
  }

  find(id: string): HeldItem | undefined {
    return this.items.find((each) => each.id === id)
  }

  /** Whether the caller has said anything yet. */
  get hasTurns(): boolean {
    return this.items.some(({ item }) => item.type === 'message' && item.role === 'user')
  }

  append(item: WireItem): { held: HeldItem; previousId: string | null } {
    const previousId = this.lastId
    const held: HeldItem = { id: item.id, item, audioMs: 0 }
    this.items.push(held)
    return { held, previousId }
  }

  /** @param after an item's id, `root` for the beginning, or nothing for the end */
  insert(
    item: ConversationItem,
    id: string,
    after: string | undefined,
  ): { item: WireItem; previousId: string | null } | ApiError {
    if (id.length > idLengthMax) {
      const message = `Invalid 'item.id': string too long. Expected a string with maximum length ${idLengthMax}, but got a string with length ${id.length} instead.`
      return invalidRequest('string_above_max_length', message, 'item.id')
    }
    if (this.find(id) !== undefined) {
      const message = `Error adding item: an item with the ID '${id}' already exists in the conversation.`
      return invalidRequest('item_create_duplicate_item_id', message, 'item.id')
    }
    if (item.type === 'function_call_output' && !this.hasCall(item.call_id)) {
      const message = `Tool call ID '${item.call_id}' not found in conversation.`
      return invalidRequest('item_create_invalid_tool_call_id', message, 'item.call_id')
    }
    const index = after === undefined ? this.items.length : after === 'root' ? 0 : this.indexAfter(after)
    if (index === null) {
      const message = `Error adding item: the previous item with ID '${after}' does not exist.`
      return invalidRequest('item_create_invalid_previous_item_id', message, 'previous_item_id')
    }
    const wire: WireItem = { object: 'realtime.item', status: 'completed', ...item, id }
    this.items.splice(index, 0, { id, item: wire, audioMs: 0 })
    return { item: wire, previousId: this.items[index - 1]?.id ?? null }
  }

  remove(id: string): boolean {
    const index = this.items.findIndex((each) => each.id === id)
    if (index >= 0) this.items.splice(index, 1)
    return index >= 0
  }

  /** Takes what was not heard from an assistant's item: its audio behind `endMs`, and its whole transcript. */
  truncate(id: string, contentIndex: number, endMs: number): ApiError | null {
    const held = this.find(id)
    if (held === undefined) {
      const message = `Error truncating item: the item with ID '${id}' does not exist.`
      return invalidRequest('item_truncate_invalid_item_id', message, 'item_id')
    }
    const { item } = held
    if (item.type !== 'message' || item.role !== 'assistant') {
      return invalidRequest('invalid_value', 'Only model output audio messages can be truncated.', 'item_id')
    }
    if (contentIndex !== 0) return invalidRequest('invalid_value', 'Expected content_index 0.', 'content_index')
    if (!Number.isInteger(endMs) || endMs < 0) {
      return invalidRequest('invalid_type', `Expected an integer for audio_end_ms, but got ${endMs}.`, 'audio_end_ms')
    }
    // A delta's length in milliseconds need not be whole, and a client rounds.
    if (endMs > Math.ceil(held.audioMs)) {
      const message = `Audio content of ${Math.round(held.audioMs)}ms is already shorter than ${endMs}ms`
      return invalidRequest('invalid_value', message, 'audio_end_ms')
    }
    held.audioMs = endMs
    held.item = { ...item, content: [{ type: 'output_audio' }] }
    return null
  }

  private hasCall(callId: string): boolean {
    return this.items.some(({ item }) => item.type === 'function_call' && item.call_id === callId)
  }

  private indexAfter(id: string): number | null {
    const index = this.items.findIndex((each) => each.id === id)
    return index < 0 ? null : index + 1
  }
}
