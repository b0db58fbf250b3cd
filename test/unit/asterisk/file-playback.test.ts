import { beforeEach, describe, expect, test } from 'bun:test'
import { AsteriskFilePlayer } from '#asterisk/file-playback.ts'
import type { PlaybackFiles, PublishedFile } from '#asterisk/playback-files.ts'
import { silentLog } from '#base/log.ts'
import { seededRandom } from '#base/random.ts'
import { failed, ok, type Result } from '#base/result.ts'
import { ariError, FakeAri } from '../../fakes/ari.ts'
import { ManualClock, settle } from '../../fakes/manual-clock.ts'

const second = new Int16Array(8000)

let ari: FakeAri
let clock: ManualClock
let player: AsteriskFilePlayer
let bound: string[]
let channels: string[]
let published: string[]
let removed: string[]
let words: string[]
let publishing: (() => Promise<Result<PublishedFile, string>>) | null

const say = (event: string) => words.push(event)
/** Requests by their first word. */
const verbs = () => ari.requests.map((request) => request.split(' ')[0])
const id = (index = 0) => bound[index] ?? ''

beforeEach(() => {
  ari = new FakeAri()
  ari.caller('caller-1')
  clock = new ManualClock()
  bound = []
  channels = []
  published = []
  removed = []
  words = []
  publishing = null
  const files: PlaybackFiles = {
    publish: (samples) => {
      if (publishing !== null) return publishing()
      const mediaUri = `sound:file-${published.length + 1}`
      published.push(`${mediaUri} ${samples.length}`)
      return Promise.resolve(ok({ mediaUri, remove: () => removed.push(mediaUri) }))
    },
  }
  player = new AsteriskFilePlayer({
    ari,
    clock,
    log: silentLog,
    random: seededRandom(1),
    application: 'patchcord',
    channelId: 'caller-1',
    files,
    bind: (playbackId) => bound.push(playbackId),
    bindChannel: (channelId) => channels.push(channelId),
  })
})

/** Nothing of it is left: no timer, no file, no playback. */
function expectNothingLeft(): void {
  expect([clock.pending, removed.length, ari.playbackIds]).toEqual([0, published.length, []])
}

describe('a playback', () => {
  test('is whispered to the caller, and told as Asterisk tells it', async () => {
    player.play(second, 8000, 'beside', say)
    await settle()
    expect(id()).toMatch(/^patchcord-playback-[0-9a-f-]{36}$/)
    expect(channels[0]).toMatch(/^patchcord-media-[0-9a-f-]{36}$/)
    expect(ari.requests).toEqual([
      `whisper caller-1 ${channels[0]} patchcord`,
      `play ${channels[0]} ${id()} sound:file-1`,
    ])
    expect([words, removed]).toEqual([[], []])
    player.event(id(), 'started')
    player.event(id(), 'started')
    expect(words).toEqual(['started'])
    ari.playbackIds.splice(0)
    player.event(id(), 'finished')
    player.event(id(), 'failed')
    player.event('another', 'finished')
    expect(words).toEqual(['started', 'finished'])
    expectNothingLeft()
  })

  test('the next uses the same channel', async () => {
    player.play(second, 8000, 'beside', say)
    await settle()
    player.event(id(), 'finished')
    player.play(second, 8000, 'beside', say)
    await settle()
    expect(verbs()).toEqual(['whisper', 'play', 'play'])
    expect([channels.length, bound.length]).toEqual([1, 2])
  })

  test('its samples are read before play returns', () => {
    player.play(new Int16Array(42), 8000, 'beside', say)
    expect(published).toEqual(['sound:file-1 42'])
  })

  test('its end may arrive before the answer to its beginning', async () => {
    ari.hold('play')
    player.play(second, 8000, 'beside', say)
    await settle()
    player.event(id(), 'started')
    player.event(id(), 'finished')
    ari.release('play')
    await settle()
    expect([words, verbs()]).toEqual([
      ['started', 'finished'],
      ['whisper', 'play'],
    ])
  })

  test('a channel that is not in the application yet is asked again, for half a second', async () => {
    ari.refuse = { play: { error: ariError(409), times: 3 } }
    player.play(second, 8000, 'beside', say)
    await settle()
    for (let wait = 0; wait < 3; wait += 1) {
      clock.advance(20)
      await settle()
    }
    expect([verbs(), words]).toEqual([['whisper', 'play', 'play', 'play', 'play'], []])
    player.event(id(), 'finished')
    ari.refuse = { play: { error: ariError(409), times: 1000 } }
    player.play(second, 8000, 'beside', say)
    for (let wait = 0; wait < 30; wait += 1) {
      await settle()
      clock.advance(20)
    }
    expect([words, clock.pending]).toEqual([['finished', 'failed'], 0])
  })
})

