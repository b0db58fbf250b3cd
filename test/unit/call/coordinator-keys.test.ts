import { describe, expect, test } from 'bun:test'
import { Bench } from './coordinator-bench.ts'
import { ended, hangUp, hours, interrupt, outcomes, press, repeat, say, told } from './key-bench.ts'

// What a key of the telephone makes an agent do, in each state of a turn.

const opening = () => {
  const bench = new Bench()
  bench.coordinator.begin('Hello.')
  bench.session.taken()
  return bench
}
describe('say', () => {
  test('in silence: it is said, and the caller may speak behind it', () => {
    const bench = new Bench().listen()
    press(bench, say)
    expect(bench.session.inputs).toEqual([hours])
    bench.reply(400)
    expect(bench.state).toBe('agent_speaking')
    bench.clock.advance(1000)
    expect([bench.state, bench.session.taken()]).toEqual(['listening', ['say']])
  })

  test('while the agent speaks: it falls silent first, and is told how much was heard', () => {
    const bench = new Bench().answer()
    bench.clock.advance(1000)
    bench.session.taken()
    press(bench, say)
    expect(bench.session.taken()).toEqual(['interrupted', 'say'])
    bench.reply(400)
    expect([bench.state, outcomes(bench)]).toEqual(['agent_speaking', ['interrupted']])
    bench.clock.advance(1000)
    expect(bench.state).toBe('listening')
  })

  test('while it is not known what speech over the agent is: that was none', () => {
    const bench = new Bench().answer()
    bench.clock.advance(1000)
    bench.started()
    bench.clock.advance(100)
    bench.session.taken()
    press(bench, say)
    expect(bench.session.taken()).toEqual(['interrupted', 'say'])
    expect(bench.observer.bargeIns.map(({ verdict }) => verdict)).toEqual(['ignored'])
  })

  test('while the caller speaks: their turn is over, and is not answered', () => {
    const bench = new Bench().listen()
    bench.started()
    bench.clock.advance(300)
    bench.session.taken()
    press(bench, say)
    expect(bench.session.taken()).toEqual(['turn_committed', 'say'])
    bench.stopped()
    bench.reply(400)
    expect([bench.state, outcomes(bench)]).toEqual(['agent_speaking', ['abandoned']])
    expect(bench.coordinator.turns.all.map(({ endedBy }) => endedBy)).toEqual(['key'])
  })

  test('in a pause of the caller, and while an answer is being made: in its place', () => {
    const pausing = new Bench().listen()
    pausing.started()
    pausing.clock.advance(500)
    pausing.stopped()
    pausing.clock.advance(100)
    pausing.session.taken()
    press(pausing, say)
    const thinking = new Bench().think()
    press(thinking, say)
    expect([pausing.session.taken(), thinking.session.taken()]).toEqual([['turn_committed', 'say'], ['say']])
    for (const bench of [pausing, thinking]) {
      bench.reply(400)
      bench.clock.advance(1000)
      expect([bench.state, outcomes(bench)]).toEqual(['listening', ['abandoned']])
    }
  })

  test('before the greeting has begun: in its place', () => {
    const bench = opening()
    press(bench, say)
    expect(bench.session.taken()).toEqual(['say'])
    bench.reply(400)
    bench.clock.advance(1000)
    expect([bench.state, bench.marks]).toEqual(['listening', expect.arrayContaining(['greeting_finished'])])
  })

  test('an agent that takes no order: nobody waits for it', () => {
    const bench = new Bench().think()
    bench.session.answer = 'closed'
    press(bench, say)
    expect(bench.state).toBe('listening')
  })

  test('whoever presses a key is there: the silences are counted anew, and nobody is hung up on', () => {
    const bench = new Bench({ noInput: { afterMs: 5000, checkIns: ['Hello?'], farewell: 'Bye.' } }).listen()
    bench.clock.advance(5000)
    bench.reply(400)
    bench.clock.advance(5700)
    // The farewell sounds.
    bench.reply(400)
    press(bench, say)
    bench.reply(400)
    bench.clock.advance(1000)
    expect([ended(bench), bench.state]).toEqual([[], 'listening'])
    bench.session.inputs.length = 0
    bench.clock.advance(5000)
    expect(bench.session.inputs).toEqual([{ type: 'say', text: 'Hello?' }])
  })
})

