import { describe, expect, test } from 'bun:test'
import { open, update } from './realtime-client.ts'
import type { Seen } from './standin-client.ts'

describe('session.update', () => {
  test('answers with the whole session, and changes only what it names', async () => {
    await using world = await open()
    const { client } = world
    const [created] = client.of('session.created')
    expect(created.session).toMatchObject({
      model: 'gpt-realtime',
      output_modalities: ['audio'],
      audio: { input: { turn_detection: { type: 'server_vad', threshold: 0.5, silence_duration_ms: 500 } } },
    })
    client.send(update({ format: { type: 'audio/pcmu' }, transcription: { model: 'whisper-1' } }, { voice: 'marin' }))
    const first = (await client.next('session.updated')).session.audio
    expect(first.input).toMatchObject({ format: { type: 'audio/pcmu' }, transcription: { model: 'whisper-1' } })
    client.send(update({ turn_detection: null }))
    const second = (await client.next('session.updated')).session.audio
    expect(second.input).toEqual({ ...first.input, turn_detection: null })
    expect(second.output).toEqual({ format: { type: 'audio/pcm', rate: 24_000 }, voice: 'marin', speed: 1 })
    client.send(update({ turn_detection: { type: 'semantic_vad', eagerness: 'high' } }))
    const third = (await client.next('session.updated')).session.audio.input.turn_detection
    expect(third).toEqual({ type: 'semantic_vad', eagerness: 'high', create_response: true, interrupt_response: true })
  })

  test('gives back instructions and tools, and clears them', async () => {
    await using world = await open()
    const { client } = world
    const tools = [{ type: 'function', name: 'ring', description: 'Rings.', parameters: { type: 'object' } }]
    client.send({ type: 'session.update', session: { type: 'realtime', instructions: 'Be kind.', tools } })
    expect((await client.next('session.updated')).session).toMatchObject({ instructions: 'Be kind.', tools })
    client.send({ type: 'session.update', session: { type: 'realtime', instructions: '', tools: [] } })
    expect((await client.next('session.updated')).session).toMatchObject({ instructions: '', tools: [] })
  })

  const refused: [string, object, string][] = [
    ['no type', { audio: {} }, 'missing_required_parameter session.type'],
    [
      'a parameter that it does not know',
      { type: 'realtime', temperature: 0.8 },
      'unknown_parameter session.temperature',
    ],
    ['another model', { type: 'realtime', model: 'gpt-else' }, 'invalid_value session.model'],
    [
      'both modalities',
      { type: 'realtime', output_modalities: ['audio', 'text'] },
      'invalid_value session.output_modalities',
    ],
    [
      'a speed out of bounds',
      { type: 'realtime', audio: { output: { speed: 2 } } },
      'decimal_above_max_value session.audio.output.speed',
    ],
    [
      'a threshold out of bounds',
      { type: 'realtime', audio: { input: { turn_detection: { type: 'server_vad', threshold: -1 } } } },
      'decimal_below_min_value session.audio.input.turn_detection.threshold',
    ],
    [
      'too many tokens',
      { type: 'realtime', max_output_tokens: 5000 },
      'decimal_above_max_value session.max_output_tokens',
    ],
    [
      'a tool with a blank in its name',
      { type: 'realtime', tools: [{ type: 'function', name: 'hang up' }] },
      'invalid_value session.tools[0].name',
    ],
    ['a transcription session', { type: 'transcription' }, 'invalid_value session.type'],
  ]
  for (const [name, session, expected] of refused) {
    test(`refuses ${name}, names the event, and goes on`, async () => {
      await using world = await open()
      world.client.send({ type: 'session.update', event_id: 'event_mine', session })
      const { error } = await world.client.next('error')
      expect(`${error.code} ${error.param}`).toBe(expected)
      expect([error.type, error.event_id]).toEqual(['invalid_request_error', 'event_mine'])
      expect(world.session.record.errors).toMatchObject([{ eventId: 'event_mine' }])
      world.client.send({ type: 'session.update', session: { type: 'realtime' } })
      await world.client.next('session.updated')
    })
  }

  test('keeps the voice once it has been heard', async () => {
    await using world = await open({ replies: [{ ms: 200 }] })
    const { client } = world
    client.send(update({}, { voice: 'cedar' }))
    await client.next('session.updated')
    client.send({ type: 'response.create' })
    await client.next('response.done')
    client.send(update({}, { voice: 'cedar' }))
    await client.next('session.updated')
    client.send(update({}, { voice: 'ash' }))
    expect((await client.next('error')).error.code).toBe('cannot_update_voice')
  })
})

