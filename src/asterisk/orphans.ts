import type { Milliseconds } from '#base/clock.ts'
import type { SessionStore } from '#call/session-store.ts'
import type { AriBridge, AriChannel } from './ari-client.ts'
import { channelKind, mediaUuidOfBridge, mediaUuidOfChannel } from './channel-kind.ts'
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

  constructor(options: OrphanSweepOptions) {
    this.options = options
  }

  /** Never throws; a sweep that is asked for while one runs is that one. An Asterisk that does not answer has no orphans. */
  sweep(): Promise<void> {
    this.running ??= this.lookTwice().finally(() => {
      this.running = null
    })
    return this.running
  }

  private async lookTwice(): Promise<void> {
    const first = await this.orphans()
    if (first.length === 0) return
    await this.options.clock.sleep(betweenLooksMs)
    const second = await this.orphans()
    await Promise.all(
      second.filter(({ id }) => first.some((orphan) => orphan.id === id)).map((orphan) => this.take(orphan)),
    )
  }

  private async take({ kind, id }: Orphan): Promise<void> {
    const { ari, log } = this.options
    this.removed[kind] += 1
    log.warn('removed what no call owns', { kind, id })
    if (kind === 'caller') await giveBack(this.options, id, 'internal_error')
    else if (kind === 'media') await remove(this.options, 'media channel', () => ari.hangup(id))
    else await remove(this.options, 'bridge', () => ari.destroyBridge(id))
  }

  private async orphans(): Promise<Orphan[]> {
    const { ari } = this.options
    const [channels, bridges] = await Promise.all([ari.channels(), ari.bridges()])
    if (!channels.ok || !bridges.ok) return []
    return [
      ...bridges.value
        .filter((bridge) => this.isOrphanBridge(bridge))
        .map(({ id }): Orphan => ({ kind: 'bridge', id })),
      ...channels.value.flatMap((channel) => this.orphanChannel(channel)),
    ]
  }

  private isOrphanBridge(bridge: AriBridge): boolean {
    const uuid = mediaUuidOfBridge(bridge, this.options.application)
    return uuid !== null && this.options.store.byMediaUuid(uuid) === undefined
  }

  private orphanChannel(channel: AriChannel): Orphan[] {
    const { store, application } = this.options
    if (store.byChannelId(channel.id) !== undefined) return []
    if (mediaUuidOfChannel(channel, application) !== null) return [{ kind: 'media', id: channel.id }]
    // Asterisk says in which application a channel is, with the application's arguments behind a comma.
    const { app_name: runs, app_data: data } = channel.dialplan
    const isHere = runs === 'Stasis' && data?.split(',', 1)[0] === application
    return isHere && channelKind(channel, application) === 'caller' ? [{ kind: 'caller', id: channel.id }] : []
  }
}

interface Orphan {
  readonly kind: 'caller' | 'media' | 'bridge'
  readonly id: string
}
