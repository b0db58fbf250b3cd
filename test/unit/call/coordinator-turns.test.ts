import { describe, expect, test } from 'bun:test'
import { Bench } from './coordinator-bench.ts'

describe('the greeting', () => {
  test('is asked for at once behind a closed gate, sounds, and opens the gate when its guard is over', () => {
    const bench = new Bench()
    bench.coordinator.begin('Hello.')
    expect(bench.session.inputs).toEqual([{ type: 'say', text: 'Hello.' }])
    expect([bench.state, bench.marks]).toEqual(['opening', ['gate_closed']])
    bench.reply(200)
    expect(bench.state).toBe('agent_speaking')
    // Ten frames, the first one tick from now; then 300 ms of guard.
    bench.clock.advance(200)
    expect(bench.marks).toEqual(['gate_closed', 'raised', 'greeting_started', 'greeting_finished', 'lowered'])
    expect(bench.state).toBe('guarding')
    bench.clock.advance(299)
    expect([bench.state, bench.coordinator.gateClosed]).toEqual(['guarding', true])
    bench.clock.advance(1)
    expect([bench.state, bench.coordinator.gateClosed]).toEqual(['listening', false])
    expect(bench.observer.turns).toEqual([])
  })

  test('has its own, shorter warm-up', () => {
    const bench = new Bench({ greetingWarmUpMs: 20, warmUpMs: 500 })
    bench.coordinator.begin('Hello.')
    bench.session.reply(20)
    bench.clock.advance(20)
    expect(bench.marks).toContain('greeting_started')
  })

  test('none: the caller is listened to from the first moment', () => {
    const bench = new Bench()
    bench.coordinator.begin('')
    expect([bench.state, bench.coordinator.gateClosed]).toEqual(['listening', false])
    expect(bench.session.inputs).toEqual([])
    expect(bench.clock.pending).toBe(1)
  })

  test('that has not sounded after 5 s is given up: the caller may speak', () => {
    const bench = new Bench()
    bench.coordinator.begin('Hello.')
    bench.clock.advance(4999)
    expect(bench.state).toBe('opening')
    bench.clock.advance(1)
    expect([bench.state, bench.coordinator.gateClosed]).toEqual(['listening', false])
    // It is a reply like any other when it comes after all, and no greeting.
    bench.reply(100)
    bench.clock.advance(200)
    expect(bench.marks).not.toContain('greeting_started')
  })

  test('speech before it sounds is no turn', () => {
    const bench = new Bench()
    bench.coordinator.begin('Hello.')
    bench.started()
    bench.stopped()
    expect([bench.state, bench.session.taken()]).toEqual(['opening', ['say']])
  })
})

