import { describe, expect, test } from 'bun:test'
import type { Departure } from '#agent/provider.ts'
import { Bench, greetedRealtime } from './coordinator-bench.ts'

// The agent ends its part of the call, by its own will or since it has failed for good.

const hangUp: Departure = { kind: 'hang_up' }
const sales: Departure = { kind: 'transfer', to: { context: 'internal', extension: '200', priority: 1 } }
const leave = (bench: Bench, how: Departure) => bench.session.emit({ type: 'leave', how })
const ended = ({ marks }: Bench) =>
  marks.filter((mark) => ['agent', 'transferred', 'failed', 'no_input', 'time_limit', 'machine_talk'].includes(mark))

describe('an agent that leaves', () => {
  test('is heard to its last word, then the call ends', () => {
    const bench = new Bench().answer()
    leave(bench, hangUp)
    bench.clock.advance(2900)
    expect(ended(bench)).toEqual([])
    bench.clock.advance(200)
    expect(ended(bench)).toEqual(['agent'])
  })

  test('is not interrupted: nobody is listened to any more', () => {
    const bench = new Bench().answer()
    leave(bench, hangUp)
    bench.started()
    bench.clock.advance(1500)
    expect([bench.state, bench.coordinator.hearing.gateReasons]).toEqual([
      'agent_speaking',
      ['agent_speaking', 'muted_leaving'],
    ])
    bench.clock.advance(1700)
    expect([ended(bench), bench.session.taken()]).toEqual([['agent'], []])
  })

  test('in the middle of an overlap: the words that are left are heard', () => {
    const bench = new Bench().answer()
    bench.clock.advance(500)
    bench.started()
    leave(bench, hangUp)
    bench.clock.advance(3000)
    expect([ended(bench), bench.session.taken()]).toEqual([['agent'], []])
  })

  test('without a word: at once', () => {
    const bench = new Bench().listen()
    leave(bench, sales)
    expect(ended(bench)).toEqual(['transferred'])
  })

  test('a farewell that never ends: only for so long', () => {
    const bench = new Bench({ farewellMaxMs: 2000 }).answer()
    leave(bench, hangUp)
    bench.clock.advance(1990)
    expect(ended(bench)).toEqual([])
    bench.clock.advance(20)
    expect(ended(bench)[0]).toBe('agent')
  })

  test('the first word counts', () => {
    const bench = new Bench().answer()
    leave(bench, hangUp)
    leave(bench, sales)
    bench.clock.advance(3100)
    expect(ended(bench)).toEqual(['agent'])
  })
})

describe('an agent that has failed for good', () => {
  const notice = { failureNotice: 'Something is wrong.' }
  const fail = (bench: Bench) =>
    bench.session.emit({ type: 'fault', code: 'timeout', message: 'gone', retryable: false, final: true })

  test('says so, and the call ends behind that', () => {
    const bench = new Bench(notice).think()
    fail(bench)
    expect(bench.session.inputs).toEqual([{ type: 'say', text: 'Something is wrong.' }])
    bench.reply(800)
    bench.clock.advance(700)
    expect(ended(bench)).toEqual([])
    bench.clock.advance(300)
    expect(ended(bench)).toEqual(['failed'])
    expect(bench.observer.turns.map(({ outcome }) => outcome)).toEqual(['fault'])
  })

  test('cannot even say so: the call ends at the next fault', () => {
    const bench = new Bench(notice).think()
    fail(bench)
    bench.fault()
    expect(ended(bench)).toEqual(['failed'])
  })

  test('nothing comes of it: only for so long', () => {
    const bench = new Bench({ ...notice, farewellMaxMs: 3000 }).think()
    fail(bench)
    bench.clock.advance(3010)
    expect(ended(bench)).toEqual(['failed'])
  })

  test('before the greeting: the same', () => {
    const bench = new Bench(notice)
    bench.coordinator.begin('Hello.')
    bench.session.taken()
    fail(bench)
    bench.reply(400)
    bench.clock.advance(600)
    expect(ended(bench)).toEqual(['failed'])
  })

  test('in mid-reply: what there is of it is heard, and then the notice', () => {
    const bench = new Bench(notice).answer()
    fail(bench)
    bench.clock.advance(2900)
    expect(bench.session.taken()).toEqual([])
    bench.clock.advance(200)
    // However long the voice takes for it, now that nothing sounds any more.
    expect([bench.session.taken(), ended(bench)]).toEqual([['say'], []])
    bench.clock.advance(1500)
    bench.reply(500)
    bench.clock.advance(400)
    expect(ended(bench)).toEqual([])
    bench.clock.advance(200)
    expect(ended(bench)).toEqual(['failed'])
  })

  test.each(['caller_speaking', 'endpointing'] as const)('in %s: the notice is heard', (state) => {
    const bench = new Bench(notice).listen()
    bench.started()
    if (state === 'endpointing') bench.stopped()
    expect(bench.state).toBe(state)
    bench.session.taken()
    fail(bench)
    bench.stopped()
    // The turn is over, and what is said is not said in answer to it.
    expect(bench.session.taken()).toEqual(
      ['speech_stopped', 'turn_committed', 'say'].slice(state === 'endpointing' ? 1 : 0),
    )
    bench.clock.advance(3000)
    bench.reply(500)
    bench.clock.advance(400)
    expect([bench.playout.active, ended(bench)]).toEqual([true, []])
    bench.clock.advance(200)
    expect(ended(bench)).toEqual(['failed'])
  })

  test('the third turn in a row that failed is the same', () => {
    const bench = new Bench(notice).think()
    bench.fault()
    bench.fault()
    bench.fault()
    expect(bench.session.taken()).toEqual(['say', 'say', 'say'])
    bench.reply(300)
    bench.clock.advance(500)
    expect(ended(bench)).toEqual(['failed'])
  })
})

