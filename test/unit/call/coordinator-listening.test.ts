import { describe, expect, test } from 'bun:test'
import type { TurnSettings } from '#call/turn-settings.ts'
import { turnSettings } from '../../fakes/call-world.ts'
import { Bench } from './coordinator-bench.ts'

// What an agent gets of its caller: each frame once, nothing of what was muted. The bench numbers the frames.

const interruptible: Partial<TurnSettings> = {
  bargeIn: { ...turnSettings.bargeIn, start: 'vad', minMs: 60, initialProtectionMs: 0 },
}
/** The numbers of the frames that the agent has got, one for each; 0 is digital silence. */
const framesGot = (bench: Bench) =>
  bench.session.audio.flatMap((samples) => Array.from({ length: samples.length / 160 }, (_, at) => samples[at * 160]))
const range = (from: number, until: number) => Array.from({ length: until - from }, (_, at) => from + at)

test('the lead of a turn does not repeat what was said in the turn before', () => {
  const bench = new Bench(interruptible).listen()
  bench.started()
  bench.pass(400)
  bench.stopped()
  bench.pass(700)
  expect(bench.state).toBe('thinking')
  bench.reply(3000)
  bench.pass(100)
  // The voice began 80 ms ago: with its lead of 300 ms the turn would reach into the one before.
  bench.started(80)
  expect(bench.state).toBe('caller_speaking')
  bench.pass(40)
  expect(framesGot(bench)).toEqual(range(1, bench.newestFrame + 1))
})

describe('muted in the middle of a turn', () => {
  const muting = () => {
    const bench = new Bench({ mute: ['tool'] }).listen()
    bench.started()
    bench.pass(400)
    bench.session.emit({ type: 'tool', running: true })
    return bench
  }

  test('who speaks falls silent to the agent, and the turn ends as after any silence', () => {
    const bench = muting()
    expect([bench.state, bench.session.taken()]).toEqual(['endpointing', ['speech_started', 'speech_stopped']])
    bench.pass(580)
    expect(bench.state).toBe('endpointing')
    bench.pass(20)
    expect([bench.state, bench.session.taken()]).toEqual(['thinking', ['turn_committed']])
    bench.stopped()
    bench.pass(200)
    expect(bench.state).toBe('thinking')
    expect(framesGot(bench)).toEqual(range(1, 21))
  })

  test('and goes on with the turn where they are listened to again before it is over', () => {
    const bench = muting()
    bench.pass(300)
    bench.session.taken()
    bench.session.emit({ type: 'tool', running: false })
    expect([bench.state, bench.session.taken()]).toEqual(['caller_speaking', ['speech_started']])
    bench.pass(200)
    // Frames 21 to 35 were said while nobody was to hear them.
    expect(framesGot(bench)).toEqual([...range(1, 21), ...range(36, 46)])
  })

  test('who has fallen silent meanwhile says nothing', () => {
    const bench = muting()
    bench.pass(100)
    bench.stopped()
    bench.pass(100)
    bench.session.emit({ type: 'tool', running: false })
    expect(bench.state).toBe('endpointing')
  })

  test('an interruption that is known as one only later: what was said until then, and its end', async () => {
    const judged = { ...interruptible.bargeIn, start: 'min_words', minWords: 1 } as TurnSettings['bargeIn']
    const bench = new Bench({ bargeIn: judged, mute: ['tool'] }, 'engine', { words: true }).answer()
    bench.pass(600)
    bench.started(0)
    bench.pass(400)
    bench.session.emit({ type: 'tool', running: true })
    bench.pass(100)
    const [first] = bench.wordsAsked
    first?.('stop')
    await Promise.resolve()
    expect(bench.state).toBe('endpointing')
    // 300 ms before the onset, 400 of speech, and what was muted is silence.
    expect(framesGot(bench)).toEqual([...range(16, 51), 0, 0, 0, 0, 0])
    bench.stopped()
    bench.pass(600)
    expect(bench.state).toBe('thinking')
  })
})

test('a voice that was muted until it ended is no speech of less than nothing', () => {
  const bench = new Bench({ mute: ['reply'], bargeIn: { ...turnSettings.bargeIn, guardMs: 0 } }).answer()
  bench.pass(2500)
  bench.started()
  bench.pass(540)
  expect(bench.state).toBe('caller_speaking')
  // It had ended before the reply did: the detector is late.
  bench.stopped(200)
  bench.pass(600)
  expect(bench.state).toBe('thinking')
  expect(bench.coordinator.turns.all.at(-1)?.speechMs).toBe(0)
})

test('an agent that finds the turns itself hears the caller once its greeting is there, sounding or not', () => {
  const bench = new Bench({ greetingWarmUpMs: 1000 }, 'provider')
  bench.coordinator.begin('Hello.')
  bench.pass(200)
  expect(framesGot(bench)).toEqual([])
  bench.session.reply(500)
  bench.pass(200)
  expect(bench.marks).not.toContain('greeting_started')
  expect(framesGot(bench)).toEqual(range(11, 21))
})

test('muted for longer than may be: who speaks then begins a turn, and it is heard with what comes before the next', () => {
  const bench = new Bench({ mute: ['tool'] }).listen()
  bench.session.emit({ type: 'tool', running: true })
  bench.clock.advance(119_900)
  bench.started()
  bench.pass(200)
  expect([bench.state, bench.coordinator.hearing.gateReasons]).toEqual(['caller_speaking', []])
  bench.stopped()
  bench.pass(600)
  bench.reply(200)
  bench.pass(2000)
  const before = bench.newestFrame
  bench.session.audio.length = 0
  bench.started(80)
  expect(framesGot(bench)).toContain(before - 3)
})
