import * as v from 'valibot'
import {
  type Alias,
  type Document,
  isAlias,
  isMap,
  isNode,
  isScalar,
  isSeq,
  Lexer,
  LineCounter,
  type Node,
  type Pair,
  parseDocument,
  visit,
  type YAMLError,
  Scalar as YamlScalar,
} from 'yaml'
import { deepFreeze } from '#base/freeze.ts'
import { failed, messageOf, ok, type Result } from '#base/result.ts'
import { agentProblems } from './agent-checks.ts'
import { concealing, withoutVariables } from './conceal.ts'
import { crossChecks } from './cross-checks.ts'
import { asNode } from './describe.ts'
import { type Explained, explainIssues, explainUnknownKeys, pathOf } from './explain.ts'
import { keyProblems } from './key-checks.ts'
import { tooDeepAt } from './nesting.ts'
import { type Origins, originsOf } from './origins.ts'
import { byPlace, type ConfigProblem } from './problem.ts'
import { providerProblems } from './provider-checks.ts'
import { type Configuration, configurationSchema, type VendorSchemas } from './schema.ts'
import { type Environment, type ReadSecret, readSecret } from './secrets.ts'
import {
  describeFound,
  dotted,
  emptyMap,
  fileStart,
  nodeAt,
  type Path,
  type Position,
  placeOf,
  type SourceEntry,
  type SourceNode,
} from './tree.ts'
import { toValue } from './value.ts'

/**
 * Text → checked configuration: parse the YAML into a tree that remembers its places, put the environment in, check it
 * against the schema, check the values against each other. All problems are reported at once, in the file's order.
 */

export interface LoadRequest<Vendors extends VendorSchemas> {
  /** The file's name, for messages. */
  readonly file?: string
  readonly text: string
  readonly env: Environment
  readonly vendors: Vendors
  /** For a command beside the engine, which may lack its secrets: what they alone can tell is not looked at. */
  readonly withoutSecrets?: boolean
  /** Where the secrets of `env` come from; else their files are read at once. */
  readonly read?: ReadSecret
}

export interface Loaded<Vendors extends VendorSchemas> {
  readonly configuration: Configuration<Vendors>
  /** What is odd but possible: an engine without a password starts, and says that it can't reach Asterisk. */
  readonly warnings: readonly ConfigProblem[]
  /** Dotted paths of the values that came out of variables: what they hold is shown nowhere. */
  readonly fromEnvironment: readonly string[]
  readonly origins: Origins
  /** Where in the file a value stands; null where the file does not have it. */
  readonly placeOf: (path: Path) => Position | null
}

export function loadConfiguration<const Vendors extends VendorSchemas>(
  request: LoadRequest<Vendors>,
): Result<Loaded<Vendors>, readonly ConfigProblem[]> {
  const file = request.file ?? '(configuration)'
  const parsed = parseTree(file, request.text)
  if (!parsed.ok) return parsed
  const tree = parsed.value
  const schema = configurationSchema(request.vendors)
  const { value, expanded, problems: badValues } = toValue(tree, asNode(schema), file, request.env, reading(request))
  const facts: Explained = { file, tree, schema: asNode(schema), expanded }
  const checked = v.safeParse(schema, value)
  const inExpansion = new Set(badValues.map((problem) => problem.key))
  const badTypes = explainIssues(checked.issues ?? [], facts).filter((problem) => !inExpansion.has(problem.key))
  const problems = [...badValues, ...explainUnknownKeys(facts), ...badTypes]

  // What is wrong in itself is left out, so that the checks over several keys still find what they can.
  const mended = checked.success ? checked : v.safeParse(schema, without(value, checked.issues.map(pathOf)))
  const crossed = mended.success ? crossCheck(mended.output as Configuration, facts, problems, request) : []
  const errors = [...problems, ...crossed.filter(({ severity }) => severity === 'error').map(({ problem }) => problem)]
  if (errors.length > 0 || !checked.success) return failed(errors.sort(byPlace))
  const warnings = crossed.map(({ problem }) => problem).sort(byPlace)
  return ok({
    configuration: deepFreeze(checked.output),
    warnings,
    fromEnvironment: [...expanded.keys()],
    origins: originsOf(tree, expanded),
    placeOf: (path) => (nodeAt(tree, path) === undefined ? null : placeOf(tree, path)),
  })
}

export interface PartlyLoaded<Vendors extends VendorSchemas> {
  readonly configuration: Configuration<Vendors>
  /** The keys whose variables are missing; they hold their defaults. */
  readonly missing: readonly string[]
}

