import type { AgentEvent, SessionOf } from '#agent/provider.ts'
import type { Milliseconds } from '#base/clock.ts'
import { messageOf } from '#base/result.ts'
import { type CallPlan, type CallWorld, contextOf } from './call-plan.ts'
import { UsageLog } from './usage-log.ts'

/**
 * The agent's session of one call, and what is used in it: opened while the call is set up, counted as long as it is open, closed once. A call
 * may end while it is being opened: what comes then is closed at once.
 */
export interface CallSessionListener {
  /** The call is over. */
  ended(): boolean
  opened(): void
  event(event: AgentEvent): void
  /** It was not opened; `code` and `message` as a fault's. Not called once the call is over. */
  failed(code: string, message: string): void
}

/** A provider that has opened no session by then has failed: the caller hears only silence meanwhile. */
const openingMaxMs: Milliseconds = 10_000

export class CallSession {
  /** Null until it is open. */
  current: SessionOf<'agent'> | null = null
  readonly usage = new UsageLog()
  private readonly plan: CallPlan
  private readonly world: CallWorld
  private readonly listener: CallSessionListener
  private readonly abort = new AbortController()
  private opening: Promise<void> = Promise.resolve()
  private use: Disposable | null = null
  private openedMs: Milliseconds | null = null
  private closedMs: Milliseconds | null = null

  constructor(plan: CallPlan, world: CallWorld, listener: CallSessionListener) {
    this.plan = plan
    this.world = world
    this.listener = listener
  }

  /** For how long it has been open: what a vendor bills by the minute. */
  get openMs(): Milliseconds {
    if (this.openedMs === null) return 0
    return (this.closedMs ?? this.world.clock.now()) - this.openedMs
  }

  /** Once. */
  open(): void {
    this.opening = this.attempt()
  }

  /** Everything under way at the provider stops. */
  giveUp(): void {
    this.abort.abort()
  }

  /** Resolves when nothing of it runs any more. */
  close(): Promise<void> {
    return this.current === null ? this.opening : this.shut(this.current)
  }

  private async attempt(): Promise<void> {
    const { plan, world, listener } = this
    const failed = (code: string, message: string) => {
      if (!listener.ended()) listener.failed(code, message)
    }
    const limit = world.clock.after(openingMaxMs, () => failed('open_timeout', `no session within ${openingMaxMs} ms`))
    try {
      const session = await plan.provider.open(contextOf(plan, this.abort.signal, world.clock))
      world.store.providerSessions += 1
      this.openedMs = world.clock.now()
      this.use = world.use.begin(plan.provider.name)
      if (listener.ended()) return await this.shut(session)
      this.current = session
      session.onEvent((event) => {
        if (event.type === 'usage') this.usage.add(event, plan.provider.name)
        else listener.event(event)
      })
      listener.opened()
    } catch (thrown) {
      failed('open_failed', messageOf(thrown))
    } finally {
      limit[Symbol.dispose]()
    }
  }

  private async shut(session: SessionOf<'agent'>): Promise<void> {
    this.closedMs ??= this.world.clock.now()
    this.use?.[Symbol.dispose]()
    await session.close()
    this.world.store.providerSessions -= 1
  }
}
