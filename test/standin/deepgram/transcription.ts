import type { Deepgram } from '@deepgram/sdk'
import { decodeWav } from '#audio/wav.ts'
import { turnText } from './hearing.ts'
import type { StandinOptions } from './options.ts'
import type { ListenOnceQuery } from './query.ts'
import { badRequest, faultResponse } from './refusal.ts'

/** Audio in one request, and all its words in one answer: those of the script's first turn where anything is loud. */
const loud = 1000

export async function transcribed(
  request: Request,
  { model }: ListenOnceQuery,
  options: StandinOptions,
  id: string,
): Promise<Response> {
  const decoded = decodeWav(new Uint8Array(await request.arrayBuffer()))
  if (!decoded.ok)
    return faultResponse(badRequest('Bad Request: failed to process audio: corrupt or unsupported data'), id)
  const { samples, sampleRateHz } = decoded.value
  const transcript = samples.some((sample) => Math.abs(sample) > loud) ? turnText(options, 0) : ''
  const confidence = transcript === '' ? 0 : 0.98
  const answer: Deepgram.ListenV1Response = {
    metadata: {
      transaction_key: 'deprecated',
      request_id: id,
      sha256: '0'.repeat(64),
      created: new Date(options.clock.wallNow()).toISOString(),
      duration: samples.length / sampleRateHz,
      channels: 1,
      models: [id],
      model_info: { [id]: { name: model, version: '2026-01-01.0', arch: 'nova-3' } },
    },
    results: { channels: [{ alternatives: [{ transcript, confidence, words: [] }] }] },
  }
  return Response.json(answer)
}