/**
 * What a file says to somebody who has not all of its variables, as a command beside the engine: null where it is wrong in
 * itself. What only several values can tell is not looked at.
 */
export function loadWithoutVariables<const Vendors extends VendorSchemas>(
  request: LoadRequest<Vendors>,
): PartlyLoaded<Vendors> | null {
  const file = request.file ?? ''
  const parsed = parseTree(file, request.text)
  if (!parsed.ok) return null
  const schema = configurationSchema(request.vendors)
  const { value, problems } = toValue(parsed.value, asNode(schema), file, request.env, reading(request))
  const checked = v.safeParse(schema, value)
  return checked.success ? { configuration: checked.output, missing: problems.map(({ key }) => key) } : null
}

function reading({ env, read = (name) => readSecret(name, env) }: LoadRequest<VendorSchemas>): ReadSecret {
  return read
}

function crossCheck(
  configuration: Configuration,
  { file, tree, expanded }: Explained,
  known: readonly ConfigProblem[],
  request: LoadRequest<VendorSchemas>,
) {
  const { vendors, env, withoutSecrets = false } = request
  const read = reading(request)
  const touches = (key: string) => known.some((problem) => problem.key === key || problem.key.startsWith(`${key}.`))
  const found = crossChecks
    .filter((check) => !(withoutSecrets && check.ofSecrets === true))
    .filter((check) => !check.keys.some(touches) && check.broken(configuration, env, read))
    .map((check) => {
      const shown = withoutVariables(configuration, [...expanded.keys()])
      const paths = check.keys.map((key) => key.split('.'))
      const present = paths.find((path) => nodeAt(tree, path) !== undefined) ?? []
      const advice = typeof check.advice === 'string' ? check.advice : check.advice(shown)
      const at = { file, ...placeOf(tree, present), key: check.keys[0] ?? '' }
      return { severity: check.severity, problem: { ...at, message: check.message(shown, env, read), advice } }
    })
  const conceal = concealing(configuration, [...expanded.keys()])
  const placed = [providerProblems, agentProblems, keyProblems]
    .flatMap((problemsOf) => problemsOf(configuration, vendors))
    .map(({ path, severity, message, advice }) => ({
      severity,
      problem: {
        file,
        ...placeOf(tree, path),
        key: dotted(path),
        message: conceal(message),
        advice: conceal(advice),
      },
    }))
    .filter(({ problem }) => !touches(problem.key))
  return [...placed, ...found]
}

/** A copy without the values at these paths: of a list with a bad entry, and of a group that lacks a key, nothing is kept. */
function without(value: unknown, paths: readonly Path[]): unknown {
  const copy = structuredClone(value)
  for (const path of paths) {
    const inList = path.findIndex((part) => typeof part === 'number')
    const target = presentIn(value, (inList < 0 ? path : path.slice(0, inList)).map(String))
    const last = target.at(-1)
    const holder = valueAt(copy, target.slice(0, -1))
    if (last !== undefined && isRecord(holder)) delete holder[last]
  }
  return copy
}

/** The path itself, or that of the nearest group around it that there is. */
function presentIn(value: unknown, path: readonly string[]): readonly string[] {
  return path.length === 0 || valueAt(value, path) !== undefined ? path : presentIn(value, path.slice(0, -1))
}