describe('what cannot be played has failed', () => {
  test('no file', async () => {
    publishing = () => Promise.resolve(failed('the disk is full'))
    player.play(second, 8000, 'beside', say)
    expect(words).toEqual([])
    await settle()
    expect([words, verbs()]).toEqual([['failed'], ['whisper']])
    expectNothingLeft()
  })

  test('no channel to whisper with; the next one tries again', async () => {
    ari.refuse = { whisper: { error: ariError(404), times: 1 } }
    player.play(second, 8000, 'beside', say)
    await settle()
    expect(words).toEqual(['failed'])
    expectNothingLeft()
    player.play(second, 8000, 'beside', say)
    await settle()
    expect([verbs(), channels.length]).toEqual([['whisper', 'whisper', 'play'], 2])
  })

  test('a channel that may have been made is taken down', async () => {
    ari.refuse = { whisper: { error: ariError(null), times: 1 } }
    player.play(second, 8000, 'beside', say)
    await settle()
    expect([words, ari.requests.at(-1)]).toEqual([['failed'], `hangup ${channels[0]}`])
  })

  test('a channel that has gone; the next one makes another', async () => {
    player.play(second, 8000, 'beside', say)
    await settle()
    player.event(id(), 'finished')
    ari.gone(channels[0] ?? '')
    player.play(second, 8000, 'beside', say)
    await settle()
    expect(words).toEqual(['finished', 'failed'])
    player.play(second, 8000, 'beside', say)
    await settle()
    expect(verbs()).toEqual(['whisper', 'play', 'play', 'whisper', 'play'])
  })

  test('no answer: it may be playing, and is stopped', async () => {
    ari.refuse = { play: { error: ariError(null), times: 1 } }
    player.play(second, 8000, 'beside', say)
    await settle()
    expect([words, verbs()]).toEqual([['failed'], ['whisper', 'play', 'stop']])
    expectNothingLeft()
  })

  test('no answer to the order, five seconds after its end should have come', async () => {
    ari.hold('play')
    player.play(second, 8000, 'beside', say)
    await settle()
    clock.advance(5999)
    await settle()
    expect(words).toEqual([])
    clock.advance(1)
    await settle()
    expect(words).toEqual(['failed'])
    ari.release('play')
    await settle()
    expect(verbs()).toEqual(['whisper', 'play', 'stop'])
    expectNothingLeft()
  })
})

describe('stop', () => {
  test('while it sounds: Asterisk is asked once, and nothing more is said', async () => {
    const playback = player.play(second, 8000, 'beside', say)
    await settle()
    player.event(id(), 'started')
    playback.stop()
    playback.stop()
    await settle()
    player.event(id(), 'finished')
    expect([words, verbs()]).toEqual([['started'], ['whisper', 'play', 'stop']])
    expectNothingLeft()
  })

  test('before there is a channel: it is never asked for', async () => {
    player.play(second, 8000, 'beside', say).stop()
    await settle()
    expect([words, verbs()]).toEqual([[], ['whisper']])
    expectNothingLeft()
  })

  test.each([true, false])('before the answer (that it plays: %p): as soon as there is one', async (plays) => {
    ari.hold('play')
    if (!plays) ari.refuse = { play: { error: ariError(500), times: 1 } }
    const playback = player.play(second, 8000, 'beside', say)
    await settle()
    playback.stop()
    await settle()
    expect(verbs()).toEqual(['whisper', 'play'])
    ari.release('play')
    await settle()
    expect([words, verbs()]).toEqual([[], ['whisper', 'play', 'stop']])
    expectNothingLeft()
  })

  test('after its end: nothing', async () => {
    const playback = player.play(second, 8000, 'beside', say)
    await settle()
    player.event(id(), 'finished')
    playback.stop()
    await settle()
    expect(verbs()).toEqual(['whisper', 'play'])
  })

  test('between a failed request and the word of it: no word', async () => {
    ari.refuse = { play: { error: ariError(null), times: 1 } }
    ari.hold('stop')
    const playback = player.play(second, 8000, 'beside', say)
    await settle()
    playback.stop()
    ari.release('stop')
    await settle()
    expect(words).toEqual([])
  })
})

describe('release', () => {
  test('stops what plays and takes the channel down, once', async () => {
    player.play(second, 8000, 'beside', say)
    await settle()
    player.event(id(), 'started')
    await Promise.all([player.release(), player.release()])
    expect([words, verbs()]).toEqual([['started'], ['whisper', 'play', 'stop', 'hangup']])
    expect(ari.channelIds).toEqual(['caller-1'])
    expectNothingLeft()
  })

  test('waits for what is under way, and takes that down too', async () => {
    ari.hold('whisper')
    player.play(second, 8000, 'beside', say)
    const releasing = player.release()
    await settle()
    expect(verbs()).toEqual(['whisper'])
    ari.release('whisper')
    await releasing
    expect([verbs(), words, ari.channelIds]).toEqual([['whisper', 'hangup'], [], ['caller-1']])
    expectNothingLeft()
  })

  test('without a playback asks Asterisk nothing, and afterwards nothing can be played', async () => {
    await player.release()
    player.play(second, 8000, 'beside', say)
    await settle()
    expect([verbs(), words]).toEqual([[], ['failed']])
    expectNothingLeft()
  })
})
