import type { WireFormat } from '#audio/format.ts'
import type { Clock, Milliseconds } from '#base/clock.ts'
import type { Log } from '#base/log.ts'
import { ok } from '#base/result.ts'
import type { PatchcordResult } from '#call/admission.ts'
import type { Call } from '#call/call.ts'
import type { Onward } from '#call/dialplan-place.ts'
import type { FilePlaybackEvent } from '#call/file-player.ts'
import type { HangupCause } from '#call/leg.ts'
import type { PbxSide } from '#call/pbx-side.ts'
import type { SessionStore } from '#call/session-store.ts'
import type { AriClient, AriResult } from './ari-client.ts'
import { bridgeId } from './channel-kind.ts'
import type { Door } from './door.ts'
import type { AsteriskFilePlayer } from './file-playback.ts'
import { giveBack, remove } from './give-back.ts'
import { MediaChannel } from './media-channel.ts'

/**
 * The Asterisk side of one call: the caller's channel, a bridge and a media channel, which may be followed by another
 * when it is lost.
 *
 * Answer, bridge and media channel are asked for at once, under ids of our own choosing; the caller is added to the
 * bridge once answered. Release works at any moment of it: it waits for the requests under way, since what they make must
 * be taken down as well.
 */
export interface AriCallOptions {
  readonly ari: AriClient
  readonly clock: Clock
  readonly log: Log
  readonly store: SessionStore
  readonly application: string
  readonly door: Door
  readonly format: WireFormat
  readonly channelId: string
  /** Of the bridge, and of each media path in turn. */
  readonly uuid: () => string
  readonly files: AsteriskFilePlayer | null
  /** The bridge must send by a clock of its own, so that files sound beside a media path that is silent. */
  readonly repliesByFile: boolean
}

/** Set-up is a handful of requests of about a millisecond each; what takes longer than this has failed. */
const setUpMaxMs: Milliseconds = 8000
/** So long a silence is played to make Asterisk send. */
const kickMs: Milliseconds = 100

/** What the dialplan is told of a caller who goes on there; for the other causes the channel is hung up. */
const resultByCause: Partial<Record<HangupCause, PatchcordResult>> = {
  transferred: 'transferred',
  media_lost: 'media_lost',
  setup_failed: 'setup_failed',
  provider_failed: 'provider_failed',
  protocol_error: 'media_lost',
  time_limit: 'time_limit',
  internal_error: 'internal_error',
}

export class AriCall implements PbxSide {
  readonly files: AsteriskFilePlayer | null
  private readonly options: AriCallOptions
  private readonly bridgeId: string
  private media: MediaChannel
  private joined: MediaChannel | null = null
  private call: Call | null = null
  private underWay: Promise<unknown> = Promise.resolve()
  private released: Promise<void> | null = null

  constructor(options: AriCallOptions) {
    this.options = options
    this.files = options.files
    const uuid = options.uuid()
    this.bridgeId = bridgeId(options.application, uuid)
    this.media = this.mediaChannel(uuid)
  }

  channelEntered(channelId: string): void {
    if (channelId === this.media.id) this.media.hasEntered()
  }

  /** The channel that the call's media runs over; null while that is still being made. */
  get joinedMedia(): string | null {
    return this.joined === this.media ? this.media.id : null
  }

  carriesMedia(channelId: string): boolean {
    return channelId === this.media.id
  }

  playbackEvent(playbackId: string, event: FilePlaybackEvent): void {
    this.files?.event(playbackId, event)
  }

  async callerCodec(): Promise<string | null> {
    const codec = await this.options.ari.getVariable(this.options.channelId, 'CHANNEL(audionativeformat)')
    // `(ulaw)`, or several: the first is what the channel speaks.
    const name = codec.ok ? codec.value.replace(/[()]/g, '').split('|')[0] : undefined
    return name === undefined || name === '' ? null : name
  }

  /** Audio towards both channels makes an Asterisk, or a trunk behind a NAT, send that waits to be sent to first. */
  kick(): void {
    const { ari, clock, log, channelId, store } = this.options
    if (this.call === null) return
    log.debug('no audio from the caller: silence is played to make Asterisk send', { call: channelId })
    const playbackId = `${this.bridgeId}-kick`
    store.bindPlayback(playbackId, this.call)
    void ari.playOnBridge(this.bridgeId, playbackId, 'sound:silence/1').then(async (played) => {
      if (!played.ok) return
      await clock.sleep(kickMs)
      // With the call, its bridge has gone, and all that played there.
      if (this.released === null) await ari.stopPlayback(playbackId)
    })
  }