function valueAt(value: unknown, path: readonly string[]): unknown {
  return path.reduce<unknown>(
    (inner, part) => (isRecord(inner) && Object.hasOwn(inner, part) ? inner[part] : undefined),
    value,
  )
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

// ── YAML → tree ──────────────────────────────────────────────────────────────────────────────────────────────────

/** Anchors can make a small file stand for billions of values: so many, counted after repetition, are the limit. */
const nodesMax = 10_000
const depthMax = 32

class TooMuch extends Error {}

function parseTree(file: string, text: string): Result<SourceNode, readonly ConfigProblem[]> {
  const refuse = (place: Position, message: string, advice: string) =>
    failed([{ file, line: place.line, column: place.column, key: '', message, advice }])
  const source = text.startsWith('\ufeff') ? text.slice(1) : text
  const zero = source.indexOf('\0')
  if (zero >= 0) {
    return refuse(
      { line: source.slice(0, zero).split('\n').length, column: 1 },
      'the file holds a zero byte, so it is not text',
      'Save it as UTF-8.',
    )
  }
  const deep = tooDeepAt(source, new Lexer().lex(source), depthMax)
  if (deep !== null)
    return refuse(deep, `more than ${depthMax} levels of nesting`, 'Is a bracket or a brace not closed?')
  const lines = new LineCounter()
  let top = fileStart
  try {
    const document = parseDocument(source, { lineCounter: lines, prettyErrors: false, uniqueKeys: false, merge: false })
    const faults = [...document.errors, ...document.warnings]
    if (faults.length > 0) {
      return failed(
        withoutEchoes(faults)
          .map((fault) => syntaxProblem(file, source, lines, document, fault))
          .sort(byPlace),
      )
    }
    const root = document.contents
    if (root === null || (isScalar(root) && root.value === null)) return ok(emptyMap())
    const builder = new TreeBuilder(lines, document, (place) => {
      top = place
    })
    const tree = builder.build(root, 0, fileStart)
    if (builder.strayAliases.length > 0)
      return failed(builder.strayAliases.map((stray) => ({ file, key: '', ...stray })))
    if (builder.duplicates.length > 0) {
      const repeated = { file, message: 'this key stands twice in its section', advice: 'Keep one of the two.' }
      return failed(builder.duplicates.map((duplicate) => ({ ...duplicate, ...repeated })))
    }
    if (tree.kind === 'map') return ok(tree)
    const message = `expected keys with values at the top of the file, such as default_provider: local, found ${describeFound(tree)}`
    return refuse(tree.at, message, 'Is this the right file?')
  } catch (thrown) {
    if (!(thrown instanceof TooMuch || thrown instanceof RangeError)) {
      return refuse(fileStart, `the file cannot be read as YAML: ${messageOf(thrown)}`, '')
    }
    const message = `more than ${nodesMax} values, or more than ${depthMax} levels of nesting`
    return refuse(top, message, 'Aliases that repeat each other do this: write the values out.')
  }
}

/** Copies the parser's nodes, aliases replaced by what they stand for. */
class TreeBuilder {
  private readonly lines: LineCounter
  private readonly document: Document
  private readonly onTopKey: (place: Position) => void
  private budget = nodesMax
  /** The parser can find these too, but takes the square of the number of keys for it. */
  readonly duplicates: (Position & { readonly key: string })[] = []
  /** Aliases that lead nowhere, or round in a circle. */
  readonly strayAliases: (Position & Pick<ConfigProblem, 'message' | 'advice'>)[] = []
  /** What the aliases stand for that are being followed. */
  private readonly followed: Node[] = []

  constructor(lines: LineCounter, document: Document, onTopKey: (place: Position) => void) {
    this.lines = lines
    this.document = document
    this.onTopKey = onTopKey
  }

  /** `place` stands in for a value that isn't there: `key:` and nothing after it. */
  build(node: unknown, depth: number, place: Position): SourceNode {
    this.budget -= 1
    if (this.budget < 0 || depth > depthMax) throw new TooMuch()
    const at = isNode(node) && node.range ? placeOfOffset(this.lines, node.range[0]) : place
    if (isAlias(node)) return this.follow(node, depth, at)
    if (isMap(node)) return this.buildMap(node.items, depth, at)
    if (isSeq(node)) return { kind: 'list', at, items: node.items.map((item) => this.build(item, depth + 1, at)) }
    if (isScalar(node)) return scalar(node, at)
    return { kind: 'scalar', at, value: null, text: '', plain: true }
  }

  private follow(alias: Alias, depth: number, at: Position): SourceNode {
    const target = alias.resolve(this.document)
    const name = alias.source
    if (target === undefined || this.followed.includes(target)) {
      const [message, advice] =
        target === undefined
          ? [`no value above has the anchor &${name}, which *${name} stands for`, `Write &${name} before that value.`]
          : [`*${name} stands inside of what it stands for`, 'Write the value out.']
      this.strayAliases.push({ ...at, message, advice })
      return { kind: 'scalar', at, value: null, text: '', plain: true }
    }
    this.followed.push(target)
    const built = this.build(target, depth + 1, at)
    this.followed.pop()
    return built
  }

  private buildMap(pairs: readonly Pair[], depth: number, around: Position): SourceNode {
    const entries = new Map<string, SourceEntry>()
    for (const { key, value } of pairs) {
      const at = isNode(key) && key.range ? placeOfOffset(this.lines, key.range[0]) : around
      const name = isScalar(key) ? String(key.value) : String(key)
      if (depth === 0) this.onTopKey(at)
      if (entries.has(name)) this.duplicates.push({ ...at, key: name })
      entries.set(name, { at, value: this.build(value, depth + 1, at) })
    }
    return { kind: 'map', at: around, entries }
  }
}

function scalar(node: YamlScalar, at: Position): SourceNode {
  const plain = node.type === undefined || node.type === YamlScalar.PLAIN
  const { value } = node
  const known = typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean' ? value : null
  return { kind: 'scalar', at, value: known, text: plain ? (node.source ?? '') : String(value), plain }
}

function placeOfOffset(lines: LineCounter, offset: number): Position {
  const { line, col } = lines.linePos(offset)
  return { line: Math.max(1, line), column: Math.max(1, col) }
}

const isStrayStar = ({ code, message }: YAMLError): boolean => code === 'BAD_ALIAS' && message.startsWith('Alias')

/** What to do about the parser's complaints that people really get. */
const cures: Readonly<Record<string, string>> = {
  TAB_AS_INDENT: 'YAML indents with spaces: replace the tab.',
  BAD_INDENT: 'Bring the line to the same indentation as its neighbours.',
  BLOCK_IN_FLOW: 'Between braces or brackets: is a comma missing, or does a value with ": " lack its quotes?',
  BAD_SCALAR_START: 'Put the value in quotes.',
  MULTILINE_IMPLICIT_KEY: 'Is a colon or a space after it missing on this line?',
  BLOCK_AS_IMPLICIT_KEY: 'A value that holds ": " needs quotes.',
  MISSING_CHAR: 'Is a colon, a comma, a quote or a bracket missing?',
  UNEXPECTED_TOKEN: 'Is a quote or a bracket too many, or a value without quotes?',
  MULTIPLE_DOCS: 'A configuration is one document: remove the line with ---.',
  TAG_RESOLVE_FAILED: 'Tags (words that begin with !) are not supported: remove it.',
}

/** What the parser makes of the words behind a slip is no fault of theirs. */
function withoutEchoes(faults: readonly YAMLError[]): readonly YAMLError[] {
  if (faults.some(isStrayStar)) return faults.filter(isStrayStar)
  const first = faults.reduce((one, other) => (other.pos[0] < one.pos[0] ? other : one))
  return faults.filter((fault) => fault === first || fault.code !== 'UNEXPECTED_TOKEN')
}

function syntaxProblem(
  file: string,
  source: string,
  lines: LineCounter,
  document: Document,
  fault: YAMLError,
): ConfigProblem {
  const [offset] = fault.pos
  if (source.startsWith('${', offset - 1)) {
    const message = 'YAML: within braces or brackets the reference to a variable is read as braces of its own'
    const advice =
      'Put a text in quotes, "${NAME}"; write any other value on a line of its own, without braces around it.'
    return { file, ...placeOfOffset(lines, offset - 1), key: '', message, advice }
  }
  const unclosed = fault.code === 'MISSING_CHAR' ? openQuote(document, fault.pos[0]) : undefined
  if (unclosed !== undefined) {
    const message = 'YAML: the quote that opens here is never closed'
    return { file, ...placeOfOffset(lines, unclosed), key: '', message, advice: 'Close it.' }
  }
  const bracket = /sufficiently indented and end with a ([}\]])/.exec(fault.message)?.[1]
  if (bracket !== undefined) {
    const message = `YAML: a ${bracket === '}' ? '{' : '['} above is not closed, or what is in it is not indented`
    return { file, ...placeOfOffset(lines, fault.pos[0]), key: '', message, advice: `Close it with ${bracket}.` }
  }
  if (isStrayStar(fault)) {
    const message = 'YAML: what begins with * is an alias, and this is none'
    const advice = 'A text such as the key "*" of a telephone needs quotes.'
    return { file, ...placeOfOffset(lines, fault.pos[0]), key: '', message, advice }
  }
  const words = fault.message
    .replace(/\s+/g, ' ')
    .replace(/^Missing ,( or :)?/, (_, colon) => (colon ? 'Missing a comma or a colon' : 'Missing a comma'))
  // Only the first sentence: the rest is advice to programmers that use the parser.
  const message = `YAML: ${words.replace(/[.:;](\s.*)?$/, '')}`
  return { file, ...placeOfOffset(lines, fault.pos[0]), key: '', message, advice: cures[fault.code] ?? '' }
}

/** Where the quoted text begins that the parser found unclosed at `offset`: the end of the file, far from the slip. */
function openQuote(document: Document, offset: number): number | undefined {
  let found: number | undefined
  visit(document, {
    Scalar: (_, node) => {
      const [start = 0, end = 0] = node.range ?? []
      const quoted = node.type === 'QUOTE_DOUBLE' || node.type === 'QUOTE_SINGLE'
      if (quoted && start < offset && end >= offset) found = start
    },
  })
  return found
}
