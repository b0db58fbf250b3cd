import type { Clock, Milliseconds } from '#base/clock.ts'
import type { Log } from '#base/log.ts'
import type { Random } from '#base/random.ts'
import { failed, messageOf } from '#base/result.ts'
import type { Admission, PatchcordResult } from '#call/admission.ts'
import type { FilePlaybackEvent } from '#call/file-player.ts'
import type { SessionStore } from '#call/session-store.ts'
import { AriCall } from './ari-call.ts'
import type { AriChannel, AriClient, AriResult } from './ari-client.ts'
import type { AriEvent } from './ari-events.ts'
import { channelKind, runsApplication } from './channel-kind.ts'
import type { Doors } from './doors.ts'
import { AsteriskFilePlayer } from './file-playback.ts'
import { giveBack, remove } from './give-back.ts'
import type { PlaybackFiles } from './playback-files.ts'
import { readStasisArguments, type StasisArguments } from './stasis-arguments.ts'
import {
  broughtVariables,
  isSettled,
  noVariables,
  readVariables,
  type StasisVariables,
  variablesQuestion,
} from './stasis-variables.ts'

/**
 * The Stasis application: events in, calls out. It knows no call by itself; what an event belongs to is asked of the
 * session store, and an event for something unknown is counted.
 */
export interface StasisAppOptions {
  readonly ari: AriClient
  readonly store: SessionStore
  readonly admission: Admission
  readonly clock: Clock
  readonly log: Log
  readonly random: Random
  readonly application: string
  /** For so long a caller waits at most for what their channel's variables say. */
  readonly variablesMaxMs: Milliseconds
  readonly doors: Doors
  /** Null: no way for Asterisk to get at a file of ours. */
  readonly files: PlaybackFiles | null
  /** `downstream_mode: file`, asked at each call. */
  readonly repliesByFile: () => boolean
}

const reconcileAttempts = 5
const reconcileWaitMs: Milliseconds = 1000

export class StasisApp {
  private readonly options: StasisAppOptions

  constructor(options: StasisAppOptions) {
    this.options = options
  }

  event(event: AriEvent): void {
    switch (event.type) {
      case 'StasisStart':
        return this.entered(event.channel, event.args)
      case 'ChannelHangupRequest':
      case 'StasisEnd':
      case 'ChannelDestroyed':
        return this.left(event.channel)
      case 'ChannelDtmfReceived':
        return this.digit(event.channel, event.digit)
      case 'PlaybackStarted':
        return this.played(event.playback.id, 'started')
      case 'PlaybackFinished':
        return this.played(event.playback.id, event.playback.state === 'failed' ? 'failed' : 'finished')
      case 'ApplicationReplaced':
        return
    }
  }

  /** After the event socket was away: what it did not bring meanwhile is found out by asking. */
  async reconcile(): Promise<void> {
    const { store, ari, clock, log } = this.options
    // Calls that begin while Asterisk is being asked are not in its answer, and are not judged by it.
    const known = store.live.flatMap((call) => {
      const { pbx } = call
      return pbx instanceof AriCall ? [{ call, pbx, media: pbx.joinedMedia }] : []
    })
    if (known.length === 0) return
    for (const { pbx } of known) void pbx.files?.recheck()
    let channels = await ari.channels()
    for (let attempt = 1; attempt < reconcileAttempts && !channels.ok; attempt += 1) {
      await clock.sleep(reconcileWaitMs)
      channels = await ari.channels()
    }
    if (!channels.ok) return log.error('cannot tell which calls have ended', { why: channels.error.message })
    const alive = new Set(channels.value.map((channel) => channel.id))
    // Who has been sent on, to a queue for instance, is no more ours to hang up than one that is gone.
    const isHere = (channel: AriChannel) => runsApplication(channel, this.options.application) !== false
    const here = new Set(channels.value.filter(isHere).map((channel) => channel.id))
    for (const { call, pbx, media } of known) {
      if (!here.has(call.id)) void call.end('caller')
      else if (media !== null && !alive.has(media) && pbx.carriesMedia(media)) call.mediaLost()
    }
    for (const channel of channels.value) {
      // Until it runs Stasis it cannot be added to a bridge, and its StasisStart is still to come.
      if (channel.dialplan.app_name === 'Stasis') store.byChannelId(channel.id)?.pbx.channelEntered(channel.id)
    }
  }

