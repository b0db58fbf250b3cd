import { describe, expect, test } from 'bun:test'
import type { TurnSettings } from '#call/turn-settings.ts'
import { turnSettings } from '../../fakes/call-world.ts'
import { Bench } from './coordinator-bench.ts'

const settings: Partial<TurnSettings> = {
  noInput: { afterMs: 8000, checkIns: ['Are you there?', 'Hello?'], farewell: 'Goodbye.' },
}
const says = (bench: Bench) => bench.session.inputs.flatMap((input) => (input.type === 'say' ? [input.text] : []))
/** What was asked for sounds, and its guard time passes. */
const heard = (bench: Bench) => {
  bench.reply(500)
  bench.clock.advance(860)
}

describe('nobody speaks', () => {
  test('a check-in after each silence, a farewell that is heard in full, and the end', () => {
    const bench = new Bench(settings).listen()
    bench.session.taken()
    for (const text of ['Are you there?', 'Hello?', 'Goodbye.']) {
      bench.clock.advance(8100)
      expect(says(bench)).toEqual([text])
      bench.session.taken()
      if (text !== 'Goodbye.') heard(bench)
    }
    bench.reply(500)
    bench.clock.advance(400)
    expect(bench.marks).not.toContain('no_input')
    bench.clock.advance(200 + turnSettings.bargeIn.guardMs)
    expect(bench.marks).toContain('no_input')
    expect(bench.observer.turns).toEqual([])
  })

  test.each([
    ['in its last moment', 300],
    ['right behind it', 600],
  ])('who speaks over the farewell %s is there after all', (_when, afterMs) => {
    const bench = new Bench({ noInput: { afterMs: 1000, checkIns: [], farewell: 'Goodbye.' } }, 'engine', {
      echo: true,
    })
    bench.listen().clock.advance(1000)
    bench.reply(500)
    bench.clock.advance(afterMs)
    bench.started()
    bench.clock.advance(900)
    expect([bench.state, bench.marks.includes('no_input')]).toEqual(['caller_speaking', false])
    bench.stopped()
    bench.clock.advance(600)
    expect(bench.session.taken()).toContain('turn_committed')
  })

  test('an agent that fails for good with its farewell to nobody: who speaks over that is not kept in silence', () => {
    const bench = new Bench({ noInput: { afterMs: 1000, checkIns: [], farewell: 'Goodbye.' } }).listen()
    bench.clock.advance(1000)
    bench.session.emit({ type: 'reply_started' })
    bench.session.reply(500)
    bench.clock.advance(200)
    bench.session.emit({ type: 'fault', code: 'gone', message: 'x', retryable: false, final: true })
    bench.started()
    bench.clock.advance(600)
    expect(bench.marks).toContain('no_input')
  })

  test('a check-in of which nothing is heard: the silence goes on', () => {
    const bench = new Bench(settings).listen()
    for (const text of ['Are you there?', 'Hello?', 'Goodbye.']) {
      bench.session.taken()
      bench.clock.advance(8000)
      expect(says(bench)).toEqual([text])
      bench.session.inputs.length = 0
      bench.session.emit({ type: 'reply_done' })
    }
    expect(bench.marks).toContain('no_input')
    expect(bench.marks.filter((mark) => mark === 'no_input')).toHaveLength(1)
  })

  test('the silence begins when the agent’s has: a long reply is not one', () => {
    const bench = new Bench(settings).think()
    bench.reply(20_000)
    bench.clock.advance(20_200)
    expect(says(bench)).toEqual([])
    bench.clock.advance(7900)
    expect(says(bench)).toEqual([])
    bench.clock.advance(300)
    expect(says(bench)).toEqual(['Are you there?'])
  })

  test('who is answered has broken the silence, and the count begins anew', () => {
    const bench = new Bench(settings).listen()
    bench.clock.advance(8000)
    heard(bench)
    bench.started()
    bench.clock.advance(500)
    bench.stopped()
    bench.clock.advance(600)
    heard(bench)
    bench.session.taken()
    bench.clock.advance(8100)
    expect(says(bench)).toEqual(['Are you there?'])
  })

  test('a noise without words has not', () => {
    const bench = new Bench(settings).listen()
    bench.clock.advance(8000)
    heard(bench)
    bench.started()
    bench.clock.advance(500)
    bench.stopped()
    bench.clock.advance(600)
    bench.session.emit({ type: 'nothing_heard' })
    bench.session.taken()
    bench.clock.advance(8100)
    expect(says(bench)).toEqual(['Hello?'])
  })

  test('who breaks into the farewell is not hung up on', () => {
    const bench = new Bench({ ...settings, bargeIn: { ...turnSettings.bargeIn, initialProtectionMs: 0 } }).listen()
    for (let silence = 1; silence <= 2; silence += 1) {
      bench.clock.advance(8100)
      heard(bench)
    }
    bench.clock.advance(8100)
    bench.reply(3000)
    bench.clock.advance(300)
    bench.started()
    bench.pass(300)
    expect(bench.state).toBe('caller_speaking')
    // They are there: it is not said again, whatever it was that they said.
    expect(bench.session.inputs.findLast(({ type }) => type === 'interrupted')).toMatchObject({ forGood: true })
    bench.stopped()
    bench.clock.advance(600)
    heard(bench)
    expect(bench.marks).not.toContain('no_input')
  })

  test('not while a tool runs: its time is not the caller’s', () => {
    const bench = new Bench(settings).listen()
    bench.session.taken()
    bench.session.emit({ type: 'tool', running: true })
    bench.clock.advance(60_000)
    expect(says(bench)).toEqual([])
    bench.session.emit({ type: 'tool', running: false })
    bench.clock.advance(7999)
    expect(says(bench)).toEqual([])
    bench.clock.advance(1)
    expect(says(bench)).toEqual(['Are you there?'])
  })

  test('who begins to speak before the farewell sounds is not hung up on, though it has nowhere to go', () => {
    const bench = new Bench({ noInput: { afterMs: 1000, checkIns: [], farewell: 'Goodbye.' } }).listen()
    bench.clock.advance(1000)
    bench.started()
    bench.reply(500)
    expect([bench.state, bench.marks.includes('no_input')]).toEqual(['caller_speaking', false])
  })

  test('a farewell that cannot be said, or fails, does not keep the caller', () => {
    for (const how of ['refused', 'fault', 'empty'] as const) {
      const bench = new Bench({ noInput: { afterMs: 1000, checkIns: [], farewell: 'Goodbye.' } }).listen()
      if (how === 'refused') bench.session.answer = 'closed'
      bench.clock.advance(1000)
      if (how === 'fault') bench.fault()
      if (how === 'empty') bench.session.emit({ type: 'reply_done' })
      expect({ how, ended: bench.marks.includes('no_input') }).toEqual({ how, ended: true })
    }
  })

  test('an agent that takes no order to speak is asked again after the next silence', () => {
    const bench = new Bench(settings).listen()
    bench.session.answer = 'full'
    bench.session.taken()
    bench.clock.advance(8000)
    bench.session.answer = 'sent'
    bench.clock.advance(8000)
    expect(says(bench)).toEqual(['Are you there?', 'Hello?'])
  })

  test('0 ms: never, and no timer runs for it', () => {
    const bench = new Bench().listen()
    bench.session.taken()
    bench.clock.advance(600_000)
    expect([says(bench), bench.state]).toEqual([[], 'listening'])
  })

  test('a call that ends takes the timer with it', () => {
    const bench = new Bench(settings).listen()
    bench.coordinator.end()
    bench.pacing[Symbol.dispose]()
    expect(bench.clock.pending).toBe(0)
  })
})

