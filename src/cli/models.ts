import type { Clock } from '#base/clock.ts'
import type { Log } from '#base/log.ts'
import { type ModelEntry, type ModelRole, modelRoles } from '#speech/model-registry.ts'
import { type FetchProgress, type ModelStatus, ModelStore, modelsFolder } from '#speech/model-store.ts'

/** `patchcord models`: fetches, lists and verifies what the local providers need. */
export interface ModelsIo {
  /** One line, without its end. */
  readonly out: (line: string) => void
  /** Written as it is: progress on a terminal rewrites its line. */
  readonly err: (text: string) => void
  readonly errIsTty: boolean
  readonly env: Readonly<Record<string, string | undefined>>
  readonly clock: Clock
  readonly log: Log
  /** `models.dir` of this configuration, or of the one that is found; null where it is wrong, which has been said. */
  readonly configuredFolder?: (config: string | undefined) => string | null
}

const help = `Usage: patchcord models [options]

Fetches the models of the local providers into the store, verifies each by SHA-256, and prints what is there.
Files that are present and right are not fetched again.

  --list         print what is there; fetch nothing
  --quiet        say nothing when all is there
  --verify       read and hash every file anew, instead of trusting size and time of change
  --dir FOLDER   the store (else PATCHCORD_MODELS_DIR, models.dir, ~/.cache/patchcord/models)
  --config FILE  whose models.dir counts; else ./config/ai-agent.yaml, else none
  --only ROLES   only these, separated by commas: ${modelRoles.join(', ')}
  --help         this text

Exit codes: 0 all present and right (the sample speech may be missing), 1 something is missing or wrong, 2 wrong
arguments.`

interface Options {
  readonly list: boolean
  readonly verify: boolean
  readonly quiet: boolean
  readonly folder: string | undefined
  readonly config: string | undefined
  readonly roles: readonly ModelRole[]
}

/** @returns the exit code: 0 all present, 1 something is missing or wrong, 2 wrong arguments */
export async function runModels(argv: readonly string[], io: ModelsIo): Promise<number> {
  const options = parse(argv)
  if (options === 'help') {
    io.out(help)
    return 0
  }
  if (typeof options === 'string') {
    io.err(`${options}\n\n${help}\n`)
    return 2
  }
  const isNamed = options.folder !== undefined || (io.env.PATCHCORD_MODELS_DIR ?? '') !== ''
  const configured = isNamed || io.configuredFolder === undefined ? '' : io.configuredFolder(options.config)
  if (configured === null) return 2
  const folder = options.folder ?? modelsFolder(io.env, configured)
  const store = new ModelStore({ folder, clock: io.clock, log: io.log, env: io.env })
  const wanted = store.entries.filter((entry) => options.roles.includes(entry.role))

  let failures: readonly string[] = []
  let fetchedAnything = false
  const progress = progressPrinter(io)
  if (!options.list) {
    // Wrong files must be found before they are fetched again, so --verify hashes first.
    if (options.verify) await store.status(true)
    const fetched = await store.ensure(
      wanted.map((entry) => entry.id),
      (step) => {
        fetchedAnything = true
        progress(step)
      },
    )
    if (!fetched.ok) failures = fetched.error.map((failure) => failure.message)
  }
  const statuses = (await store.status(options.list && options.verify)).filter(({ entry }) => wanted.includes(entry))
  if (!options.quiet || fetchedAnything) printTable(statuses, folder, io)
  for (const failure of failures) io.err(`${failure}\n`)
  return statuses.every(({ entry, state }) => state === 'present' || state === 'embedded' || isOptional(entry.role))
    ? 0
    : 1
}

/** Without the sample speech everything works but `dial` and `demo` with no file of one's own. */
function isOptional(role: ModelRole): boolean {
  return role === 'sample'
}

function parse(argv: readonly string[]): Options | 'help' | string {
  let list = false
  let verify = false
  let quiet = false
  let folder: string | undefined
  let config: string | undefined
  let roles: readonly ModelRole[] = modelRoles
  for (let index = 0; index < argv.length; index += 1) {
    const [flag = '', inline] = (argv[index] ?? '').split(/=(.*)/s)
    if (flag === '--help' || flag === '-h') return 'help'
    if (flag === '--list') list = true
    else if (flag === '--verify') verify = true
    else if (flag === '--quiet') quiet = true
    else if (flag === '--dir' || flag === '--only' || flag === '--config') {
      const value = inline ?? argv[++index]
      if (value === undefined || value === '') return `${flag} needs a value`
      if (flag === '--dir') folder = value
      else if (flag === '--config') config = value
      else {
        const names = value.split(',').map((name) => name.trim())
        const unknown = names.find((name) => !modelRoles.some((role) => role === name))
        if (unknown !== undefined) return `unknown role "${unknown}"; roles are ${modelRoles.join(', ')}`
        roles = modelRoles.filter((role) => names.includes(role))
      }
    } else return `unknown argument "${flag}"`
  }
  return { list, verify, quiet, folder, config, roles }
}

/** A line that rewrites itself on a terminal; elsewhere a line at each start, each quarter, each end. */
function progressPrinter(io: ModelsIo): (progress: FetchProgress) => void {
  let quarter = 0
  return (progress) => {
    const name = progress.file === '' ? progress.id : `${progress.id}/${progress.file}`
    const line = (text: string) => io.err(io.errIsTty ? `\r\x1b[K${text}\n` : `${text}\n`)
    switch (progress.step) {
      case 'waiting':
        return line('another process is fetching into this store: waiting for it')
      case 'started':
        quarter = 0
        return line(`${name}: from ${progress.source}`)
      case 'source_failed':
        return line(`${name}: ${progress.source}: ${progress.message ?? 'failed'}`)
      case 'done':
        return line(`${name}: done`)
      case 'bytes': {
        const share = progress.totalBytes === 0 ? 0 : progress.doneBytes / progress.totalBytes
        if (io.errIsTty) io.err(`\r\x1b[K${name}: ${Math.floor(share * 100)} % of ${megabytes(progress.totalBytes)}`)
        else if (Math.floor(share * 4) > quarter && share < 1) {
          quarter = Math.floor(share * 4)
          line(`${name}: ${quarter * 25} % of ${megabytes(progress.totalBytes)}`)
        }
      }
    }
  }
}

function printTable(statuses: readonly ModelStatus[], folder: string, io: ModelsIo): void {
  const rows = [
    ['ROLE', 'MODEL', 'SIZE', 'STATE', 'LICENCE'],
    ...statuses.map(({ entry, state, bytes }) => [
      entry.role,
      entry.id,
      bytes === 0 ? '' : megabytes(bytes),
      state,
      licenceOf(entry),
    ]),
  ]
  const widths = [0, 1, 2, 3].map((column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)))
  for (const row of rows)
    io.out(
      row
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join('  ')
        .trimEnd(),
    )
  for (const { entry } of statuses) if (entry.notes !== '') io.out(`${entry.id}: ${entry.notes}`)
  io.out(`store: ${folder}`)
}

function licenceOf(entry: ModelEntry): string {
  return entry.licence
}

function megabytes(bytes: number): string {
  return `${(bytes / 1e6).toFixed(1)} MB`
}
