import type { FallbackGroup } from './fallback.ts'
import { createMemory, type PartMemory, type PartRole } from './fallback-memory.ts'
import type { Accepted, CallContext, Closed, Fault, Incident, Roles, SessionOf } from './provider.ts'
import { SessionLife } from './session-life.ts'

/**
 * One call's session of a list. What fails before it has given anything of what it was asked for is replaced at once, and
 * the next one is told all of it again: the audio of the turn, the question, the sentence. Where something has been given,
 * the fault is passed on, and the next one serves what comes then. The call stays with it.
 */
interface InUse<R extends PartRole> {
  readonly index: number
  readonly session: SessionOf<R>
}

type Input<R extends PartRole> = Roles[R]['input']
type Event<R extends PartRole> = Roles[R]['event'] | Incident | Fault | Closed

export class FallbackSession<R extends PartRole> {
  private readonly group: FallbackGroup<R>
  private readonly context: CallContext
  private readonly memory: PartMemory<R>
  private readonly life: SessionLife
  private listener: (event: Roles[R]['event']) => void = () => {}
  /** Null while another is being opened, and where the last one is gone. */
  private used: InUse<R> | null = null
  private opening: boolean = false
  private changing: Promise<void> = Promise.resolve()
  /** Those that were asked for what is due now. */
  // keyed by: place in the list
  private readonly tried = new Set<number>()
  /** Sessions that were replaced, until they have closed. */
  private closings: Promise<void> = Promise.resolve()

  constructor(group: FallbackGroup<R>, context: CallContext, first: InUse<R>) {
    this.group = group
    this.context = context
    this.memory = createMemory(group.role)
    this.life = new SessionLife(context.signal, () => this.end())
    this.use(first)
  }

  onEvent(listener: (event: Roles[R]['event']) => void): void {
    this.listener = listener
  }

  send(input: Input<R>): Accepted {
    if (this.life.over) return 'closed'
    this.memory.sent(input)
    // Whoever is being opened is told all of it.
    if (this.opening) return 'sent'
    const accepted = this.used?.session.send(input) ?? 'closed'
    if (accepted !== 'closed') return accepted
    // Where there is nobody, the next one is asked when something is wanted, and not with every frame.
    if (!asks.includes(input.type)) return 'sent'
    if (this.used === null) this.change(gone)
    else this.onFault(this.used, gone)
    return 'sent'
  }

  close(): Promise<void> {
    return this.life.close()
  }

  private async end(): Promise<void> {
    const { used } = this
    this.used = null
    await Promise.all([used?.session.close(), this.changing, this.closings])
    this.emit({ type: 'closed' })
  }

  private use(used: InUse<R>): void {
    this.used = used
    this.tried.add(used.index)
    used.session.onEvent((event: Event<R>) => {
      // Whoever is in use by now: it has been used.
      if (event.type === 'usage') return this.emit(event)
      if (this.used === used && !this.isOver) this.onEventOf(used, event)
    })
  }

  private get isOver(): boolean {
    return this.life.over || this.context.signal.aborted
  }

  private onEventOf(used: InUse<R>, event: Event<R>): void {
    if (event.type === 'closed') return this.onFault(used, gone)
    if (event.type === 'fault') return this.onFault(used, event)
    const given = event as Roles[R]['event']
    this.memory.came(given)
    if (this.memory.completes(given)) {
      this.group.worked(used.index)
      this.tried.clear()
      this.tried.add(used.index)
    }
    this.emit(given)
  }

  private onFault(used: InUse<R>, fault: Fault): void {
    this.group.failed(used.index, fault.code, fault.message, this.context.callId)
    if (this.memory.isRepeatable) return this.change(fault)
    this.memory.giveUp()
    this.emit(fault)
    // Whoever listens may have ended the call.
    if (!this.isOver) this.change(null)
  }

  /** @param fault of what is due, for the listener where nobody can give it; null where it has heard of it */
  private change(fault: Fault | null): void {
    const before = this.used
    this.used = null
    this.opening = true
    this.changing = this.changeFrom(before, fault)
  }

  private async changeFrom(before: InUse<R> | null, fault: Fault | null): Promise<void> {
    const next = await this.group.openNext(this.tried, this.context)
    if (this.isOver) {
      await Promise.all([next?.session.close(), before?.session.close()])
      return
    }
    this.opening = false
    if (before !== null) this.closings = Promise.all([this.closings, before.session.close()]).then(() => {})
    this.group.replaced(next?.index ?? null)
    if (next === null) return this.exhausted(fault)
    this.use(next)
    for (const input of this.memory.again) next.session.send(input)
    const { role, members } = this.group
    const message = `${members[next.index]?.name}, place ${next.index + 1} of ${members.length}, took over`
    this.emit({ type: 'incident', code: `${role}_replaced`, message })
  }

  /** All are asked anew with what is wanted next, each with a session that knows nothing of this turn. */
  private exhausted(fault: Fault | null): void {
    this.tried.clear()
    // What was asked for meanwhile is owed an answer: all are asked once more, and then it is a fault.
    if (fault === null) return this.memory.isDue ? this.change(gone) : undefined
    // Where nothing is due yet, the turn may still find one that hears it.
    if (!this.memory.isDue) {
      const { role, members } = this.group
      this.emit({
        type: 'incident',
        code: `${role}_exhausted`,
        message: `all ${members.length} of the list have failed`,
      })
      return
    }
    const owed = this.memory.giveUp()
    this.emit(fault)
    for (const event of owed) this.emit(event)
  }

  private emit(event: Event<R>): void {
    this.listener(event as Roles[R]['event'])
  }
}

/** What something is wanted with. */
const asks: readonly string[] = ['speech_started', 'finalize', 'generate', 'speak']

const gone: Fault = { type: 'fault', code: 'closed', message: 'the session has ended', retryable: true }
