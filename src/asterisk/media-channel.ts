import type { WireFormat } from '#audio/format.ts'
import { failed, ok, type Result } from '#base/result.ts'
import type { AriClient, AriResult } from './ari-client.ts'
import { mediaChannelId } from './channel-kind.ts'
import type { Door, PreparedMedia } from './door.ts'
import { type GivingBack, remove } from './give-back.ts'

/**
 * One media channel of a call, from the order at a door to its place in the bridge. It is added to the bridge only once
 * its own StasisStart has arrived (before that Asterisk answers 422). Giving it up works at any moment: it waits for what
 * is under way, since that must be taken down as well.
 */
export interface MediaChannelOptions extends GivingBack {
  readonly ari: AriClient
  readonly application: string
  readonly door: Door
  readonly format: WireFormat
  readonly bridgeId: string
  readonly uuid: string
}

export class MediaChannel {
  readonly id: string
  readonly uuid: string
  private readonly options: MediaChannelOptions
  private readonly entered = Promise.withResolvers<void>()
  private prepared: PreparedMedia | null = null
  private underWay: Promise<unknown> = Promise.resolve()
  private givenUp = false
  private released: Promise<void> | null = null

  constructor(options: MediaChannelOptions) {
    this.options = options
    this.uuid = options.uuid
    this.id = mediaChannelId(options.application, options.uuid)
  }

  /** Its StasisStart has arrived. */
  hasEntered(): void {
    this.entered.resolve()
  }

  /** Resolves when it is in the bridge, which may still be under way. A failure says which step failed, and why. */
  open(bridge: Promise<AriResult<void>>): Promise<Result<void, string>> {
    const opening = this.make(bridge)
    this.underWay = opening
    return opening
  }

  private async make(bridge: Promise<AriResult<void>>): Promise<Result<void, string>> {
    const { ari, application, door, format, uuid } = this.options
    const prepared = await door.prepare({ uuid, channelId: this.id, format })
    if (!prepared.ok) return prepared
    this.prepared = prepared.value
    if (this.givenUp) return failed('given up')
    const made = await ari.externalMedia({ channelId: this.id, app: application, media: prepared.value.request })
    if (!made.ok) return failed(made.error.message)
    if (this.givenUp) return failed('given up')
    prepared.value.made(made.value)
    await this.entered.promise
    const bridged = await bridge
    if (!bridged.ok) return failed(bridged.error.message)
    if (this.givenUp) return failed('given up')
    const joined = await ari.addToBridge(this.options.bridgeId, this.id)
    return joined.ok ? ok(undefined) : failed(joined.error.message)
  }

  /** Ends a wait for what may never come; what is under way fails. */
  giveUp(): void {
    this.givenUp = true
    this.entered.resolve()
  }

  /** Idempotent; resolves when nothing of it is left, in Asterisk and at the door. */
  release(): Promise<void> {
    this.giveUp()
    this.released ??= this.takeDown()
    return this.released
  }

  private async takeDown(): Promise<void> {
    await this.underWay
    this.prepared?.release()
    await remove(this.options, 'media channel', () => this.options.ari.hangup(this.id))
  }
}
