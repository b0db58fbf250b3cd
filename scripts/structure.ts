import { readFileSync, statSync } from 'node:fs'
import { dirname, join, normalize } from 'node:path'
import { codeText } from './structure/code-text.ts'

/**
 * The house's law, as far as a machine can hold it: which way imports point, who owns a library, where calls are kept,
 * where time comes from, how files look. `test/unit/structure.test.ts` runs it over the repository; by hand it is
 * `bun scripts/structure.ts`. The layers are those of docs/architecture.md.
 */
export interface SourceFile {
  /** From the repository's root. */
  readonly path: string
  readonly text: string
}

export interface Violation {
  readonly path: string
  readonly line: number
  readonly rule: 'imports' | 'libraries' | 'collections' | 'time_and_chance' | 'shape' | 'machine_names'
  readonly message: string
}

interface Layer {
  readonly name: string
  readonly rank: number
}

/** Bottom first. A file may import its own folder and what lies below; folders of one line do not know each other. */
const layers: readonly (readonly string[])[] = [
  ['src/base/'],
  ['src/audio/'],
  ['src/call/', 'src/agent/'],
  ['src/tools/'],
  ['src/speech/', 'src/telemetry/', 'src/config/'],
  ['src/asterisk/'],
  ['src/http/', 'src/simulator/', 'providers/*/'],
  ['providers/*.ts'],
  ['src/main.ts', 'src/app.ts', 'src/app/', 'src/cli/'],
]
const topRank = layers.length - 1
/** The heart: both halves on one line, and each may name the other's types. */
const heart = ['src/call/', 'src/agent/']

/** One owner per library; a package that is not here has no owner yet, and nobody may import it. */
const owners: Readonly<Record<string, RegExp>> = {
  '@valibot/to-json-schema': /^src\/tools\/json-schema\.ts$/,
  valibot: /^src\/(config|tools)\/|^providers\/[^/]+\/options\.ts$|[/-]wire\.ts$/,
  hono: /^src\/http\//,
  openai: /^providers\/openai-realtime\/client-wire\.ts$/,
  '@deepgram/sdk': /^providers\/deepgram\/client-wire\.ts$/,
  'prom-client': /^src\/telemetry\/metric-registry\.ts$/,
  'onnxruntime-node': /^src\/speech\/onnx\.ts$/,
  yaml: /^src\/config\/(load|edit)\.ts$/,
}

const linesMax = 400
const storeFile = 'src/call/session-store.ts'
const storedNouns = /\b(calls?|channels?|playbacks?|bridges?|media)\b/i
/** Any name that says one of these: `byChannel`, `callsById`. */
const storedNames = /call(?!ed|ing|back|able)|channel|playback|bridge|media/i

const productFile = (path: string) => /^(src|providers)\/.*\.ts$/.test(path)
const houseFile = (path: string) => /^(src|providers|scripts|test)\/.*\.ts$/.test(path)

export function checkStructure(files: readonly SourceFile[]): Violation[] {
  return files.flatMap((file) => [
    ...(productFile(file.path) ? [...checkImports(file), ...checkCollections(file), ...checkTimeAndChance(file)] : []),
    ...(houseFile(file.path) ? checkShape(file) : []),
    ...checkMachineNames(file),
  ])
}

export function layerOf(path: string): Layer | null {
  for (const [rank, names] of layers.entries()) {
    for (const name of names) {
      // Each vendor is a folder of its own; the lists of vendors lie beside them, and above.
      const vendor = name === 'providers/*/' ? /^providers\/[^/]+\//.exec(path)?.[0] : undefined
      if (vendor !== undefined) return { name: vendor, rank }
      if (name === 'providers/*.ts' && /^providers\/[^/]+\.ts$/.test(path)) return { name, rank }
      if (path === name || (name.endsWith('/') && path.startsWith(name))) return { name, rank }
    }
  }
  return null
}

interface Import {
  readonly specifier: string
  readonly typeOnly: boolean
  readonly line: number
}

