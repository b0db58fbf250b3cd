import { describe, expect, test } from 'bun:test'
import { greetedRealtime } from './coordinator-bench.ts'
import { ended, hangUp, interrupt, outcomes, press, repeat, say, told } from './key-bench.ts'

// What a key of the telephone makes an agent do that finds the turns itself, or takes none.

describe('an agent that finds the turns itself', () => {
  test('says a text while the caller speaks, and is not asked to answer them', () => {
    const bench = greetedRealtime()
    bench.session.emit({ type: 'speech_started' })
    bench.pass(300)
    bench.session.taken()
    press(bench, say)
    expect(bench.session.taken()).toEqual(['say'])
    bench.reply(400)
    expect([bench.state, outcomes(bench)]).toEqual(['agent_speaking', ['abandoned']])
  })

  test('falls silent, in mid-reply and before it', () => {
    const bench = greetedRealtime()
    bench.session.emit({ type: 'reply_started' })
    bench.session.reply(3000)
    bench.pass(1000)
    bench.session.taken()
    press(bench, interrupt)
    expect([bench.playout.active, bench.session.taken()]).toEqual([false, ['interrupted']])
    bench.pass(500)
    bench.session.emit({ type: 'speech_started' })
    bench.pass(500)
    bench.session.emit({ type: 'speech_stopped' })
    bench.session.emit({ type: 'reply_started' })
    bench.session.taken()
    press(bench, interrupt)
    expect([bench.state, bench.session.taken()]).toEqual(['listening', ['turn_resumed']])
  })

  test('repeats, and is hung up', () => {
    const bench = greetedRealtime()
    told(bench, 'Hello.')
    press(bench, repeat)
    expect(bench.session.inputs).toEqual([{ type: 'say', text: 'Hello.' }])
    bench.reply(300)
    bench.pass(800)
    bench.session.taken()
    press(bench, hangUp)
    expect(bench.session.taken()).toEqual(['say'])
    bench.reply(300)
    bench.pass(600)
    expect(ended(bench)).toEqual(['agent'])
  })
})

test('an agent that takes no turns can only be hung up, and says nothing', () => {
  const bench = greetedRealtime('none')
  for (const action of [say, interrupt, repeat]) press(bench, action)
  expect([bench.session.taken(), ended(bench)]).toEqual([[], []])
  press(bench, hangUp)
  expect([bench.session.taken(), ended(bench)]).toEqual([[], ['agent']])
})
