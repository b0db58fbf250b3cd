import { type SampleRateHz, samplesToMs } from '#audio/format.ts'
import type { Clock, Milliseconds } from '#base/clock.ts'
import type { Log } from '#base/log.ts'
import type { Random } from '#base/random.ts'
import { failed, ok, type Result } from '#base/result.ts'
import type { FilePlayback, FilePlaybackEvent, FilePlayer, FileWay } from '#call/file-player.ts'
import type { AriClient, AriResult } from './ari-client.ts'
import { mediaChannelId } from './channel-kind.ts'
import { remove } from './give-back.ts'
import type { PlaybackFiles, PublishedFile } from './playback-files.ts'

/**
 * Whole stretches of audio to one caller, played by Asterisk.
 *
 * What is played on a channel in a bridge takes that channel out of the mix until it ends: the agent would not hear the
 * caller, who could not interrupt. What is played on the bridge is heard by the media channel too: the agent would hear
 * itself. So a third channel whispers: a snoop on the caller's channel that adds to what goes out to it, and touches
 * nothing else. It is made with the first playback and stays until the call ends.
 *
 * Where the media path carries nothing any more there is nothing to take the caller out of: what is played `instead` of
 * it is played on the caller's own channel.
 *
 * Whispered audio goes out with the frames that the bridge sends to the caller. A bridge made with `sendsAlways` sends
 * one every 20 ms, by Asterisk's own clock. Any other passes on the frames of the media channel as they come: what is
 * whispered then stutters when they do, and is not heard at all when there are none.
 *
 * What becomes of a playback is told by events, and an event socket that breaks loses them. So after it was away, and
 * when a playback's time is over, Asterisk is asked: a playback that it took and no longer knows has been heard. Where it
 * says nothing either, that is believed too: the caller had better miss the end of a reply than hear all of it twice.
 */
export interface FilePlayerOptions {
  readonly ari: AriClient
  readonly clock: Clock
  readonly log: Log
  readonly random: Random
  readonly application: string
  /** The caller's. */
  readonly channelId: string
  readonly files: PlaybackFiles
  /** Told of each playback before Asterisk is: its events have to find their way to `event`. */
  readonly bind: (playbackId: string) => void
  /** Told of the whispering channel before Asterisk is: its StasisStart is no caller's, and its end is not the call's. */
  readonly bindChannel: (channelId: string) => void
}

/** Beyond the length of the audio: making the channel, fetching the file. */
const graceMs: Milliseconds = 5000
/** A playback that Asterisk still knows when its time is over is given `graceMs` more, so many times. */
const extensionsMax = 3
/** Asterisk answers that a channel was made some milliseconds before anything can be played on it. */
const enteringMaxMs: Milliseconds = 500
const enteringWaitMs: Milliseconds = 20

export const playbackId = (application: string, uuid: string): string => `${application}-playback-${uuid}`

export class AsteriskFilePlayer implements FilePlayer {
  private readonly options: FilePlayerOptions
  /** Asterisk plays them one after the other, in this order. */
  private playing: readonly Playback[] = []
  private whisper: Promise<Result<string, string>> | null = null
  private underWay: Promise<unknown> = Promise.resolve()
  private released: Promise<void> | null = null

  constructor(options: FilePlayerOptions) {
    this.options = options
  }

  play(
    samples: Int16Array,
    sampleRateHz: SampleRateHz,
    way: FileWay,
    listener: (event: FilePlaybackEvent) => void,
  ): FilePlayback {
    const { application, random, clock, bind, files } = this.options
    const id = playbackId(application, random.uuid())
    const playback = new Playback(id, samplesToMs(samples.length, sampleRateHz), listener)
    this.playing = [...this.playing, playback]
    const lengthsMs = this.playing.reduce((sum, { lengthMs }) => sum + lengthMs, 0)
    playback.deadline = clock.after(lengthsMs + graceMs, () => void this.overdue(playback))
    bind(id)
    const channel = way === 'beside' ? this.whisperChannel() : Promise.resolve(ok(this.options.channelId))
    const order = this.order(playback, files.publish(samples, sampleRateHz), channel)
    this.underWay = Promise.all([this.underWay, order])
    return { stop: () => this.stop(playback), pause: (paused) => this.pause(playback, paused) }
  }

  /** What Asterisk says of a playback that was bound; of one that is over already, nothing is passed on. */
  event(id: string, event: FilePlaybackEvent): void {
    const playback = this.playing.find((each) => each.id === id)
    if (playback === undefined) return
    if (event !== 'started') return this.end(playback, event)
    if (playback.started) return
    playback.started = true
    playback.listener('started')
  }

  /** Events may have been lost: Asterisk is asked what has become of each playback. Never throws. */
  async recheck(): Promise<void> {
    await Promise.all(this.playing.filter(({ taken }) => taken).map((playback) => this.ask(playback)))
  }

  /** Nothing plays any more, and nothing of it is left in Asterisk. Idempotent; never throws. */
  release(): Promise<void> {
    this.released ??= this.takeDown()
    return this.released
  }

  private async takeDown(): Promise<void> {
    for (const playback of this.playing) this.stop(playback)
    await this.underWay
    const whisper = await this.whisper
    if (whisper?.ok) await this.hangUp(whisper.value)
  }

