import { describe, expect, test } from 'bun:test'
import { readServerEvent } from '#providers/openai-realtime/wire.ts'

const read = (event: object) => readServerEvent(JSON.stringify(event))
const ids = { response_id: 'resp_1', item_id: 'item_1', output_index: 0, content_index: 0 }

describe('what the server says', () => {
  test.each([
    ['response.output_audio.delta', 'response.audio.delta', { ...ids, delta: 'AAAA' }],
    ['response.output_audio.done', 'response.audio.done', ids],
    ['response.output_audio_transcript.delta', 'response.audio_transcript.delta', { ...ids, delta: 'Hello' }],
    ['response.output_audio_transcript.done', 'response.audio_transcript.done', { ...ids, transcript: 'Hello.' }],
    ['response.output_text.delta', 'response.text.delta', { ...ids, delta: 'Hello' }],
    ['response.output_text.done', 'response.text.done', { ...ids, text: 'Hello.' }],
    ['conversation.item.added', 'conversation.item.created', { item: { id: 'item_1', type: 'message', role: 'user' } }],
  ])('%s and %s mean the same', (ga, beta, fields) => {
    const [first, second] = [ga, beta].map((type) => read({ type, event_id: 'e', ...fields }))
    expect(first).toBeObject()
    expect(JSON.stringify(first)).toBe(JSON.stringify(second))
  })

  test('a transcript may be a text or an object that holds one', () => {
    const type = 'conversation.item.input_audio_transcription.delta'
    for (const delta of ['yes', { text: 'yes' }, { transcript: 'yes' }]) {
      expect(read({ type, item_id: 'item_1', delta })).toMatchObject({
        type: 'caller_words',
        text: 'yes',
        whole: false,
      })
    }
  })

  test.each([
    ['no JSON', 'hello'],
    ['no object', '[1]'],
    ['no type', '{"event_id":"e"}'],
    ['a known type that lacks what it needs', '{"type":"response.output_audio.delta","item_id":"item_1"}'],
    ['a response without a status', '{"type":"response.done","response":{"id":"resp_1"}}'],
  ])('%s: malformed', (_what, text) => {
    expect(readServerEvent(text)).toBe('malformed')
  })

  test('a type from the future is unknown', () => {
    expect(read({ type: 'response.hologram.delta', delta: 'x' })).toBe('unknown')
  })

  test('PCM at another rate is another format', () => {
    const at = (rate: number | undefined) => {
      const format = { type: 'audio/pcm', rate }
      return read({ type: 'session.updated', session: { audio: { input: { format }, output: { format } } } })
    }
    const said = (name: string) => ({ session: { inputFormat: name, outputFormat: name } })
    expect(at(24_000)).toMatchObject(said('audio/pcm'))
    expect(at(undefined)).toMatchObject(said('audio/pcm'))
    expect(at(16_000)).toMatchObject(said('audio/pcm at 16000 Hz'))
  })

  test('fields from the future are not minded', () => {
    expect(read({ type: 'response.created', response: { id: 'resp_1', mood: 'fine' }, extra: 1 })).toEqual({
      type: 'response_created',
      responseId: 'resp_1',
      ask: null,
    })
  })

  test('of an error identifiers only: its words may be the caller’s', () => {
    expect(
      read({
        type: 'error',
        error: {
          type: 'invalid_request_error',
          code: 'invalid value',
          message: 'I said hello',
          param: 'session.voice',
          event_id: 'x_1',
        },
      }),
    ).toEqual({ type: 'error', error: { code: 'invalid_request_error', param: 'session.voice', causedBy: 'x_1' } })
    expect(read({ type: 'error', error: {} })).toEqual({
      type: 'error',
      error: { code: 'error', param: '', causedBy: '' },
    })
  })

  test('the formats of a session, nested or by the beta’s words', () => {
    const ga = {
      audio: { input: { format: { type: 'audio/pcmu' } }, output: { format: { type: 'audio/pcm', rate: 24000 } } },
    }
    expect(read({ type: 'session.updated', session: ga })).toEqual({
      type: 'session',
      updated: true,
      session: { inputFormat: 'audio/pcmu', outputFormat: 'audio/pcm' },
    })
    const beta = { input_audio_format: 'g711_ulaw', output_audio_format: 'pcm16' }
    expect(read({ type: 'session.created', session: beta })).toEqual({
      type: 'session',
      updated: false,
      session: { inputFormat: 'audio/pcmu', outputFormat: 'audio/pcm' },
    })
  })

  test('a response that is over: how, why, and what it asks for', () => {
    const output = [
      { id: 'item_1', type: 'message', role: 'assistant', content: [] },
      { id: 'item_2', type: 'function_call', name: 'fly', call_id: 'call_1', arguments: '{}' },
      'nonsense',
    ]
    const response = {
      id: 'resp_1',
      status: 'failed',
      status_details: { type: 'failed', error: { type: 'server_error', code: null } },
      output,
      usage: { total_tokens: 12, input_tokens: 10, output_tokens: 2 },
    }
    expect(read({ type: 'response.done', response })).toEqual({
      type: 'response_done',
      response: {
        id: 'resp_1',
        status: 'failed',
        reason: '',
        code: 'server_error',
        invocations: [{ id: 'call_1', name: 'fly', text: '{}' }],
        tokens: {
          input: 10,
          cached_input: 0,
          audio_input: 0,
          cached_audio_input: 0,
          output: 2,
          audio_output: 0,
        },
      },
    })
  })

  test('limits, in milliseconds', () => {
    const event = {
      type: 'rate_limits.updated',
      rate_limits: [{ name: 'tokens', limit: 9, remaining: 0, reset_seconds: 1.5 }],
    }
    expect(read(event)).toEqual({ type: 'rate_limits', limits: [{ name: 'tokens', remaining: 0, resetMs: 1500 }] })
  })
})
