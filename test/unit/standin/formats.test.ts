import { describe, expect, test } from 'bun:test'
import { levelDbfs } from '#audio/level.ts'
import { toneSound } from '../../bed/sounds.ts'
import { toneShare } from '../../bed/wav-analysis.ts'
import { decodeAudio, type FormatName, rateHz } from '../../standin/openai-realtime/wire-audio.ts'
import { toneHz, tonePattern, toneStepMs } from '../../standin/tone-pattern.ts'
import { open, type RealtimeClient, update } from './realtime-client.ts'

const formats: FormatName[] = ['audio/pcm', 'audio/pcmu', 'audio/pcma']
const formatOf = (type: FormatName) => (type === 'audio/pcm' ? { type, rate: 24_000 } : { type })

function replyOf(client: RealtimeClient, format: FormatName): Int16Array {
  const bytes = client.of('response.output_audio.delta').map(({ delta }) => Uint8Array.fromBase64(delta))
  return decodeAudio(new Uint8Array(Buffer.concat(bytes)), format)
}

/** Signal against difference, in dB. */
function likeness(one: Int16Array, other: Int16Array): number {
  expect(one.length).toBe(other.length)
  return levelDbfs(one) - levelDbfs(one.map((sample, index) => sample - (other[index] ?? 0)))
}

describe('formats', () => {
  for (const format of formats) {
    test(`${format} both ways`, async () => {
      await using world = await open({
        replies: [{ audio: { samples: toneSound(500, 700, -12, 16_000), sampleRateHz: 16_000 } }],
      })
      const { client, session } = world
      client.send(update({ format: formatOf(format), turn_detection: null }, { format: formatOf(format) }))
      const said = toneSound(300, 440, -20, rateHz(format))
      client.append(said, format)
      client.send({ type: 'response.create' })
      const { response } = await client.next('response.done')
      expect(response.audio.output.format.type).toBe(format)
      const heard = session.heard()
      expect(heard.sampleRateHz).toBe(rateHz(format))
      // G.711 keeps some 38 dB of such a tone.
      expect(likeness(said, heard.samples)).toBeGreaterThan(30)
      // A recording at 16 kHz, at the rate of the format.
      const reply = replyOf(client, format)
      expect(likeness(toneSound(500, 700, -12, rateHz(format)).subarray(200), reply.subarray(200))).toBeGreaterThan(20)
    })

    test(`${format} is heard by turn detection`, async () => {
      await using world = await open({ replies: [{ ms: 20 }] })
      const { client } = world
      client.send(update({ format: formatOf(format) }))
      client.append(toneSound(400, 440, -20, rateHz(format)), format)
      client.append(new Int16Array((rateHz(format) * 600) / 1000), format)
      const { audio_end_ms: endMs } = await client.next('input_audio_buffer.speech_stopped')
      expect(Math.abs(endMs - 900)).toBeLessThanOrEqual(20)
      await client.next('response.done')
    })
  }

  test('another one than was asked for comes where it is told to lie, and no word of it', async () => {
    await using world = await open({ replies: [{ ms: 1000 }], answerFormat: { type: 'audio/pcm', rate: 24_000 } })
    const { client } = world
    client.send(update({}, { format: { type: 'audio/pcmu' } }))
    expect((await client.next('session.updated')).session.audio.output.format).toEqual({ type: 'audio/pcmu' })
    client.send({ type: 'response.create' })
    const { response } = await client.next('response.done')
    expect(response.audio.output.format).toEqual({ type: 'audio/pcmu' })
    // One second of µ-law are 8,000 bytes.
    const bytes = client
      .of('response.output_audio.delta')
      .reduce((sum, { delta }) => sum + Uint8Array.fromBase64(delta).length, 0)
    expect(bytes).toBe(48_000)
  })
})

test('the tones tell which reply it is and how far into it one is', () => {
  for (const reply of [0, 3, 39]) {
    const sound = tonePattern(reply, 3000, 8000)
    for (const step of [0, 1, 17, 29]) {
      const middle = sound.subarray(
        ((step + 0.1) * toneStepMs * 8000) / 1000,
        ((step + 0.9) * toneStepMs * 8000) / 1000,
      )
      const shares = Array.from({ length: 40 }, (_, index) => toneShare(middle, 8000, 400 + index * 75))
      expect(400 + 75 * shares.indexOf(Math.max(...shares))).toBe(toneHz(reply, step))
    }
  }
  // Where the same pitch comes again, it is another step.
  expect(new Set(Array.from({ length: 40 }, (_, step) => toneHz(5, step))).size).toBe(40)
})
