import type { WireFormat } from '#audio/format.ts'
import { ok, type Result } from '#base/result.ts'
import type { AudioSocketServer } from './audiosocket-server.ts'
import type { Door, MediaOrder, PreparedMedia } from './door.ts'

/** AudioSocket as a door: Asterisk connects to our server, says the UUID, and the server hands the leg over. */
export interface AudioSocketDoorOptions {
  readonly server: AudioSocketServer
  /** As Asterisk reaches it; the port is the server's. */
  readonly advertiseHost: string
  readonly format: WireFormat
}

export class AudioSocketDoor implements Door {
  readonly transport = 'audiosocket'
  readonly formats: readonly WireFormat[]
  private readonly options: AudioSocketDoorOptions

  constructor(options: AudioSocketDoorOptions) {
    this.options = options
    this.formats = [options.format]
  }

  prepare(order: MediaOrder): Promise<Result<PreparedMedia, string>> {
    const { server, advertiseHost } = this.options
    const host = advertiseHost.includes(':') ? `[${advertiseHost}]` : advertiseHost
    return Promise.resolve(
      ok({
        request: {
          external_host: `${host}:${server.port}`,
          encapsulation: 'audiosocket',
          transport: 'tcp',
          format: order.format,
          data: order.uuid,
        },
        made: () => {},
        release: () => {},
      }),
    )
  }

  close(): void {
    this.options.server.close()
  }
}
