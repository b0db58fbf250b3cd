import { describe, expect, test } from 'bun:test'
import { joined, toneSound } from '../../bed/sounds.ts'
import { TurnFinder } from '../../standin/turn-finder.ts'
import { open, update, type World } from './realtime-client.ts'

const rate = 24_000
const tone = (ms: number, dbfs = -20, hz = rate) => toneSound(ms, 440, dbfs, hz)
const silence = (ms: number, hz = rate) => new Int16Array((ms * hz) / 1000)

/** As a client sends it: 20 ms at a time. */
function say({ client }: World, samples: Int16Array): void {
  for (let offset = 0; offset < samples.length; offset += 480) client.append(samples.subarray(offset, offset + 480))
}

describe('server_vad', () => {
  test('finds a turn, commits it and answers it', async () => {
    await using world = await open({ replies: [{ text: 'Yes.', ms: 200 }] })
    const { client, session } = world
    say(world, joined([silence(1000), tone(800), silence(600)]))
    const started = await client.next('input_audio_buffer.speech_started')
    // It begins with the padding of 300 ms before the onset.
    expect(started.audio_start_ms).toBe(700)
    const stopped = await client.next('input_audio_buffer.speech_stopped')
    // And ends with the silence of 500 ms that ended it.
    expect(Math.abs(stopped.audio_end_ms - 2300)).toBeLessThanOrEqual(20)
    const committed = await client.next('input_audio_buffer.committed')
    await client.next('conversation.item.done')
    await client.next('response.created')
    const { response } = await client.next('response.done')
    expect([started.item_id, stopped.item_id, committed.item_id]).toEqual(Array(3).fill(started.item_id))
    expect(response).toMatchObject({ status: 'completed', output: [{ role: 'assistant' }] })
    expect(client.types.slice(1, 8)).toEqual([
      'input_audio_buffer.speech_started',
      'input_audio_buffer.speech_stopped',
      'input_audio_buffer.committed',
      'conversation.item.added',
      'conversation.item.done',
      'response.created',
      'response.output_item.added',
    ])
    expect(session.record.speechStarted).toMatchObject([{ itemId: started.item_id, audioMs: 700 }])
    expect(session.record.commits).toMatchObject([{ by: 'server' }])
  })

  test('keeps to the settings: padding, silence, threshold', async () => {
    await using world = await open({ replies: [{ ms: 100 }] })
    const { client } = world
    const detection = { type: 'server_vad', prefix_padding_ms: 100, silence_duration_ms: 200, threshold: 0.75 }
    client.send(update({ turn_detection: detection }))
    // −30 dBFS is where 0.75 begins: −36 is too soft, and 40 ms is a click.
    say(world, joined([tone(400, -36), silence(200), tone(40), silence(360), tone(400), silence(300)]))
    expect((await client.next('input_audio_buffer.speech_started')).audio_start_ms).toBe(900)
    expect((await client.next('input_audio_buffer.speech_stopped')).audio_end_ms).toBe(1600)
    await client.next('response.done')
    expect(client.of('input_audio_buffer.speech_started')).toHaveLength(1)
  })

  test('cancels the response that runs when the caller speaks', async () => {
    await using world = await open({ replies: [{ text: 'a b c d e f', ms: 2000 }], pace: 2 })
    const { client, clock, session } = world
    client.send({ type: 'response.create' })
    await client.next('response.created')
    clock.advance(400)
    say(world, tone(200))
    await client.next('input_audio_buffer.speech_started')
    const { response } = await client.next('response.done')
    expect(response).toMatchObject({
      status: 'cancelled',
      status_details: { type: 'cancelled', reason: 'turn_detected' },
      output: [{ status: 'incomplete' }],
    })
    await client.settled()
    // 400 ms at twice the pace: 800 ms were sent, and the delta that begins at 800.
    expect(session.record.deltas.map(({ startMs }) => startMs)).toEqual([0, 100, 200, 300, 400, 500, 600, 700, 800])
    clock.advance(5000)
    expect(session.record.deltasSent).toBe(9)
  })

  test('lets it run where interrupt_response is false, and then has to refuse an answer of its own', async () => {
    await using world = await open({ replies: [{ ms: 2000 }], pace: 1 })
    const { client, clock } = world
    client.send(update({ turn_detection: { type: 'server_vad', interrupt_response: false } }))
    client.send({ type: 'response.create' })
    await client.next('response.created')
    say(world, joined([tone(200), silence(520)]))
    await client.next('input_audio_buffer.committed')
    expect((await client.next('error')).error.code).toBe('conversation_already_has_active_response')
    clock.advance(2000)
    expect((await client.next('response.done')).response.status).toBe('completed')
  })

  test('does not answer where create_response is false', async () => {
    await using world = await open()
    const { client } = world
    client.send(update({ turn_detection: { type: 'server_vad', create_response: false } }))
    say(world, joined([tone(200), silence(520)]))
    await client.next('input_audio_buffer.committed')
    await client.settled()
    expect(client.of('response.created')).toEqual([])
  })

  test('holds nothing that a client could commit', async () => {
    await using world = await open()
    const { client } = world
    say(world, silence(400))
    client.send({ type: 'input_audio_buffer.commit', event_id: 'mine' })
    expect((await client.next('error')).error).toMatchObject({
      code: 'input_audio_buffer_commit_empty',
      event_id: 'mine',
    })
  })

  test('takes a long silence for a turn where idle_timeout_ms is set', async () => {
    await using world = await open({ replies: [{ ms: 1000 }] })
    const { client, clock } = world
    client.send(update({ turn_detection: { type: 'server_vad', idle_timeout_ms: 5000 } }))
    client.send({ type: 'response.create' })
    await client.next('response.done')
    say(world, silence(200))
    await client.settled()
    // 1,000 ms of reply that were sent at once are played first.
    clock.advance(5990)
    await client.settled()
    expect(client.of('input_audio_buffer.timeout_triggered')).toEqual([])
    clock.advance(10)
    const timeout = await client.next('input_audio_buffer.timeout_triggered')
    expect([timeout.audio_start_ms, timeout.audio_end_ms]).toEqual([0, 200])
    expect((await client.next('input_audio_buffer.committed')).item_id).toBe(timeout.item_id)
    await client.next('response.done')
    // Else it would go on asking for ever.
    client.send(update({ turn_detection: null }))
    await client.next('session.updated')
  })
})

