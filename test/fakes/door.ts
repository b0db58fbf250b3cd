import type { Door, MediaOrder, PreparedMedia } from '#asterisk/door.ts'
import { failed, ok, type Result } from '#base/result.ts'

/** A door that writes down what it is asked for. */
export class FakeDoor implements Door {
  readonly transport = 'audiosocket'
  readonly formats = ['slin'] as const
  readonly orders: MediaOrder[] = []
  /** UUIDs of what was prepared; each is to be in `released` once its call is over. */
  readonly prepared: string[] = []
  readonly made: string[] = []
  /** The variables of each channel that Asterisk has made. */
  readonly madeWith: Readonly<Record<string, string>>[] = []
  readonly released: string[] = []
  closes = 0
  refuse: string | null = null
  private held: PromiseWithResolvers<void> | null = null

  prepare(order: MediaOrder): Promise<Result<PreparedMedia, string>> {
    this.orders.push(order)
    if (this.refuse !== null) return Promise.resolve(failed(this.refuse))
    if (this.held === null) return Promise.resolve(ok(this.media(order)))
    return this.held.promise.then(() => ok(this.media(order)))
  }

  /** Orders wait, as for a port, until `letGo`. */
  hold(): void {
    this.held = Promise.withResolvers()
  }

  letGo(): void {
    this.held?.resolve()
    this.held = null
  }

  private media(order: MediaOrder): PreparedMedia {
    this.prepared.push(order.uuid)
    return {
      request: { external_host: '127.0.0.1:8090', data: order.uuid, format: order.format },
      made: (variables) => {
        this.made.push(order.uuid)
        this.madeWith.push(variables)
      },
      release: () => {
        if (!this.released.includes(order.uuid)) this.released.push(order.uuid)
      },
    }
  }

  close(): void {
    this.closes += 1
  }
}