describe('a fault while the call is about to end', () => {
  test('a limit is reached: what has come of the reply is heard, and then the farewell', () => {
    const bench = new Bench().answer()
    bench.coordinator.limitReached('time_limit', 'Goodbye.')
    bench.fault()
    bench.clock.advance(2900)
    expect(ended(bench)).toEqual([])
    bench.clock.advance(200)
    expect(bench.session.taken()).toEqual(['say'])
    bench.reply(500)
    bench.clock.advance(600)
    expect(ended(bench)).toEqual(['time_limit'])
  })

  test('the farewell to nobody breaks off: what has come of it is heard', () => {
    const bench = new Bench({ noInput: { afterMs: 1000, checkIns: [], farewell: 'Goodbye.' } }).listen()
    bench.clock.advance(1000)
    bench.session.emit({ type: 'reply_started' })
    bench.session.reply(500)
    bench.clock.advance(100)
    bench.fault()
    bench.clock.advance(300)
    expect(ended(bench)).toEqual([])
    bench.clock.advance(500)
    expect(ended(bench)).toEqual(['no_input'])
  })
})

describe('an agent that finds the turns itself', () => {
  test('is told when a reply has been heard to its end', () => {
    const bench = greetedRealtime()
    bench.session.inputs.length = 0
    bench.reply(400)
    bench.pass(380)
    expect(bench.session.inputs).toEqual([])
    bench.pass(200)
    expect(bench.session.inputs).toEqual([{ type: 'reply_heard' }])
  })

  test('a fault before it has taken the turn: an apology all the same', () => {
    const bench = greetedRealtime()
    bench.session.emit({ type: 'speech_started' })
    bench.pass(500)
    bench.session.emit({ type: 'speech_stopped' })
    bench.session.taken()
    bench.fault()
    expect([bench.state, bench.session.taken()]).toEqual(['thinking', ['say']])
  })

  test('has heard over its reply what our detector has not: that was nothing', () => {
    const bench = greetedRealtime()
    bench.reply(3000)
    bench.pass(500)
    bench.session.taken()
    bench.session.emit({ type: 'speech_started' })
    bench.pass(300)
    expect(bench.session.taken()).toEqual([])
    bench.session.emit({ type: 'speech_stopped' })
    expect([bench.state, bench.session.taken()]).toEqual(['agent_speaking', ['not_interrupted']])
  })

  test('words that are written down late belong to their turn, and are no evidence of what is said now', () => {
    const bench = greetedRealtime()
    bench.session.emit({ type: 'speech_started' })
    bench.pass(500)
    const firstMs = bench.clock.now()
    bench.session.emit({ type: 'speech_stopped' })
    bench.reply(400)
    bench.pass(1000)
    bench.session.emit({ type: 'speech_started' })
    bench.pass(400)
    bench.session.emit({ type: 'transcript', side: 'caller', final: true, text: 'stop it', spokenAtMs: firstMs })
    expect(bench.coordinator.turns.all.map(({ callerText }) => callerText)).toEqual(['stop it', ''])
  })

  test('an incident is none of the coordinator’s business', () => {
    const bench = greetedRealtime()
    bench.session.emit({ type: 'incident', code: 'reply_timeout', message: 'late' })
    expect([bench.state, bench.session.taken()]).toEqual(['listening', []])
  })
})

