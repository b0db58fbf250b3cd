import type * as v from 'valibot'
import {
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
import { connectTimeout, fillerText, headerList, isServerUrl, keyVariable, modelTools } from '#config/server-fields.ts'

/**
 * How to reach a server that speaks OpenAI's Realtime API, and how its agent should sound and take turns. The defaults
 * fit a telephone.
 */
export const openAiRealtimeOptions = section(
  {
    enabled: flag(true, 'default_provider may name it; only the one it names is connected.'),
    base_url: shapedText(
      'https://api.openai.com/v1',
      (value) => isServerUrl(value, ['https:', 'http:', 'wss:', 'ws:']),
      'a URL (https, http, wss or ws) with its version path and without user name, password or query, such as https://api.openai.com/v1',
      'Where the server answers: /realtime is the session and /models the look at key and model. For Azure https://RESOURCE.openai.azure.com/openai/v1.',
      { hidden: true },
    ),
    model: requiredText('gpt-realtime', 'The model, or the name of the deployment at Azure.'),
    api_key_env: keyVariable('OPENAI_API_KEY'),
    key_header: choice(
      ['authorization', 'api-key'],
      'authorization',
      'How the key is sent: authorization (Bearer, as OpenAI has it), api-key (Azure).',
    ),
    headers: headerList('OpenAI-Project: proj_1', 'Further headers of each request.'),
    voice: requiredText('marin', 'The voice; it cannot change within a call.'),
    speed: decimalNumber(1, { min: 0.25, max: 1.5 }, 'How fast the voice speaks: 1 is its own pace.'),
    format: choice(
      ['auto', 'pcmu', 'pcm24'],
      'auto',
      'What travels: pcmu (µ-law, 8 kHz), pcm24 (16 bits, 24 kHz), auto (µ-law where the leg has 8 kHz and the server takes it).',
    ),
    turn_detection: section(
      {
        type: choice(
          ['server_vad', 'semantic_vad', 'none'],
          'server_vad',
          "Who finds the caller's turns: server_vad (the server, by silence), semantic_vad (the server, by what is said), none (this engine, by turn_taking and vad).",
        ),
        threshold: decimalNumber(
          0.5,
          { min: 0, max: 1 },
          'With server_vad: from this probability on, a sound is speech; higher for noisy lines.',
        ),
        prefix_padding_ms: milliseconds(
          300,
          { min: 0, max: 2000 },
          'With server_vad: so much from before the speech belongs to it.',
        ),
        silence_duration_ms: milliseconds(
          500,
          { min: 100, max: 5000 },
          'With server_vad: a silence of so long ends the turn.',
        ),
        eagerness: choice(
          ['auto', 'low', 'medium', 'high'],
          'auto',
          'With semantic_vad: how soon a turn counts as over; low waits up to 8 s, medium 4 s, high 2 s.',
        ),
      },
      'The turns of the caller.',
    ),
    input_audio_transcription: section(
      {
        model: text('gpt-4o-mini-transcribe', 'The model that writes down what the caller says.', {
          emptyMeans: 'nothing is written down',
        }),
        language: text('', 'The language that it is told (ISO 639-1).', { emptyMeans: 'that of the call' }),
      },
      "The caller's words, for records, and for a session that has to be made anew.",
    ),
    noise_reduction: choice(
      ['off', 'near_field', 'far_field'],
      'off',
      "The server's noise reduction: near_field for a handset, far_field for a room.",
    ),
    append_ms: milliseconds(
      40,
      { min: 20, max: 100 },
      "So much of the caller's audio goes into one message: more costs less, and delays.",
    ),
    commit_threshold_ms: milliseconds(
      160,
      { min: 100, max: 2000 },
      'With turn_detection none: a turn shorter than this is lengthened with silence, since the server refuses less than 100 ms.',
    ),
    max_output_tokens: wholeNumber(
      0,
      { min: 0, max: 4096, unit: 'tokens' },
      'The longest reply, its audio included; 0 leaves it to the server.',
    ),
    greeting_audio: choice(
      ['model', 'cached'],
      'model',
      'Who speaks llm.initial_greeting: model (the session, once it is open), cached (the local voice, made before the first call, while the session opens; where there is no local voice, the model).',
    ),
    tools: modelTools,
    connect_timeout_ms: connectTimeout,
    reply_timeout_ms: milliseconds(
      4000,
      { min: 500, max: 30_000 },
      'No audio so long after the caller’s turn: the filler is heard and the reply asked for again; after as long once more, on_failure.',
    ),
    filler: fillerText,
    renew_after_ms: milliseconds(
      3_300_000,
      { min: 10_000, max: 3_500_000 },
      'A session is made anew after so long, in a pause, with the conversation so far: the server ends it after 60 minutes.',
    ),
  },
  "OpenAI's Realtime API, or a server that speaks it: one model hears, thinks and speaks.",
  { voicePerCall: 'agent' },
)
export type OpenAiRealtimeOptions = v.InferOutput<typeof openAiRealtimeOptions>
