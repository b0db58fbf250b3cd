import type { Clock, Milliseconds } from '#base/clock.ts'

/**
 * The gate between the caller's audio and the agent's ear. It is shut while any reason to shut it holds. Each reason is
 * a token with one owner, who alone closes and opens by it, and with the longest time that it may hold: an owner that
 * forgets its token, or whose own end never comes, must not make the agent deaf. Holding a reason twice is holding it
 * once, from the later moment on.
 */
interface GateToken {
  readonly owner: 'greeting' | 'playout' | 'mute'
  readonly limitMs: Milliseconds
}

export const gateTokens = {
  /** Before the greeting sounds: it is given up after 5 s. */
  opening: { owner: 'greeting', limitMs: 10_000 },
  /** The agent speaks, or has just spoken: a playout queue holds 10 minutes, and a pause in it adds some. */
  agent_speaking: { owner: 'playout', limitMs: 720_000 },
  /** `turn_taking.mute`: what is said is neither heard nor does it interrupt. */
  muted_greeting: { owner: 'mute', limitMs: 120_000 },
  muted_reply: { owner: 'mute', limitMs: 720_000 },
  muted_tool: { owner: 'mute', limitMs: 120_000 },
  /** The agent says its last words: `turn_taking.farewell_max_ms` is shorter. */
  muted_leaving: { owner: 'mute', limitMs: 120_000 },
} as const satisfies Record<string, GateToken>
export type GateReason = keyof typeof gateTokens
export const gateReasons = Object.keys(gateTokens) as readonly GateReason[]

export interface GateListener {
  changed(closed: boolean): void
  /** A reason held for longer than it may, and holds no more. */
  expired(reason: GateReason): void
}

export class Gate {
  private readonly held: Partial<Record<GateReason, Disposable>> = {}
  private count = 0
  private readonly clock: Clock
  private readonly listener: GateListener

  constructor(clock: Clock, listener: GateListener) {
    this.clock = clock
    this.listener = listener
  }

  get closed(): boolean {
    return this.count > 0
  }

  /** Closed by the wish of the configuration, or for the agent's last words, and not since the agent has the floor. */
  get muted(): boolean {
    const { muted_greeting: greeting, muted_reply: reply, muted_tool: tool, muted_leaving: leaving } = this.held
    return greeting !== undefined || reply !== undefined || tool !== undefined || leaving !== undefined
  }

  get reasons(): readonly GateReason[] {
    return gateReasons.filter((reason) => this.held[reason] !== undefined)
  }

  /** @param overdue opens it, where more than that is to be done when it has been held for too long */
  close(reason: GateReason, overdue: () => void = () => this.open(reason)): void {
    const before = this.held[reason]
    before?.[Symbol.dispose]()
    this.held[reason] = this.clock.after(gateTokens[reason].limitMs, () => {
      overdue()
      this.listener.expired(reason)
    })
    if (before !== undefined) return
    this.count += 1
    if (this.count === 1) this.listener.changed(true)
  }

  open(reason: GateReason): void {
    const token = this.held[reason]
    if (token === undefined) return
    token[Symbol.dispose]()
    delete this.held[reason]
    this.count -= 1
    if (this.count === 0) this.listener.changed(false)
  }

  /** The agent no longer has the floor; what is muted stays so. */
  openFloor(): void {
    this.open('opening')
    this.open('agent_speaking')
  }

  openAll(): void {
    for (const reason of gateReasons) this.open(reason)
  }
}
