import { expect, test } from 'bun:test'
import { joined, toneSound } from '../../bed/sounds.ts'
import { open, update } from './realtime-client.ts'

// Names as compatible servers still use them: docs of the beta, and Speaches' src/speaches/types/realtime.py.

test('a conversation has the events of the beta, and none of later', async () => {
  await using world = await open({
    names: 'beta',
    replies: [{ text: 'Hello.', ms: 200, calls: [{ name: 'f', arguments: {} }] }],
  })
  const { client } = world
  client.append(joined([toneSound(300, 440, -20, 24_000), new Int16Array(14_400)]))
  const { response } = await client.next('response.done')
  expect([...new Set(client.types)]).toEqual([
    'session.created',
    'input_audio_buffer.speech_started',
    'input_audio_buffer.speech_stopped',
    'input_audio_buffer.committed',
    'conversation.item.created',
    'response.created',
    'response.output_item.added',
    'response.content_part.added',
    'response.audio_transcript.delta',
    'response.audio.delta',
    'response.audio.done',
    'response.audio_transcript.done',
    'response.content_part.done',
    'response.output_item.done',
    'response.function_call_arguments.delta',
    'response.function_call_arguments.done',
    'response.done',
  ])
  expect(response).toMatchObject({
    modalities: ['text', 'audio'],
    output_audio_format: 'pcm16',
    output: [{ content: [{ type: 'audio', transcript: 'Hello.' }] }, { type: 'function_call' }],
  })
  const [{ session }] = client.of('session.created')
  expect(session).toMatchObject({ modalities: ['text', 'audio'], input_audio_format: 'pcm16', voice: 'alloy' })
  expect([session.type, session.audio]).toEqual([undefined, undefined])
})

test('a session is configured in the words of today', async () => {
  await using world = await open({ names: 'beta' })
  world.client.send(
    update({ format: { type: 'audio/pcmu' }, turn_detection: null }, { format: { type: 'audio/pcma' } }),
  )
  expect((await world.client.next('session.updated')).session).toMatchObject({
    input_audio_format: 'g711_ulaw',
    output_audio_format: 'g711_alaw',
    turn_detection: null,
  })
})

test('and in the words of the beta', async () => {
  await using world = await open({ names: 'beta' })
  const { client, session } = world
  const flat = {
    modalities: ['text', 'audio'],
    instructions: 'Be kind.',
    voice: 'sage',
    input_audio_format: 'g711_alaw',
    output_audio_format: 'g711_ulaw',
    input_audio_transcription: { model: 'whisper-1' },
    turn_detection: { type: 'server_vad', threshold: 0.6 },
    temperature: 0.7,
    max_response_output_tokens: 1000,
  }
  client.send({ type: 'session.update', session: flat })
  const { temperature: _, turn_detection: __, ...same } = flat
  expect((await client.next('session.updated')).session).toMatchObject({ ...same, turn_detection: { threshold: 0.6 } })
  expect(session.settings).toMatchObject({ inputFormat: { type: 'audio/pcma' }, maxOutputTokens: 1000 })
  client.send({ type: 'session.update', session: { modality: ['text'] } })
  expect((await client.next('error')).error).toMatchObject({ code: 'unknown_parameter', param: 'session.modality' })
})
