import { heardText } from '#agent/heard-text.ts'
import type { Clock, Milliseconds } from '#base/clock.ts'

/**
 * What was said, in the order of the conversation's items and not in that of its transcripts: the caller's words are
 * written down by another model and come late, often behind the words of the reply to them. Each side's words are told
 * once all before them are known, or are not expected any more.
 *
 * It is also what a new session is told: the caller's words, and of the agent's those that were heard.
 */
export interface SpokenItem {
  readonly role: 'user' | 'assistant'
  readonly text: string
}

/** `corrects`: what was told before of the same item, whose place `text` takes. */
export type TellWords = (side: 'caller' | 'agent', text: string, spokenAtMs: Milliseconds, corrects?: string) => void

interface Item {
  id: string
  readonly role: 'user' | 'assistant'
  text: string
  /** `open`: its words may still change; `none`: there will be none. */
  state: 'open' | 'final' | 'none'
  readonly addedMs: Milliseconds
  readonly spokenAtMs: Milliseconds
  told: boolean
}

/** Words that are later than this are told when they come, and the others don't wait for them. */
const wordsMaxMs: Milliseconds = 4000
/** A long call's newest; a session is told fewer. */
const itemsMax = 400
/** Nobody speaks faster than 18 letters a second for long. */
const letterMinMs: Milliseconds = 55
const removedMax = 32
const historyMax = 40
const historyCharactersMax = 12_000

export class Conversation {
  private readonly clock: Clock
  private readonly tell: TellWords
  /** Whether the caller's words are written down at all. */
  private readonly transcribes: boolean
  private readonly items: Item[] = []
  /** The newest that were removed: the server still tells of them. */
  private readonly removed: string[] = []
  private timer: Disposable | null = null
  private madeIds = 0

  constructor(clock: Clock, transcribes: boolean, tell: TellWords) {
    this.clock = clock
    this.transcribes = transcribes
    this.tell = tell
  }

  /** Known already, or removed: nothing happens. */
  add(id: string, role: 'user' | 'assistant', previousId: string | null, spokenAtMs: Milliseconds): void {
    if (this.find(id) !== undefined || this.removed.includes(id)) return
    const state = role === 'user' && !this.transcribes ? 'none' : 'open'
    const item: Item = { id, role, text: '', state, addedMs: this.clock.now(), spokenAtMs, told: false }
    const before = previousId === null ? -1 : this.items.findIndex((each) => each.id === previousId)
    if (before >= 0) this.items.splice(before + 1, 0, item)
    else this.items.push(item)
    if (this.items.length > itemsMax) this.items.shift()
  }

  /** Words that we put there ourselves. */
  put(id: string, role: 'user' | 'assistant', text: string): void {
    const now = this.clock.now()
    this.items.push({ id, role, text, state: 'final', addedMs: now, spokenAtMs: now, told: false })
    this.tellInOrder()
  }

  /** An id for an item of our own. */
  makeId(): string {
    this.madeIds += 1
    return `pc_${this.madeIds}`
  }

  /** @returns the caller's words so far; null of an item that is not known */
  callerSaid(id: string, whole: boolean, text: string): string | null {
    return this.said(id, 'user', whole, text)
  }

  callerFailed(id: string): void {
    this.settle(id)
  }

  agentSaid(id: string, whole: boolean, text: string): void {
    this.said(id, 'assistant', whole, text)
  }

  /** No more words of it will come. */
  settle(id: string): void {
    const item = this.find(id)
    if (item === undefined || item.state !== 'open') return
    item.state = item.text === '' ? 'none' : 'final'
    this.tellInOrder()
  }