describe('semantic_vad', () => {
  for (const [eagerness, silenceMs] of [
    ['high', 400],
    ['medium', 800],
    ['auto', 800],
    ['low', 1500],
  ] as const) {
    test(`of ${eagerness} eagerness waits ${silenceMs} ms`, async () => {
      await using world = await open({ replies: [{ ms: 100 }] })
      const { client } = world
      client.send(update({ turn_detection: { type: 'semantic_vad', eagerness } }))
      say(world, joined([tone(500), silence(1600)]))
      const { audio_end_ms: endMs } = await client.next('input_audio_buffer.speech_stopped')
      expect(Math.abs(endMs - 500 - silenceMs)).toBeLessThanOrEqual(20)
      await client.next('response.done')
    })
  }
})

describe('without turn detection', () => {
  test('the client commits, and asks for the response', async () => {
    await using world = await open({ replies: [{ ms: 100 }] })
    const { client, session } = world
    client.send(update({ turn_detection: null }))
    say(world, joined([tone(200), silence(700)]))
    client.send({ type: 'input_audio_buffer.commit' })
    const committed = await client.next('input_audio_buffer.committed')
    await client.settled()
    expect(client.of('input_audio_buffer.speech_started')).toEqual([])
    expect(client.of('response.created')).toEqual([])
    expect(session.record.commits).toMatchObject([{ audioMs: 900, by: 'client' }])
    client.send({ type: 'response.create' })
    await client.next('response.done')
    expect(session.conversation.items[0]?.id).toBe(committed.item_id)
  })

  test('less than 100 ms is refused, and so is what was cleared', async () => {
    await using world = await open()
    const { client } = world
    client.send(update({ turn_detection: null }))
    say(world, tone(80))
    client.send({ type: 'input_audio_buffer.commit' })
    expect((await client.next('error')).error.message).toContain('but buffer only has 80.00ms of audio')
    say(world, tone(200))
    client.send({ type: 'input_audio_buffer.clear' })
    await client.next('input_audio_buffer.cleared')
    client.send({ type: 'input_audio_buffer.commit' })
    expect((await client.next('error')).error.code).toBe('input_audio_buffer_commit_empty')
  })
})

describe('what the caller said', () => {
  test('comes from another model, late: after the response has begun', async () => {
    await using world = await open({
      replies: [{ ms: 100 }],
      callerTranscripts: ['What time is it?'],
      transcriptionAfterMs: 900,
    })
    const { client, clock } = world
    client.send(update({ transcription: { model: 'whisper-1' } }))
    say(world, joined([tone(700), silence(520)]))
    const { item_id: itemId } = await client.next('input_audio_buffer.committed')
    await client.next('response.done')
    clock.advance(900)
    const completed = await client.next('conversation.item.input_audio_transcription.completed')
    expect(completed).toMatchObject({ item_id: itemId, content_index: 0, transcript: 'What time is it?' })
    const deltas = client.of('conversation.item.input_audio_transcription.delta').map(({ delta }) => delta)
    expect(deltas.join('')).toBe('What time is it?')
  })

  test('may not be told at all', async () => {
    await using world = await open({ replies: [{ ms: 100 }], callerTranscripts: [null] })
    const { client, clock } = world
    client.send(update({ transcription: { model: 'whisper-1' } }))
    say(world, joined([tone(700), silence(520)]))
    await client.next('response.done')
    clock.advance(300)
    expect((await client.next('conversation.item.input_audio_transcription.failed')).error.code).toBe(
      'audio_unintelligible',
    )
  })

  test('is not told where it was not asked for', async () => {
    await using world = await open({ replies: [{ ms: 100 }] })
    say(world, joined([tone(700), silence(520)]))
    await world.client.next('response.done')
    expect(world.clock.pending).toBe(1)
  })
})

describe('an append', () => {
  test('is not acknowledged; one that is no base64 or half a sample is refused', async () => {
    await using world = await open()
    const { client } = world
    const append = (audio: string) => client.send({ type: 'input_audio_buffer.append', audio })
    append('AAAA')
    const first = await client.next('error')
    expect(first.error.message).toContain('half a sample')
    append('AA*A')
    expect((await client.next('error')).error.message).toContain('base64')
    append('AAA')
    expect((await client.next('error')).error.message).toContain('base64')
    client.append(silence(20))
    await client.settled()
    expect(client.types).toEqual(['session.created', 'error', 'error', 'error', 'error'])
  })
})

test('turns are the same however the samples are cut', () => {
  const sound = joined([silence(300, 8000), tone(500, -20, 8000), silence(700, 8000), tone(100, -20, 8000)])
  const events = [7, 160, 1000, sound.length].map((size) => {
    const finder = new TurnFinder({ detection: { type: 'server_vad' }, sampleRateHz: 8000, startMs: 0 })
    const found = []
    for (let offset = 0; offset < sound.length; offset += size)
      found.push(...finder.push(sound.subarray(offset, offset + size)))
    return found
  })
  expect(events[0]?.map(({ kind }) => kind)).toEqual(['started', 'stopped', 'started'])
  for (const each of events) expect(each).toEqual(events[0] ?? [])
})
