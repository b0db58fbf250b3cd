import type { CallContext } from '#agent/provider.ts'
import type { ClientMessage } from './client-wire.ts'
import type { Dialogue } from './dialogue.ts'
import type { Ask, Replies } from './replies.ts'

/**
 * How the server is made to speak where it would not by itself: the greeting stands in the settings, a text of ours is put
 * into its mouth, and a turn that another session has lost is put into the caller's. What it then says first is what was
 * ordered, whatever the caller's speech has been.
 */
export interface AskingDeps {
  readonly context: CallContext
  readonly dialogue: Dialogue
  readonly replies: () => Replies
  /** The session is there. */
  readonly ready: () => boolean
  readonly send: (message: ClientMessage) => boolean
  readonly settings: (greeting: string) => ClientMessage
}

export class Asking {
  private readonly deps: AskingDeps
  /** Replies that were ordered word for word, and that have not begun. */
  private injected = 0
  /** The settings that were sent have the greeting, and it has not begun. */
  private greets = false
  /** Words that were put into the caller's mouth: they come back, and are known. */
  private putWords: string | null = null

  constructor(deps: AskingDeps) {
    this.deps = deps
  }

  /** The greeting is on its way. */
  get greeting(): boolean {
    return this.greets
  }

  /** A session begins. @param early the call has not begun to talk to us, and will want the greeting */
  agree(early: boolean): void {
    const { context, dialogue, replies, send, settings } = this.deps
    const { greeting } = context
    const due = replies().dueAsk
    const isDue = due?.kind === 'say' && due.text === greeting
    this.injected = 0
    this.greets = greeting !== '' && (isDue || early)
    // The words that are to be answered are asked with, and so no part of what was before.
    this.putWords = due?.kind === 'turn' || due?.kind === 'results' ? dialogue.takeBackCaller() : null
    send(settings(this.greets ? greeting : ''))
  }

  /** @param again of what the server was told before it knows nothing, or has made nothing */
  ask(ask: Ask, again: boolean): void {
    const { ready, send, context, replies } = this.deps
    switch (ask.kind) {
      case 'say':
      case 'rest':
        if (this.greets && ask.text === context.greeting) return
        if (ready() && send({ type: 'InjectAgentMessage', message: ask.text, behavior: 'interrupt' }))
          this.injected += 1
        return
      case 'turn':
      case 'results':
        if (again) this.putInCallersMouth()
        return
      case 'farewell':
        // The function's result went with the session.
        if (again) replies().giveUp('connection_lost', 'the session ended before the farewell')
    }
  }

  /** A reply begins. @returns whether it is one that was ordered */
  begins(): boolean {
    if (this.greets) {
      this.greets = false
      return true
    }
    if (this.injected === 0) return false
    this.injected -= 1
    return true
  }

  /** @returns whether these words of the caller's are those that were put into their mouth */
  knows(text: string): boolean {
    if (text !== this.putWords) return false
    this.putWords = null
    this.deps.dialogue.putBackCaller(text)
    return true
  }

  /** Nothing of what was ordered will come. */
  forget(): void {
    this.injected = 0
    this.putWords = null
  }

  private putInCallersMouth(): void {
    const { dialogue, ready, send } = this.deps
    this.putWords ??= dialogue.takeBackCaller()
    if (this.putWords !== '' && ready()) send({ type: 'InjectUserMessage', content: this.putWords })
  }
}
