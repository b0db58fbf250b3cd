import type { Call } from './call.ts'

/**
 * Every live call, and the only maps keyed by call, channel or media connection: what an event belongs to is looked up
 * here and nowhere else. A name that nobody knows is counted, never an error, since events outlive their calls.
 */
export const unknownKinds = ['channel', 'media', 'playback'] as const
export type UnknownKind = (typeof unknownKinds)[number]

/** Three names a call: the last hundred calls. */
const latelyMax = 300

export class SessionStore {
  readonly unknown: Record<UnknownKind, number> = { channel: 0, media: 0, playback: 0 }
  /** Agent sessions that are open: back to 0 when no call is live. */
  providerSessions = 0
  // keyed by: call id
  private readonly calls = new Map<string, Call>()
  // keyed by: channel id
  private readonly byChannel = new Map<string, Call>()
  // keyed by: media UUID
  private readonly byMedia = new Map<string, Call>()
  // keyed by: playback id
  private readonly byPlayback = new Map<string, Call>()
  /** Names of calls that ended lately, the newest last. */
  private readonly lately: string[] = []
  private emptyWaiters: (() => void)[] = []

  get size(): number {
    return this.calls.size
  }

  get live(): readonly Call[] {
    return [...this.calls.values()]
  }

  add(call: Call): void {
    this.calls.set(call.id, call)
  }

  bindChannel(channelId: string, call: Call): void {
    this.byChannel.set(channelId, call)
  }

  bindPlayback(playbackId: string, call: Call): void {
    this.byPlayback.set(playbackId, call)
  }

  unbindPlayback(playbackId: string): void {
    this.byPlayback.delete(playbackId)
  }

  /** `taken`: another connection already speaks for this UUID. */
  bindMedia(uuid: string, call: Call): 'bound' | 'taken' {
    if (this.byMedia.has(uuid)) return 'taken'
    this.byMedia.set(uuid, call)
    return 'bound'
  }

  byChannelId(channelId: string): Call | undefined {
    return this.byChannel.get(channelId)
  }

  byPlaybackId(playbackId: string): Call | undefined {
    return this.byPlayback.get(playbackId)
  }

  byMediaUuid(uuid: string): Call | undefined {
    return this.byMedia.get(uuid)
  }

  /** Did this channel or media connection belong to a call that has ended lately? Its last events are no news. */
  endedLately(name: string): boolean {
    return this.lately.includes(name)
  }

  noteUnknown(kind: UnknownKind): void {
    this.unknown[kind] += 1
  }

  /** Forgets the call and every name that led to it. */
  remove(call: Call): void {
    this.calls.delete(call.id)
    this.forget(this.byChannel, call)
    this.forget(this.byMedia, call)
    this.forget(this.byPlayback, call)
    if (this.calls.size > 0) return
    for (const resolve of this.emptyWaiters) resolve()
    this.emptyWaiters = []
  }

  private forget(names: Map<string, Call>, call: Call): void {
    for (const [name, owner] of names) {
      if (owner !== call) continue
      names.delete(name)
      this.lately.push(name)
    }
    this.lately.splice(0, Math.max(0, this.lately.length - latelyMax))
  }

  /** Resolves when no call is live. */
  whenEmpty(): Promise<void> {
    if (this.calls.size === 0) return Promise.resolve()
    return new Promise((resolve) => this.emptyWaiters.push(resolve))
  }
}
