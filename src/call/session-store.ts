import type { Call } from './call.ts'

/**
 * Every live call, and the only maps keyed by call, channel or media connection: what an event belongs to is looked up
 * here and nowhere else. A name that nobody knows is counted, never an error, since events outlive their calls.
 */
export const unknownKinds = ['channel', 'media', 'playback'] as const
export type UnknownKind = (typeof unknownKinds)[number]

/** Of a caller who is not yet a call; a number that is dialled is shorter. */
const digitsMax = 32
/** Three names a call: at least the last hundred calls. */
const latelyMin = 300

/** The digits of a channel that is no call yet. */
type Expected = readonly string[]

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
  // keyed by: call
  private readonly names = new Map<Call, { readonly map: Map<string, Call>; readonly name: string }[]>()
  // keyed by: name of a call that ended lately, the newest last
  private readonly lately = new Set<string>()
  /** Names of live calls, and the most there ever were: all of them may end at one moment. */
  private held = 0
  private heldMax = 0
  /** The digits that were pressed meanwhile, in their order. */
  // keyed by: id of a channel that has come and is no call yet
  private readonly expected = new Map<string, string[]>()
  // keyed by: call
  private readonly afterwards = new Map<Call, (() => void)[]>()
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

  /**
   * It has come, and something must be known of it before it is a call. Until `arrived`, which wants what is answered here,
   * or `left`: one that leaves and comes again is another.
   */
  expect(channelId: string): Expected {
    const expected: string[] = []
    this.expected.set(channelId, expected)
    return expected
  }

  expects(channelId: string): boolean {
    return this.expected.has(channelId)
  }

  /** Kept until it is a call; false where it is not expected. */
  keepDigit(channelId: string, digit: string): boolean {
    const digits = this.expected.get(channelId)
    if (digits !== undefined && digits.length < digitsMax) digits.push(digit)
    return digits !== undefined
  }

  /**
   * It is expected no more: the digits that were pressed meanwhile; null where it has left since it came. Whoever makes a
   * call of it does so at once.
   */
  arrived(channelId: string, expected: Expected): readonly string[] | null {
    if (this.expected.get(channelId) !== expected) return null
    this.expected.delete(channelId)
    this.noteEmpty()
    return expected
  }

  /** It has gone before it was a call: what else is heard of it is no news. False where it was not expected. */
  left(channelId: string): boolean {
    if (!this.expected.delete(channelId)) return false
    this.remember(channelId)
    this.noteEmpty()
    return true
  }

  bindChannel(channelId: string, call: Call): void {
    this.bind(this.byChannel, channelId, call)
  }

  bindPlayback(playbackId: string, call: Call): void {
    this.bind(this.byPlayback, playbackId, call)
  }

  unbindPlayback(playbackId: string): void {
    this.byPlayback.delete(playbackId)
  }

  /** `taken`: another connection already speaks for this UUID. */
  bindMedia(uuid: string, call: Call): 'bound' | 'taken' {
    if (this.byMedia.has(uuid)) return 'taken'
    this.bind(this.byMedia, uuid, call)
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
    return this.lately.has(name)
  }

  noteUnknown(kind: UnknownKind): void {
    this.unknown[kind] += 1
  }

  /** Forgets the call and every name that led to it. */
  remove(call: Call): void {
    this.calls.delete(call.id)
    // Of its own names only: hundreds of calls may end at one moment.
    const names = this.names.get(call) ?? []
    for (const { map, name } of names) {
      if (map.get(name) !== call) continue
      map.delete(name)
      this.remember(name)
    }
    this.names.delete(call)
    this.held -= names.length
    const afterwards = this.afterwards.get(call) ?? []
    this.afterwards.delete(call)
    for (const action of afterwards) action()
    this.noteEmpty()
  }

  private noteEmpty(): void {
    if (this.calls.size > 0 || this.expected.size > 0) return
    for (const resolve of this.emptyWaiters) resolve()
    this.emptyWaiters = []
  }

  private bind(map: Map<string, Call>, name: string, call: Call): void {
    map.set(name, call)
    const names = this.names.get(call)
    this.held += 1
    this.heldMax = Math.max(this.heldMax, this.held)
    if (names === undefined) this.names.set(call, [{ map, name }])
    else names.push({ map, name })
  }

  /** Of names that ended lately, as many as two full houses have: one that has just ended, and the one before it. */
  private remember(name: string): void {
    this.lately.delete(name)
    this.lately.add(name)
    const max = Math.max(latelyMin, 2 * this.heldMax)
    for (const oldest of this.lately) {
      if (this.lately.size <= max) return
      this.lately.delete(oldest)
    }
  }

  /** Runs `action` when the call has been removed: then all of its parts are closed. */
  whenRemoved(call: Call, action: () => void): void {
    if (this.calls.get(call.id) === call) this.afterwards.set(call, [...(this.afterwards.get(call) ?? []), action])
    else action()
  }

  /** Resolves when no call is live, and none is expected. */
  whenEmpty(): Promise<void> {
    if (this.calls.size === 0 && this.expected.size === 0) return Promise.resolve()
    return new Promise((resolve) => this.emptyWaiters.push(resolve))
  }
}
