import { toolNames } from '#tools/tools.ts'
import { milliseconds, shapedText, text, textList } from './fields.ts'

/** Fields that the sections of several vendors have, each behind a server of its own. */

/** The variable that holds the key; empty where none is needed. */
export function keyVariable(fallback: string) {
  return shapedText(
    fallback,
    (value) => /^([A-Za-z_][A-Za-z0-9_]*)?$/.test(value),
    'the name of an environment variable, not the key itself',
    'The environment variable that holds the API key (or, with _FILE added, the path of a file that holds it).',
    { emptyMeans: 'no key is needed', hidden: true },
  )
}

/** @param example completes "such as" */
export function headerList(example: string, meaning: string) {
  return textList(
    [],
    (value) => /^[A-Za-z0-9-]+: \S.*$/.test(value),
    `a header as a text, such as "${example}"`,
    meaning,
  )
}

/** Of an agent whose model the server runs. */
export const modelTools = textList(
  [],
  (value) => (toolNames as readonly string[]).includes(value),
  `one of ${toolNames.join(', ')}`,
  'What the model may do: terminate_call ends the call after its farewell, transfer_call sends the caller to one of transfer.destinations.',
)

export const connectTimeout = milliseconds(
  4000,
  { min: 500, max: 30_000 },
  'A session that is not open by then is given up and tried again.',
)

/** Behind `reply_timeout_ms`, whose meaning says when. */
export const fillerText = text('One moment, please.', 'What the caller hears then, in the local voice.', {
  emptyMeans: 'two soft tones, as where there is no local voice',
})

/** @param schemes as a URL has them: `https:` */
export function isServerUrl(value: string, schemes: readonly string[]): boolean {
  const url = URL.parse(value)
  // Credentials in a URL would end up in logs; the key has its own, masked way.
  return (
    url !== null && schemes.includes(url.protocol) && url.username === '' && url.password === '' && url.search === ''
  )
}