  /** Never throws; a step that fails ends the call. */
  async setUp(call: Call): Promise<void> {
    // Released before it began: what were made now would stay.
    if (call.ended) return
    this.call = call
    const { ari, channelId, clock } = this.options
    this.announce(call)
    const steps = this.connect(call, ari.answer(channelId), ari.createBridge(this.bridgeId, this.options.repliesByFile))
    this.underWay = steps
    const deadline = clock.after(setUpMaxMs, () => {
      void this.failed(call, 'set-up took too long')
      this.media.giveUp()
    })
    await steps
    deadline[Symbol.dispose]()
  }

  async reopenMedia(): Promise<boolean> {
    const { ari, channelId, log } = this.options
    const { call } = this
    const caller = await ari.channel(channelId)
    if (call === null || call.ended) return false
    if (!caller.ok && caller.error.status === 404) {
      void call.end('caller')
      return false
    }
    const lost = this.media
    const next = this.mediaChannel(this.options.uuid())
    this.media = next
    this.announce(call)
    const opening = next.open(Promise.resolve(ok(undefined)))
    this.underWay = Promise.all([this.underWay, lost.release(), opening])
    const opened = await opening
    if (opened.ok) this.joined = next
    else log.warn('the media path could not be made anew', { call: call.id, why: opened.error })
    return opened.ok
  }

  private mediaChannel(uuid: string): MediaChannel {
    return new MediaChannel({ ...this.options, bridgeId: this.bridgeId, uuid })
  }

  /** Before Asterisk is asked for it: what it brings must find its call. */
  private announce(call: Call): void {
    this.options.store.bindChannel(this.media.id, call)
    this.options.store.bindMedia(this.media.uuid, call)
  }

  private async connect(call: Call, answer: Promise<AriResult<void>>, bridge: Promise<AriResult<void>>): Promise<void> {
    const caller = async (): Promise<boolean> => {
      if (!this.succeeded(call, await answer)) return false
      call.answered()
      if (!this.succeeded(call, await bridge) || call.ended) return false
      return this.succeeded(call, await this.options.ari.addToBridge(this.bridgeId, this.options.channelId))
    }
    const mediaSide = async (): Promise<boolean> => {
      const { media } = this
      const opened = await media.open(bridge)
      if (opened.ok) this.joined = media
      else void this.failed(call, opened.error)
      return opened.ok
    }
    const [callerJoined, mediaJoined] = await Promise.all([caller(), mediaSide()])
    if (callerJoined && mediaJoined) call.bridged()
  }

  private succeeded(call: Call, result: AriResult<void>): boolean {
    if (!result.ok) void this.failed(call, result.error.message)
    return result.ok
  }

  private async failed(call: Call, why: string): Promise<void> {
    if (call.ended) return
    // A caller who hangs up during set-up makes requests fail before its event arrives: that is no fault.
    const channel = await this.options.ari.channel(this.options.channelId)
    if (!channel.ok && channel.error.status === 404) return void call.end('caller')
    if (call.ended) return
    this.options.log.warn('a step of the set-up failed', { call: call.id, why })
    void call.end('setup_failed')
  }

  release(cause: HangupCause, onward: Onward = 'next'): Promise<void> {
    this.released ??= this.takeDown(cause, onward)
    return this.released
  }

  private async takeDown(cause: HangupCause, onward: Onward): Promise<void> {
    const { ari } = this.options
    this.media.giveUp()
    await Promise.all([
      this.releaseCaller(cause, onward),
      this.files?.release(),
      this.underWay.then(() =>
        Promise.all([this.media.release(), this.remove('bridge', () => ari.destroyBridge(this.bridgeId))]),
      ),
    ])
  }

  private async releaseCaller(cause: HangupCause, onward: Onward): Promise<void> {
    const { ari, channelId, store } = this.options
    if (cause === 'caller') return
    const call = store.byChannelId(channelId)
    const isBack = () => store.expects(channelId) || (store.byChannelId(channelId) ?? call) !== call
    const result = resultByCause[cause]
    if (result === undefined || onward === 'hang_up') await this.remove('caller channel', () => ari.hangup(channelId))
    else await giveBack(this.options, channelId, result, onward === 'next' ? null : onward, isBack)
  }

  private remove(what: string, request: () => Promise<AriResult<void>>): Promise<void> {
    return remove(this.options, what, request)
  }
}