describe('a turn', () => {
  test('is committed when the caller has been silent for end_silence, counted from their last word', () => {
    const bench = new Bench().listen()
    bench.started(96)
    expect(bench.session.inputs).toEqual([{ type: 'speech_started', agoMs: 96 }])
    bench.clock.advance(1000)
    // The detector says so 200 ms after the last word: 400 ms are left.
    bench.stopped(200)
    bench.clock.advance(399)
    expect([bench.state, bench.session.taken()]).toEqual(['endpointing', ['speech_started', 'speech_stopped']])
    bench.clock.advance(1)
    expect([bench.state, bench.session.taken()]).toEqual(['thinking', ['turn_committed']])
    expect(bench.coordinator.turns.all).toMatchObject([{ speechMs: 896, endpointingMs: 600, outcome: 'pending' }])
  })

  test('a detector that is later than end_silence commits at once', () => {
    const bench = new Bench().listen()
    bench.started()
    bench.clock.advance(1000)
    bench.stopped(700)
    bench.clock.advance(0)
    expect(bench.state).toBe('thinking')
  })

  test('a pause shorter than end_silence does not end it', () => {
    const bench = new Bench().listen()
    bench.started()
    bench.clock.advance(500)
    bench.stopped()
    bench.clock.advance(599)
    bench.started(50)
    expect(bench.state).toBe('caller_speaking')
    bench.clock.advance(2000)
    expect(bench.session.taken()).toEqual(['speech_started', 'speech_stopped', 'speech_started'])
    bench.stopped()
    bench.clock.advance(600)
    expect(bench.session.taken()).toEqual(['speech_stopped', 'turn_committed'])
    expect(bench.coordinator.turns.all).toHaveLength(1)
  })

  test('gets its answer: response time from the last word to the first frame, then listening again', () => {
    const bench = new Bench().think()
    bench.clock.advance(290)
    bench.reply(400)
    expect(bench.state).toBe('agent_speaking')
    bench.clock.advance(1000)
    expect(bench.state).toBe('listening')
    const [turn] = bench.observer.turns
    // 600 ms of silence, 290 of thinking, and up to one tick until the frame leaves.
    expect(turn).toMatchObject({ outcome: 'answered', heardMs: 400, endpointingMs: 600, speechMs: 1000 })
    expect(turn?.responseMs).toBeGreaterThanOrEqual(890)
    expect(turn?.responseMs).toBeLessThanOrEqual(910)
    expect(bench.observer.turns).toHaveLength(1)
  })

  test('the caller goes on while the agent thinks: the reply is dropped and it is one turn', () => {
    const bench = new Bench().think()
    bench.clock.advance(100)
    bench.started(32)
    expect(bench.session.inputs).toEqual([{ type: 'turn_resumed' }, { type: 'speech_started', agoMs: 32 }])
    bench.session.taken()
    // The dropped reply comes late: nothing of it may sound.
    bench.session.reply(500)
    bench.clock.advance(400)
    expect([bench.state, bench.leg.heard.slice(-3200).some((s) => s !== 0)]).toEqual(['caller_speaking', false])
    bench.stopped()
    bench.clock.advance(600)
    expect(bench.session.taken()).toEqual(['speech_stopped', 'turn_committed'])
    expect(bench.coordinator.turns.all).toHaveLength(1)
    expect(bench.coordinator.turns.all[0]?.speechMs).toBe(1000 + 600 + 100 + 400)
  })

  test('without words leaves nothing to answer', () => {
    const bench = new Bench().think()
    bench.session.emit({ type: 'nothing_heard' })
    expect(bench.state).toBe('listening')
    expect(bench.observer.turns).toMatchObject([{ outcome: 'no_words', heardMs: null }])
  })

  test('with an empty reply goes back to listening, and its record is told with the next turn', () => {
    const bench = new Bench().think()
    bench.session.emit({ type: 'reply_done' })
    expect(bench.state).toBe('listening')
    bench.started()
    expect(bench.observer.turns).toMatchObject([{ index: 0, outcome: 'abandoned' }])
  })

  test('longer than the limit is cut and answered: its speech has lasted until then', () => {
    const bench = new Bench({ turnMaxMs: 5000 }).listen()
    bench.started()
    bench.clock.advance(4999)
    expect(bench.state).toBe('caller_speaking')
    bench.clock.advance(1)
    expect([bench.state, bench.session.taken()]).toEqual(['thinking', ['speech_started', 'turn_committed']])
    expect(bench.coordinator.turns.all).toMatchObject([{ speechMs: 5000, endpointingMs: 0 }])
    bench.clock.advance(500)
    bench.reply(200)
    bench.clock.advance(1000)
    expect(bench.observer.turns[0]?.responseMs).toBeGreaterThanOrEqual(500)
    expect(bench.observer.turns[0]?.responseMs).toBeLessThanOrEqual(520)
  })

  test('the limit also holds for a turn that goes on after it was committed', () => {
    const bench = new Bench({ turnMaxMs: 5000 }).think()
    bench.started()
    bench.session.taken()
    bench.clock.advance(4999)
    expect(bench.state).toBe('caller_speaking')
    bench.clock.advance(1)
    expect([bench.state, bench.session.taken()]).toEqual(['thinking', ['turn_committed']])
  })

  test('the limit also holds in a pause', () => {
    const bench = new Bench({ turnMaxMs: 5000 }).listen()
    bench.started()
    bench.clock.advance(4800)
    bench.stopped()
    bench.clock.advance(200)
    expect([bench.state, bench.session.taken()]).toEqual([
      'thinking',
      ['speech_started', 'speech_stopped', 'turn_committed'],
    ])
    bench.clock.advance(1000)
    expect(bench.session.taken()).toEqual([])
  })

  test('stages and words of the session are in its record; words go to the observer once they are final', () => {
    const bench = new Bench().think()
    bench.session.emit({ type: 'stage', stage: 'stt', durationMs: 80 })
    bench.session.emit({ type: 'transcript', side: 'caller', final: false, text: 'what' })
    bench.session.emit({ type: 'transcript', side: 'caller', final: true, text: 'what time' })
    bench.reply(100)
    bench.session.emit({ type: 'transcript', side: 'agent', final: true, text: 'Noon.' })
    bench.clock.advance(200)
    expect(bench.observer.transcripts).toEqual(['caller: what time', 'agent: Noon.'])
    expect(bench.observer.turns).toMatchObject([
      { stages: { stt: 80 }, callerText: 'what time', agentText: 'Noon.', outcome: 'answered' },
    ])
  })

  test('an agent that speaks up by itself is heard, without a turn of the caller', () => {
    const bench = new Bench().listen()
    bench.reply(200)
    bench.clock.advance(600)
    expect([bench.state, bench.observer.turns]).toEqual(['listening', []])
    expect(bench.leg.heard.filter((sample) => sample !== 0)).toHaveLength(2 * 1600)
  })

  test('speech and audio of an agent that detects turns itself run the same table', () => {
    const bench = new Bench({}, 'provider').listen()
    bench.session.emit({ type: 'speech_started' })
    expect(bench.state).toBe('caller_speaking')
    bench.session.emit({ type: 'speech_stopped' })
    expect(bench.state).toBe('endpointing')
  })
})

describe('an agent that takes no turns', () => {
  test('hears everything, is never gated, and its audio sounds after the warm-up', () => {
    const bench = new Bench({ warmUpMs: 40 }, 'none')
    bench.coordinator.begin('Hello.')
    bench.pass(100)
    expect([bench.session.inputs, bench.session.audio.length, bench.marks]).toEqual([[], 5, []])
    bench.session.reply(20)
    bench.clock.advance(20)
    expect(bench.leg.heard.some((sample) => sample !== 0)).toBe(false)
    bench.session.reply(20)
    bench.clock.advance(40)
    expect(bench.leg.heard.filter((sample) => sample !== 0)).toHaveLength(320)
    bench.started()
    expect([bench.session.inputs, bench.clock.pending]).toEqual([[], 1])
  })
})
