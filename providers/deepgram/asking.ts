import type { CallContext, Departure } from '#agent/provider.ts'
import type { ClientMessage } from './client-wire.ts'
import type { Dialogue } from './dialogue.ts'
import type { Replies } from './replies.ts'

/** What a reply is asked for with. */
export type Ask =
  /** An answer to the caller's turn. */
  | { readonly kind: 'turn' }
  /** This very text. */
  | { readonly kind: 'say'; readonly text: string }
  /** What functions have brought. */
  | { readonly kind: 'results' }
  /** The last words before the agent leaves, which the model makes of a function's result. */
  | { readonly kind: 'farewell'; readonly departure: Departure }
  /** The rest of what it was saying when it was broken off. */
  | { readonly kind: 'rest'; readonly text: string }

/**
 * How the server is made to speak where it would not by itself: the greeting stands in the settings, a text of ours is put
 * into its mouth, and a turn that another session has lost is put into the caller's. What it then says first is what was
 * ordered, unless an answer of its own is due and its words are others.
 */
export interface AskingDeps {
  readonly context: CallContext
  readonly dialogue: Dialogue
  readonly replies: () => Replies
  /** The session is there. */
  readonly ready: () => boolean
  /** A function runs: what is due is asked for when it has ended. */
  readonly works: () => boolean
  readonly send: (message: ClientMessage) => boolean
  readonly settings: (greeting: string) => ClientMessage
}

export class Asking {
  private readonly deps: AskingDeps
  /** Texts that were ordered word for word, and that have not begun. */
  private injected: string[] = []
  /** The settings that were sent have the greeting, and it has not begun. */
  private greets = false
  /** Words that are put into the caller's mouth: they come back, and are known. `taken`: out of the dialogue. */
  private put: { readonly words: string; readonly taken: boolean } | null = null

  constructor(deps: AskingDeps) {
    this.deps = deps
  }

  /** The greeting is on its way. */
  get greeting(): boolean {
    return this.greets
  }

  /** A session begins. @param early the call has not begun to talk to us, and will want the greeting */
  agree(early: boolean): void {
    const { context, replies, send, settings, works } = this.deps
    const { greeting } = context
    const due = replies().dueAsk
    const isDue = due?.kind === 'say' && due.text === greeting
    this.forget()
    this.greets = greeting !== '' && (isDue || early)
    // The words that are to be answered are asked with, and so no part of what was before.
    if (!works() && (due?.kind === 'turn' || due?.kind === 'results')) this.takeCallersWords()
    send(settings(this.greets ? greeting : ''))
  }

  /** @param again of what the server was told before it knows nothing, or has made nothing */
  ask(ask: Ask, again: boolean): void {
    const { ready, send, context, replies, works } = this.deps
    switch (ask.kind) {
      case 'say':
      case 'rest':
        if (this.greets && ask.text === context.greeting) return
        if (ready() && send({ type: 'InjectAgentMessage', message: ask.text, behavior: 'interrupt' }))
          this.injected.push(ask.text)
        return
      case 'turn':
      case 'results':
        if (again && !works()) this.putInCallersMouth()
        return
      case 'farewell':
        // The function's result went with the session.
        if (again) replies().giveUp('connection_lost', 'the session ended before the farewell')
    }
  }

  /** These words begin what was ordered. */
  expects(words: string): boolean {
    const [text] = this.injected
    return text !== undefined && sameBeginning(text, words)
  }

  /**
   * A reply begins.
   * @param words its first; null where its sound came before them
   * @param answerDue the server is to answer the caller
   * @returns whether it is one that was ordered
   */
  begins(words: string | null, answerDue: boolean): boolean {
    if (this.greets) {
      this.greets = false
      return true
    }
    if (this.injected.length === 0 || (answerDue && words !== null && !this.expects(words))) return false
    this.injected.shift()
    return true
  }

  /** @returns whether these words of the caller's are those that were put into their mouth */
  knows(text: string): boolean {
    if (text !== this.put?.words) return false
    this.putBack()
    return true
  }

  /** Nothing of what was ordered will come. */
  forget(): void {
    this.injected = []
    this.putBack()
  }

  private putInCallersMouth(): void {
    const { ready, send } = this.deps
    if (this.put === null) this.takeCallersWords()
    const words = this.put?.words ?? ''
    if (words !== '' && ready()) send({ type: 'InjectUserMessage', content: words })
  }

  private takeCallersWords(): void {
    const { dialogue } = this.deps
    const words = dialogue.takeBackCaller()
    // The agent has said something since, and owes the rest: it is asked the same again.
    this.put = words === '' ? { words: dialogue.callersLast, taken: false } : { words, taken: true }
  }

  private putBack(): void {
    const { put } = this
    this.put = null
    if (put?.taken === true) this.deps.dialogue.putBackCaller(put.words)
  }
}

function sameBeginning(one: string, other: string): boolean {
  const [a, b] = [one, other].map((text) => text.toLowerCase().replace(/[^\p{L}\p{N}]+/gu, '')) as [string, string]
  return a !== '' && b !== '' && (a.startsWith(b) || b.startsWith(a))
}
