import type { Clock, Milliseconds } from '#base/clock.ts'
import type { Log } from '#base/log.ts'
import type { PatchcordResult } from '#call/admission.ts'
import type { Call } from '#call/call.ts'
import type { HangupCause } from '#call/leg.ts'
import type { PbxSide } from '#call/pbx-side.ts'
import type { AriClient, AriResult } from './ari-client.ts'
import { bridgeId, mediaChannelId } from './channel-kind.ts'
import { giveBack, remove } from './give-back.ts'

/**
 * The Asterisk side of one call: the caller's channel, a bridge and a media channel.
 *
 * Answer, bridge and media channel are asked for at once, under ids of our own choosing. Who is added to the bridge when
 * depends on what has come: the caller once answered, the media channel once its own StasisStart has arrived (before
 * that Asterisk answers 422). Release works at any moment of it: it waits for the requests under way, since what they
 * make must be taken down as well.
 */
export interface AriCallOptions {
  readonly ari: AriClient
  readonly clock: Clock
  readonly log: Log
  readonly application: string
  /** `host:port` of our AudioSocket server as Asterisk reaches it. */
  readonly mediaHost: string
  readonly format: 'slin' | 'slin16'
  readonly channelId: string
  readonly mediaUuid: string
}

/** Set-up is a handful of requests of about a millisecond each; what takes longer than this has failed. */
const setUpMaxMs: Milliseconds = 8000

/** What the dialplan is told when a call ends by no will of the caller's; for the others the channel is hung up. */
const resultByCause: Partial<Record<HangupCause, PatchcordResult>> = {
  media_lost: 'media_lost',
  setup_failed: 'setup_failed',
  provider_failed: 'provider_failed',
  protocol_error: 'media_lost',
  internal_error: 'internal_error',
}

export class AriCall implements PbxSide {
  readonly mediaChannelId: string
  private readonly bridgeId: string
  private readonly options: AriCallOptions
  private readonly mediaEntered: Promise<void>
  private mediaHasEntered: () => void = () => {}
  private underWay: Promise<unknown> = Promise.resolve()
  private released: Promise<void> | null = null

  constructor(options: AriCallOptions) {
    this.options = options
    this.mediaChannelId = mediaChannelId(options.application, options.mediaUuid)
    this.bridgeId = bridgeId(options.application, options.mediaUuid)
    this.mediaEntered = new Promise((resolve) => {
      this.mediaHasEntered = resolve
    })
  }

  channelEntered(channelId: string): void {
    if (channelId === this.mediaChannelId) this.mediaHasEntered()
  }

  /** Never throws; a step that fails ends the call. */
  async setUp(call: Call): Promise<void> {
    // Released before it began: what were made now would stay.
    if (call.ended) return
    const { ari, application, channelId, mediaHost, mediaUuid, format, clock } = this.options
    const steps = this.connect(
      call,
      ari.answer(channelId),
      ari.createBridge(this.bridgeId),
      ari.externalMedia({
        channelId: this.mediaChannelId,
        app: application,
        externalHost: mediaHost,
        uuid: mediaUuid,
        format,
      }),
    )
    this.underWay = steps
    const deadline = clock.after(setUpMaxMs, () => {
      void this.failed(call, 'set-up took too long')
      this.mediaHasEntered()
    })
    await steps
    deadline[Symbol.dispose]()
  }

  private async connect(
    call: Call,
    answer: Promise<AriResult<void>>,
    bridge: Promise<AriResult<void>>,
    media: Promise<AriResult<void>>,
  ): Promise<void> {
    const caller = async (): Promise<boolean> => {
      if (!this.succeeded(call, await answer)) return false
      call.answered()
      if (!this.succeeded(call, await bridge)) return false
      return this.join(call, this.options.channelId)
    }
    const mediaSide = async (): Promise<boolean> => {
      if (!this.succeeded(call, await media)) return false
      await this.mediaEntered
      if (!this.succeeded(call, await bridge)) return false
      return this.join(call, this.mediaChannelId)
    }
    const [callerJoined, mediaJoined] = await Promise.all([caller(), mediaSide()])
    if (callerJoined && mediaJoined) call.bridged()
  }

  private async join(call: Call, channelId: string): Promise<boolean> {
    if (call.ended) return false
    return this.succeeded(call, await this.options.ari.addToBridge(this.bridgeId, channelId))
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

  release(cause: HangupCause): Promise<void> {
    this.released ??= this.takeDown(cause)
    return this.released
  }

  private async takeDown(cause: HangupCause): Promise<void> {
    const { ari } = this.options
    this.mediaHasEntered()
    await Promise.all([
      this.releaseCaller(cause),
      this.underWay.then(() =>
        Promise.all([
          this.remove('media channel', () => ari.hangup(this.mediaChannelId)),
          this.remove('bridge', () => ari.destroyBridge(this.bridgeId)),
        ]),
      ),
    ])
  }

  private async releaseCaller(cause: HangupCause): Promise<void> {
    const { ari, channelId } = this.options
    if (cause === 'caller') return
    const result = resultByCause[cause]
    if (result !== undefined) await giveBack(this.options, channelId, result)
    else await this.remove('caller channel', () => ari.hangup(channelId))
  }

  private remove(what: string, request: () => Promise<AriResult<void>>): Promise<void> {
    return remove(this.options, what, request)
  }
}
