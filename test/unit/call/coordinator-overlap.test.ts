import { describe, expect, test } from 'bun:test'
import { Bench } from './coordinator-bench.ts'
import { overlapped, settings, verdicts } from './overlapped.ts'

describe('speech over the agent, by its sound', () => {
  test('ducks the reply at once, pauses it while it is not known what it is, and not for ever', () => {
    const bench = overlapped()
    expect([bench.state, bench.playout.holding]).toEqual(['overlap', 'ducked'])
    bench.pass(80)
    expect(bench.playout.holding).toBe('ducked')
    bench.pass(20)
    expect(bench.playout.holding).toBe('paused')
    bench.pass(180)
    expect(bench.playout.holding).toBe('paused')
    bench.pass(40)
    expect([bench.state, bench.playout.holding]).toEqual(['overlap', 'ducked'])
  })

  test('the judge is shown what was before the onset, and each frame after it once', () => {
    const bench = overlapped()
    // 120 ms of speech and 300 ms of the line before it.
    expect(bench.judge?.begun).toEqual([{ samples: 420 * 8, agoMs: 120 }])
    bench.pass(100)
    expect(bench.judge?.pushed).toBe(5)
  })

  test('an interruption: heard up to where the reply was paused, and the turn is there from its onset', () => {
    const bench = overlapped()
    bench.pass(200)
    const heardMs = bench.playout.heardMs
    bench.judge?.say('interruption')
    bench.pass(20)
    expect(bench.state).toBe('caller_speaking')
    expect(bench.session.inputs).toEqual([
      { type: 'interrupted', heardMs },
      { type: 'speech_started', agoMs: 340 },
    ])
    // It fell silent when it was paused, 220 ms after the onset.
    expect(bench.observer.bargeIns).toEqual([{ verdict: 'interruption', reactionMs: 220, pausedMs: 120 }])
    expect(bench.coordinator.overlaps.all).toMatchObject([{ verdict: 'interruption', pausedMs: 120 }])
  })

  test('a backchannel: the reply goes on at the frame where it stopped, and the whole of it is heard', () => {
    const bench = overlapped()
    bench.pass(160)
    bench.judge?.say('backchannel')
    bench.pass(20)
    expect([bench.state, bench.playout.holding]).toEqual(['overlap', 'none'])
    bench.pass(200)
    bench.stopped(100)
    expect(bench.state).toBe('agent_speaking')
    expect(verdicts(bench)).toEqual(['backchannel'])
    bench.pass(4000)
    expect([bench.state, bench.session.taken()]).toEqual(['listening', []])
    expect(bench.observer.turns).toMatchObject([{ outcome: 'answered', heardMs: 3000 }])
    expect(bench.coordinator.overlaps.counts).toMatchObject({ backchannel: 1, interruption: 0 })
  })

  test('"yeah, but wait": what begins as a backchannel may still interrupt', () => {
    const bench = overlapped()
    bench.judge?.say('backchannel')
    bench.pass(600)
    expect([bench.state, bench.playout.holding]).toEqual(['overlap', 'none'])
    bench.judge?.say('interruption')
    bench.pass(20)
    expect(bench.state).toBe('caller_speaking')
    expect(verdicts(bench)).toEqual(['interruption'])
  })

  test('not known when it ends: a voice of min_ms interrupts and its turn is already over, less is noise', () => {
    const long = overlapped()
    long.pass(200)
    long.stopped(0)
    expect(long.state).toBe('endpointing')
    expect(long.session.taken()).toEqual(['interrupted', 'speech_started', 'speech_stopped'])
    long.pass(600)
    expect(long.state).toBe('thinking')
    const short = overlapped()
    short.pass(40)
    short.stopped(0)
    expect([short.state, verdicts(short)]).toEqual(['agent_speaking', ['noise']])
  })

  test('"mm … hm": a second sound within 0.7 s belongs to the first', () => {
    const bench = overlapped({ words: true })
    bench.pass(80)
    // Not known, and words of it are on their way: the overlap is still open when the voice comes back.
    bench.stopped(0)
    expect(bench.state).toBe('overlap')
    bench.pass(100)
    bench.started(20)
    bench.judge?.say('backchannel')
    bench.pass(20)
    bench.stopped(0)
    for (const answer of bench.wordsAsked) answer(null)
    expect(bench.judge?.begun).toHaveLength(1)
  })

  test('frames that stop coming do not leave the reply paused', () => {
    const bench = overlapped()
    bench.clock.advance(5000)
    expect(bench.playout.holding).not.toBe('paused')
  })

  test('frames that stop coming are no voice that goes on: a murmur of which half is late is a murmur', () => {
    const bench = overlapped()
    bench.judge?.say('backchannel')
    bench.pass(60)
    bench.clock.advance(1500)
    expect([bench.state, bench.playout.holding]).toEqual(['overlap', 'none'])
    bench.pass(60)
    bench.stopped(20)
    expect([bench.state, verdicts(bench)]).toEqual(['agent_speaking', ['backchannel']])
  })

  test.each(['vad', 'model'] as const)('by %s, min_ms is so much of a voice, and not so much time', (start) => {
    const bench = new Bench({ bargeIn: { ...settings.bargeIn, start } as never }).answer()
    bench.pass(1000)
    bench.started(120)
    bench.pass(100)
    bench.clock.advance(1500)
    expect(bench.state).toBe('overlap')
    bench.pass(20)
    expect(bench.state).toBe('overlap')
    bench.pass(20)
    expect(bench.state).toBe('caller_speaking')
  })

  test('what comes all at once is no voice before it is judged: half a second of a cough and the quiet behind it', () => {
    const bench = new Bench({ bargeIn: { ...settings.bargeIn, start: 'vad' } as never }).answer()
    bench.pass(1000)
    bench.started(120)
    bench.clock.advance(480)
    bench.unjudgedMs = 500
    bench.arrive(500)
    bench.pass(20)
    expect(bench.state).toBe('overlap')
    // 30 ms of it were the cough.
    bench.unjudgedMs = 0
    bench.quietSinceMs = bench.clock.now() - 490
    bench.stopped(490)
    expect([bench.state, verdicts(bench)]).toEqual(['agent_speaking', ['noise']])
  })
})

