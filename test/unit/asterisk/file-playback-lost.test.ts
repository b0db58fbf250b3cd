import { beforeEach, describe, expect, test } from 'bun:test'
import { AsteriskFilePlayer } from '#asterisk/file-playback.ts'
import { silentLog } from '#base/log.ts'
import { seededRandom } from '#base/random.ts'
import { ok } from '#base/result.ts'
import { ariError, FakeAri } from '../../fakes/ari.ts'
import { ManualClock, settle } from '../../fakes/manual-clock.ts'

const second = new Int16Array(8000)

let ari: FakeAri
let clock: ManualClock
let player: AsteriskFilePlayer
let bound: string[]
let filesHeld: number
let words: string[]

const say = (event: string) => words.push(event)
/** Requests by their first word. */
const verbs = () => ari.requests.map((request) => request.split(' ')[0])
const id = (index = 0) => bound[index] ?? ''

beforeEach(() => {
  ari = new FakeAri()
  ari.caller('caller-1')
  clock = new ManualClock()
  bound = []
  filesHeld = 0
  words = []
  const publish = () => {
    filesHeld += 1
    const remove = () => {
      filesHeld -= 1
    }
    return Promise.resolve(ok({ mediaUri: 'sound:file', remove }))
  }
  player = new AsteriskFilePlayer({
    ari,
    clock,
    log: silentLog,
    random: seededRandom(1),
    application: 'patchcord',
    channelId: 'caller-1',
    files: { publish },
    bind: (playbackId) => bound.push(playbackId),
    bindChannel: () => {},
  })
})

/** Nothing of it is left: no timer, no file, no playback. */
function expectNothingLeft(): void {
  expect([clock.pending, filesHeld, ari.playbackIds]).toEqual([0, 0, []])
}

describe('a playback whose events are lost', () => {
  /** Asterisk has taken it; its time, with five seconds of grace, is over after six. */
  async function taken(): Promise<void> {
    player.play(second, 8000, 'beside', say)
    await settle()
  }
  async function pass(durationMs: number): Promise<void> {
    clock.advance(durationMs)
    await settle()
  }

  test('has been heard, when its time is over and Asterisk no longer knows it', async () => {
    await taken()
    ari.playbackIds.splice(0)
    await pass(5999)
    expect(words).toEqual([])
    await pass(1)
    expect([words, verbs()]).toEqual([
      ['started', 'finished'],
      ['whisper', 'play'],
    ])
    expectNothingLeft()
    player.event(id(), 'failed')
    expect(words).toEqual(['started', 'finished'])
  })

  test('after its beginning was told: its end alone is said', async () => {
    await taken()
    player.event(id(), 'started')
    ari.playbackIds.splice(0)
    await pass(6000)
    expect(words).toEqual(['started', 'finished'])
  })

  test('is waited for as long as Asterisk knows it, a bounded time', async () => {
    await taken()
    await pass(6000)
    // Asterisk says that it plays.
    expect(words).toEqual(['started'])
    await pass(5000)
    await pass(5000)
    expect([words, verbs()]).toEqual([['started'], ['whisper', 'play']])
    await pass(5000)
    expect([words, verbs()]).toEqual([
      ['started', 'finished'],
      ['whisper', 'play', 'stop'],
    ])
    expectNothingLeft()
  })

  test('may end by its event while it is waited for', async () => {
    await taken()
    await pass(6000)
    ari.playbackIds.splice(0)
    player.event(id(), 'finished')
    expect(words).toEqual(['started', 'finished'])
    expectNothingLeft()
  })

  test('never began, as Asterisk says: it may be played anew, since it is stopped', async () => {
    ari.playbackState = 'queued'
    await taken()
    for (const waitMs of [6000, 5000, 5000, 5000]) await pass(waitMs)
    expect([words, verbs()]).toEqual([['failed'], ['whisper', 'play', 'stop']])
    expectNothingLeft()
  })

  test('is taken for heard where Asterisk does not answer: rather that than twice', async () => {
    await taken()
    ari.refuse = { playback: { error: ariError(null), times: 1 } }
    await pass(6000)
    expect([words, verbs()]).toEqual([
      ['started', 'finished'],
      ['whisper', 'play', 'stop'],
    ])
    expectNothingLeft()
  })

  test('that is stopped while Asterisk is asked says nothing more', async () => {
    const playback = player.play(second, 8000, 'beside', say)
    await settle()
    ari.hold('playback')
    await pass(6000)
    playback.stop()
    ari.release('playback')
    await settle()
    expect([words, verbs()]).toEqual([[], ['whisper', 'play', 'stop']])
    expectNothingLeft()
  })

  test('is found out about when the socket is back: heard, going on, failed, or no answer', async () => {
    for (let count = 0; count < 2; count += 1) await taken()
    ari.playbackIds.splice(0, 1)
    await player.recheck()
    expect(words).toEqual(['started', 'finished', 'started'])
    ari.refuse = { playback: { error: ariError(null), times: 1 } }
    await player.recheck()
    expect(words).toHaveLength(3)
    ari.playbackState = 'failed'
    await player.recheck()
    expect([words.slice(3), clock.pending]).toEqual([['failed'], 0])
  })

  test('and one that Asterisk has not taken yet is not asked about', async () => {
    ari.hold('play')
    await taken()
    await player.recheck()
    expect(words).toEqual([])
  })

  test('one that waits for another has its time as well', async () => {
    player.play(new Int16Array(80_000), 8000, 'beside', say)
    player.play(second, 8000, 'beside', say)
    await settle()
    clock.advance(14_000)
    player.event(id(0), 'finished')
    ari.playbackIds.splice(0)
    await pass(1999)
    expect(words).toEqual(['finished'])
    await pass(1)
    expect(words).toEqual(['finished', 'started', 'finished'])
  })
})