  /** Of what the agent said only so much was heard; what was told before is told anew. */
  cut(id: string, heardMs: Milliseconds, totalMs: Milliseconds, unfinished = false): void {
    const item = this.find(id)
    if (item === undefined) return
    const text = item.text.trim()
    // Of words that have run ahead of their audio it is not known how long they would have taken.
    const durationMs = unfinished ? Math.max(totalMs, text.length * letterMinMs) : totalMs
    item.text = heardText([{ text, durationMs }], heardMs)
    item.state = 'final'
    if (item.told) this.tell('agent', item.text, item.spokenAtMs, text)
    else this.tellInOrder()
  }

  /** It was no part of the conversation after all. */
  remove(id: string): void {
    const index = this.items.findIndex((each) => each.id === id)
    if (index >= 0) this.items.splice(index, 1)
    this.removed.push(id)
    if (this.removed.length > removedMax) this.removed.shift()
    this.tellInOrder()
  }

  textOf(id: string): string {
    return this.find(id)?.text ?? ''
  }

  /** When it was said; of an item that is not known, now. */
  spokenAtMs(id: string): Milliseconds {
    return this.find(id)?.spokenAtMs ?? this.clock.now()
  }

  /** The newest words of the caller's are known. */
  get callerIsKnown(): boolean {
    const last = this.items.findLast(({ role }) => role === 'user')
    return last !== undefined && last.text !== ''
  }

  /**
   * What a new session is to be told, oldest first, under new ids: those of the old one (`before`) mean nothing there. Words that
   * have not come by now will not come.
   */
  carryOver(): readonly (SpokenItem & { readonly id: string; readonly before: string })[] {
    for (const item of this.items) if (item.state === 'open') item.state = item.text === '' ? 'none' : 'final'
    this.tellInOrder()
    const spoken = this.items.filter(({ text }) => text !== '').slice(-historyMax)
    let characters = spoken.reduce((sum, { text }) => sum + text.length, 0)
    while (characters > historyCharactersMax && spoken.length > 1) characters -= spoken.shift()?.text.length ?? 0
    return spoken.map((item) => {
      const before = item.id
      item.id = this.makeId()
      return { id: item.id, before, role: item.role, text: item.text }
    })
  }

  /** An item that a session knows as text is put there anew: under another id, and behind the same one as before. */
  replace(id: string): { readonly id: string; readonly text: string; readonly previousId: string | null } | null {
    const index = this.items.findIndex((each) => each.id === id)
    const item = this.items[index]
    if (item === undefined) return null
    item.id = this.makeId()
    const previous = this.items.slice(0, index).findLast(({ text }) => text !== '')
    return { id: item.id, text: item.text, previousId: previous?.id ?? null }
  }

  /** The call is over: what is known is told. */
  close(): void {
    for (const item of this.items) if (item.state === 'open') item.state = item.text === '' ? 'none' : 'final'
    this.tellInOrder()
    this.disarm()
  }

  private find(id: string): Item | undefined {
    return this.items.findLast((each) => each.id === id)
  }

  private said(id: string, role: Item['role'], whole: boolean, text: string): string | null {
    const item = this.find(id)
    if (item === undefined || item.role !== role) return null
    // What was cut to what was heard stays so.
    if (item.state === 'final' && role === 'assistant') return item.text
    item.text = whole ? text.trim() : item.text + text
    if (!whole) return item.text
    item.state = item.text === '' ? 'none' : 'final'
    this.tellInOrder()
    return item.text
  }

  private tellInOrder(): void {
    this.disarm()
    const now = this.clock.now()
    let blocked = false
    for (const item of this.items) {
      if (item.told) continue
      if (item.state === 'open') {
        const leftMs = item.addedMs + wordsMaxMs - now
        if (leftMs <= 0 || blocked) continue
        blocked = true
        this.timer = this.clock.after(leftMs, () => this.tellInOrder())
        continue
      }
      if (blocked) continue
      item.told = true
      if (item.text !== '') this.tell(item.role === 'user' ? 'caller' : 'agent', item.text, item.spokenAtMs)
    }
  }

  private disarm(): void {
    this.timer?.[Symbol.dispose]()
    this.timer = null
  }
}
