import type { Door, MediaOrder, PreparedMedia } from '#asterisk/door.ts'
import { failed, ok, type Result } from '#base/result.ts'

/** A door that writes down what it is asked for. */
export class FakeDoor implements Door {
  readonly transport = 'audiosocket'
  readonly formats = ['slin'] as const
  readonly orders: MediaOrder[] = []
  readonly made: string[] = []
  readonly released: string[] = []
  refuse: string | null = null

  prepare(order: MediaOrder): Promise<Result<PreparedMedia, string>> {
    this.orders.push(order)
    if (this.refuse !== null) return Promise.resolve(failed(this.refuse))
    return Promise.resolve(
      ok({
        request: { external_host: '127.0.0.1:8090', data: order.uuid, format: order.format },
        made: () => this.made.push(order.uuid),
        release: () => {
          if (!this.released.includes(order.uuid)) this.released.push(order.uuid)
        },
      }),
    )
  }

  close(): void {}
}
