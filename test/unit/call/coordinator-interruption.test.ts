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
    // Looked at with every frame: 250 ms have sounded at 260.
    bench.pass(240)
    expect(bench.state).toBe('overlap')
    bench.pass(20)
    expect(bench.state).toBe('caller_speaking')
    // Frames left at 0, 20 … 760 ms: 39 of them, 780 ms.
    expect(bench.session.inputs).toEqual([
      { type: 'interrupted', heardMs: 780 },
      { type: 'speech_started', agoMs: 260 },
    ])
    expect(bench.observer.bargeIns).toEqual([{ verdict: 'interruption', reactionMs: 260, pausedMs: 0 }])
    expect(bench.observer.turns).toMatchObject([{ index: 0, outcome: 'interrupted', heardMs: 780 }])
    expect(bench.coordinator.turns.all).toHaveLength(2)
    expect(bench.coordinator.overlaps.counts.interruption).toBe(1)
    const before = bench.leg.written.length
    bench.session.reply(1000)
    bench.clock.advance(500)
    expect(bench.leg.written.slice(before).every((frame) => frame.every((sample) => sample === 0))).toBe(true)
  })

  test('without a word: the agent takes its reply up again, as the answer to that turn', () => {
    const bench = new Bench().answer()
    bench.clock.advance(500)
    bench.started()
    bench.pass(260)
    bench.stopped()
    bench.pass(600)
    expect([bench.state, bench.session.taken().at(-1)]).toEqual(['thinking', 'turn_committed'])
    bench.session.emit({ type: 'taken_up' })
    bench.reply(1000)
    bench.clock.advance(40)
    expect([bench.state, bench.observer.repliesTakenUp]).toEqual(['agent_speaking', 1])
    bench.clock.advance(2000)
    expect(bench.state).toBe('listening')
    expect(bench.observer.turns.map(({ outcome }) => outcome)).toEqual(['interrupted', 'answered'])
  })

  test('for less: a false interruption; the reply has never paused', () => {
    const bench = new Bench().answer()
    bench.clock.advance(500)
    bench.started()
    bench.pass(200)
    bench.stopped()
    expect(bench.state).toBe('agent_speaking')
    expect(bench.observer.bargeIns).toEqual([{ verdict: 'noise', reactionMs: 200, pausedMs: 0 }])
    bench.clock.advance(3000)
    expect([bench.state, bench.session.taken()]).toEqual(['listening', []])
    expect([bench.coordinator.overlaps.counts.noise, bench.coordinator.overlaps.counts.interruption]).toEqual([1, 0])
    expect(bench.observer.turns).toMatchObject([{ outcome: 'answered', heardMs: 3000 }])
  })

  test('the detector is late: the speech counts from its true onset', () => {
    const bench = new Bench().answer()
    bench.clock.advance(800)
    bench.started(110)
    bench.pass(120)
    expect(bench.state).toBe('overlap')
    bench.pass(20)
    expect(bench.state).toBe('caller_speaking')
  })

  test('in the first moments of a reply: only when its protection is over', () => {
    const bench = new Bench().answer()
    bench.clock.advance(60)
    bench.started()
    bench.pass(320)
    expect(bench.state).toBe('overlap')
    bench.pass(20)
    expect(bench.state).toBe('caller_speaking')
  })

  test('over the greeting: its own protection, and no turn is interrupted', () => {
    const bench = new Bench()
    bench.coordinator.begin('Hello.')
    bench.reply(5000)
    bench.clock.advance(20)
    expect(bench.marks).toContain('greeting_started')
    bench.started()
    bench.pass(980)
    expect(bench.state).toBe('overlap')
    bench.pass(20)
    expect(bench.state).toBe('caller_speaking')
    expect(bench.marks.slice(-2)).toEqual(['greeting_finished', 'gate_opened'])
    expect(bench.observer.turns).toEqual([])
    expect(bench.session.taken()).toEqual(['say', 'interrupted', 'speech_started'])
  })

  test('again soon after an interruption: only when the cooldown is over', () => {
    const bench = new Bench({
      endpointing: { ...turnSettings.endpointing, silenceMs: 100 },
      bargeIn: { ...bargeIn, initialProtectionMs: 0, cooldownMs: 2000 },
    })
    bench.answer()
    bench.clock.advance(500)
    bench.started()
    bench.pass(260)
    expect(bench.coordinator.overlaps.counts.interruption).toBe(1)
    const interruptedAt = bench.clock.now()
    bench.stopped()
    bench.clock.advance(100)
    bench.reply(5000)
    bench.clock.advance(400)
    bench.started()
    bench.pass(interruptedAt + 1980 - bench.clock.now())
    expect(bench.state).toBe('overlap')
    bench.pass(40)
    expect([bench.state, bench.coordinator.overlaps.counts.interruption]).toEqual(['caller_speaking', 2])
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
    expect(bench.coordinator.overlaps.counts.interruption).toBe(0)
  })

  test('the reply ends before the verdict: it was no interruption', () => {
    const bench = new Bench().answer()
    bench.clock.advance(2900)
    bench.started()
    bench.clock.advance(100)
    expect(bench.state).toBe('guarding')
    bench.clock.advance(200)
    expect([bench.session.taken(), bench.coordinator.overlaps.counts.interruption]).toEqual([[], 0])
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
    expect(bench.session.inputs).toEqual([{ type: 'reply_heard' }, { type: 'speech_started', agoMs: 200 }])
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
  test('nothing of the guard time, and nothing between turns; a turn brings 300 ms from before its first window', () => {
    const bench = new Bench()
    bench.coordinator.begin('Hello.')
    bench.reply(200)
    bench.pass(500)
    expect(bench.state).toBe('listening')
    bench.pass(1000)
    expect(bench.session.audio).toEqual([])
    bench.started(100)
    const replayed = bench.session.audio[0] ?? new Int16Array(0)
    // 100 ms of speech and 300 ms before it.
    expect(replayed.length).toBe(400 * 8)
    expect(replayed.at(-1)).toBe(bench.newestFrame)
    bench.pass(40)
    expect(bench.session.audio.slice(1).map((frame) => frame[0])).toEqual([bench.newestFrame - 1, bench.newestFrame])
  })

  test('a turn that begins right after the guard time brings no more than what came since', () => {
    const bench = new Bench()
    bench.coordinator.begin('Hello.')
    bench.reply(200)
    while (bench.state !== 'listening') bench.pass(20)
    bench.pass(100)
    bench.started(60)
    expect(bench.session.audio[0]?.length).toBe(100 * 8)
  })

  test('who speaks already when the floor is theirs has begun a turn', () => {
    const bench = new Bench()
    bench.coordinator.begin('Hello.')
    bench.pass(4000)
    bench.started()
    // The greeting never came: at 5 s the caller, who is in mid-sentence, has the floor.
    bench.pass(1200)
    expect(bench.state).toBe('caller_speaking')
    expect(bench.session.order).toContain('speech_started')
  })

  test('a line that never falls silent is heard again after a turn without words', () => {
    const bench = new Bench().listen()
    bench.started()
    bench.pass(30_000)
    expect(bench.state).toBe('thinking')
    bench.session.emit({ type: 'nothing_heard' })
    expect(bench.state).toBe('caller_speaking')
  })

  test('an interruption is told with what was heard of the reply, or of the greeting', () => {
    const bench = new Bench().answer()
    bench.pass(1000)
    bench.started(240)
    bench.pass(20)
    expect(bench.observer.interruptions).toEqual([expect.stringMatching(/^reply after 10[0-9]{2} ms$/)])
    const greeted = new Bench()
    greeted.coordinator.begin('Hello.')
    greeted.reply(3000)
    greeted.pass(1000)
    greeted.started(240)
    greeted.pass(20)
    expect(greeted.observer.interruptions).toEqual([expect.stringMatching(/^greeting after /)])
  })

  test('a radio that plays on does not keep the agent from speaking; a new voice does', () => {
    const bench = new Bench().listen()
    bench.started()
    bench.pass(30_000)
    bench.reply(3000)
    bench.pass(2000)
    expect([bench.state, bench.coordinator.overlaps.counts.interruption]).toEqual(['agent_speaking', 0])
    bench.stopped()
    bench.started()
    bench.pass(500)
    expect(bench.state).toBe('caller_speaking')
  })

  test('a click is no interruption: its end is known only later, but it was short', () => {
    const bench = new Bench().answer()
    bench.pass(1000)
    bench.started(100)
    // It sounded for 100 ms; the detector needs 200 ms of silence to say that it has stopped.
    bench.quietSinceMs = bench.clock.now()
    bench.pass(200)
    bench.stopped(200)
    bench.pass(1000)
    expect([
      bench.state,
      bench.coordinator.overlaps.counts.interruption,
      bench.coordinator.overlaps.counts.noise,
    ]).toEqual(['agent_speaking', 0, 1])
  })

  test('a voice that pauses and goes on interrupts once it has sounded long enough', () => {
    const bench = new Bench().answer()
    bench.pass(1000)
    bench.started(100)
    bench.quietSinceMs = bench.clock.now()
    bench.pass(160)
    expect(bench.state).toBe('overlap')
    bench.quietSinceMs = null
    bench.pass(200)
    expect([bench.state, bench.coordinator.overlaps.counts.interruption]).toEqual(['caller_speaking', 1])
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
    // Confirmed 160 ms after the detector spoke, 260 ms after the onset: 560 ms.
    expect(replayed.length).toBe(560 * 8)
    expect(onset - (replayed[0] ?? 0)).toBeGreaterThanOrEqual(20 - 1)
    // With the very frame that confirmed it.
    expect(replayed.at(-1)).toBe(bench.newestFrame)
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