describe('interrupt', () => {
  test('while the agent speaks: it falls silent, and the caller is heard', () => {
    const bench = new Bench().answer()
    bench.clock.advance(1000)
    bench.session.taken()
    press(bench, interrupt)
    expect([bench.session.taken(), outcomes(bench), bench.playout.active]).toEqual([
      ['interrupted'],
      ['interrupted'],
      false,
    ])
    bench.clock.advance(400)
    expect(bench.state).toBe('listening')
    bench.started()
    expect([bench.state, bench.session.taken()]).toEqual(['caller_speaking', ['speech_started']])
  })

  test('while the caller speaks over it: they have interrupted', () => {
    const bench = new Bench().answer()
    bench.clock.advance(1000)
    bench.started()
    bench.clock.advance(100)
    bench.session.taken()
    press(bench, interrupt)
    expect([bench.state, bench.session.taken()]).toEqual(['caller_speaking', ['interrupted', 'speech_started']])
  })

  test('while it makes an answer, or is about to greet: nothing of that is heard', () => {
    for (const bench of [new Bench().think(), opening()]) {
      press(bench, interrupt)
      expect([bench.state, bench.session.taken(), bench.coordinator.gateClosed]).toEqual([
        'listening',
        ['turn_resumed'],
        false,
      ])
    }
  })

  test('what a key has ended is not taken up again; what a voice has may be', () => {
    const [alone, over, byVoice, made] = [new Bench().answer(), new Bench().answer(), new Bench().answer(), new Bench()]
    for (const bench of [alone, over, byVoice]) bench.clock.advance(1000)
    for (const bench of [over, byVoice]) bench.started()
    over.clock.advance(100)
    for (const bench of [alone, over, made.think()]) press(bench, interrupt)
    byVoice.pass(300)
    const ends = [alone, over, made, byVoice].flatMap(({ session }) =>
      session.inputs.flatMap((input) =>
        input.type === 'interrupted' || input.type === 'turn_resumed' ? [[input.type, input.forGood]] : [],
      ),
    )
    expect(ends).toEqual([
      ['interrupted', true],
      ['interrupted', true],
      ['turn_resumed', true],
      ['interrupted', undefined],
    ])
    press(byVoice, interrupt)
    // The next reply is another one.
    over.clock.advance(200)
    over.stopped()
    over.clock.advance(600)
    over.reply(3000)
    over.clock.advance(1000)
    over.started()
    over.pass(300)
    expect(over.session.inputs.findLast(({ type }) => type === 'interrupted')).not.toHaveProperty('forGood')
    // Pressed later, it ends what the voice had broken off.
    byVoice.stopped()
    byVoice.clock.advance(600)
    expect(byVoice.session.inputs.at(-1)).toEqual({ type: 'turn_committed', forGood: true })
    over.stopped()
    over.clock.advance(600)
    expect(over.session.inputs.at(-1)).toEqual({ type: 'turn_committed' })
  })

  test('while nothing is said: nothing', () => {
    const silent = new Bench().listen()
    const speaking = new Bench().listen()
    speaking.started()
    speaking.session.taken()
    for (const bench of [silent, speaking]) {
      const before = bench.state
      press(bench, interrupt)
      expect([bench.state, bench.session.taken()]).toEqual([before, []])
    }
  })
})

