import {
  type AriChannel,
  AriClient,
  type AriError,
  type AriResult,
  type ExternalMediaRequest,
} from '#asterisk/ari-client.ts'
import { askedVariables } from '#asterisk/stasis-variables.ts'
import { failed, ok } from '#base/result.ts'
import type { DialplanPlace } from '#call/dialplan-place.ts'

type Operation =
  | 'answer'
  | 'bridge'
  | 'media'
  | 'add'
  | 'hangup'
  | 'destroy'
  | 'set'
  | 'continue'
  | 'channels'
  | 'play'
  | 'stop'
  | 'playback'
  | 'whisper'

export const ariError = (status: number | null, message = 'refused'): AriError => ({
  kind: status === null ? 'timeout' : 'http',
  status,
  message,
})

/**
 * An Asterisk in memory, as far as patchcord asks things of it: which channels and bridges there are, and its refusals:
 * 404 for what is gone, 422 for a channel that is not in Stasis yet.
 */
export class FakeAri extends AriClient {
  /** Every request with its arguments, in the order in which they were made. */
  readonly requests: string[] = []
  readonly bridgeIds: string[] = []
  readonly channelIds: string[] = []
  readonly inStasis: string[] = []
  readonly joined: string[] = []
  readonly variables: string[] = []
  /** What a new media channel's answer brings, and what variables hold. */
  mediaVariables: Readonly<Record<string, string>> = {}
  readonly variableValues: Record<string, string> = {}
  readonly playbackIds: string[] = []
  /** What each channel runs, as a list of them says. */
  runs: string | null = null
  /** Of each playback that there is. */
  playbackState = 'playing'
  /** Answers these operations with an error; `times` counts down. */
  refuse: Partial<Record<Operation, { readonly error: AriError; times: number }>> = {}
  private readonly held: Partial<Record<Operation, (() => void)[]>> = {}

  constructor() {
    super({ host: 'nowhere', port: 1, username: '', password: '', requestTimeoutMs: 1 })
  }

  /** A caller's channel that is in Stasis. */
  caller(channelId: string): void {
    this.channelIds.push(channelId)
    this.inStasis.push(channelId)
  }

  /** The channel has entered the application: its StasisStart is on its way. */
  enter(channelId: string): void {
    this.inStasis.push(channelId)
  }

  gone(channelId: string): void {
    remove(this.channelIds, channelId)
    remove(this.inStasis, channelId)
    remove(this.joined, channelId)
  }

  /** Requests of this kind are not answered until `release`. */
  hold(operation: Operation): void {
    this.held[operation] = []
  }

  release(operation: Operation): void {
    const waiting = this.held[operation] ?? []
    delete this.held[operation]
    for (const resolve of waiting) resolve()
  }

  override channels(): Promise<AriResult<readonly AriChannel[]>> {
    return this.serve('channels', 'channels', () => ok(this.channelIds.map((id) => this.listed(id))))
  }

  /** Looking is no request that changes anything: it is not written down. */
  override channel(channelId: string): Promise<AriResult<AriChannel>> {
    const there = this.channelIds.includes(channelId)
    return Promise.resolve(there ? ok(ariChannel({ id: channelId })) : failed(ariError(404, 'no such channel')))
  }

  override answer(channelId: string): Promise<AriResult<void>> {
    return this.serve('answer', `answer ${channelId}`, () => this.known(channelId))
  }

  override hangup(channelId: string): Promise<AriResult<void>> {
    return this.serve('hangup', `hangup ${channelId}`, () => {
      const known = this.known(channelId)
      this.gone(channelId)
      return known
    })
  }

  override setVariable(channelId: string, variable: string, value: string): Promise<AriResult<void>> {
    return this.serve('set', `set ${channelId} ${variable}=${value}`, () => {
      const known = this.known(channelId)
      if (known.ok) this.variables.push(`${variable}=${value}`)
      return known
    })
  }

  override continueInDialplan(channelId: string, place: DialplanPlace | null = null): Promise<AriResult<void>> {
    const where = place === null ? '' : ` at ${place.context},${place.extension},${place.priority}`
    return this.serve('continue', `continue ${channelId}${where}`, () => {
      remove(this.inStasis, channelId)
      remove(this.joined, channelId)
      return this.known(channelId)
    })
  }

  override createBridge(bridgeId: string, sendsAlways = false): Promise<AriResult<void>> {
    return this.serve('bridge', `bridge ${bridgeId}${sendsAlways ? ' that sends always' : ''}`, () => {
      this.bridgeIds.push(bridgeId)
      return done
    })
  }

