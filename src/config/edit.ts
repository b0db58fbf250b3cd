import { isAlias, isMap, isNode, isScalar, LineCounter, type Node, parseDocument, Scalar, stringify } from 'yaml'
import { failed, ok, type Result } from '#base/result.ts'
import { formatProblem } from './problem.ts'

/**
 * A configuration file with one value changed and every other byte as it was: comments, anchors, spacing and line ends
 * are the operator's. The text of the value is replaced in place; nothing is written anew by a YAML printer, which would
 * tidy up. What came out is read again, and refused where anything else has changed with it.
 */
export interface Edit {
  readonly text: string
  /** Counted from 1. */
  readonly line: number
}

/**
 * Sets a text at the top of the file.
 * @param text that loads without a problem @param file for messages
 * @returns why it cannot be done, with the place and the cure
 */
export function setTopValue(file: string, text: string, key: string, value: string): Result<Edit, string> {
  const mark = text.startsWith('\ufeff') ? '\ufeff' : ''
  const source = text.slice(mark.length)
  const lines = new LineCounter()
  const document = parseDocument(source, { lineCounter: lines, prettyErrors: false, merge: false })
  const refuse = (at: number, message: string, advice: string) => {
    const { line, col } = lines.linePos(at)
    return failed(formatProblem({ file, line: Math.max(1, line), column: Math.max(1, col), key, message, advice }))
  }
  const [fault] = document.errors
  if (fault !== undefined)
    return refuse(fault.pos[0], 'the file is not YAML', 'Repair it first: patchcord check says how.')
  const root = document.contents
  if (root !== null && !isMap(root) && !(isScalar(root) && root.value === null)) {
    return refuse(0, 'the file holds no keys at its top', 'Is this the right file?')
  }
  const pair = isMap(root) ? root.items.find((each) => isScalar(each.key) && each.key.value === key) : undefined
  const old: Node | null = isNode(pair?.value) ? pair.value : null
  let changed: string
  let at: number
  if (pair === undefined) {
    at = isMap(root) ? (root.range?.[0] ?? 0) : source.length
    if (isMap(root) && root.flow === true) {
      at += 1
      changed = `${source.slice(0, at)}${key}: ${written(value)}, ${source.slice(at)}`
    } else changed = withNewLine(source, at, `${key}: ${written(value)}`)
  } else {
    const place = isNode(pair.key) && pair.key.range ? pair.key.range[0] : 0
    if (old !== null && !isScalar(old) && !isAlias(old))
      return refuse(place, 'expected one value', 'Write a name there.')
    if (isScalar(old) && /\$\{|\$[A-Za-z_]/.test(old.source ?? '')) {
      return refuse(
        place,
        'its value comes from a variable of the environment',
        'Change the variable, or write a name there.',
      )
    }
    if (isScalar(old) && old.range?.[0] === old.range?.[1] && (old.anchor !== undefined || old.tag !== undefined)) {
      const message = 'an anchor or a tag stands there, and no value'
      return refuse(place, message, 'Remove it, or write a name behind it.')
    }
    const [from, to] = placeOfValue(source, place, key, old)
    at = place
    const space = from > 0 && !/\s/.test(source[from - 1] ?? '') ? ' ' : ''
    changed = `${source.slice(0, from)}${space}${written(value, isScalar(old) ? old : undefined)}${source.slice(to)}`
  }
  const before = topValues(source)
  const after = topValues(changed)
  if (before === null || after === null) {
    return refuse(at, 'it cannot be changed in place', `Write ${key}: ${written(value)} there by hand.`)
  }
  const unwanted = otherKeyThatChanged(before, after, key, value)
  if (unwanted !== null) {
    const advice = 'Write its value out there, in place of the alias.'
    return refuse(at, `${unwanted} takes its value from here, by an alias`, advice)
  }
  return ok({ text: mark + changed, line: lines.linePos(at).line })
}

/** From the value's first byte to behind its last; where there is none, behind the colon. */
function placeOfValue(source: string, keyAt: number, key: string, old: Node | null): [number, number] {
  const [from, to] = old?.range ?? [0, 0]
  if (old !== null && (from < to || isAlias(old))) {
    // A block scalar ends with its line's end, which stays.
    const isBlock = isScalar(old) && (old.type === Scalar.BLOCK_LITERAL || old.type === Scalar.BLOCK_FOLDED)
    const end = isBlock ? from + source.slice(from, to).trimEnd().length : to
    return [from, end]
  }
  const colon = source.indexOf(':', keyAt + key.length) + 1
  return [colon, colon]
}

/** In the quotes that the old one had. */
function written(value: string, old?: Scalar): string {
  if (old?.type === Scalar.QUOTE_DOUBLE) return JSON.stringify(value)
  if (old?.type === Scalar.QUOTE_SINGLE) return `'${value.replaceAll("'", "''")}'`
  return stringify(value, { lineWidth: 0 }).trimEnd()
}

/**
 * A line of its own where there was none of that key: before the first one and as far from the margin, so behind the
 * comment that heads the file.
 */
function withNewLine(source: string, at: number, line: string): string {
  const lineEnd = source.includes('\r\n') ? '\r\n' : '\n'
  if (at === source.length) {
    const isAtLineStart = source === '' || source.endsWith('\n')
    return `${source}${isAtLineStart ? '' : lineEnd}${line}${lineEnd}`
  }
  const lineStart = source.lastIndexOf('\n', at - 1) + 1
  const [indentation = ''] = /^ */.exec(source.slice(lineStart, at)) ?? []
  return `${source.slice(0, lineStart)}${indentation}${line}${lineEnd}${source.slice(lineStart)}`
}

type TopValues = Readonly<Record<string, unknown>>

/** The first key at the top that reads otherwise than before, though it was not to; null: only `key` does. */
function otherKeyThatChanged(before: TopValues, after: TopValues, key: string, value: string): string | null {
  const wanted: TopValues = { ...before, [key]: value }
  for (const name of Object.keys({ ...wanted, ...after })) {
    if (JSON.stringify(wanted[name]) !== JSON.stringify(after[name])) return name
  }
  return null
}

/** Null: this is no YAML, or an alias in it leads nowhere. */
function topValues(text: string): TopValues | null {
  const document = parseDocument(text, { prettyErrors: false, merge: false })
  if (document.errors.length > 0) return null
  try {
    const value: unknown = document.toJS()
    return typeof value === 'object' && value !== null ? (value as TopValues) : {}
  } catch {
    return null
  }
}