describe('a pause of the caller', () => {
  const stop: Partial<TurnSettings> = { endpointing: { ...turnSettings.endpointing, stop: 'model' } }
  /** Speaks for a second; the detector says so 200 ms into the pause. */
  const paused = (settled = stop) => {
    const bench = new Bench(settled, 'engine', { turnEnd: true }).listen()
    bench.pass(1000)
    bench.started()
    bench.pass(1000)
    bench.pass(200)
    bench.stopped(200)
    return bench
  }

  test('is shown to the model once, with the turn from 300 ms before it to 100 ms of the silence', async () => {
    const bench = paused()
    expect(bench.turnEnd?.asked).toHaveLength(1)
    expect(bench.turnEnd?.asked[0]?.length).toBe(1400 * 8)
    await bench.turnEnd?.answer(0.2)
    bench.pass(200)
    expect(bench.turnEnd?.asked).toHaveLength(1)
  })

  test('finished, by the model: the turn ends at the shorter silence', async () => {
    const bench = paused()
    await bench.turnEnd?.answer(0.9)
    bench.clock.advance(99)
    expect(bench.state).toBe('endpointing')
    bench.clock.advance(1)
    expect(bench.state).toBe('thinking')
    expect(bench.coordinator.turns.all).toMatchObject([{ endpointingMs: 300, endedBy: 'model' }])
  })

  test('an answer that comes after the shorter silence ends it at once', async () => {
    const bench = paused()
    bench.clock.advance(250)
    await bench.turnEnd?.answer(0.9)
    bench.clock.advance(0)
    expect(bench.state).toBe('thinking')
  })

  test('not finished: at the longer one', async () => {
    const bench = paused()
    await bench.turnEnd?.answer(0)
    bench.clock.advance(1299)
    expect(bench.state).toBe('endpointing')
    bench.clock.advance(1)
    expect(bench.state).toBe('thinking')
  })

  test('no answer, or one that says nothing: as by silence', async () => {
    for (const answers of [false, true]) {
      const bench = paused()
      if (answers) await bench.turnEnd?.answer(null)
      bench.clock.advance(399)
      expect(bench.state).toBe('endpointing')
      bench.clock.advance(1)
      expect(bench.coordinator.turns.all).toMatchObject([{ endpointingMs: 600, endedBy: 'silence' }])
    }
  })

  const interim = (bench: Bench, text: string) =>
    bench.session.emit({ type: 'transcript', side: 'caller', text, final: false })

  test('words that want more keep it open, though the model takes it for finished', async () => {
    const bench = paused()
    interim(bench, 'I would like to')
    await bench.turnEnd?.answer(0.9)
    bench.clock.advance(1299)
    expect(bench.state).toBe('endpointing')
    bench.clock.advance(1)
    expect(bench.coordinator.turns.all).toMatchObject([{ endpointingMs: 1500, endedBy: 'words' }])
  })

  test('a whole answer ends it at once, though the model does not take it for one', async () => {
    const bench = paused()
    await bench.turnEnd?.answer(0)
    bench.clock.advance(200)
    interim(bench, 'Yes, please.')
    bench.clock.advance(0)
    expect(bench.coordinator.turns.all).toMatchObject([{ endpointingMs: 400, endedBy: 'words' }])
  })

  test('words of the pause before, or of the speech after it, decide nothing', async () => {
    const bench = paused()
    interim(bench, 'I would like to')
    bench.started()
    interim(bench, 'Yes, please.')
    bench.pass(1000)
    bench.stopped()
    await bench.turnEnd?.answer(0.9)
    bench.clock.advance(300)
    expect(bench.coordinator.turns.all).toMatchObject([{ endedBy: 'model' }])
  })

  test('the caller goes on: an answer to the pause before means nothing', async () => {
    const bench = paused()
    bench.started()
    await bench.turnEnd?.answer(0.9)
    bench.clock.advance(5000)
    expect(bench.state).toBe('caller_speaking')
    bench.stopped()
    expect(bench.turnEnd?.asked).toHaveLength(2)
  })

  test.each([
    ['and the pause is noticed later, as in a babble: at once', ['turn_end', 'stopped'], 'thinking'],
    [
      'and the caller says more before they pause: that was not the end',
      ['turn_end', 'words', 'stopped'],
      'endpointing',
    ],
    ['and it takes that back: not', ['turn_end', 'taken_back', 'stopped'], 'endpointing'],
    ['in a pause, and the caller goes on: that was not the end', ['stopped', 'started', 'stopped'], 'endpointing'],
    ['late, when the caller has gone on: not', ['stopped', 'started', 'turn_end', 'stopped'], 'endpointing'],
    ['of the turn before: nothing', ['turn_end', 'stopped', 'answered', 'started', 'stopped'], 'endpointing'],
  ] as const)('the provider’s recogniser says that the turn is over, %s', (_name, steps, state) => {
    const bench = new Bench({ endpointing: { ...turnSettings.endpointing, stop: 'provider' } }).listen()
    bench.started()
    const ways: Record<(typeof steps)[number], () => void> = {
      turn_end: () => bench.session.emit({ type: 'turn_end', done: true }),
      taken_back: () => bench.session.emit({ type: 'turn_end', done: false }),
      words: () => interim(bench, 'and then'),
      started: () => bench.started(),
      stopped: () => bench.stopped(),
      answered: () => {
        bench.reply(200)
        bench.clock.advance(600)
      },
    }
    for (const step of steps) {
      bench.clock.advance(500)
      ways[step]()
    }
    bench.clock.advance(20)
    expect(bench.state).toBe(state)
  })

  test('by the provider’s recogniser: at its word, and not when it takes that back', () => {
    const bench = paused({ endpointing: { ...turnSettings.endpointing, stop: 'provider' } })
    expect(bench.turnEnd?.asked).toEqual([])
    bench.session.emit({ type: 'turn_end', done: true })
    bench.session.emit({ type: 'turn_end', done: false })
    bench.clock.advance(1000)
    expect(bench.state).toBe('endpointing')
    bench.session.emit({ type: 'turn_end', done: true })
    bench.clock.advance(0)
    expect(bench.state).toBe('thinking')
    expect(bench.coordinator.turns.all).toMatchObject([{ endedBy: 'provider' }])
  })
})