export function importsOf(text: string): Import[] {
  const { code, bare } = codeText(text)
  const found: Import[] = []
  const patterns = [
    /\b(?:import|export)\s+(type\s+)?((?:[\w$]+\s*,?\s*)?(?:\*(?:\s*as\s+[\w$]+)?|\{[^}]*\})?)\s*from\s*(['"])([^'"]+)\3/g,
    /\b(import)(\s*\(\s*|\s+)(['"])([^'"]+)\3/g,
  ]
  for (const pattern of patterns) {
    for (const match of code.matchAll(pattern)) {
      const [, type, names = '', , specifier = ''] = match
      // A keyword that is blank in `bare` stood inside a string.
      if (bare[match.index] === ' ') continue
      const line = lineAt(code, match.index)
      found.push({ specifier, line, typeOnly: type?.startsWith('type') === true || onlyTypes(names) })
    }
  }
  // `typeof import('x')` names a type and loads nothing; it counts as an import all the same.
  return found
}

/** `{ type A, type B }` */
function onlyTypes(names: string): boolean {
  const inner = /^\{([^}]*)\}$/.exec(names.trim())?.[1]
  if (inner === undefined) return false
  const parts = inner.split(',').map((part) => part.trim())
  return parts.filter((part) => part !== '').every((part) => part.startsWith('type '))
}

export function checkImports(file: SourceFile): Violation[] {
  const from = layerOf(file.path)
  if (from === null) return [violation(file, 1, 'imports', 'this folder has no place in the layers')]
  return importsOf(file.text).flatMap((each) => {
    const { specifier, line } = each
    if (/^(node:|bun:|bun$)/.test(specifier)) return []
    if (!/^[.#]/.test(specifier)) return checkLibrary(file, specifier, line)
    if (!specifier.endsWith('.ts') && specifier !== '#app') {
      // Data beside the code has no alias: package.json, the model list, the built-in configuration.
      const isCode = /^#|\/[^/.]+$/.test(specifier)
      return isCode ? [violation(file, line, 'imports', `${specifier}: name the file with its .ts`)] : []
    }
    if (specifier.startsWith('..'))
      return [violation(file, line, 'imports', `${specifier}: across folders, use the alias`)]
    return checkDirection(file, from, each)
  })
}

function checkDirection(file: SourceFile, from: Layer, { specifier, typeOnly, line }: Import): Violation[] {
  const to = layerOf(resolved(file.path, specifier))
  if (to === null) return [violation(file, line, 'imports', `${specifier}: no such layer`)]
  if (to.name === from.name || to.rank < from.rank) return []
  if (from.rank === topRank && to.rank === topRank) return []
  if (heart.includes(from.name) && heart.includes(to.name)) {
    return typeOnly ? [] : [violation(file, line, 'imports', `${specifier}: call and agent share types only`)]
  }
  const why = to.rank > from.rank ? 'points up' : 'is a sibling on the same line'
  return [violation(file, line, 'imports', `${specifier} ${why}`)]
}

function resolved(path: string, specifier: string): string {
  if (specifier === '#app') return 'src/app.ts'
  if (specifier.startsWith('#providers/')) return specifier.slice(1)
  if (specifier.startsWith('#')) return `src/${specifier.slice(1)}`
  return normalize(join(dirname(path), specifier))
}

function checkLibrary(file: SourceFile, specifier: string, line: number): Violation[] {
  const name = specifier
    .split('/')
    .slice(0, specifier.startsWith('@') ? 2 : 1)
    .join('/')
  const owner = owners[name]
  if (owner?.test(file.path)) return []
  const message = owner === undefined ? `${name} has no owner` : `${name} belongs to ${owner.source}`
  return [violation(file, line, 'libraries', message)]
}

/**
 * What outlives a function and is looked up by key says by which, above it: `// keyed by: model id`. Calls, channels,
 * bridges, playbacks and media connections are looked up in the session store and nowhere else.
 */
export function checkCollections(file: SourceFile): Violation[] {
  const { bare } = codeText(file.text)
  const lines = file.text.split('\n')
  return bare.split('\n').flatMap((code, index) => {
    const made = /\bnew (?:Map|Set|WeakMap|WeakSet)\b/.test(code)
    const record = /[:=]\s*(?:Readonly<|Partial<)*Record<\s*string\b.*=\s*\{\s*\}/.test(code)
    if (!made && !record) return []
    const isLocal = /^\s+(?:const|let) /.test(code) || /(?:\(|\.\.\.)new Set\b/.test(code)
    const variable = /([\w$]+)\s*(?::[^=]*)?=/.exec(code)?.[1] ?? ''
    const said = /\/\/ keyed by: (.+)/.exec(`${lines[index - 1] ?? ''}\n${lines[index] ?? ''}`)?.[1]
    if (file.path === storeFile) {
      return said === undefined ? [violation(file, index + 1, 'collections', 'say "// keyed by: …" above it')] : []
    }
    if (said !== undefined && storedNouns.test(said)) {
      return [violation(file, index + 1, 'collections', `keyed by ${said}: that is for ${storeFile}`)]
    }
    if (said !== undefined) return []
    if (isLocal && !storedNames.test(variable)) return []
    return [violation(file, index + 1, 'collections', 'say "// keyed by: …" above it')]
  })
}

/** The program's edges, where the one clock is made. */
const clockMakers = /^src\/(app\.ts|main\.ts|app\/|cli\/)|-(child|worker)\.ts$/
const timeAndChance =
  /\b(?:Date\.now|performance\.now|Math\.random|crypto\.randomUUID|Bun\.sleep|Bun\.nanoseconds)\b|\b(?:setTimeout|setInterval|randomUUID)\s*\(|\bnew Date\(\s*\)/

export function checkTimeAndChance(file: SourceFile): Violation[] {
  if (file.path.startsWith('src/base/')) return []
  return codeText(file.text)
    .bare.split('\n')
    .flatMap((code, index) => {
      const used = timeAndChance.exec(code)?.[0]
      if (used !== undefined) {
        return [violation(file, index + 1, 'time_and_chance', `${used}: take a Clock or a Random as an argument`)]
      }
      if (!/\bnew SystemClock\b/.test(code) || clockMakers.test(file.path)) return []
      return [violation(file, index + 1, 'time_and_chance', 'a SystemClock is made at the program’s edge only')]
    })
}

export function checkShape(file: SourceFile): Violation[] {
  const found: Violation[] = []
  const lines = file.text.replace(/\n$/, '').split('\n').length
  if (lines > linesMax) found.push(violation(file, linesMax + 1, 'shape', `${lines} lines: it wants to be two files`))
  if (/(^|\/)utils?\.ts$/.test(file.path)) found.push(violation(file, 1, 'shape', 'one file, one noun: no utils.ts'))
  if (file.path.endsWith('.d.ts')) return found
  const { bare } = codeText(file.text)
  for (const match of bare.matchAll(/\bexport\s+default\b|\bexport\s*\{[^}]*\bas\s+default\b/g)) {
    found.push(violation(file, lineAt(bare, match.index), 'shape', 'named exports only'))
  }
  return found
}

const homes = ['work', 'root', 'home', 'Users', 'mnt'].join('|')
const machinePath = new RegExp(`(?:(?<![\\w/$.*~-])|(?<=file://))/(?:${homes})/[\\w.-]+|\\b[A-Z]:\\\\[\\w]`)
const registries = ['npmjs', 'pypi', 'pythonhosted', 'yarnpkg', 'npmmirror', 'artifactory', 'verdaccio', 'jfrog']
const registryHost = new RegExp(
  `\\b(?:[\\w-]+\\.)*(?:${registries.join('|')})[\\w-]*(?:\\.[\\w-]+)*\\.[a-z]{2,}\\b`,
  'i',
)

/** A checkout is the same everywhere: no folder of one machine, no host that only one network has. */
export function checkMachineNames(file: SourceFile): Violation[] {
  return file.text.split('\n').flatMap((text, index) => {
    const path = machinePath.exec(text)?.[0]
    const host = registryHost.exec(text)?.[0]
    return [
      ...(path === undefined ? [] : [violation(file, index + 1, 'machine_names', `a path of one machine: ${path}`)]),
      ...(host === undefined ? [] : [violation(file, index + 1, 'machine_names', `a registry’s host: ${host}`)]),
    ]
  })
}

function violation(file: SourceFile, line: number, rule: Violation['rule'], message: string): Violation {
  return { path: file.path, line, rule, message }
}

function lineAt(text: string, index: number): number {
  return text.slice(0, index).split('\n').length
}

/** Every text file that is in the repository, or will be with the next commit. */
export function repositoryFiles(root: string): SourceFile[] {
  const listed = Bun.spawnSync(['git', 'ls-files', '-z', '--cached', '--others', '--exclude-standard'], { cwd: root })
  if (listed.exitCode !== 0) throw new Error(`git does not list the files of ${root}: ${listed.stderr}`)
  const paths = listed.stdout.toString().split('\0')
  return paths.flatMap((path) => {
    const file = join(root, path)
    // Gone from the work tree, or a link to a folder.
    if (path === '' || statSync(file, { throwIfNoEntry: false })?.isFile() !== true) return []
    const bytes = readFileSync(file)
    // A zero byte among the first is how git itself knows a binary file.
    return bytes.subarray(0, 8000).includes(0) ? [] : [{ path, text: bytes.toString('utf8') }]
  })
}

if (import.meta.main) {
  const found = checkStructure(repositoryFiles(join(import.meta.dir, '..')))
  for (const { path, line, rule, message } of found) console.log(`${path}:${line} ${rule}: ${message}`)
  process.exit(found.length === 0 ? 0 : 1)
}