  /**
   * Two of the doors bring digits with the media, once that is there; RTP as Asterisk's UnicastRTP speaks it has none. Who
   * is not yet a call has theirs kept.
   */
  private digit(channel: AriChannel, digit: string): void {
    const { store } = this.options
    if (store.keepDigit(channel.id, digit)) return
    const call = store.byChannelId(channel.id)
    if (call === undefined) return this.unknown('channel', 'ChannelDtmfReceived')
    if (channel.id === call.id && (call.transport === 'externalmedia' || !call.hasMedia)) call.digit(digit)
  }

  private entered(channel: AriChannel, args: readonly string[]): void {
    switch (channelKind(channel, this.options.application)) {
      case 'our_media': {
        const call = this.options.store.byChannelId(channel.id)
        if (call !== undefined) return call.pbx.channelEntered(channel.id)
        // Its call ended while Asterisk was still making it.
        this.unknown('channel', 'StasisStart')
        void remove(this.options, 'media channel', () => this.options.ari.hangup(channel.id))
        return
      }
      case 'not_a_caller':
        this.options.admission.noteRefused('not_a_caller')
        return this.refuse(channel, 'not_a_caller')
      case 'caller':
        return this.admit(channel, args)
    }
  }

  private admit(channel: AriChannel, args: readonly string[]): void {
    const { store } = this.options
    const before = store.byChannelId(channel.id)
    if ((before !== undefined && !before.ended) || store.expects(channel.id)) return
    const said = readStasisArguments(args)
    const brought = isSettled(said.wish) ? noVariables : broughtVariables(channel)
    if (before === undefined && brought !== null) return this.begin(channel, said, brought, [])
    const expected = store.expect(channel.id)
    const ask = () => brought ?? this.askVariables(channel)
    // Who comes back from the dialplan waits until the call that they left has been taken down.
    const takenDown = Promise.withResolvers<void>()
    if (before !== undefined) store.whenRemoved(before, takenDown.resolve)
    void (before === undefined ? this.askVariables(channel) : takenDown.promise.then(ask))
      .then((variables) => {
        // Who has hung up meanwhile is nobody's call.
        const digits = store.arrived(channel.id, expected)
        if (digits !== null) this.begin(channel, said, variables, digits)
      })
      .catch((thrown: unknown) => {
        store.arrived(channel.id, expected)
        this.options.log.error('a channel could not be made a call', { channel: channel.id, why: messageOf(thrown) })
        this.refuse(channel, 'internal_error')
      })
  }

  /** Never rejects. Where Asterisk does not say it, the call has what it has without variables. */
  private async askVariables(channel: AriChannel): Promise<StasisVariables> {
    const { log, random } = this.options
    const between = random.uuid()
    const answer = await this.askInTime(channel, variablesQuestion(between))
    const variables = answer.ok ? readVariables(answer.value, between) : null
    if (variables === null && this.options.store.expects(channel.id)) {
      const why = answer.ok ? 'EVAL() has given something else' : answer.error.message
      log.warn('the variables of a call could not be read: it goes on without them', { call: channel.id, why })
    }
    return variables ?? noVariables
  }

  /** A question that is late is given up: other calls are waiting for its place. */
  private async askInTime(channel: AriChannel, question: string): Promise<AriResult<string>> {
    const { ari, clock, variablesMaxMs } = this.options
    const late = Promise.withResolvers<AriResult<string>>()
    const limit = new AbortController()
    using _limit = clock.after(variablesMaxMs, () => {
      late.resolve(failed({ kind: 'timeout', status: null, message: `no answer within ${variablesMaxMs} ms` }))
      limit.abort()
    })
    return await Promise.race([ari.getVariable(channel.id, question, limit.signal), late.promise])
  }

