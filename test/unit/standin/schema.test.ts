import { describe, expect, test } from 'bun:test'
import { realtimeSchemas, schemaFiles } from '../../../scripts/realtime-schema.ts'
import { type EventSchemas, shapeFault } from '../../standin/json-schema.ts'
import { readClientEvent } from '../../standin/openai-realtime/client-event.ts'
import { serverEventFault } from '../../standin/openai-realtime/server-event.ts'

/** Where two values differ, as paths: what a new version of the package has changed. */
function differences(one: unknown, other: unknown, path = ''): string[] {
  if (Object.is(one, other)) return []
  if (typeof one !== 'object' || typeof other !== 'object' || one === null || other === null) return [path]
  const names = new Set([...Object.keys(one), ...Object.keys(other)])
  return [...names].flatMap((name) => differences(Reflect.get(one, name), Reflect.get(other, name), `${path}/${name}`))
}

describe('the schemas of the official types', () => {
  test('are those of the package that is installed: else run bun scripts/realtime-schema.ts, and read the difference', async () => {
    const made = await realtimeSchemas()
    for (const name of ['RealtimeClientEvent', 'RealtimeServerEvent'] as const) {
      const committed: unknown = await Bun.file(schemaFiles[name]).json()
      expect(differences(committed, made[name])).toEqual([])
    }
  })

  test('hold an event for each that the protocol page names', async () => {
    const { RealtimeClientEvent: client } = await realtimeSchemas()
    expect(Object.keys(client.events)).toEqual([
      'conversation.item.create',
      'conversation.item.delete',
      'conversation.item.retrieve',
      'conversation.item.truncate',
      'input_audio_buffer.append',
      'input_audio_buffer.clear',
      'input_audio_buffer.commit',
      'output_audio_buffer.clear',
      'response.cancel',
      'response.create',
      'session.update',
    ])
    // What may be null is told by the compiler only where it is strict about null.
    expect(JSON.stringify(client.$defs.RealtimeAudioConfigInput)).toContain('"null"')
  })

  test('refuse an event of the server that has another name, another member or lacks one', () => {
    const delta = { response_id: 'r', item_id: 'i', output_index: 0, content_index: 0, delta: '', event_id: 'e' }
    expect(serverEventFault({ type: 'response.output_audio.delta', ...delta })).toBeNull()
    expect(serverEventFault({ type: 'response.audio.delta', ...delta })?.path).toBe('type')
    expect(serverEventFault({ type: 'response.output_audio.delta', ...delta, more: 1 })?.kind).toBe('unknown')
    const { event_id: _, ...without } = delta
    expect(serverEventFault({ type: 'response.output_audio.delta', ...without })?.kind).toBe('missing')
  })
})

