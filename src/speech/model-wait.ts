import type { Readiness } from '#agent/provider.ts'
import type { Clock, Milliseconds } from '#base/clock.ts'
import { messageOf } from '#base/result.ts'
import type { ModelStore } from './model-store.ts'

const lookAgainMs: Milliseconds = 5_000

/**
 * Waits until models are in the store and right, then calls `onPresent` once. The engine starts without its models and
 * takes them up when `patchcord models` has brought them; until then `readiness` names them and the cure.
 */
export class ModelWait {
  private readonly store: Pick<ModelStore, 'missing'>
  private readonly ids: readonly string[]
  private readonly clock: Clock
  private readonly onPresent: () => void
  private readonly stop = new AbortController()
  private state: Readiness = { ready: false, reason: 'not started' }
  private started = false

  constructor(store: Pick<ModelStore, 'missing'>, ids: readonly string[], clock: Clock, onPresent: () => void) {
    this.store = store
    this.ids = ids
    this.clock = clock
    this.onPresent = onPresent
  }

  get readiness(): Readiness {
    return this.state
  }

  /** Idempotent, never throws. */
  start(): void {
    if (this.started) return
    this.started = true
    this.state = { ready: false, reason: 'the models are being looked at' }
    void this.look()
  }

  close(): void {
    this.stop.abort()
  }

  private async look(): Promise<void> {
    while (!this.stop.signal.aborted) {
      let reason: string | null
      try {
        reason = await this.store.missing(this.ids)
      } catch (thrown) {
        reason = `the model store can't be read: ${messageOf(thrown)}`
      }
      if (this.stop.signal.aborted) return
      if (reason === null) {
        this.state = { ready: true }
        this.onPresent()
        return
      }
      this.state = { ready: false, reason }
      await this.clock.sleep(lookAgainMs, this.stop.signal)
    }
  }
}
