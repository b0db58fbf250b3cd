import type { Log } from '#base/log.ts'
import { messageOf } from '#base/result.ts'

/**
 * Parts that generations of the configuration share. Where the inputs are equal it is the same part, so that its caches,
 * connections and models stay; a part that nobody has leased any more is closed.
 */
export interface Lease<Part> extends Disposable {
  readonly part: Part
}

interface Entry<Part> {
  readonly part: Part
  leases: number
}

export class PartPool<Part extends { close(): Promise<void> }> {
  // keyed by: fingerprint of what the part was made of
  private readonly entries = new Map<string, Entry<Part>>()
  // keyed by: itself
  private readonly closing = new Set<Promise<void>>()
  private readonly log: () => Log
  private readonly leaving: (part: Part) => void

  /** `log`: asked when there is something to say. `leaving`: called with each part before it is closed. */
  constructor(log: () => Log, leaving: (part: Part) => void = () => {}) {
    this.log = log
    this.leaving = leaving
  }

  /** All that are leased. */
  get parts(): readonly Part[] {
    return [...this.entries.values()].map(({ part }) => part)
  }

  /** The part of this fingerprint, made where there is none. The lease is given back once, by disposing of it. */
  lease(fingerprint: string, make: () => Part): Lease<Part> {
    const entry = this.entries.get(fingerprint) ?? { part: make(), leases: 0 }
    this.entries.set(fingerprint, entry)
    entry.leases += 1
    let given = true
    return {
      part: entry.part,
      [Symbol.dispose]: () => {
        if (!given) return
        given = false
        entry.leases -= 1
        if (entry.leases === 0 && this.entries.get(fingerprint) === entry) this.drop(fingerprint, entry.part)
      },
    }
  }

  /** Closes all, leased or not; resolves when nothing of any part runs any more. */
  async close(): Promise<void> {
    for (const [fingerprint, { part }] of [...this.entries]) this.drop(fingerprint, part)
    await Promise.all(this.closing)
  }

  private drop(fingerprint: string, part: Part): void {
    this.entries.delete(fingerprint)
    this.leaving(part)
    const closed = this.closed(part).finally(() => this.closing.delete(closed))
    this.closing.add(closed)
  }

  /** Nobody waits for most of them, and one that fails must not take the process with it. */
  private async closed(part: Part): Promise<void> {
    try {
      await part.close()
    } catch (thrown) {
      this.log().error('what a configuration had made could not be closed', { why: messageOf(thrown) })
    }
  }
}