describe('the end of a voice', () => {
  test('lies where it lies in the line, though all of it came at once', () => {
    const bench = new Bench({ bargeIn: { ...settings.bargeIn, start: 'vad' } as never }).answer()
    bench.pass(1000)
    bench.started(120)
    bench.unjudgedMs = 500
    bench.arrive(500)
    bench.pass(20)
    bench.unjudgedMs = 0
    // 170 ms of it were voice.
    bench.stopped(470)
    expect([bench.state, verdicts(bench)]).toEqual(['agent_speaking', ['noise']])
  })
})

describe('the agent’s own voice, back from the line', () => {
  test('holds nothing back and interrupts nothing, however long', () => {
    const bench = new Bench(settings, 'engine', { judge: true, echo: true }).answer()
    bench.pass(500)
    bench.echo.echo = true
    bench.started(120)
    bench.judge?.say('interruption')
    bench.pass(1500)
    expect([bench.state, bench.playout.holding]).toEqual(['overlap', 'none'])
    bench.stopped(200)
    expect([bench.state, verdicts(bench)]).toEqual(['agent_speaking', ['echo']])
  })

  test('the quiet behind it is no voice: it is still an echo when its end is noticed', () => {
    const bench = new Bench(settings, 'engine', { judge: true, echo: true }).answer()
    bench.pass(500)
    bench.echo.echo = true
    bench.started(120)
    bench.pass(300)
    bench.quietSinceMs = bench.clock.now()
    bench.pass(80)
    bench.echo.echo = false
    bench.echo.onsetMs = 60
    bench.pass(20)
    bench.stopped(100)
    expect(verdicts(bench)).toEqual(['echo'])
    expect(bench.coordinator.overlaps.all).toMatchObject([{ durationMs: 420 }])
  })

  test('nor is a silence whose beginning a busy detector has not noticed yet', () => {
    const bench = new Bench(settings, 'engine', { judge: true, echo: true }).answer()
    bench.pass(500)
    bench.echo.echo = true
    bench.started(120)
    bench.pass(300)
    bench.echo.echo = false
    bench.echo.silent = true
    bench.judge?.say('interruption')
    bench.pass(200)
    expect([bench.state, bench.playout.holding]).toEqual(['overlap', 'none'])
    bench.stopped(200)
    expect(verdicts(bench)).toEqual(['echo'])
  })

  test('a voice that comes up over it begins there', () => {
    const bench = new Bench(settings, 'engine', { judge: true, echo: true }).answer()
    bench.pass(500)
    bench.echo.echo = true
    bench.started(120)
    bench.pass(1000)
    bench.session.emit({ type: 'transcript', side: 'caller', final: false, text: 'stop' })
    bench.echo.echo = false
    bench.echo.onsetMs = 80
    bench.pass(20)
    expect(bench.playout.holding).toBe('ducked')
    // The echo's words are not the voice's.
    bench.judge?.say('backchannel', 0.4)
    bench.pass(20)
    expect(bench.state).toBe('overlap')
    expect(bench.judge?.begun.at(-1)).toEqual({ samples: 380 * 8, agoMs: 80 })
    bench.judge?.say('interruption')
    bench.pass(20)
    expect(bench.state).toBe('caller_speaking')
    expect(bench.session.inputs.at(-1)).toEqual({ type: 'speech_started', agoMs: 120 })
  })

  test('that goes on when the reply is over is no turn; a voice in its place is', () => {
    for (const echo of [true, false]) {
      const bench = new Bench(settings, 'engine', { judge: true, echo: true }).answer()
      bench.pass(2800)
      bench.echo.echo = true
      bench.started(100)
      bench.pass(300)
      expect(bench.state).toBe('guarding')
      bench.echo.echo = echo
      bench.pass(400)
      expect(bench.state).toBe(echo ? 'listening' : 'caller_speaking')
      bench.stopped(0)
      expect(bench.session.taken()).toEqual(echo ? [] : ['speech_started', 'speech_stopped'])
    }
  })

  test('nor is the silence behind it when the guard time is over', () => {
    const bench = new Bench(settings, 'engine', { judge: true, echo: true }).answer()
    bench.pass(2800)
    bench.echo.echo = true
    bench.started(100)
    bench.pass(300)
    bench.echo.echo = false
    bench.echo.silent = true
    bench.pass(400)
    expect(bench.state).toBe('listening')
  })

  test('that is late, after the guard time, is no turn either', () => {
    const bench = new Bench(settings, 'engine', { echo: true }).answer()
    bench.pass(3400)
    expect(bench.state).toBe('listening')
    bench.echo.echo = true
    bench.started(100)
    expect(bench.state).toBe('listening')
    bench.stopped(100)
    bench.echo.echo = false
    bench.started(100)
    expect(bench.state).toBe('caller_speaking')
  })
})