describe('repeat', () => {
  const last = { type: 'say', text: 'It is on the left.' } as const

  test('in silence: the last reply, whole', () => {
    const bench = new Bench().answer()
    told(bench, last.text)
    bench.clock.advance(4000)
    bench.session.taken()
    press(bench, repeat)
    expect(bench.session.inputs).toEqual([last])
  })

  test('of one that was interrupted, what was to be said', () => {
    const bench = new Bench().answer()
    told(bench, last.text)
    bench.clock.advance(1000)
    bench.session.inputs.length = 0
    press(bench, interrupt)
    told(bench, 'It is', { corrects: last.text })
    press(bench, repeat)
    expect(bench.session.inputs.at(-1)).toEqual(last)
  })

  test('of one that was taken up, what came before that as well', () => {
    const bench = new Bench().answer()
    told(bench, last.text, { follows: 'The room is upstairs.' })
    const whole = { type: 'say', text: 'The room is upstairs. It is on the left.' } as const
    press(bench, repeat)
    expect(bench.session.inputs.at(-1)).toEqual(whole)
    told(bench, 'It is', { follows: 'The room is upstairs.' })
    press(bench, repeat)
    expect(bench.session.inputs.at(-1)).toEqual(whole)
  })

  test('while it sounds: from its beginning', () => {
    const bench = new Bench().answer()
    told(bench, last.text)
    bench.clock.advance(1000)
    bench.session.taken()
    press(bench, repeat)
    expect(bench.session.taken()).toEqual(['interrupted', 'say'])
  })

  test('while it is still being made: as soon as its words are known', () => {
    const bench = new Bench().answer()
    bench.clock.advance(500)
    bench.session.taken()
    press(bench, repeat)
    bench.clock.advance(500)
    expect(bench.session.taken()).toEqual([])
    told(bench, last.text)
    // The agent was in the middle of telling it.
    expect(bench.session.taken()).toEqual([])
    bench.clock.advance(1)
    expect(bench.session.inputs.at(-1)).toEqual(last)
  })

  test('while it is still being made, and the caller then speaks: they are answered instead', () => {
    const bench = new Bench().answer()
    bench.clock.advance(500)
    press(bench, repeat)
    press(bench, interrupt)
    bench.clock.advance(400)
    bench.started()
    bench.session.inputs.length = 0
    told(bench, last.text)
    bench.clock.advance(100)
    expect(bench.session.taken()).toEqual([])
  })

  test('neither a check-in nor an apology is a reply; the greeting is one', () => {
    const bench = new Bench({ noInput: { afterMs: 5000, checkIns: ['Hello?'], farewell: 'Bye.' } })
    bench.coordinator.begin('Good morning.')
    bench.reply(200)
    told(bench, 'Good morning.')
    bench.clock.advance(5600)
    bench.reply(300)
    told(bench, 'Hello?')
    bench.clock.advance(1000)
    bench.session.inputs.length = 0
    press(bench, repeat)
    expect(bench.session.inputs).toEqual([{ type: 'say', text: 'Good morning.' }])
  })

  test('where nothing has been said: nothing', () => {
    const bench = opening()
    press(bench, repeat)
    expect([bench.state, bench.session.taken()]).toEqual(['opening', []])
  })
})

describe('hang up', () => {
  test('in silence: behind the farewell', () => {
    const bench = new Bench().listen()
    press(bench, hangUp)
    expect(bench.session.inputs).toEqual([{ type: 'say', text: 'Goodbye.' }])
    bench.reply(500)
    bench.clock.advance(400)
    expect(ended(bench)).toEqual([])
    bench.clock.advance(300)
    expect(ended(bench)).toEqual(['agent'])
  })

  test('while the agent speaks: at once, and not behind its reply', () => {
    const bench = new Bench().answer()
    bench.clock.advance(500)
    bench.session.taken()
    press(bench, hangUp)
    expect(bench.session.taken()).toEqual(['interrupted', 'say'])
    bench.reply(400)
    bench.clock.advance(700)
    expect(ended(bench)).toEqual(['agent'])
  })

  test('without a word, and with nobody to say it: at once', () => {
    const wordless = new Bench().answer()
    press(wordless, { do: 'hang_up', say: '' })
    const deaf = new Bench().listen()
    deaf.session.answer = 'closed'
    press(deaf, hangUp)
    expect([ended(wordless), ended(deaf)]).toEqual([['agent'], ['agent']])
  })

  test('once the call is about to end keys do nothing any more', () => {
    const bench = new Bench().listen()
    press(bench, hangUp)
    bench.session.taken()
    for (const action of [say, interrupt, repeat, hangUp]) press(bench, action)
    expect(bench.session.taken()).toEqual([])
    bench.coordinator.end()
    press(bench, say)
    expect(bench.session.taken()).toEqual([])
  })
})
