import { describe, expect, test } from 'bun:test'
import { type Transcript, TurnLog } from '#call/turn-log.ts'

const said = (side: Transcript['side'], text: string, more: Partial<Transcript> = {}): Transcript => ({
  type: 'transcript',
  side,
  final: true,
  text,
  ...more,
})

describe('TurnLog', () => {
  test('a turn has its times: speech, endpointing, stages, response', () => {
    const log = new TurnLog(1000)
    log.begin(3000)
    log.committed(4500, 5100, 'model')
    log.stage('stt', 90)
    log.stage('stt', 999)
    log.replyStarted(850, 14)
    log.replyStarted(2000, 20)
    expect(log.finish('answered', 1200)).toEqual({
      index: 0,
      startedMs: 2000,
      speechMs: 1500,
      endpointingMs: 600,
      endedBy: 'model',
      stages: { stt: 90 },
      responseMs: 850,
      engineMs: 14,
      heardMs: 1200,
      outcome: 'answered',
      callerText: '',
      agentText: '',
    })
  })

  test('speech of several stretches is counted from the first to the last', () => {
    const log = new TurnLog(0)
    log.begin(1000)
    log.committed(6000, 6600, 'silence')
    expect(log.finish('answered')).toMatchObject({ speechMs: 5000, endpointingMs: 600, endedBy: 'silence' })
  })

  test('a turn that goes on voids what was made of it', () => {
    const log = new TurnLog(0)
    log.begin(1000)
    log.stage('stt', 90)
    log.text(said('caller', 'I want'))
    log.text(said('agent', 'Yes?'))
    log.resumed(2000)
    expect(log.all[0]).toMatchObject({ stages: {}, callerText: '', agentText: '', outcome: 'pending' })
    log.stage('stt', 120)
    expect(log.finish('answered')).toMatchObject({ stages: { stt: 120 } })
  })

  test('after a fault the turn was closed: the caller who goes on begins another', () => {
    const log = new TurnLog(0)
    log.begin(1000)
    log.finish('fault')
    log.resumed(5000)
    log.stage('stt', 80)
    expect(log.finish('answered')).toMatchObject({ index: 1, startedMs: 5000, stages: { stt: 80 } })
  })

  test('the last final of a side counts, an interim never', () => {
    const log = new TurnLog(0)
    log.begin(0)
    log.text(said('caller', 'to be', { final: false }))
    expect(log.all[0]).toMatchObject({ callerText: '' })
    log.text(said('agent', 'all of the reply'))
    log.text(said('agent', 'all of'))
    expect(log.finish('interrupted')).toMatchObject({ callerText: '', agentText: 'all of' })
  })

  test('outside a turn nothing is written down', () => {
    const log = new TurnLog(0)
    log.committed(1, 2, 'limit')
    log.stage('stt', 1)
    log.text(said('agent', 'Hello.'))
    log.replyStarted(5, null)
    expect(log.finish('answered')).toBeNull()
    expect(log.all).toEqual([])
  })

  test('a turn that is closed is not changed any more', () => {
    const log = new TurnLog(0)
    log.begin(0)
    expect(log.finish('fault')).toMatchObject({ outcome: 'fault', heardMs: null })
    log.text(said('agent', 'I am sorry.'))
    expect(log.finish('answered', 900)).toBeNull()
    expect(log.all[0]).toMatchObject({ outcome: 'fault', agentText: '', heardMs: null })
  })

  test('a call of more than 400 turns keeps the newest and counts the others', () => {
    const log = new TurnLog(0)
    for (let turn = 0; turn < 403; turn += 1) {
      log.begin(turn)
      log.finish('answered')
    }
    expect([log.all.length, log.dropped, log.all[0]?.index, log.all.at(-1)?.index]).toEqual([400, 3, 3, 402])
  })
})

test('characters that the agent says are counted in turns and outside of them, what is told once more is not', () => {
  const log = new TurnLog(0)
  log.text(said('agent', 'Hello.'))
  log.begin(1000)
  log.text(said('caller', 'Not counted.'))
  log.text(said('agent', 'Not fin', { final: false }))
  log.text(said('agent', 'One two three.'))
  // Interrupted: so much of it was heard.
  log.text(said('agent', 'One two', { corrects: 'One two three.' }))
  log.finish('interrupted')
  log.begin(3000)
  log.text(said('agent', 'One two three.'))
  expect(log.spokenCharacters).toBe(6 + 14 + 14)
})

describe('characters that the agent says', () => {
  const countOf = (...told: readonly Transcript[]) => {
    const log = new TurnLog(0)
    for (const transcript of told) log.text(transcript)
    return log.spokenCharacters
  }
  const first = 'One moment.'
  const second = 'Your balance is ten.'

  test('count each time that they are said, in the same words as well', () => {
    const checkIn = said('agent', 'Are you still there?')
    expect(countOf(checkIn, checkIn, checkIn)).toBe(60)
    expect(countOf(said('agent', `${first} ${second}`), said('agent', first))).toBe(32 + 11)
  })

  test('count once where two pieces are corrected by what was heard of both', () => {
    const heard = said('agent', 'One moment. Your balance', { corrects: `${first} ${second}` })
    expect(countOf(said('agent', first), said('agent', second), heard)).toBe(11 + 20)
  })

  test('count where a correction brings the first words of another piece', () => {
    const heard = said('agent', 'One moment. Your balance', { corrects: first })
    expect(countOf(said('agent', first), heard)).toBe(24)
  })
})
