import type { Call } from './call.ts'

/**
 * Every live call, and the only maps keyed by call, channel or media connection: what an event belongs to is looked up
 * here and nowhere else. A name that nobody knows is counted, never an error, since events outlive their calls.
 */
export const unknownKinds = ['channel', 'media', 'bridge', 'playback'] as const
export type UnknownKind = (typeof unknownKinds)[number]

export class SessionStore {
  readonly unknown: Record<UnknownKind, number> = { channel: 0, media: 0, bridge: 0, playback: 0 }
  /** Agent sessions that are open: back to 0 when no call is live. */
  providerSessions = 0
  // keyed by: call id
  private readonly calls = new Map<string, Call>()
  // keyed by: channel id
  private readonly byChannel = new Map<string, Call>()
  // keyed by: media UUID
  private readonly byMedia = new Map<string, Call>()
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

  /** `taken`: another connection already speaks for this UUID. */
  bindMedia(uuid: string, call: Call): 'bound' | 'taken' {
    if (this.byMedia.has(uuid)) return 'taken'
    this.byMedia.set(uuid, call)
    return 'bound'
  }

  byCallId(callId: string): Call | undefined {
    return this.calls.get(callId)
  }

  byChannelId(channelId: string): Call | undefined {
    return this.byChannel.get(channelId)
  }

  byMediaUuid(uuid: string): Call | undefined {
    return this.byMedia.get(uuid)
  }

  noteUnknown(kind: UnknownKind): void {
    this.unknown[kind] += 1
  }

  /** Forgets the call and every name that led to it. */
  remove(call: Call): void {
    this.calls.delete(call.id)
    for (const [channelId, owner] of this.byChannel) if (owner === call) this.byChannel.delete(channelId)
    for (const [uuid, owner] of this.byMedia) if (owner === call) this.byMedia.delete(uuid)
    if (this.calls.size > 0) return
    for (const resolve of this.emptyWaiters) resolve()
    this.emptyWaiters = []
  }

  /** Resolves when no call is live. */
  whenEmpty(): Promise<void> {
    if (this.calls.size === 0) return Promise.resolve()
    return new Promise((resolve) => this.emptyWaiters.push(resolve))
  }
}
