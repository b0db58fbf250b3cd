import type { FunctionCall } from './functions.ts'
import type { ChatMessage } from './provider.ts'

/** A telephone call's memory: enough for half an hour, and bounded for small models. */
const messagesMax = 24
const charactersMax = 12_000

/** The conversation as the language model sees it: what the caller said, and of the agent's words those that were heard. */
export class History {
  private readonly prompt: string
  private messages: ChatMessage[] = []

  constructor(prompt: string) {
    this.prompt = prompt
  }

  /** The caller's words; two turns in a row without an answer between them are one message. */
  user(text: string): void {
    if (text === '') return
    const last = this.messages.at(-1)
    if (last?.role === 'user') this.messages.pop()
    this.add({ role: 'user', content: last?.role === 'user' ? `${last.content} ${text}` : text })
  }

  /** Words the agent spoke and the caller heard: the whole reply, with what it said to the functions that it asked for. */
  assistant(text: string): void {
    const turn = this.messages.findLastIndex(({ role }) => role === 'user')
    this.messages = this.messages.map((message, index) =>
      index > turn && message.calls !== undefined ? { ...message, content: '' } : message,
    )
    if (text !== '') this.add({ role: 'assistant', content: text })
  }

  /**
   * Functions that the model has asked for, and what it said while it did. All or nothing: a server refuses a conversation
   * in which one of them has no answer, so each has `output` until there is another.
   */
  functionsAsked(said: string, calls: readonly FunctionCall[], output: string): void {
    const answers = calls.map(({ id }): ChatMessage => ({ role: 'tool', content: output, callId: id }))
    this.add({ role: 'assistant', content: said, calls }, ...answers)
  }

  functionAnswered(callId: string, output: string): void {
    this.messages = this.messages.map((message) =>
      message.callId === callId ? { ...message, content: output } : message,
    )
  }

  /** Takes back the caller's last words: they are not finished. Returns them. */
  takeBackUser(): string {
    const last = this.messages.at(-1)
    if (last?.role !== 'user') return ''
    this.messages.pop()
    return last.content
  }

  /** The caller's newest words, whatever was said since; empty where there are none. */
  get lastUser(): string {
    return this.messages.findLast(({ role }) => role === 'user')?.content ?? ''
  }

  takeBackAssistant(): void {
    const last = this.messages.at(-1)
    if (last?.role === 'assistant' && last.calls === undefined) this.messages.pop()
  }

  /** The system message first, then the newest messages that fit. */
  forModel(): ChatMessage[] {
    const system: ChatMessage[] = this.prompt === '' ? [] : [{ role: 'system', content: this.prompt }]
    return [...system, ...this.messages]
  }

  private add(...added: ChatMessage[]): void {
    this.messages.push(...added)
    let characters = this.messages.reduce((sum, message) => sum + sizeOf(message), 0)
    const tooMany = () =>
      this.messages.length > messagesMax || (characters > charactersMax && this.messages.length > added.length)
    // Results without what asked for them are refused by servers.
    while (tooMany() || (this.messages[0]?.role === 'tool' && this.messages.length > added.length)) {
      const oldest = this.messages.shift()
      characters -= oldest === undefined ? 0 : sizeOf(oldest)
    }
  }
}

function sizeOf({ content, calls = [] }: ChatMessage): number {
  return content.length + calls.reduce((sum, { text }) => sum + text.length, 0)
}
