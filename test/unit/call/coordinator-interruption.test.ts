import { describe, expect, test } from 'bun:test'
import { turnSettings } from '../../fakes/call-world.ts'
import { Bench } from './coordinator-bench.ts'

const bargeIn = turnSettings.bargeIn

describe('the caller speaks over the agent', () => {
  test('for min_ms: playout stops, the agent learns what was heard, and it is a new turn', () => {
    const bench = new Bench().answer()
    bench.clock.advance(505)
    bench.started()
    expect([bench.state, bench.session.taken()]).toEqual(['overlap', []])
    bench.clock.advance(249)
    expect(bench.state).toBe('overlap')
    bench.clock.advance(1)
    expect(bench.state).toBe('caller_speaking')
    // Frames left at 0, 20 … 740 ms: 38 of them, 760 ms.
    expect(bench.session.inputs).toEqual([
      { type: 'interrupted', heardMs: 760 },
      { type: 'speech_started', agoMs: 250 },
    ])
    expect(bench.observer.bargeIns).toEqual([{ verdict: 'interruption', reactionMs: 250 }])
    expect(bench.observer.turns).toMatchObject([{ index: 0, outcome: 'interrupted', heardMs: 760 }])
    expect(bench.coordinator.turns.all).toHaveLength(2)
    expect(bench.coordinator.bargeIns).toBe(1)
    const before = bench.leg.written.length
    bench.session.reply(1000)
    bench.clock.advance(500)
    expect(bench.leg.written.slice(before).every((frame) => frame.every((sample) => sample === 0))).toBe(true)
  })

  test('for less: a false interruption; the reply has never paused', () => {
    const bench = new Bench().answer()
    bench.clock.advance(500)
    bench.started()
    bench.clock.advance(200)
    bench.stopped()
    expect(bench.state).toBe('agent_speaking')
    expect(bench.observer.bargeIns).toEqual([{ verdict: 'false_interruption', reactionMs: 200 }])
    bench.clock.advance(3000)
    expect([bench.state, bench.session.taken()]).toEqual(['listening', []])
    expect([bench.coordinator.falseInterruptions, bench.coordinator.bargeIns]).toEqual([1, 0])
    expect(bench.observer.turns).toMatchObject([{ outcome: 'answered', heardMs: 3000 }])
  })

  test('the detector is late: the speech counts from its true onset', () => {
    const bench = new Bench().answer()
    bench.clock.advance(800)
    bench.started(100)
    bench.clock.advance(149)
    expect(bench.state).toBe('overlap')
    bench.clock.advance(1)
    expect(bench.state).toBe('caller_speaking')
  })

  test('in the first moments of a reply: only when its protection is over', () => {
    const bench = new Bench().answer()
    bench.clock.advance(50)
    bench.started()
    bench.clock.advance(349)
    expect(bench.state).toBe('overlap')
    bench.clock.advance(1)
    expect(bench.state).toBe('caller_speaking')
  })

  test('over the greeting: its own protection, and no turn is interrupted', () => {
    const bench = new Bench()
    bench.coordinator.begin('Hello.')
    bench.reply(5000)
    bench.clock.advance(20)
    expect(bench.marks).toContain('greeting_started')
    bench.started()
    bench.clock.advance(999)
    expect(bench.state).toBe('overlap')
    bench.clock.advance(1)
    expect(bench.state).toBe('caller_speaking')
    expect(bench.marks.slice(-2)).toEqual(['greeting_finished', 'gate_opened'])
    expect(bench.observer.turns).toEqual([])
    expect(bench.session.taken()).toEqual(['say', 'interrupted', 'speech_started'])
  })

  test('again soon after an interruption: only when the cooldown is over', () => {
    const bench = new Bench({ endSilenceMs: 100, bargeIn: { ...bargeIn, initialProtectionMs: 0, cooldownMs: 2000 } })
    bench.answer()
    bench.clock.advance(500)
    bench.started()
    bench.clock.advance(250)
    expect(bench.coordinator.bargeIns).toBe(1)
    const interruptedAt = bench.clock.now()
    bench.stopped()
    bench.clock.advance(100)
    bench.reply(5000)
    bench.clock.advance(400)
    bench.started()
    bench.clock.advance(interruptedAt + 1999 - bench.clock.now())
    expect(bench.state).toBe('overlap')
    bench.clock.advance(1)
    expect([bench.state, bench.coordinator.bargeIns]).toEqual(['caller_speaking', 2])
  })

  test('never, where barge-in is off: the reply is heard to its end, and then the caller is', () => {
    const bench = new Bench({ bargeIn: { ...bargeIn, enabled: false } }).answer()
    bench.clock.advance(500)
    bench.started()
    // The last of the 150 frames leaves 2980 ms after the first.
    bench.clock.advance(2479)
    expect([bench.state, bench.session.taken()]).toEqual(['overlap', []])
    bench.clock.advance(301)
    expect([bench.state, bench.session.taken()]).toEqual(['caller_speaking', ['speech_started']])
    expect(bench.coordinator.bargeIns).toBe(0)
  })

  test('the reply ends before the verdict: it was no interruption', () => {
    const bench = new Bench().answer()
    bench.clock.advance(2900)
    bench.started()
    bench.clock.advance(100)
    expect(bench.state).toBe('guarding')
    bench.clock.advance(200)
    expect([bench.session.taken(), bench.coordinator.bargeIns]).toEqual([[], 0])
  })
})