  private begin(
    channel: AriChannel,
    said: StasisArguments,
    variables: StasisVariables,
    digits: readonly string[],
  ): void {
    const { ari, store, admission, clock, log, random, application } = this.options
    for (const name of [...said.tooLong, ...variables.tooLong])
      log.warn('the dialplan says more about a call than is taken: it is left out', { call: channel.id, name })
    const { door, format, transport } = this.entrance(channel, said)
    const files = this.filePlayer(channel.id)
    const pbx = new AriCall({
      ari,
      clock,
      log,
      store,
      application,
      door,
      format,
      channelId: channel.id,
      uuid: () => random.uuid(),
      files,
      repliesByFile: this.options.repliesByFile(),
    })
    const call = admission.admit({
      id: channel.id,
      caller: { number: channel.caller.number, name: channel.caller.name, dialled: channel.dialplan.exten },
      origin: 'ari',
      transport,
      wire: format,
      pbx,
      wishes: {
        argument: said.wish,
        variable: variables.wish,
        facts: {
          caller: channel.caller.number,
          did: variables.did,
          extension: channel.dialplan.exten,
          context: channel.dialplan.context,
        },
      },
    })
    if (typeof call === 'string') return this.refuse(channel, call)
    store.bindChannel(channel.id, call)
    for (const digit of digits) call.digit(digit)
    void pbx.setUp(call)
  }

  /** What the dialplan asks for, where it makes sense; a mistake there costs no call. */
  private entrance(channel: AriChannel, { audioTransport, unknown }: StasisArguments) {
    const { doors, log } = this.options
    if (unknown.length > 0)
      log.warn('Stasis() has arguments that mean nothing', {
        call: channel.id,
        unknown: unknown.map(nameOf).join(', '),
      })
    const named = doors.entrance(audioTransport)
    if (named.ok) return named.value
    log.warn('Stasis() names no way for audio: the configured one is taken', { call: channel.id, why: named.error })
    const usual = doors.entrance(null)
    if (!usual.ok) throw new Error('bug: the configured transport has no door')
    return usual.value
  }

  private filePlayer(channelId: string): AsteriskFilePlayer | null {
    const { ari, clock, log, random, application, files, store } = this.options
    if (files === null) return null
    const call = () => store.byChannelId(channelId)
    return new AsteriskFilePlayer({
      ari,
      clock,
      log,
      random,
      application,
      channelId,
      files,
      bind: (playbackId) => {
        const owner = call()
        if (owner !== undefined) store.bindPlayback(playbackId, owner)
      },
      bindChannel: (id) => {
        const owner = call()
        if (owner !== undefined) store.bindChannel(id, owner)
      },
    })
  }

  private refuse(channel: AriChannel, result: PatchcordResult): void {
    this.options.log.warn('a channel goes back to the dialplan', { channel: channel.id, result })
    void giveBack(this.options, channel.id, result)
  }

  private left(channel: AriChannel): void {
    if (this.options.store.left(channel.id)) return
    const call = this.options.store.byChannelId(channel.id)
    if (call === undefined) {
      if (this.options.store.endedLately(channel.id) || channelKind(channel, this.options.application) === 'our_media')
        return
      return this.unknown('channel', 'end')
    }
    if (channelKind(channel, this.options.application) === 'our_media') {
      // One that was lost and replaced is expected to go.
      if (call.pbx.carriesMedia(channel.id)) call.mediaLost()
      return
    }
    void call.end('caller')
  }

  private played(playbackId: string, event: FilePlaybackEvent): void {
    const { store } = this.options
    const call = store.byPlaybackId(playbackId)
    if (call === undefined) {
      if (!store.endedLately(playbackId)) this.unknown('playback', event)
      return
    }
    if (event !== 'started') store.unbindPlayback(playbackId)
    call.pbx.playbackEvent(playbackId, event)
  }

  private unknown(kind: 'channel' | 'playback', what: string): void {
    this.options.store.noteUnknown(kind)
    this.options.log.debug('an event for something unknown', { kind, what })
  }
}

/** Without its value: a name that is mistyped may stand before somebody's words. */
function nameOf(argument: string): string {
  return argument.trim().split('=', 1)[0]?.slice(0, 40) ?? ''
}
