import * as v from 'valibot'
import {
  checkedSection,
  choice,
  decimalNumber,
  flag,
  milliseconds,
  requiredText,
  section,
  shapedText,
  text,
  wholeNumber,
} from '#config/fields.ts'
import { isServerUrl, keyVariable } from '#config/server-fields.ts'

/**
 * How to reach a server that speaks OpenAI-compatible HTTP, and how it should hear, answer and speak. The defaults fit the
 * small built-in model and a telephone: short answers, and a caller who never waits long for a dead server.
 */
const urlShape =
  'an http or https URL with its version path and without user name, password or query, such as http://127.0.0.1:11434/v1'
const isBaseUrl = (value: string) => isServerUrl(value, ['https:', 'http:'])

const modelName = text('', 'The name of the model, as the server knows it.', {
  emptyMeans: "the server's only or first model",
})

const answering = {
  temperature: decimalNumber(
    0.4,
    { min: 0, max: 2 },
    'How freely the model chooses its words: 0 always takes the likeliest.',
  ),
  max_tokens: wholeNumber(
    60,
    { min: 1, max: 4096, unit: 'tokens' },
    'The longest answer; about four tokens are spoken in a second.',
  ),
  history_turns: wholeNumber(
    8,
    { min: 0, max: 200, unit: 'turns' },
    'So many of the last turns of a call are sent along; older ones are forgotten.',
  ),
  first_token_timeout_ms: milliseconds(
    6000,
    { min: 100, max: 120_000 },
    'Without a first word after so long, the request is given up.',
  ),
  total_timeout_ms: milliseconds(30_000, { min: 500, max: 600_000 }, 'The longest time for a whole answer.'),
}
const deadlinesFit = (values: { first_token_timeout_ms: number; total_timeout_ms: number }) =>
  values.first_token_timeout_ms <= values.total_timeout_ms
const deadlinesMessage =
  'first_token_timeout_ms must not be greater than total_timeout_ms, or it could never be reached'

/** The language model of `providers.local`, which may also be another server's. */
export const openAiCompatibleOptions = checkedSection(
  {
    base_url: shapedText(
      '',
      (value) => value === '' || isBaseUrl(value),
      urlShape,
      'Where a server with OpenAI-compatible HTTP answers (Ollama, llama.cpp, vLLM, a cloud).',
      { emptyMeans: 'the built-in small model, in a child process', hidden: true },
    ),
    model: modelName,
    api_key_env: keyVariable(''),
    ...answering,
  },
  'The language model.',
  deadlinesFit,
  deadlinesMessage,
)
export type OpenAiCompatibleOptions = v.InferOutput<typeof openAiCompatibleOptions>

const hearing = {
  language: shapedText(
    '',
    (value) => value === '' || value === 'auto' || /^[a-z]{2,3}$/.test(value),
    'a language such as de, or auto',
    'The language it is told (ISO 639-1); auto: none, it finds out by itself.',
    { emptyMeans: 'that of the call' },
  ),
  prompt: text('', 'Words and names that callers will say, or the style to write in; the model is told it.', {
    emptyMeans: 'none',
  }),
  start_at_pause: flag(
    true,
    'Begins at each pause, and not only when the turn is over: answers come sooner, and some audio is sent twice.',
  ),
  timeout_ms: milliseconds(
    6000,
    { min: 200, max: 60_000 },
    'Without the words of a turn after so long, it has failed.',
  ),
}

const speaking = {
  voice: requiredText('alloy', 'The voice, as the server knows it.'),
  speed: decimalNumber(1, { min: 0.25, max: 4 }, 'How fast the voice speaks: 1 is its own pace, and not sent.'),
  instructions: text('', 'How the voice should speak, in words; tts-1 and most other servers know none.', {
    emptyMeans: 'none are sent',
  }),
  response_format: choice(
    ['pcm', 'wav'],
    'pcm',
    'What the audio comes as: pcm (raw samples at pcm_rate_hz), wav (its header says the rate).',
  ),
  pcm_rate_hz: wholeNumber(
    24_000,
    { min: 8000, max: 48_000 },
    "With pcm: samples in a second; OpenAI's 24000, elsewhere the model's own.",
  ),
  timeout_ms: milliseconds(
    5000,
    { min: 200, max: 60_000 },
    'Without the first audio of a sentence, or more of it, after so long, it has failed.',
  ),
}

const hearingModel = requiredText('gpt-4o-mini-transcribe', 'The model that listens, as the server knows it.')
const speakingModel = requiredText('gpt-4o-mini-tts', 'The model that speaks, as the server knows it.')

const ofPipeline = {
  provider: v.picklist(['openai_compatible']),
  base_url: v.pipe(v.string(), v.check(isBaseUrl, urlShape), v.metadata({ hidden: true })),
  api_key_env: keyVariable(''),
}

/** A part that a pipeline defines: nothing of it comes from `providers`, so that no key goes to another server. */
export const openAiCompatibleInline = {
  stt: section({ ...ofPipeline, model: hearingModel, ...hearing }, 'Recognition of a server.').wrapped,
  llm: checkedSection(
    { ...ofPipeline, model: modelName, ...answering },
    'The language model of a server.',
    deadlinesFit,
    deadlinesMessage,
  ).wrapped,
  tts: section({ ...ofPipeline, model: speakingModel, ...speaking }, 'The voice of a server.').wrapped,
}

/** Where all three parts are reached, unless one of a pipeline says otherwise. */
export const openAiCompatibleParts = section(
  {
    enabled: flag(true, 'Pipelines may name it; it is no agent of its own.'),
    base_url: shapedText(
      'https://api.openai.com/v1',
      isBaseUrl,
      urlShape,
      'Where a server with OpenAI-compatible HTTP answers.',
      { hidden: true },
    ),
    api_key_env: keyVariable('OPENAI_API_KEY'),
    stt: section({ model: hearingModel, ...hearing }, 'Speech to text: POST /audio/transcriptions.'),
    llm: checkedSection(
      { model: requiredText('gpt-4o-mini', 'The model that answers, as the server knows it.'), ...answering },
      'The language model: POST /chat/completions.',
      deadlinesFit,
      deadlinesMessage,
    ),
    tts: section({ model: speakingModel, ...speaking }, 'Text to speech: POST /audio/speech.'),
  },
  'Parts of pipelines from a server with OpenAI-compatible HTTP.',
  { isAgent: false, parts: openAiCompatibleInline, voicePerCall: 'part' },
)

export type SttPart = v.InferOutput<typeof openAiCompatibleInline.stt>
export type LlmPart = v.InferOutput<typeof openAiCompatibleInline.llm>
export type TtsPart = v.InferOutput<typeof openAiCompatibleInline.tts>
export type SttOptions = Omit<SttPart, 'provider'>
export type TtsOptions = Omit<TtsPart, 'provider'>
