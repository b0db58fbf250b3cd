import { type Ask, parametersOf } from './asks.ts'
import type { Sendable } from './link.ts'

/**
 * What was asked of the server and has no `response.created` yet, one at a time. Each carries a number that comes back
 * with its response, so that an answer the server makes by itself at that moment is not taken for ours. A server that has
 * never told a number again is believed by the order of what comes.
 */
interface Waiting {
  readonly ask: Ask
  readonly number: number
  /** Nobody wants it any more. */
  unwanted: boolean
}

export class Request {
  private readonly prompt: string
  private readonly send: (event: Sendable) => boolean
  private waiting: Waiting | null = null
  /** Sent, and neither answered nor refused, those included that nobody waits for any longer. */
  private open = 0
  private number = 0
  private numbered: Ask | null = null
  /** The server tells numbers again: a response without one is not ours. */
  private echoes = false

  constructor(prompt: string, send: (event: Sendable) => boolean) {
    this.prompt = prompt
    this.send = send
  }

  get waits(): boolean {
    return this.waiting !== null
  }

  /** Asked for once more, it is the same one and has the same number. */
  put(ask: Ask): void {
    if (this.numbered !== ask) this.number += 1
    this.numbered = ask
    const { number } = this
    const response = { ...parametersOf(ask, this.prompt), metadata: { ask: String(number) } }
    if (!this.send({ type: 'response.create', response })) return
    this.waiting = { ask, number, unwanted: false }
    this.open += 1
  }

  unwanted(): void {
    if (this.waiting !== null) this.waiting.unwanted = true
  }

  /** No answer to it is waited for. @returns what it was */
  end(): Waiting | null {
    const { waiting } = this
    this.waiting = null
    return waiting
  }

  /** The server has refused one. @returns false where all had been answered: one of its own was taken for an answer */
  refused(): boolean {
    const known = this.open > 0 || this.echoes
    this.open = Math.max(0, this.open - 1)
    return known
  }

  /** The session is gone. */
  lost(): void {
    this.waiting = null
    this.open = 0
  }

  /**
   * Whose a response is that has just been created; what was asked where it is the answer.
   * @param number where the server tells one
   */
  answered(number: string | null): Ask | 'unwanted' | 'of_the_server' {
    const { waiting } = this
    if (number !== null) this.echoes = true
    const isOurs = waiting !== null && (number === null ? !this.echoes : number === String(waiting.number))
    if (isOurs || number !== null) this.open = Math.max(0, this.open - 1)
    // One that was asked for, and is not waited for any more, was given up.
    if (!isOurs) return number === null ? 'of_the_server' : 'unwanted'
    this.waiting = null
    return waiting.unwanted ? 'unwanted' : waiting.ask
  }
}
