import { describe, expect, test } from 'bun:test'
import { RealtimeBench, type RealtimeBenchOptions } from '../../../fakes/realtime-standin.ts'

// `turn_detection: none`: the engine says when a turn begins and ends.

async function open(options: RealtimeBenchOptions = {}) {
  const bench = await new RealtimeBench({
    ...options,
    options: { turn_detection: { type: 'none' }, ...options.options },
    standin: { replies: [{ text: 'One two three.', ms: 900 }], ...options.standin },
  }).open()
  return bench
}

async function turn(bench: RealtimeBench, speechMs: number): Promise<void> {
  await bench.pass(speechMs, 'hum')
  bench.send({ type: 'speech_started', agoMs: 100 })
  bench.send({ type: 'speech_stopped' })
  bench.send({ type: 'turn_committed' })
}

describe('turns of the engine', () => {
  test('the server is told to find none', async () => {
    const bench = await open()
    expect(bench.provider.turnDetection).toBe('engine')
    expect(bench.server.last.record.received[0]?.event).toMatchObject({
      session: { audio: { input: { turn_detection: null } } },
    })
  })

  test('each end is a commit and a request, and a reply', async () => {
    const bench = await open()
    for (let round = 0; round < 3; round += 1) {
      await turn(bench, 500)
      await bench.pass(600)
      bench.send({ type: 'reply_heard' })
    }
    expect(bench.received().slice(1)).toEqual(
      Array.from({ length: 3 }, () => ['input_audio_buffer.commit', 'response.create']).flat(),
    )
    expect([bench.audioMs, bench.server.errors]).toEqual([2700, []])
    expect(bench.server.last.record.commits.map(({ audioMs }) => audioMs)).toEqual([500, 500, 500])
  })

  test('a turn of 20 ms is lengthened: never less than the threshold is committed', async () => {
    const bench = await open()
    await turn(bench, 20)
    await bench.pass(100)
    expect(bench.server.last.record.commits.map(({ audioMs }) => audioMs)).toEqual([160])
    expect(bench.server.errors).toEqual([])
  })

  test('no audio at all: nothing was heard, and nothing is asked', async () => {
    const bench = await open()
    bench.send({ type: 'turn_committed' })
    await bench.pass(100)
    expect([bench.taken(), bench.received().slice(1)]).toEqual([['nothing_heard'], []])
  })

  test('the caller goes on before the reply sounds: it is cancelled, and the next answers both', async () => {
    const bench = await open({ standin: { firstDeltaAfterMs: 300 } })
    await turn(bench, 400)
    await bench.pass(200)
    bench.send({ type: 'turn_resumed' })
    await turn(bench, 400)
    await bench.pass(800)
    expect(bench.received().slice(1)).toEqual([
      'input_audio_buffer.commit',
      'response.create',
      'response.cancel',
      'input_audio_buffer.commit',
      'response.create',
    ])
    expect([bench.audioMs, bench.server.errors]).toEqual([900, []])
  })

  test('the next turn is over while the reply is still being made: one after the other, and no error', async () => {
    const bench = await open({ standin: { pace: 1, replies: [{ text: 'Long.', ms: 4000 }] } })
    await turn(bench, 400)
    await bench.pass(1000)
    bench.send({ type: 'interrupted', heardMs: 800 })
    await turn(bench, 400)
    await bench.pass(500)
    expect(bench.received().slice(3)).toEqual([
      'response.cancel',
      'conversation.item.truncate',
      'input_audio_buffer.commit',
      'response.create',
    ])
    expect(bench.server.errors).toEqual([])
  })

  test('something to say in between', async () => {
    const bench = await open()
    bench.send({ type: 'say', text: 'Are you there?' })
    await bench.pass(500)
    expect(bench.taken()).toEqual(['reply_started', 'transcript', 'reply_done'])
  })

  test('a turn that ends while there is no session is answered by the next one', async () => {
    const bench = await open()
    bench.server.refuse = 503
    bench.server.last.cut()
    await turn(bench, 600)
    bench.server.refuse = null
    await bench.pass(2000)
    expect(bench.received().slice(-2)).toEqual(['input_audio_buffer.commit', 'response.create'])
    expect([bench.audioMs, bench.server.errors]).toEqual([900, []])
    expect(bench.server.last.record.commits.map(({ audioMs }) => audioMs)).toEqual([600])
    // It has heard them: nobody says sorry.
    expect(JSON.stringify(bench.server.last.record.received.at(-1)?.event)).not.toContain('instructions')
  })

  test('a turn in whose middle the session is lost is heard whole by the next one, and answered', async () => {
    const bench = await open()
    await bench.pass(3000, 'hum')
    bench.server.last.cut()
    await turn(bench, 1500)
    await bench.pass(2500)
    expect(bench.server.last.record.commits.map(({ audioMs }) => audioMs)).toEqual([4500])
    expect([bench.audioMs, bench.server.errors]).toEqual([900, []])
  })

  test('so is one that the server has not acknowledged; one that it has is not said again', async () => {
    const bench = await open()
    await turn(bench, 500)
    await bench.pass(1500)
    bench.send({ type: 'reply_heard' })
    bench.server.loses = () => true
    await turn(bench, 1500)
    await bench.pass(500)
    bench.server.last.cut()
    bench.server.loses = () => false
    await bench.pass(3000)
    expect(bench.server.last.record.commits.map(({ audioMs }) => audioMs)).toEqual([1500])
    expect([bench.audioMs, bench.server.errors]).toEqual([1800, []])
  })
})