  private async order(
    playback: Playback,
    publishing: Promise<Result<PublishedFile, string>>,
    choosing: Promise<Result<string, string>>,
  ): Promise<void> {
    const [published, channel] = await Promise.all([publishing, choosing])
    if (published.ok) playback.file = published.value
    if (playback.over) return playback.file?.remove()
    if (!published.ok) return this.fail(playback, published.error)
    if (!channel.ok) return this.fail(playback, channel.error)
    const asked = await this.askFor(playback, channel.value, published.value.mediaUri)
    playback.asked = true
    playback.taken = asked.ok
    if (playback.stopped) return this.silence(playback)
    if (asked.ok || playback.over) return
    // Without an answer it may be playing all the same.
    if (asked.error.status === null) await this.silence(playback)
    this.fail(playback, asked.error.message)
  }

  private async askFor(playback: Playback, channelId: string, mediaUri: string): Promise<AriResult<void>> {
    const { ari, clock } = this.options
    const untilMs = clock.now() + enteringMaxMs
    for (;;) {
      const asked = await ari.playOnChannel(channelId, playback.id, mediaUri)
      // 404: it is gone, and the next playback makes another. 409: it is not in the application yet.
      if (!asked.ok && asked.error.status === 404) this.whisper = null
      if (asked.ok || asked.error.status !== 409 || playback.over || clock.now() >= untilMs) return asked
      await clock.sleep(enteringWaitMs)
    }
  }

  private whisperChannel(): Promise<Result<string, string>> {
    if (this.released !== null) return Promise.resolve(failed('the call is over'))
    this.whisper ??= this.makeWhisper()
    return this.whisper
  }

  private async makeWhisper(): Promise<Result<string, string>> {
    const { ari, application, channelId, random, bindChannel } = this.options
    const id = mediaChannelId(application, random.uuid())
    bindChannel(id)
    const made = await ari.whisperTo(channelId, id, application)
    if (made.ok) return ok(id)
    this.whisper = null
    if (made.error.status === null) await this.hangUp(id)
    return failed(made.error.message)
  }

  /** Only what sounds can be held; a request that fails leaves it playing, which the caller can bear. */
  private pause(playback: Playback, paused: boolean): void {
    if (playback.over || !playback.started) return
    this.underWay = Promise.all([this.underWay, this.options.ari.pausePlayback(playback.id, paused)])
  }

  private stop(playback: Playback): void {
    if (playback.over) return
    playback.stopped = true
    this.forget(playback)
    // Before it is asked for it is not stopped: whoever is asking does it.
    if (playback.asked) this.underWay = Promise.all([this.underWay, this.silence(playback)])
  }

  /** Its time is over, and no event has told its end. */
  private async overdue(playback: Playback): Promise<void> {
    const known = playback.taken && (await this.ask(playback))
    if (playback.over) return
    if (known === true && playback.extensions < extensionsMax) {
      playback.extensions += 1
      playback.deadline = this.options.clock.after(graceMs, () => void this.overdue(playback))
      return
    }
    this.stop(playback)
    this.options.log.warn('a file gave no sign of its end', { call: this.options.channelId, started: playback.started })
    // Asterisk took it. Only one that it says is still waiting to sound, and that is stopped now, may be repeated.
    if (!playback.taken || (known === true && !playback.started)) return playback.listener('failed')
    if (!playback.started) playback.listener('started')
    playback.listener('finished')
  }

  /** Says what Asterisk says of a playback that it took. True: it is there still; null: no answer. */
  private async ask(playback: Playback): Promise<boolean | null> {
    const found = await this.options.ari.playback(playback.id)
    if (!found.ok && found.error.status !== 404) return null
    const state = found.ok ? found.value.state : 'done'
    if (state === 'failed') this.event(playback.id, 'failed')
    else if (state !== 'queued') this.event(playback.id, 'started')
    if (state === 'done') this.event(playback.id, 'finished')
    return state !== 'done' && state !== 'failed'
  }

  private fail(playback: Playback, why: string): void {
    if (playback.over) return
    this.options.log.warn('a file could not be played', { call: this.options.channelId, why })
    this.end(playback, 'failed')
  }

  private end(playback: Playback, event: 'finished' | 'failed'): void {
    this.forget(playback)
    playback.listener(event)
  }

  private forget(playback: Playback): void {
    playback.over = true
    playback.deadline?.[Symbol.dispose]()
    playback.file?.remove()
    this.playing = this.playing.filter((each) => each !== playback)
  }

  private silence(playback: Playback): Promise<void> {
    return remove(this.options, 'playback', () => this.options.ari.stopPlayback(playback.id))
  }

  private hangUp(channelId: string): Promise<void> {
    return remove(this.options, 'whispering channel', () => this.options.ari.hangup(channelId))
  }
}

class Playback {
  readonly id: string
  readonly lengthMs: Milliseconds
  readonly listener: (event: FilePlaybackEvent) => void
  deadline: Disposable | null = null
  file: PublishedFile | null = null
  /** Asterisk has answered. */
  asked = false
  /** With a yes: it has been heard, or will be. */
  taken = false
  extensions = 0
  started = false
  stopped = false
  over = false

  constructor(id: string, lengthMs: Milliseconds, listener: (event: FilePlaybackEvent) => void) {
    this.id = id
    this.lengthMs = lengthMs
    this.listener = listener
  }
}