describe('what a client sent', () => {
  const update = (session: object) => ({ type: 'session.update', event_id: 'mine', session })
  const realtime = (audio: object) => update({ type: 'realtime', audio })

  const right: [string, object][] = [
    ['the least', update({ type: 'realtime' })],
    ['no turn detection', realtime({ input: { turn_detection: null } })],
    ['a format by its type', realtime({ input: { format: { type: 'audio/pcmu' } } })],
    ['a voice by its name', realtime({ output: { voice: 'someone new' } })],
    ['a voice by its id', realtime({ output: { voice: { id: 'voice_1' } } })],
    ['tools', update({ type: 'realtime', tools: [{ type: 'function', name: 'x', parameters: { a: [1, null] } }] })],
    ['endless output', update({ type: 'realtime', max_output_tokens: 'inf' })],
    ['a greeting', { type: 'response.create', response: { instructions: 'Greet.', metadata: { a: 'b' } } }],
    [
      'words',
      {
        type: 'conversation.item.create',
        item: { type: 'message', role: 'user', content: [{ type: 'input_text', text: 'x' }] },
      },
    ],
    [
      'an output',
      { type: 'conversation.item.create', item: { type: 'function_call_output', call_id: 'c', output: '{}' } },
    ],
  ]
  for (const [name, event] of right) {
    test(`is taken: ${name}`, () => expect(readClientEvent(JSON.stringify(event), 'ga').ok).toBeTrue())
  }

  const wrong: [string, object, string, string | null][] = [
    ['no session type', update({ audio: {} }), 'missing_required_parameter', 'session.type'],
    ['a session of another type', update({ type: 'dream' }), 'invalid_value', 'session.type'],
    [
      'a name of the beta',
      update({ type: 'realtime', modalities: ['text'] }),
      'unknown_parameter',
      'session.modalities',
    ],
    [
      'a member too many, deep down',
      realtime({ input: { format: { type: 'audio/pcm', rate: 24_000, bits: 16 } } }),
      'unknown_parameter',
      'session.audio.input.format.bits',
    ],
    [
      'a rate there is not',
      realtime({ input: { format: { type: 'audio/pcm', rate: 16_000 } } }),
      'invalid_value',
      'session.audio.input.format.rate',
    ],
    [
      'a format there is not',
      realtime({ output: { format: { type: 'audio/opus' } } }),
      'invalid_value',
      'session.audio.output.format.type',
    ],
    [
      'a word for a number',
      realtime({ input: { turn_detection: { type: 'server_vad', threshold: 'high' } } }),
      'invalid_type',
      'session.audio.input.turn_detection.threshold',
    ],
    [
      'idle timeout of semantic_vad',
      realtime({ input: { turn_detection: { type: 'semantic_vad', idle_timeout_ms: 6000 } } }),
      'unknown_parameter',
      'session.audio.input.turn_detection.idle_timeout_ms',
    ],
    [
      'a tool as chat completions has it',
      update({ type: 'realtime', tools: [{ type: 'function', function: { name: 'x' } }] }),
      'unknown_parameter',
      'session.tools[0].function',
    ],
    [
      'a modality there is not',
      update({ type: 'realtime', output_modalities: ['smell'] }),
      'invalid_value',
      'session.output_modalities[0]',
    ],
    [
      'words of nobody',
      { type: 'conversation.item.create', item: { type: 'message', role: 'tool', content: [] } },
      'invalid_value',
      'item.role',
    ],
    [
      'a user who says output',
      {
        type: 'conversation.item.create',
        item: { type: 'message', role: 'user', content: [{ type: 'output_text', text: '' }] },
      },
      'invalid_value',
      'item.content[0].type',
    ],
    [
      'a truncate without its content',
      { type: 'conversation.item.truncate', item_id: 'i', audio_end_ms: 1 },
      'missing_required_parameter',
      'content_index',
    ],
    ['an append without audio', { type: 'input_audio_buffer.append' }, 'missing_required_parameter', 'audio'],
    ['no such event', { type: 'response.please' }, 'invalid_value', 'type'],
    ['no type', { event_id: 'x' }, 'missing_required_parameter', 'type'],
  ]
  for (const [name, event, code, param] of wrong) {
    test(`is refused: ${name}`, () => {
      const read = readClientEvent(JSON.stringify(event), 'ga')
      expect(read.ok ? null : [read.error.code, read.error.param]).toEqual([code, param])
      const { event_id: eventId = null } = event as { event_id?: string }
      expect(read.ok ? undefined : read.eventId).toBe(eventId)
    })
  }

  test('is refused when it is no JSON, no object, or not text', () => {
    for (const text of ['{', '[]', '"x"', 'null']) {
      expect(readClientEvent(text, 'ga')).toMatchObject({ ok: false, error: { code: 'invalid_json' } })
    }
    expect(readClientEvent(new Uint8Array(2), 'ga').ok).toBeFalse()
  })
})

test('a member that JavaScript gives to every object is not one of a schema', () => {
  const schemas: EventSchemas = { source: '', events: {}, $defs: {} }
  const schema = { type: 'object', properties: {}, additionalProperties: false } as const
  expect(shapeFault({ constructor: 1 }, schema, schemas.$defs)?.kind).toBe('unknown')
})