  override addToBridge(bridgeId: string, channelId: string): Promise<AriResult<void>> {
    return this.serve('add', `add ${channelId}`, () => {
      if (!this.bridgeIds.includes(bridgeId)) return failed(ariError(404, 'no such bridge'))
      if (!this.inStasis.includes(channelId)) return failed(ariError(422, 'channel not in Stasis'))
      this.joined.push(channelId)
      return done
    })
  }

  override destroyBridge(bridgeId: string): Promise<AriResult<void>> {
    return this.serve('destroy', `destroy ${bridgeId}`, () => {
      if (!this.bridgeIds.includes(bridgeId)) return failed(ariError(404, 'no such bridge'))
      remove(this.bridgeIds, bridgeId)
      return done
    })
  }

  override externalMedia(request: ExternalMediaRequest): Promise<AriResult<Readonly<Record<string, string>>>> {
    const { channelId, app, media } = request
    return this.serve('media', `media ${channelId} ${app} ${Object.values(media).join(' ')}`, () => {
      this.channelIds.push(channelId)
      return ok(this.mediaVariables)
    })
  }

  override getVariable(channelId: string, variable: string, _signal?: AbortSignal): Promise<AriResult<string>> {
    const known = this.channelIds.includes(channelId)
    return Promise.resolve(known ? ok(this.variableValues[variable] ?? '') : failed(ariError(404, 'no such channel')))
  }

  override playOnBridge(bridgeId: string, playbackId: string, media: string): Promise<AriResult<void>> {
    return this.serve('play', `play ${bridgeId} ${playbackId} ${media}`, () => done)
  }

  override playOnChannel(channelId: string, playbackId: string, media: string): Promise<AriResult<void>> {
    return this.serve('play', `play ${channelId} ${playbackId} ${media}`, () => {
      const known = this.known(channelId)
      if (known.ok) this.playbackIds.push(playbackId)
      return known
    })
  }

  /** Looking, again. */
  override playback(playbackId: string): Promise<AriResult<{ readonly state: string }>> {
    return this.serve('playback', null, () =>
      this.playbackIds.includes(playbackId)
        ? ok({ state: this.playbackState })
        : failed(ariError(404, 'no such playback')),
    )
  }

  override stopPlayback(playbackId: string): Promise<AriResult<void>> {
    return this.serve('stop', `stop ${playbackId}`, () => {
      if (!this.playbackIds.includes(playbackId)) return failed(ariError(404, 'no such playback'))
      remove(this.playbackIds, playbackId)
      return done
    })
  }

  override whisperTo(channelId: string, whisperChannelId: string, app: string): Promise<AriResult<void>> {
    return this.serve('whisper', `whisper ${channelId} ${whisperChannelId} ${app}`, () => {
      const known = this.known(channelId)
      if (known.ok) this.channelIds.push(whisperChannelId)
      return known
    })
  }

  private listed(id: string): AriChannel {
    const channel = ariChannel({ id })
    return this.runs === null ? channel : { ...channel, dialplan: { ...channel.dialplan, app_name: this.runs } }
  }

  private known(channelId: string): AriResult<void> {
    return this.channelIds.includes(channelId) ? done : failed(ariError(404, 'no such channel'))
  }

  private async serve<Value>(
    operation: Operation,
    words: string | null,
    perform: () => AriResult<Value>,
  ): Promise<AriResult<Value>> {
    if (words !== null) this.requests.push(words)
    const waiting = this.held[operation]
    if (waiting !== undefined) await new Promise<void>((resolve) => waiting.push(resolve))
    const refusal = this.refuse[operation]
    if (refusal !== undefined && refusal.times > 0) {
      refusal.times -= 1
      return failed(refusal.error)
    }
    return perform()
  }
}

const done: AriResult<void> = ok(undefined)

function remove(list: string[], item: string): void {
  const index = list.indexOf(item)
  if (index >= 0) list.splice(index, 1)
}

export function ariChannel(overrides: Partial<AriChannel> = {}): AriChannel {
  return {
    id: '1700000000.1',
    name: 'PJSIP/alice-00000001',
    state: 'Up',
    caller: { name: 'Alice', number: '4711' },
    // Brought along, so that nothing is asked before the call begins.
    channelvars: Object.fromEntries(askedVariables.map((name) => [name, ''])),
    dialplan: { context: 'default', exten: '100', priority: 2 },
    ...overrides,
  }
}
