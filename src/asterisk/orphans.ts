import type { Milliseconds } from '#base/clock.ts'
import type { Call } from '#call/call.ts'
import type { SessionStore } from '#call/session-store.ts'
import type { AriBridge, AriChannel } from './ari-client.ts'
import { channelKind, mediaUuidOfBridge, mediaUuidOfChannel, runsApplication } from './channel-kind.ts'
import { type GivingBack, giveBack, remove } from './give-back.ts'

/**
 * Compares what Asterisk holds of this application with the session store, and removes what has no owner: an engine that
 * was killed leaves its callers in silence, and its bridges for ever. Something counts as an orphan when two looks,
 * some seconds apart, find it without an owner: a channel that has just come may not have been announced to us yet.
 */
export interface OrphanSweepOptions extends GivingBack {
  readonly store: SessionStore
  readonly application: string
}

const betweenLooksMs: Milliseconds = 3000

export class OrphanSweep {
  /** Removed since the start, by kind. */
  readonly removed = { caller: 0, media: 0, bridge: 0 }
  private readonly options: OrphanSweepOptions
  private running: Promise<void> | null = null
  private again = false

  constructor(options: OrphanSweepOptions) {
    this.options = options
  }

  /**
   * Never throws; resolves when no look is due any more. One that is asked for while a sweep runs follows it: what it is
   * to find may be younger than the first look. An Asterisk that does not answer has no orphans.
   */
  sweep(): Promise<void> {
    if (this.running === null) {
      this.running = this.look().finally(() => {
        this.running = null
      })
    } else this.again = true
    return this.running
  }

  private async look(): Promise<void> {
    do {
      this.again = false
      await this.lookTwice()
    } while (this.again)
  }

  private async lookTwice(): Promise<void> {
    const first = await this.suspects()
    if (first.length === 0) return
    await this.options.clock.sleep(betweenLooksMs)
    const second = await this.suspects()
    const orphans = second.filter((suspect) => suspect.isOrphan && first.some(({ id }) => id === suspect.id))
    if (orphans.length < second.length) this.again = true
    await Promise.all(orphans.map((orphan) => this.take(orphan)))
  }

  private async take({ kind, id }: Suspect): Promise<void> {
    const { ari, log } = this.options
    this.removed[kind] += 1
    log.warn('removed what no call owns', { kind, id })
    if (kind === 'caller') await giveBack(this.options, id, 'internal_error')
    else if (kind === 'media') await remove(this.options, 'media channel', () => ari.hangup(id))
    else await remove(this.options, 'bridge', () => ari.destroyBridge(id))
  }

  private async suspects(): Promise<Suspect[]> {
    const { ari } = this.options
    const [channels, bridges] = await Promise.all([ari.channels(), ari.bridges()])
    if (!channels.ok || !bridges.ok) return []
    return [
      ...bridges.value.flatMap((bridge) => this.suspectBridge(bridge)),
      ...channels.value.flatMap((channel) => this.suspectChannel(channel)),
    ]
  }

  private suspectBridge({ id }: AriBridge): Suspect[] {
    const uuid = mediaUuidOfBridge({ id }, this.options.application)
    return uuid === null ? [] : suspect('bridge', id, this.options.store.byMediaUuid(uuid))
  }

  private suspectChannel(channel: AriChannel): Suspect[] {
    const { store, application } = this.options
    const owner = store.byChannelId(channel.id)
    if (mediaUuidOfChannel(channel, application) !== null) return suspect('media', channel.id, owner)
    if (runsApplication(channel, application) !== true || store.expects(channel.id)) return []
    return channelKind(channel, application) === 'caller' ? suspect('caller', channel.id, owner) : []
  }
}

interface Suspect {
  readonly kind: 'caller' | 'media' | 'bridge'
  readonly id: string
  /** False: its call has ended and may yet fail to remove it. */
  readonly isOrphan: boolean
}

function suspect(kind: Suspect['kind'], id: string, owner: Call | undefined): Suspect[] {
  return owner === undefined || owner.ended ? [{ kind, id, isOrphan: owner === undefined }] : []
}
