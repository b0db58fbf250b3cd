import { describe, expect, test } from 'bun:test'
import { open, update } from './realtime-client.ts'

describe('a spoken response', () => {
  test('has the events of the documentation, in their order', async () => {
    await using world = await open({ replies: [{ text: 'Hello there.', ms: 250 }] })
    const { client } = world
    client.send({ type: 'response.create', response: { instructions: 'Greet.', metadata: { a: 'b' } } })
    await client.next('rate_limits.updated')
    expect(client.types.slice(1)).toEqual([
      'response.created',
      'response.output_item.added',
      'conversation.item.added',
      'response.content_part.added',
      'response.output_audio_transcript.delta',
      'response.output_audio.delta',
      'response.output_audio_transcript.delta',
      'response.output_audio.delta',
      'response.output_audio.delta',
      'response.output_audio.done',
      'response.output_audio_transcript.done',
      'response.content_part.done',
      'conversation.item.done',
      'response.output_item.done',
      'response.done',
      'rate_limits.updated',
    ])
    const [{ response: created }] = client.of('response.created')
    const [{ response: done }] = client.of('response.done')
    expect(created).toMatchObject({
      status: 'in_progress',
      status_details: null,
      usage: null,
      output: [],
      metadata: { a: 'b' },
    })
    expect(done).toMatchObject({
      id: created.id,
      status: 'completed',
      output: [
        { role: 'assistant', status: 'completed', content: [{ type: 'output_audio', transcript: 'Hello there.' }] },
      ],
    })
    const { usage } = done
    expect(usage.total_tokens).toBe(usage.input_tokens + usage.output_tokens)
    expect(usage.output_token_details.audio_tokens).toBe(5)
    const ids = new Set(client.events.map(({ event_id: id }) => id))
    expect(ids.size).toBe(client.events.length)
  })

  test('comes at its pace, after its latency', async () => {
    await using world = await open({ replies: [{ ms: 1000 }], pace: 4, firstDeltaAfterMs: 300, deltaMs: 40 })
    const { client, clock, session } = world
    const startMs = clock.now()
    client.send({ type: 'response.create' })
    await client.next('response.created')
    clock.advance(299)
    expect(session.record.deltasSent).toBe(0)
    clock.advance(2000)
    await client.next('response.done')
    const times = session.record.deltas.map(({ atMs }) => atMs - startMs)
    expect(times).toEqual(Array.from({ length: 25 }, (_, index) => 300 + index * 10))
  })

  test('is one at a time; beside the conversation there may be another', async () => {
    await using world = await open({ replies: [{ text: 'x', ms: 500 }], pace: 1 })
    const { client, clock, session } = world
    client.send({ type: 'response.create' })
    await client.next('response.created')
    client.send({ type: 'response.create', event_id: 'second' })
    expect((await client.next('error')).error).toMatchObject({
      code: 'conversation_already_has_active_response',
      event_id: 'second',
    })
    client.send({ type: 'response.create', response: { conversation: 'none' } })
    const { response: aside } = await client.next('response.created')
    expect(aside.conversation_id).toBeNull()
    clock.advance(500)
    await client.next('response.done')
    await client.next('response.done')
    expect(session.conversation.items).toHaveLength(1)
    client.send({ type: 'response.create' })
    await client.next('response.created')
    client.send({ type: 'response.cancel' })
    await client.next('response.done')
  })

  test('of text has no audio', async () => {
    await using world = await open({ replies: [{ text: 'Two words' }] })
    const { client } = world
    client.send({ type: 'response.create', response: { output_modalities: ['text'] } })
    await client.next('response.done')
    expect(client.types).not.toContain('response.output_audio.delta')
    expect(client.of('response.output_text.delta').map(({ delta }) => delta)).toEqual(['Two ', 'words'])
    expect(client.of('response.output_text.done')[0].text).toBe('Two words')
  })

  test('follows the script from reply to reply, and begins again', async () => {
    await using world = await open({
      replies: [
        { text: 'one', ms: 20 },
        { text: 'two', ms: 20 },
      ],
      greeting: { text: 'hi', ms: 20 },
    })
    const { client } = world
    client.send(update({ turn_detection: null }))
    const said = async () => {
      client.send({ type: 'response.create' })
      return (await client.next('response.done')).response.output[0].content[0].transcript
    }
    expect(await said()).toBe('hi')
    client.append(new Int16Array(4800))
    client.send({ type: 'input_audio_buffer.commit' })
    expect([await said(), await said(), await said()]).toEqual(['one', 'two', 'one'])
  })

  test('can be decided by a function that knows what was asked', async () => {
    const asked: unknown[] = []
    await using world = await open({
      replies: ({ index, asked: by, instructions, afterFunctionOutput }) => {
        asked.push([index, by, instructions, afterFunctionOutput])
        return { text: 'x', ms: 20 }
      },
    })
    world.client.send({ type: 'response.create', response: { instructions: 'Greet.' } })
    await world.client.next('response.done')
    expect(asked).toEqual([[0, 'client', 'Greet.', false]])
  })
})

