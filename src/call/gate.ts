/**
 * The gate between the caller's audio and the agent's ear. It is shut while any reason to shut it holds; each reason is
 * held by one owner, and holding it twice is holding it once.
 */
export const gateReasons = [
  /** Before the greeting sounds. */
  'opening',
  /** The agent speaks, or has just spoken and its echo may still come back. */
  'agent_speaking',
] as const
export type GateReason = (typeof gateReasons)[number]

export class Gate {
  private readonly reasons: GateReason[] = []
  private readonly changed: (closed: boolean) => void

  constructor(changed: (closed: boolean) => void) {
    this.changed = changed
  }

  get closed(): boolean {
    return this.reasons.length > 0
  }

  close(reason: GateReason): void {
    if (this.reasons.includes(reason)) return
    this.reasons.push(reason)
    if (this.reasons.length === 1) this.changed(true)
  }

  open(reason: GateReason): void {
    const index = this.reasons.indexOf(reason)
    if (index < 0) return
    this.reasons.splice(index, 1)
    if (this.reasons.length === 0) this.changed(false)
  }

  openAll(): void {
    if (this.reasons.length === 0) return
    this.reasons.length = 0
    this.changed(false)
  }
}