describe('items', () => {
  const message = (text: string, id?: string) => ({
    type: 'message',
    role: 'user',
    ...(id === undefined ? {} : { id }),
    content: [{ type: 'input_text', text }],
  })
  const create = (item: object, more: object = {}) => ({ type: 'conversation.item.create', item, ...more })

  test('are added in their order, given back and deleted', async () => {
    await using world = await open()
    const { client, session } = world
    client.send(create(message('two', 'b')))
    expect(await client.next('conversation.item.added')).toMatchObject({ previous_item_id: null, item: { id: 'b' } })
    expect((await client.next('conversation.item.done')).item).toMatchObject({ id: 'b', status: 'completed' })
    client.send(create(message('one', 'a'), { previous_item_id: 'root' }))
    expect((await client.next('conversation.item.added')).previous_item_id).toBeNull()
    client.send(create(message('between'), { previous_item_id: 'a' }))
    expect((await client.next('conversation.item.added')).previous_item_id).toBe('a')
    expect(session.conversation.items.map(({ item }) => (item.content as Seen)[0].text)).toEqual([
      'one',
      'between',
      'two',
    ])
    client.send({ type: 'conversation.item.retrieve', item_id: 'b' })
    expect((await client.next('conversation.item.retrieved')).item.content).toEqual([
      { type: 'input_text', text: 'two' },
    ])
    client.send({ type: 'conversation.item.delete', item_id: 'b' })
    await client.next('conversation.item.deleted')
    client.send({ type: 'conversation.item.retrieve', item_id: 'b' })
    expect((await client.next('error')).error.code).toBe('item_retrieve_invalid_item_id')
  })

  test('are refused when their place, their id or their call is wrong', async () => {
    await using world = await open()
    const { client } = world
    client.send(create(message('x', 'a')))
    const code = async (event: object) => {
      client.send(event)
      return (await client.next('error')).error.code
    }
    expect(await code(create(message('x', 'a')))).toBe('item_create_duplicate_item_id')
    expect(await code(create(message('x'), { previous_item_id: 'z' }))).toBe('item_create_invalid_previous_item_id')
    expect(await code(create(message('x', 'x'.repeat(33))))).toBe('string_above_max_length')
    const output = { type: 'function_call_output', call_id: 'call_none', output: '' }
    expect(await code(create(output))).toBe('item_create_invalid_tool_call_id')
    expect(await code({ type: 'conversation.item.delete', item_id: 'z' })).toBe('item_delete_invalid_item_id')
  })
})

describe('truncate', () => {
  test('cuts what was delivered, and takes the transcript away', async () => {
    await using world = await open({ replies: [{ text: 'one two three', ms: 1000 }], pace: 1 })
    const { client, clock, session } = world
    client.send({ type: 'response.create' })
    const { item_id: itemId } = await client.next('response.output_audio.delta')
    // At 1 × real time, after 450 ms there are five deltas of 100 ms.
    clock.advance(450)
    const truncate = (audio_end_ms: number, id = itemId, content_index = 0) => ({
      type: 'conversation.item.truncate',
      item_id: id,
      content_index,
      audio_end_ms,
    })
    client.send(truncate(501))
    expect((await client.next('error')).error.message).toBe('Audio content of 500ms is already shorter than 501ms')
    client.send(truncate(320))
    expect(await client.next('conversation.item.truncated')).toMatchObject({ item_id: itemId, audio_end_ms: 320 })
    expect(session.conversation.find(itemId)).toMatchObject({
      audioMs: 320,
      item: { content: [{ type: 'output_audio' }] },
    })
    client.send(truncate(321))
    expect((await client.next('error')).error.code).toBe('invalid_value')
    client.send(truncate(10.5))
    expect((await client.next('error')).error.param).toBe('audio_end_ms')
    client.send(truncate(10, itemId, 1))
    expect((await client.next('error')).error.param).toBe('content_index')
    client.send(truncate(0, 'item_none'))
    expect((await client.next('error')).error.code).toBe('item_truncate_invalid_item_id')
    expect(session.record.truncates[0]).toMatchObject({ itemId, sentMs: 500 })
    expect(session.record.truncates.map(({ audioEndMs }) => audioEndMs)).toEqual([501, 320, 321, 10.5, 10, 0])
    client.send({ type: 'response.cancel' })
    await client.next('response.done')
  })

  test('is for what the assistant said, not for the caller', async () => {
    await using world = await open()
    const { client } = world
    const item = { type: 'message', role: 'user', id: 'u', content: [{ type: 'input_text', text: 'x' }] }
    client.send({ type: 'conversation.item.create', item })
    client.send({ type: 'conversation.item.truncate', item_id: 'u', content_index: 0, audio_end_ms: 0 })
    expect((await client.next('error')).error.message).toContain('Only model output audio messages')
  })
})

test('what was received is kept: events with their times, appends without their audio', async () => {
  await using world = await open()
  const { client, clock, session } = world
  clock.advance(1000)
  client.append(new Int16Array(2400))
  client.send({ type: 'input_audio_buffer.clear', event_id: 'c' })
  await client.next('input_audio_buffer.cleared')
  client.ping()
  await client.settled()
  const { received, appends, appendedBytes, appendedMs, counts, pings } = session.record
  expect(received.slice(0, 2)).toEqual([
    { atMs: clock.now(), event: { type: 'input_audio_buffer.append', audio: '' } },
    { atMs: clock.now(), event: { type: 'input_audio_buffer.clear', event_id: 'c' } },
  ])
  expect([appends, appendedBytes, appendedMs, pings]).toEqual([1, 4800, 100, 1])
  expect(counts).toEqual({
    'input_audio_buffer.append': 1,
    'input_audio_buffer.clear': 1,
    'conversation.item.delete': 1,
  })
  expect(session.heard().samples.length).toBe(2400)
})

test('nothing is kept where nothing is to be kept, and all is counted', async () => {
  const deltas: number[] = []
  const events: string[] = []
  await using world = await open({
    keepAudio: false,
    keepEvents: false,
    replies: [{ ms: 300 }],
    onDelta: (_, { startMs }) => deltas.push(startMs),
    onSent: (_, { type }) => events.push(type),
  })
  const { client, session } = world
  client.append(new Int16Array(2400))
  client.send({ type: 'response.create' })
  await client.next('response.done')
  const { record } = session
  expect([record.received, record.sent, record.deltas, session.heard().samples.length]).toEqual([[], [], [], 0])
  expect([record.appends, record.deltasSent, record.responses]).toEqual([1, 3, 1])
  expect(deltas).toEqual([0, 100, 200])
  expect(events.slice(0, 2)).toEqual(['session.created', 'response.created'])
})