describe('response.cancel', () => {
  test('ends what runs, with what was said so far', async () => {
    await using world = await open({ replies: [{ text: 'a b c d e f g h i j', ms: 1000 }], pace: 1 })
    const { client, clock } = world
    client.send({ type: 'response.create' })
    const { response } = await client.next('response.created')
    clock.advance(350)
    client.send({ type: 'response.cancel', response_id: response.id })
    const { response: done } = await client.next('response.done')
    expect(done).toMatchObject({
      status: 'cancelled',
      status_details: { type: 'cancelled', reason: 'client_cancelled' },
    })
    expect(done.output[0]).toMatchObject({ status: 'incomplete', content: [{ transcript: 'a b c d ' }] })
    await client.next('rate_limits.updated')
    expect(client.types.slice(-8)).toEqual([
      'response.output_audio.delta',
      'response.output_audio.done',
      'response.output_audio_transcript.done',
      'response.content_part.done',
      'conversation.item.done',
      'response.output_item.done',
      'response.done',
      'rate_limits.updated',
    ])
  })

  test('of nothing, or of another response, is an error that changes nothing', async () => {
    await using world = await open({ replies: [{ ms: 1000 }], pace: 1 })
    const { client } = world
    client.send({ type: 'response.cancel', event_id: 'c' })
    expect((await client.next('error')).error).toMatchObject({ code: 'response_cancel_not_active', event_id: 'c' })
    client.send({ type: 'response.create' })
    await client.next('response.created')
    client.send({ type: 'response.cancel', response_id: 'resp_other' })
    expect((await client.next('error')).error.code).toBe('response_cancel_not_active')
    client.send({ type: 'response.cancel' })
    await client.next('response.done')
  })

  test('before the first delta leaves nothing in the conversation', async () => {
    await using world = await open({ replies: [{ ms: 1000 }], pace: 1, firstDeltaAfterMs: 500 })
    const { client, session } = world
    client.send({ type: 'response.create' })
    await client.next('response.created')
    client.send({ type: 'response.cancel' })
    expect((await client.next('response.done')).response.output).toEqual([])
    expect(session.conversation.items).toEqual([])
  })

  test('may be followed by deltas that were under way', async () => {
    await using world = await open({ replies: [{ ms: 1000 }], pace: 1, lateDeltas: 2, lateDeltasAfterDone: 1 })
    const { client, session } = world
    client.send({ type: 'response.create' })
    await client.next('response.output_audio.delta')
    client.send({ type: 'response.cancel' })
    await client.next('response.done')
    await client.next('response.output_audio.delta')
    const order = client.types.filter((type) => /output_audio\.delta|response\.done/.test(type))
    expect(order.map((type) => type.replace('response.', ''))).toEqual([
      'output_audio.delta',
      'output_audio.delta',
      'output_audio.delta',
      'done',
      'output_audio.delta',
    ])
    expect(session.record.deltas.map(({ late }) => late)).toEqual([false, true, true, true])
  })
})

describe('a function call', () => {
  test('streams its arguments, and the next response goes on with the script', async () => {
    await using world = await open({
      replies: [
        {
          text: 'Goodbye.',
          ms: 100,
          calls: [{ name: 'terminate_call', arguments: { farewell: 'Goodbye.' }, callId: 'call_1' }],
        },
        { text: 'Done.', ms: 100 },
      ],
    })
    const { client } = world
    client.send({ type: 'response.create' })
    const { response } = await client.next('response.done')
    expect(response.output.map(({ type }: { type: string }) => type)).toEqual(['message', 'function_call'])
    const done = client.of('response.function_call_arguments.done')[0]
    expect(done).toMatchObject({ call_id: 'call_1', name: 'terminate_call', output_index: 1, response_id: response.id })
    expect(JSON.parse(done.arguments)).toEqual({ farewell: 'Goodbye.' })
    const deltas = client.of('response.function_call_arguments.delta').map(({ delta }) => delta)
    expect(deltas.length).toBeGreaterThan(1)
    expect(deltas.join('')).toBe(done.arguments)
    const item = { type: 'function_call_output', call_id: 'call_1', output: '{"ok":true}' }
    client.send({ type: 'conversation.item.create', item })
    await client.next('conversation.item.done')
    client.send({ type: 'response.create' })
    expect((await client.next('response.done')).response.output[0].content[0].transcript).toBe('Done.')
  })

  test('can come in pairs, and with arguments that are no JSON', async () => {
    await using world = await open({
      replies: [
        {
          calls: [
            { name: 'a', arguments: '{"x":' },
            { name: 'b', arguments: '' },
          ],
        },
      ],
    })
    world.client.send({ type: 'response.create' })
    const { response } = await world.client.next('response.done')
    const calls = response.output as { name: string; arguments: string; call_id: string }[]
    expect(calls.map(({ name, arguments: text }) => [name, text])).toEqual([
      ['a', '{"x":'],
      ['b', ''],
    ])
    expect(calls[0]?.call_id).not.toBe(calls[1]?.call_id)
  })
})