describe('the guard after a reply', () => {
  test('speech that begins and ends in it is echo', () => {
    const bench = new Bench().answer()
    bench.clock.advance(2980)
    expect(bench.state).toBe('guarding')
    bench.started()
    bench.clock.advance(100)
    bench.stopped()
    bench.clock.advance(200)
    expect([bench.state, bench.session.taken()]).toEqual(['listening', []])
  })

  test('speech that goes on past it is a turn from its own beginning', () => {
    const bench = new Bench().answer()
    bench.clock.advance(3080)
    bench.started()
    bench.clock.advance(200)
    expect(bench.state).toBe('caller_speaking')
    expect(bench.session.inputs).toEqual([{ type: 'speech_started', agoMs: 200 }])
    expect(bench.coordinator.turns.all).toHaveLength(2)
  })

  test('a second reply may begin in it, and the guard starts anew behind that', () => {
    const bench = new Bench().answer()
    bench.clock.advance(3000)
    bench.reply(1000)
    expect(bench.state).toBe('agent_speaking')
    bench.clock.advance(500)
    expect([bench.state, bench.coordinator.gateClosed]).toEqual(['agent_speaking', true])
    bench.clock.advance(900)
    expect(bench.state).toBe('listening')
  })
})

describe('what the agent hears of the caller', () => {
  test('nothing while the gate is shut; when it opens, the newest 300 ms, so that no first syllable is lost', () => {
    const bench = new Bench()
    bench.coordinator.begin('Hello.')
    bench.reply(200)
    bench.pass(480)
    expect(bench.session.audio).toEqual([])
    bench.pass(20)
    const newest = bench.newestFrame
    // 300 ms are 15 frames; the frame that came in the same moment follows by itself.
    const replayed = bench.session.audio[0] ?? new Int16Array(0)
    expect(replayed.length).toBe(2400)
    expect([replayed[0], replayed.at(-1)]).toEqual([newest - 15, newest - 1])
    bench.pass(40)
    expect(bench.session.audio.slice(1).map((frame) => [frame.length, frame[0]])).toEqual([
      [160, newest],
      [160, newest + 1],
      [160, newest + 2],
    ])
  })

  test('an interruption brings all of its own speech and 300 ms before, ahead of the start of speech', () => {
    const bench = new Bench().answer()
    bench.pass(1000)
    bench.session.order.length = 0
    const heardBefore = bench.session.audio.length
    bench.started(100)
    const onset = bench.newestFrame
    bench.pass(160)
    expect(bench.state).toBe('caller_speaking')
    expect(bench.session.order.slice(0, 3)).toEqual(['interrupted', 'audio', 'speech_started'])
    const replayed = bench.session.audio[heardBefore] ?? new Int16Array(0)
    // Confirmed 150 ms after the detector spoke, 250 ms after the onset: 550 ms.
    expect(replayed.length).toBe(550 * 8)
    expect(onset - (replayed[0] ?? 0)).toBeGreaterThanOrEqual(20 - 1)
    expect(replayed.at(-1)).toBe(bench.newestFrame - 1)
  })

  test('what was replayed and what follows are one stream: no frame twice, none left out', () => {
    const bench = new Bench().answer()
    bench.pass(1000)
    const heardBefore = bench.session.audio.length
    bench.started()
    bench.pass(1000)
    const stream = bench.session.audio.slice(heardBefore).flatMap((chunk) => [...chunk])
    for (let index = 160; index < stream.length; index += 1) {
      const step = (stream[index] ?? 0) - (stream[index - 160] ?? 0)
      if (step !== 1) throw new Error(`sample ${index} steps by ${step}`)
    }
    expect(stream.at(-1)).toBe(bench.newestFrame)
  })

  test('never more of the past than the ring holds: 4 s', () => {
    const bench = new Bench({ bargeIn: { ...bargeIn, enabled: false } }).think()
    bench.reply(8000)
    bench.pass(1000)
    const heardBefore = bench.session.audio.length
    bench.started()
    bench.pass(8000)
    expect(bench.state).toBe('caller_speaking')
    expect(bench.session.audio[heardBefore]?.length).toBe(4000 * 8)
  })
})
