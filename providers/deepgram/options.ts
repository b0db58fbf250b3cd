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
  textList,
  wholeNumber,
} from '#config/fields.ts'
import { connectTimeout, fillerText, headerList, isServerUrl, keyVariable, modelTools } from '#config/server-fields.ts'

/**
 * How to reach Deepgram, and how its ears, its model and its voice should be. The same ears and voice serve the agent and
 * the parts of a pipeline. The defaults fit a telephone.
 */
const ownHeaders = headerList(
  'authorization: Bearer $OPENAI_API_KEY',
  'Headers for that URL; a key by the variable that holds it: "authorization: Bearer $OPENAI_API_KEY".',
)

const hearing = {
  model: requiredText(
    'nova-3',
    'The model that listens: nova-3, nova-2 …, or flux-general-en, flux-general-multi, which know when a turn is over.',
  ),
  language: text('', 'The language it is told (BCP 47, or multi); Flux is told none.', {
    emptyMeans: 'that of the call',
  }),
  language_hints: textList(
    [],
    isLanguage,
    'a language such as de',
    'With flux-general-multi: the languages to expect.',
  ),
  keyterms: textList([], (value) => value !== '', 'a word or a name', 'Words and names that callers will say.'),
  smart_format: flag(false, 'With nova: numbers, dates and addresses are written as such.'),
  eot_threshold: decimalNumber(
    0.7,
    { min: 0.5, max: 0.9 },
    'With Flux: so sure it must be that a turn is over; lower answers sooner and cuts off more.',
  ),
  eager_eot_threshold: decimalNumber(
    0,
    { min: 0, max: 0.9 },
    'With Flux: from this on a reply is begun, and taken back where the caller goes on; 0.3 to eot_threshold, 0: off.',
  ),
  eot_timeout_ms: milliseconds(5000, { min: 500, max: 10_000 }, 'With Flux: a silence of so long ends a turn.'),
  endpointing_ms: milliseconds(
    300,
    { min: 10, max: 5000 },
    'With nova in a pipeline: a silence of so long ends an utterance.',
  ),
  utterance_end_ms: milliseconds(
    1000,
    { min: 1000, max: 5000 },
    'With nova in a pipeline: the same by the gap between words, for lines with noise.',
  ),
  finalize_timeout_ms: milliseconds(
    800,
    { min: 100, max: 5000 },
    'In a pipeline: when a turn is over, its last words are waited for so long.',
  ),
  judge_overlaps: flag(
    false,
    'In a pipeline: what is said over the agent is judged by its words as well, each time by a request that costs money.',
  ),
}
const thresholdsFit = ({ eager_eot_threshold: eager, eot_threshold: sure }: Thresholds) =>
  eager === 0 || (eager >= 0.3 && eager <= sure)
interface Thresholds {
  readonly eager_eot_threshold: number
  readonly eot_threshold: number
}
const thresholdsMessage = 'eager_eot_threshold must be 0 (off), or from 0.3 up to eot_threshold'

const listen = checkedSection(
  hearing,
  'Hearing: of the agent, and as a part of a pipeline.',
  thresholdsFit,
  thresholdsMessage,
)

const think = checkedSection(
  {
    provider: choice(
      ['open_ai', 'anthropic', 'google', 'groq', 'aws_bedrock'],
      'open_ai',
      'Whose model the agent thinks with; Deepgram reaches it.',
    ),
    model: requiredText('gpt-4o-mini', 'The model, as its maker names it.'),
    temperature: decimalNumber(
      0.7,
      { min: 0, max: 2 },
      'How freely the model chooses its words (anthropic: at most 1).',
    ),
    reasoning_mode: choice(
      ['default', 'none', 'minimal', 'low', 'medium', 'high'],
      'default',
      'With open_ai and groq: how long the model thinks before it speaks; default leaves it to the model.',
    ),
    endpoint_url: shapedText(
      '',
      (value) => value === '' || isServerUrl(value, ['https:', 'http:']),
      'an http or https URL',
      'A chat-completions URL of your own that Deepgram is to ask.',
      { emptyMeans: "the maker's own, through Deepgram", hidden: true },
    ),
    endpoint_headers: ownHeaders,
    context_length: wholeNumber(
      0,
      { min: 0, max: 1_000_000 },
      'With an endpoint of your own: so many characters of the conversation are kept; 0 leaves it to Deepgram.',
    ),
    aws_region: text(
      '',
      'With aws_bedrock: its region; the credentials are AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_SESSION_TOKEN.',
      {
        emptyMeans: 'none',
      },
    ),
  },
  'The language model of the agent.',
  ({ provider, temperature }) => provider !== 'anthropic' || temperature <= 1,
  'with anthropic, temperature must not be greater than 1',
)

