import { describe, expect, test } from 'bun:test'
import type { TurnSettings } from '#call/turn-settings.ts'
import { turnSettings } from '../../fakes/call-world.ts'
import { Bench } from './coordinator-bench.ts'

// An agent that finds the turns itself: it hears all the time, says when the caller speaks, and answers when it likes.

const settings = (bargeIn: Partial<TurnSettings['bargeIn']> = {}): Partial<TurnSettings> => ({
  bargeIn: { ...turnSettings.bargeIn, start: 'model', onOverlap: 'duck', initialProtectionMs: 0, ...bargeIn },
})

const realtime = (settled = settings()) => new Bench(settled, 'provider', { judge: true })

/** Greeted; a turn has been spoken and a reply of 3 s sounds. */
function answering(settled = settings()) {
  const bench = realtime(settled)
  bench.coordinator.begin('Hello.')
  bench.reply(200)
  bench.pass(600)
  bench.session.emit({ type: 'speech_started' })
  bench.pass(800)
  bench.session.emit({ type: 'speech_stopped' })
  bench.pass(300)
  bench.reply(3000)
  bench.pass(500)
  bench.session.taken()
  return bench
}

describe('an agent that finds the turns itself', () => {
  test('hears every frame, its own replies and guard times included', () => {
    const bench = realtime()
    bench.coordinator.begin('Hello.')
    bench.reply(200)
    bench.pass(40)
    const from = bench.session.audio.length
    bench.pass(2000)
    bench.reply(1000)
    bench.pass(2000)
    expect(bench.session.audio.length - from).toBe(200)
  })

  test('takes the turn when it answers: no commit is sent, and the turn is its own to end', () => {
    const bench = answering()
    expect(bench.state).toBe('agent_speaking')
    expect(bench.coordinator.turns.all).toMatchObject([{ endedBy: 'provider', speechMs: 800, outcome: 'pending' }])
    bench.pass(3200)
    expect(bench.session.inputs.filter(({ type }) => type === 'turn_committed')).toEqual([])
    expect(bench.observer.turns).toMatchObject([{ outcome: 'answered', heardMs: 3000 }])
  })

  test('answers while its own detector still hears the caller: the reply is heard', () => {
    const bench = realtime()
    bench.coordinator.begin('')
    bench.session.emit({ type: 'speech_started' })
    bench.pass(400)
    bench.reply(500)
    bench.pass(100)
    expect(bench.state).toBe('agent_speaking')
    expect(bench.playout.heardMs).toBeGreaterThan(0)
  })

  test('while it is silent our own detector begins no turn of its own, and is a hint', () => {
    const bench = realtime()
    bench.coordinator.begin('')
    bench.started()
    bench.pass(500)
    bench.stopped()
    expect([bench.state, bench.session.taken()]).toEqual(['listening', ['caller_sounds', 'caller_sounds']])
  })
})

describe('speech over its reply', () => {
  test('a backchannel: our detector vetoes what the agent has heard, and the reply goes on whole', () => {
    const bench = answering()
    bench.session.emit({ type: 'speech_started' })
    bench.started(120)
    bench.judge?.say('backchannel')
    bench.pass(300)
    expect([bench.state, bench.session.taken()]).toEqual(['overlap', []])
    bench.session.emit({ type: 'speech_stopped' })
    bench.stopped(0)
    expect(bench.session.taken()).toEqual(['not_interrupted'])
    bench.pass(3000)
    expect(bench.state).toBe('listening')
    expect(bench.observer.turns).toMatchObject([{ outcome: 'answered', heardMs: 3000 }])
    expect(bench.coordinator.overlaps.counts).toMatchObject({ backchannel: 1, interruption: 0 })
  })

  test('an interruption is confirmed: it learns what was heard, and its own events go on from there', () => {
    const bench = answering()
    bench.session.emit({ type: 'speech_started' })
    bench.started(120)
    bench.judge?.say('interruption')
    bench.pass(20)
    expect(bench.state).toBe('caller_speaking')
    expect(bench.session.taken()).toEqual(['interrupted', 'speech_started'])
    bench.stopped(0)
    expect(bench.state).toBe('caller_speaking')
    bench.session.emit({ type: 'speech_stopped' })
    expect(bench.state).toBe('endpointing')
    bench.reply(400)
    bench.pass(1200)
    expect(bench.state).toBe('listening')
    expect(bench.observer.turns.map(({ outcome }) => outcome)).toEqual(['interrupted', 'answered'])
  })

  test('confirm off: the agent’s own word is enough', () => {
    const bench = answering(settings({ confirm: false }))
    bench.session.emit({ type: 'speech_started' })
    expect([bench.state, bench.session.taken()]).toEqual(['caller_speaking', ['interrupted', 'speech_started']])
    expect(bench.observer.bargeIns).toMatchObject([{ verdict: 'interruption' }])
  })

  test('what our detector heard last does not outlive the reply: the next turn is found by the agent', () => {
    const bench = answering()
    bench.pass(2400)
    bench.started(120)
    bench.judge?.say('backchannel')
    bench.pass(600)
    expect(bench.state).toBe('listening')
    // Its end comes when the agent is silent already, and says nothing.
    bench.stopped(0)
    expect(bench.state).toBe('listening')
    bench.session.emit({ type: 'speech_started' })
    expect(bench.state).toBe('caller_speaking')
  })

  test('muted: it hears nothing meanwhile', () => {
    const bench = answering({ ...settings(), mute: ['reply'] })
    const from = bench.session.audio.length
    bench.pass(1000)
    expect(bench.session.audio.length).toBe(from)
    bench.pass(2000)
    expect(bench.session.audio.length).toBeGreaterThan(from)
  })
})
