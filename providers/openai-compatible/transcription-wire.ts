import * as v from 'valibot'
import { encodeWav } from '#audio/wav.ts'
import { parseJson } from './failure-wire.ts'
import type { SttOptions } from './options.ts'

/** `POST {base}/audio/transcriptions`: audio → form, answer → words; pure. */

/** 100 ms: OpenAI refuses less, and "yes" is hardly longer. What is missing is silence. */
const audioMsMin = 200

export function transcriptionForm(
  samples: Int16Array,
  sampleRateHz: number,
  model: string,
  { language, prompt }: Pick<SttOptions, 'language' | 'prompt'>,
  callLanguage: string,
): FormData {
  const padded = new Int16Array(Math.max(samples.length, (audioMsMin * sampleRateHz) / 1000))
  padded.set(samples)
  const wav = encodeWav({ sampleRateHz, samples: padded })
  const form = new FormData()
  // The ending tells the server what it is.
  form.set('file', new Blob([wav as Uint8Array<ArrayBuffer>], { type: 'audio/wav' }), 'turn.wav')
  form.set('model', model)
  form.set('response_format', 'json')
  const told = language === '' ? (callLanguage.split('-')[0] ?? '').toLowerCase() : language
  if (told !== 'auto' && told !== '') form.set('language', told)
  if (prompt !== '') form.set('prompt', prompt)
  return form
}

const answerSchema = v.looseObject({ text: v.string() })

/** The words, or null where the answer is not one. */
export function transcribedText(body: string): string | null {
  const parsed = v.safeParse(answerSchema, parseJson(body))
  return parsed.success ? parsed.output.text.trim() : null
}
