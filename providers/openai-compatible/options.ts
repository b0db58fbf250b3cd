import type * as v from 'valibot'
import { checkedSection, decimalNumber, milliseconds, shapedText, text, wholeNumber } from '#config/fields.ts'

/**
 * How to reach a language model that speaks OpenAI-compatible HTTP, and how it should answer. The defaults fit the
 * small built-in model and a telephone: short answers, and a caller who never waits long for a dead server.
 */
export const openAiCompatibleOptions = checkedSection(
  {
    base_url: shapedText(
      '',
      isBaseUrl,
      'an http or https URL with its version path and without user name, password or query, such as http://127.0.0.1:11434/v1',
      'Where a server with OpenAI-compatible HTTP answers (Ollama, llama.cpp, vLLM, a cloud).',
      { emptyMeans: 'the built-in small model, in a child process', hidden: true },
    ),
    model: text('', 'The name of the model, as the server knows it.', {
      emptyMeans: "the server's only or first model",
    }),
    api_key_env: shapedText(
      '',
      (value) => /^([A-Za-z_][A-Za-z0-9_]*)?$/.test(value),
      'the name of an environment variable, not the key itself',
      'The environment variable that holds the API key (or, with _FILE added, the path of a file that holds it).',
      { emptyMeans: 'no key is needed', hidden: true },
    ),
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
  },
  'The language model.',
  (values) => values.first_token_timeout_ms <= values.total_timeout_ms,
  'first_token_timeout_ms must not be greater than total_timeout_ms, or it could never be reached',
)
export type OpenAiCompatibleOptions = v.InferOutput<typeof openAiCompatibleOptions>

function isBaseUrl(value: string): boolean {
  if (value === '') return true
  const url = URL.parse(value)
  // Credentials in a URL would end up in logs; the key has its own, masked way.
  return (
    url !== null && /^https?:$/.test(url.protocol) && url.username === '' && url.password === '' && url.search === ''
  )
}