describe('a limit that is reached', () => {
  const farewell = { type: 'say', text: 'Goodbye.' } as const
  const reach = (bench: Bench) => bench.coordinator.limitReached('time_limit', 'Goodbye.')

  test('in silence: the farewell is said and heard, then the call ends', () => {
    const bench = new Bench().listen()
    reach(bench)
    expect(bench.session.inputs).toEqual([farewell])
    bench.reply(800)
    bench.clock.advance(700)
    expect(ended(bench)).toEqual([])
    bench.clock.advance(200)
    expect(ended(bench)).toEqual(['time_limit'])
  })

  test('while the agent speaks: its reply is heard to its end before the farewell', () => {
    const bench = new Bench().answer()
    bench.session.taken()
    reach(bench)
    bench.clock.advance(2900)
    expect(bench.session.taken()).toEqual([])
    bench.clock.advance(200)
    expect(bench.session.inputs).toContainEqual(farewell)
    expect(bench.observer.turns.map(({ outcome, heardMs }) => [outcome, heardMs])).toEqual([['answered', 3000]])
    bench.reply(800)
    bench.clock.advance(1000)
    expect(ended(bench)).toEqual(['time_limit'])
  })

  test('while the caller speaks over the agent: that interrupts no more, and is counted as nothing', () => {
    const bench = new Bench().answer()
    bench.clock.advance(1000)
    bench.started()
    bench.clock.advance(100)
    bench.session.taken()
    reach(bench)
    bench.clock.advance(1800)
    expect([bench.session.taken(), bench.observer.bargeIns.map(({ verdict }) => verdict)]).toEqual([[], ['ignored']])
    bench.clock.advance(300)
    expect(bench.session.taken()).toEqual(['say'])
  })

  test('in a reply without an end: it is cut after so long, and the farewell follows', () => {
    const bench = new Bench({ farewellMaxMs: 1000 }).answer()
    bench.session.taken()
    reach(bench)
    bench.clock.advance(1000)
    expect(bench.session.taken()).toEqual(['interrupted', 'say'])
    bench.reply(500)
    bench.clock.advance(700)
    expect(ended(bench)).toEqual(['time_limit'])
  })

  test('while the caller speaks: they are cut and not answered', () => {
    const bench = new Bench().listen()
    bench.started()
    bench.clock.advance(300)
    bench.session.taken()
    reach(bench)
    expect(bench.session.taken()).toEqual(['speech_stopped', 'turn_committed', 'say'])
    bench.stopped()
    bench.reply(800)
    bench.clock.advance(1000)
    expect([ended(bench), bench.session.taken()]).toEqual([['time_limit'], []])
  })

  test('while an answer is being made: the farewell is said in its place', () => {
    const bench = new Bench().think()
    reach(bench)
    expect(bench.session.taken()).toEqual(['say'])
    bench.reply(800)
    bench.clock.advance(1000)
    expect([ended(bench), bench.observer.turns.map(({ outcome }) => outcome)]).toEqual([['time_limit'], ['abandoned']])
  })

  test('nothing comes of the farewell: only for so long', () => {
    const bench = new Bench({ farewellMaxMs: 3000 }).listen()
    reach(bench)
    bench.clock.advance(2990)
    expect(ended(bench)).toEqual([])
    bench.clock.advance(20)
    expect(ended(bench)).toEqual(['time_limit'])
  })

  test('without a word to say, or with nobody to say it: at once', () => {
    const wordless = new Bench().listen()
    wordless.coordinator.limitReached('time_limit', '')
    const deaf = new Bench().listen()
    deaf.session.answer = 'closed'
    reach(deaf)
    expect([ended(wordless), ended(deaf)]).toEqual([['time_limit'], ['time_limit']])
  })

  test('once the agent leaves by itself: that goes on', () => {
    const bench = new Bench().answer()
    leave(bench, hangUp)
    reach(bench)
    bench.clock.advance(3100)
    expect(ended(bench)).toEqual(['agent'])
  })

  test('an agent that finds the turns itself is told to say the farewell only', () => {
    const bench = new Bench({}, 'provider').listen()
    bench.session.emit({ type: 'speech_started' })
    bench.clock.advance(300)
    bench.session.taken()
    reach(bench)
    bench.session.emit({ type: 'speech_stopped' })
    expect(bench.session.taken()).not.toContain('turn_committed')
    bench.reply(800)
    bench.clock.advance(1000)
    expect(ended(bench)).toEqual(['time_limit'])
  })
})

describe('a caller that talks in a circle', () => {
  const exchange = (bench: Bench, words: string) => {
    bench.started()
    bench.clock.advance(1000)
    bench.stopped()
    bench.clock.advance(600)
    bench.session.emit({ type: 'transcript', side: 'caller', final: true, text: words })
    bench.session.emit({ type: 'transcript', side: 'agent', final: true, text: 'How can I help you?' })
    bench.reply(400)
    bench.clock.advance(1500)
    return bench.session.taken().includes('say')
  }
  const exchanges = (bench: Bench, count: number) =>
    Array.from({ length: count }, () => exchange(bench, 'Hello there!'))

  test('hears the farewell behind the reply to the turn that is one too many, and is hung up', () => {
    const bench = new Bench({ machineTalkTurns: 4, farewell: 'Goodbye.' }).listen()
    // Nothing is repeated in the first turn, and nothing said twice is answered in the second.
    expect(exchanges(bench, 6)).toEqual([false, false, false, false, false, true])
    bench.reply(500)
    bench.clock.advance(600)
    expect(ended(bench)).toEqual(['machine_talk'])
  })

  test('presses a key, or has a tool run: it counts from there', () => {
    const bench = new Bench({ machineTalkTurns: 4 }).listen()
    expect(exchanges(bench, 5)).not.toContain(true)
    bench.coordinator.callerActs()
    expect(exchanges(bench, 3)).not.toContain(true)
    bench.session.emit({ type: 'tool', running: true })
    bench.session.emit({ type: 'tool', running: false })
    expect(exchanges(bench, 4)).toEqual([false, false, false, true])
  })
})
