import { expect, test } from 'bun:test'
import OpenAI from 'openai'
import { OpenAIRealtimeWebSocket } from 'openai/realtime/websocket'
import { encodeMuLaw } from '#audio/g711.ts'
import { SystemClock } from '#base/clock.ts'
import { seededRandom } from '#base/random.ts'
import { joined, toneSound } from '../../bed/sounds.ts'
import { startStandin } from '../../standin/openai-realtime/server.ts'
import { serverEventFault } from '../../standin/openai-realtime/server-event.ts'

test('the official package holds a conversation with the stand-in', async () => {
  const clock = new SystemClock()
  const server = startStandin({
    clock,
    random: seededRandom(3),
    key: 'sk-rehearsal',
    pace: 10,
    replies: [
      { text: 'It is noon.', ms: 400, calls: [{ name: 'ring', arguments: { times: 2 } }] },
      { text: 'Done.', ms: 100 },
    ],
    callerTranscripts: ['What time is it?'],
    transcriptionAfterMs: 5,
  })
  const openai = new OpenAI({ apiKey: 'sk-rehearsal', baseURL: server.baseUrl })
  const realtime = new OpenAIRealtimeWebSocket(
    {
      model: 'gpt-realtime',
      // It insists on TLS, which a stand-in on this machine has not.
      onURL: (url) => {
        url.protocol = 'ws:'
      },
    },
    openai,
  )
  const done = Promise.withResolvers<void>()
  const types = new Set<string>()
  let audioBytes = 0
  let said = ''
  let heard = ''
  realtime.on('error', (error) => done.reject(error))
  realtime.on('event', (event) => {
    types.add(event.type)
    expect(serverEventFault(event)).toBeNull()
  })
  realtime.on('session.created', () => {
    const input = { format: { type: 'audio/pcmu' }, transcription: { model: 'whisper-1' } } as const
    const output = { format: { type: 'audio/pcm', rate: 24_000 } } as const
    realtime.send({ type: 'session.update', session: { type: 'realtime', audio: { input, output } } })
  })
  realtime.on('session.updated', () => {
    const samples = joined([toneSound(500, 440, -20, 8000), new Int16Array(4800)])
    const codes = new Uint8Array(samples.length)
    encodeMuLaw(samples, codes)
    realtime.send({ type: 'input_audio_buffer.append', audio: codes.toBase64() })
  })
  realtime.on('response.output_audio.delta', ({ delta }) => {
    audioBytes += Uint8Array.fromBase64(delta).length
  })
  realtime.on('response.output_audio_transcript.delta', ({ delta }) => {
    said += delta
  })
  realtime.on('conversation.item.input_audio_transcription.completed', ({ transcript }) => {
    heard = transcript
  })
  realtime.on('response.function_call_arguments.done', ({ call_id, name }) => {
    const item = { type: 'function_call_output', call_id, output: `{"${name}":"ok"}` } as const
    realtime.send({ type: 'conversation.item.create', item })
  })
  realtime.on('response.done', ({ response }) => {
    if (response.output?.some(({ type }) => type === 'function_call')) realtime.send({ type: 'response.create' })
    else done.resolve()
  })
  try {
    await done.promise
    expect([said, heard]).toEqual(['It is noon.Done.', 'What time is it?'])
    expect(audioBytes).toBe((500 * 48_000) / 1000)
    expect([...types]).toContain('rate_limits.updated')
    expect(server.sessions[0]?.record.errors).toEqual([])
  } finally {
    realtime.close()
    await server.close()
  }
})
