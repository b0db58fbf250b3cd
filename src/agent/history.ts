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
    const last = this.messages.at(-1)
    if (last?.role === 'user') this.messages.pop()
    this.add({ role: 'user', content: last?.role === 'user' ? `${last.content} ${text}` : text })
  }

  /** Words the agent spoke and the caller heard. */
  assistant(text: string): void {
    if (text !== '') this.add({ role: 'assistant', content: text })
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
    if (this.messages.at(-1)?.role === 'assistant') this.messages.pop()
  }

  /** The system message first, then the newest messages that fit. */
  forModel(): ChatMessage[] {
    const system: ChatMessage[] = this.prompt === '' ? [] : [{ role: 'system', content: this.prompt }]
    return [...system, ...this.messages]
  }

  private add(message: ChatMessage): void {
    this.messages.push(message)
    let characters = this.messages.reduce((sum, { content }) => sum + content.length, 0)
    while (this.messages.length > messagesMax || (characters > charactersMax && this.messages.length > 1)) {
      characters -= this.messages.shift()?.content.length ?? 0
    }
  }
}
