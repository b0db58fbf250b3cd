import { describe, expect, test } from 'bun:test'
import type { TurnState } from '#call/turn-state.ts'
import { Bench } from './coordinator-bench.ts'

describe('the agent fails', () => {
  test('while it thinks: the caller hears an apology, the turn is a fault, and the next may be answered', () => {
    const bench = new Bench().think()
    bench.fault()
    expect(bench.session.inputs).toEqual([{ type: 'say', text: 'I am sorry.' }])
    expect(bench.observer.turns).toMatchObject([{ outcome: 'fault', heardMs: null }])
    expect(bench.state).toBe('thinking')
    bench.reply(500)
    bench.clock.advance(1000)
    expect([bench.state, bench.marks.includes('failed')]).toEqual(['listening', false])
  })

  test('three turns in a row: the call is given up, though each apology was heard', () => {
    const bench = new Bench().listen()
    for (let turn = 1; turn <= 3; turn += 1) {
      bench.started()
      bench.clock.advance(500)
      bench.stopped()
      bench.clock.advance(600)
      expect(bench.marks).not.toContain('failed')
      bench.fault()
      if (turn < 3) bench.reply(500)
      bench.clock.advance(1000)
    }
    expect(bench.marks.filter((mark) => mark === 'failed')).toHaveLength(1)
    expect(bench.session.inputs.filter((input) => input.type === 'say')).toHaveLength(2)
    expect(bench.coordinator.facts.faults).toBe(3)
  })

  test('a turn that is answered between them starts the count anew', () => {
    const bench = new Bench().listen()
    for (const outcome of ['fault', 'fault', 'answer', 'fault', 'fault']) {
      bench.started()
      bench.clock.advance(500)
      bench.stopped()
      bench.clock.advance(600)
      if (outcome === 'fault') bench.fault()
      bench.reply(500)
      bench.clock.advance(1000)
    }
    expect(bench.marks).not.toContain('failed')
  })

  test('and cannot even say the apology: back to listening', () => {
    const bench = new Bench().think()
    bench.session.answer = 'closed'
    bench.fault()
    expect(bench.state).toBe('listening')
  })

  test('the apology fails as well: it is tried again once, then the call is given up', () => {
    const bench = new Bench().think()
    bench.fault()
    bench.fault()
    expect(bench.marks).not.toContain('failed')
    bench.fault()
    expect(bench.marks).toContain('failed')
    expect(bench.observer.turns).toHaveLength(1)
  })

  test('before the greeting has sounded: the call is given up at once', () => {
    const bench = new Bench()
    bench.coordinator.begin('Hello.')
    bench.fault()
    expect(bench.marks.at(-1)).toBe('failed')
  })

  test('in mid-reply: what has been made is heard to its end, and no apology follows', () => {
    const bench = new Bench().think()
    bench.session.reply(1000)
    bench.clock.advance(100)
    bench.fault()
    bench.clock.advance(900)
    expect(bench.state).toBe('guarding')
    expect(bench.observer.turns).toMatchObject([{ outcome: 'fault', heardMs: 1000 }])
    expect(bench.session.taken()).toEqual([])
  })

  test('while the caller speaks: nobody is interrupted', () => {
    const bench = new Bench().listen()
    bench.started()
    bench.fault()
    expect([bench.state, bench.session.taken(), bench.coordinator.facts.faults]).toEqual([
      'caller_speaking',
      ['speech_started'],
      1,
    ])
  })
})

describe('the call ends', () => {
  const ways: Record<Exclude<TurnState, 'ended'>, (bench: Bench) => void> = {
    opening: (bench) => bench.coordinator.begin('Hello.'),
    listening: (bench) => bench.listen(),
    caller_speaking: (bench) => bench.listen().started(),
    endpointing: (bench) => {
      bench.listen().started()
      bench.stopped()
    },
    thinking: (bench) => bench.think(),
    agent_speaking: (bench) => bench.answer(),
    overlap: (bench) => bench.answer().started(),
    guarding: (bench) => {
      bench.answer()
      bench.clock.advance(2980)
    },
  }

  test.each(Object.keys(ways) as (keyof typeof ways)[])(
    'in %s: no timer is left, and nothing happens any more',
    (state) => {
      const bench = new Bench()
      ways[state](bench)
      expect(bench.state).toBe(state)
      bench.session.taken()
      bench.coordinator.end()
      bench.pacing[Symbol.dispose]()
      expect([bench.state, bench.clock.pending, bench.coordinator.gateClosed]).toEqual(['ended', 0, false])
      const audioBefore = bench.session.audio.length
      bench.started()
      bench.stopped()
      bench.reply(500)
      bench.fault()
      bench.coordinator.replyDone()
      bench.coordinator.end()
      bench.clock.advance(60_000)
      expect([bench.session.taken(), bench.session.audio.length, bench.clock.pending]).toEqual([[], audioBefore, 0])
      for (const turn of bench.coordinator.turns.all) expect(turn.outcome).not.toBe('pending')
    },
  )

  test('in mid-turn: the turn was abandoned, and is told once', () => {
    const bench = new Bench().think()
    bench.coordinator.end()
    bench.coordinator.end()
    expect(bench.observer.turns).toMatchObject([{ outcome: 'abandoned' }])
  })

  test('in mid-greeting: the greeting is over', () => {
    const bench = new Bench()
    bench.coordinator.begin('Hello.')
    bench.reply(5000)
    bench.clock.advance(100)
    bench.coordinator.end()
    expect(bench.marks.slice(-2)).toEqual(['greeting_finished', 'gate_opened'])
  })
})
