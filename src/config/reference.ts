import type * as v from 'valibot'
import { asNode, type KeyInfo, listKeys } from './describe.ts'

/**
 * The reference of all keys, out of the schema itself: the table in `docs/configuration.md` and the comments of
 * `config/ai-agent.yaml` are compared with what is made here, so neither can fall behind the code.
 */

/** Long texts are shown in the annotated file, not in a table. */
const shownMax = 40

function shownDefault({ fallback, facts }: KeyInfo): string {
  if (fallback === '' && facts.emptyMeans !== undefined) return `empty: ${facts.emptyMeans}`
  if (fallback === '') return 'empty'
  if (Array.isArray(fallback)) return `[${fallback.join(', ')}]`
  if (typeof fallback === 'object' && fallback !== null) return '{}'
  const text = String(fallback)
  return text.length > shownMax ? 'the text in the annotated file' : text
}

/** One row for each key that holds a value: key, what it takes, default, environment variable, when it takes effect, meaning. */
export function renderReference(schema: v.GenericSchema): string {
  const rows = listKeys(asNode(schema))
    .filter((info) => !info.isSection)
    .map((info) => [`\`${info.key}\``, info.expected, shownDefault(info), variable(info), reload(info), info.meaning])
  const head = ['Key', 'Takes', 'Default', 'Variable', 'Reload', 'Meaning']
  const table = [head, head.map(() => '---'), ...rows]
  return table.map((cells) => `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`).join('\n')
}

function variable({ facts }: KeyInfo): string {
  if (facts.env === undefined) return ''
  return facts.secret ? `\`${facts.env}\` or \`${facts.env}_FILE\`` : `\`${facts.env}\``
}

/** Empty where the next call has it. */
function reload({ restart }: KeyInfo): string {
  return restart ? 'restart' : ''
}

/**
 * The comment above a key in the annotated file: meaning, then unit, bounds and default, and whether it takes a restart. A
 * long text's default is the value below it.
 */
export function renderComment(info: KeyInfo): string {
  if (info.isSection) return info.meaning
  const fallback = String(info.fallback).length > shownMax ? 'as below' : `default ${shownDefault(info)}`
  return `${info.meaning} [${[info.brief, fallback, ...(info.restart ? ['restart'] : [])].join('; ')}]`
}