describe('an answer in the last words of a question', () => {
  test('"yes", begun and over within the guard time, is a turn where the line is watched for echo', () => {
    const bench = new Bench(settings, 'engine', { judge: true, echo: true }).answer()
    bench.pass(3000)
    expect(bench.state).toBe('guarding')
    bench.started(20)
    bench.pass(160)
    bench.stopped(0)
    bench.pass(200)
    expect(bench.state).toBe('endpointing')
    expect(bench.session.taken()).toEqual(['speech_started', 'speech_stopped'])
  })

  test('"yes", said over the last word, is an answer and no backchannel', () => {
    const bench = new Bench(settings, 'engine', { judge: true, echo: true }).answer()
    bench.pass(2500)
    bench.started(60)
    bench.judge?.say('backchannel')
    bench.pass(200)
    bench.stopped(0)
    expect(verdicts(bench)).toEqual(['backchannel'])
    bench.pass(700)
    // Its guard time has been longer than the silence that ends a turn.
    expect(bench.session.taken()).toEqual(['speech_started', 'speech_stopped', 'turn_committed'])
  })

  test('two words with a pause between them are one turn, from the first on', () => {
    const bench = new Bench(settings, 'engine', { judge: true, echo: true }).answer()
    bench.pass(3000)
    bench.started(20)
    bench.pass(100)
    bench.stopped(0)
    bench.pass(100)
    bench.started(0)
    bench.pass(100)
    expect(bench.state).toBe('caller_speaking')
    const started = bench.session.inputs.find((input) => input.type === 'speech_started')
    expect(started?.type === 'speech_started' && started.agoMs).toBeGreaterThanOrEqual(300)
  })
})

describe('what is muted', () => {
  test('a reply: nobody interrupts it, and what was said over it is not heard', () => {
    const bench = new Bench({ ...settings, mute: ['reply'] }, 'engine', { judge: true }).answer()
    bench.pass(500)
    bench.started()
    bench.judge?.say('interruption')
    bench.pass(2000)
    expect([bench.state, bench.session.taken()]).toEqual(['agent_speaking', []])
    bench.pass(1000)
    // It goes on into the caller's time: a turn, but only from where they were listened to again.
    expect(bench.state).toBe('caller_speaking')
    const [replayed] = bench.session.audio.slice(-40)
    expect(replayed?.length ?? 0).toBeLessThanOrEqual(700 * 8)
  })

  test('the greeting alone, until it has been heard', () => {
    const bench = new Bench({ ...settings, mute: ['greeting'] }, 'engine', { judge: true })
    bench.coordinator.begin('Hello.')
    bench.reply(1000)
    bench.pass(200)
    bench.started()
    bench.judge?.say('interruption')
    bench.pass(300)
    bench.stopped(0)
    expect([bench.state, bench.session.taken()]).toEqual(['agent_speaking', ['say']])
    bench.pass(2000)
    expect([bench.state, bench.coordinator.gateClosed]).toEqual(['listening', false])
    bench.started()
    expect(bench.state).toBe('caller_speaking')
  })

  test('a tool’s time: speech neither begins a turn nor takes one back', () => {
    const bench = new Bench({ ...settings, mute: ['tool'] }).think()
    bench.session.emit({ type: 'tool', running: true })
    expect(bench.coordinator.hearing.gateReasons).toContain('muted_tool')
    bench.started()
    bench.pass(500)
    bench.stopped(0)
    expect([bench.state, bench.session.taken()]).toEqual(['thinking', []])
    bench.session.emit({ type: 'tool', running: false })
    bench.started()
    expect([bench.state, bench.session.taken()]).toEqual(['caller_speaking', ['turn_resumed', 'speech_started']])
  })
})

describe('the detector', () => {
  test('asks more of a sound while the agent speaks, and only then', () => {
    const bench = new Bench(settings, 'engine', { judge: true }).answer()
    const steps = () => bench.marks.filter((mark) => mark === 'raised' || mark === 'lowered')
    expect(steps().at(-1)).toBe('raised')
    bench.pass(3200)
    expect(steps().at(-1)).toBe('lowered')
    const interrupted = overlapped()
    interrupted.judge?.say('interruption')
    interrupted.pass(20)
    expect(interrupted.marks.filter((mark) => mark === 'raised' || mark === 'lowered').at(-1)).toBe('lowered')
  })
})
