import { describe, expect, test } from 'bun:test'
import type { TurnSettings } from '#call/turn-settings.ts'
import { overlapped, settings, verdicts } from './overlapped.ts'

describe('speech over the agent, by its words', () => {
  const settle = () => Promise.resolve().then(() => Promise.resolve())

  test('are asked for while it sounds and when it is over, one question at a time', async () => {
    const bench = overlapped({ words: true })
    bench.pass(240)
    expect(bench.wordsAsked).toHaveLength(1)
    bench.pass(400)
    expect(bench.wordsAsked).toHaveLength(1)
    bench.wordsAsked[0]?.('')
    await settle()
    bench.pass(20)
    expect(bench.wordsAsked).toHaveLength(2)
  })

  test('are asked for what came of the line, not for what was said before while nothing came', async () => {
    const bench = overlapped({ words: true })
    bench.pass(60)
    bench.clock.advance(1500)
    expect(bench.wordsAsked).toHaveLength(0)
    bench.pass(120)
    // 300 ms of voice, and as much of the line before it.
    expect(bench.wordsShownMs).toEqual([600])
    bench.stopped(0)
    bench.wordsAsked[0]?.('')
    await settle()
    bench.pass(20)
    expect(bench.wordsShownMs).toEqual([600, 600])
  })

  test('of a short voice are asked for when it pauses, and an unsure sound waits for them', async () => {
    const bench = overlapped({ words: true })
    bench.judge?.say('interruption', 0.45)
    bench.quietSinceMs = bench.clock.now()
    bench.pass(60)
    expect(bench.wordsAsked).toHaveLength(0)
    bench.pass(20)
    expect(bench.wordsAsked).toHaveLength(1)
    // It is over for all that is known of its sound.
    bench.pass(120)
    expect(bench.state).toBe('overlap')
    bench.wordsAsked[0]?.('mm-hm')
    await settle()
    bench.stopped(200)
    bench.wordsAsked[1]?.('mm-hm')
    await settle()
    expect(verdicts(bench)).toEqual(['backchannel'])
  })

  test('that do not come keep an unsure sound for half a second', () => {
    const bench = overlapped({ words: true })
    bench.judge?.say('interruption', 0.45)
    bench.stopped(0)
    bench.clock.advance(480)
    expect(bench.state).toBe('overlap')
    bench.clock.advance(40)
    expect(verdicts(bench)).toEqual(['interruption'])
  })

  test('that nobody needs any more are not waited for', async () => {
    const bench = overlapped({ words: true })
    bench.pass(240)
    bench.judge?.say('interruption')
    bench.pass(20)
    expect(bench.state).toBe('caller_speaking')
    bench.wordsAsked[0]?.('stop')
    await settle()
    expect(verdicts(bench)).toEqual(['interruption'])
  })

  test('an agent that writes down what it hears is believed', () => {
    const bench = overlapped({}, { bargeIn: { ...settings.bargeIn, start: 'min_words' } as TurnSettings['bargeIn'] })
    bench.session.emit({ type: 'transcript', side: 'caller', final: false, text: 'no' })
    expect(bench.state).toBe('overlap')
    bench.session.emit({ type: 'transcript', side: 'caller', final: false, text: 'no wait' })
    expect(bench.state).toBe('caller_speaking')
  })

  test('that come before the sound can be judged wait for it', () => {
    const bench = overlapped()
    bench.session.emit({ type: 'transcript', side: 'caller', final: false, text: 'splendid' })
    bench.pass(20)
    expect(bench.state).toBe('overlap')
    bench.judge?.say('backchannel')
    bench.pass(20)
    expect([bench.state, bench.playout.holding]).toEqual(['overlap', 'none'])
    bench.stopped(0)
    expect(verdicts(bench)).toEqual(['backchannel'])
  })

  test('decide a voice that was over before its sound could be judged', () => {
    const bench = overlapped()
    bench.session.emit({ type: 'transcript', side: 'caller', final: false, text: 'stop' })
    bench.stopped(0)
    expect(verdicts(bench)).toEqual(['interruption'])
  })

  test('of a sound that went on before they came are not those of all of it', async () => {
    const bench = overlapped({ words: true })
    bench.stopped(40)
    expect(bench.wordsAsked).toHaveLength(1)
    bench.started(60)
    bench.wordsAsked[0]?.('')
    await settle()
    bench.pass(300)
    expect(bench.wordsAsked).toHaveLength(2)
    bench.wordsAsked[1]?.('stop')
    bench.judge?.say('backchannel', 0.4)
    await settle()
    bench.pass(20)
    expect(verdicts(bench)).toEqual(['interruption'])
  })

  test('that do not come in time are not waited for', () => {
    const bench = overlapped({ words: true })
    bench.pass(100)
    bench.stopped(0)
    expect(bench.state).toBe('overlap')
    bench.clock.advance(520)
    expect([bench.state, verdicts(bench)]).toEqual(['agent_speaking', ['noise']])
  })
})