const speaking = {
  model: requiredText(
    'aura-2-thalia-en',
    'The voice of Deepgram, or the model of the other maker (aws_polly: its engine).',
  ),
  speed: decimalNumber(1, { min: 0.7, max: 1.5 }, 'With deepgram: how fast the voice speaks; 1 is its own pace.'),
  transport: choice(
    ['websocket', 'rest'],
    'websocket',
    'In a pipeline: websocket (one connection per call, and at most 20 sentences a minute one by one), rest (one request per sentence).',
  ),
}

const speak = checkedSection(
  {
    provider: choice(
      ['deepgram', 'open_ai', 'eleven_labs', 'cartesia', 'aws_polly'],
      'deepgram',
      'Whose voice the agent speaks with; in a pipeline it is always Deepgram’s.',
    ),
    model: speaking.model,
    speed: speaking.speed,
    voice: text('', 'With open_ai, cartesia and aws_polly: the voice.', { emptyMeans: 'none' }),
    language: text('', 'With eleven_labs, cartesia and aws_polly: the language it is told.', {
      emptyMeans: 'that of the call',
    }),
    endpoint_url: shapedText(
      '',
      (value) => value === '' || isServerUrl(value, ['https:', 'wss:']),
      'an https URL, or wss for eleven_labs',
      'Where the other maker’s voice answers; it must be given for all but deepgram and aws_polly.',
      { emptyMeans: 'none', hidden: true },
    ),
    endpoint_headers: ownHeaders,
    transport: speaking.transport,
    aws_region: text('', 'With aws_polly: its region; credentials as for aws_bedrock.', { emptyMeans: 'none' }),
  },
  'The voice: of the agent, and as a part of a pipeline.',
  ({ provider, endpoint_url: url }) => provider === 'deepgram' || provider === 'aws_polly' || url !== '',
  'endpoint_url is missing: with open_ai, eleven_labs and cartesia it must be given',
)

const provider = v.picklist(['deepgram'])

/** A part that a pipeline defines: where Deepgram is reached, and with what key, `providers.deepgram` says. */
export const deepgramInline = {
  stt: checkedSection({ provider, ...hearing }, "Deepgram's recognition.", thresholdsFit, thresholdsMessage).wrapped,
  tts: section({ provider, ...speaking }, "Deepgram's voice.").wrapped,
}

export type DeepgramSttPart = v.InferOutput<typeof deepgramInline.stt>
export type DeepgramTtsPart = v.InferOutput<typeof deepgramInline.tts>

export const deepgramOptions = section(
  {
    enabled: flag(true, 'default_provider and pipelines may name it; only what answers calls is connected.'),
    ws_url: shapedText(
      'wss://agent.deepgram.com/v1/agent/converse',
      (value) => isServerUrl(value, ['wss:', 'ws:']),
      'a ws or wss URL without user name, password or query, such as wss://agent.deepgram.com/v1/agent/converse',
      'Where the Voice Agent answers.',
      { hidden: true },
    ),
    base_url: shapedText(
      'https://api.deepgram.com',
      (value) => isServerUrl(value, ['https:', 'http:']),
      'an http or https URL without version path, user name, password or query, such as https://api.deepgram.com',
      'Where all else answers: recognition and voice as parts of a pipeline, and the look at the key.',
      { hidden: true },
    ),
    api_key_env: keyVariable('DEEPGRAM_API_KEY'),
    encoding: choice(
      ['auto', 'linear16', 'mulaw', 'alaw'],
      'auto',
      'What travels, both ways, at the rate of the call: auto is what the wire to Asterisk has (slin: linear16, ulaw: mulaw, alaw: alaw), and nothing is converted.',
    ),
    chunk_ms: milliseconds(
      40,
      { min: 20, max: 200 },
      "So much of the caller's audio goes into one message: more costs less, and delays (Flux in a pipeline has 80).",
    ),
    listen,
    think,
    speak,
    greeting_audio: choice(
      ['agent', 'cached'],
      'agent',
      'Who speaks llm.initial_greeting: agent (the session, once it is open), cached (the local voice, made before the first call, while the session opens; where there is no local voice, the agent).',
    ),
    tags: textList([], (value) => value !== '', 'a label', 'Labels by which Deepgram shows the usage.'),
    mip_opt_out: flag(false, 'Keeps the calls out of what Deepgram improves its models with.'),
    tools: modelTools,
    connect_timeout_ms: connectTimeout,
    reply_timeout_ms: milliseconds(
      4000,
      { min: 500, max: 30_000 },
      'No audio so long after the caller’s turn: the filler is heard, and again after each further one; half of it after the first another session is asked, unless the model is known to be slow; as long after that, on_failure.',
    ),
    filler: fillerText,
    renew_after_ms: milliseconds(
      6_600_000,
      { min: 10_000, max: 7_000_000 },
      'A session is made anew after so long, in a pause, with the conversation so far: the server ends it after two hours.',
    ),
  },
  'Deepgram: its Voice Agent, and its recognition and voice as parts of a pipeline.',
  { parts: deepgramInline, voicePerCall: 'part' },
)
export type DeepgramOptions = v.InferOutput<typeof deepgramOptions>

function isLanguage(value: string): boolean {
  return /^[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*$/.test(value)
}
