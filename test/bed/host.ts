// The machine that the tests run on: running its commands, and installing what they need.

import { readdirSync, readFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type AptSource, parseDeb822, parseSourcesList, pickDebianMirror } from './apt-sources.ts'
import { withFileLock } from './file-lock.ts'

export interface CommandResult {
  readonly exitCode: number
  readonly stdout: string
  readonly stderr: string
}

export interface RunOptions {
  readonly env?: Record<string, string>
  readonly stdin?: string
  readonly cwd?: string
}

/** Runs a command to its end. A non-zero exit is a value, not an error. */
export async function run(argv: readonly string[], options: RunOptions = {}): Promise<CommandResult> {
  const child = Bun.spawn([...argv], {
    stdin: options.stdin === undefined ? 'ignore' : new Blob([options.stdin]),
    stdout: 'pipe',
    stderr: 'pipe',
    env: { ...process.env, ...options.env },
    ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
  })
  const [stdout, stderr, exitCode] = await Promise.all([
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
    child.exited,
  ])
  return { exitCode, stdout, stderr }
}

/** Runs a command that has to succeed. Throws with the end of its output when it does not. */
export async function mustRun(argv: readonly string[], options: RunOptions = {}): Promise<string> {
  const result = await run(argv, options)
  if (result.exitCode !== 0) {
    const output = `${result.stdout}\n${result.stderr}`.trim().split('\n').slice(-12).join('\n')
    throw new Error(`"${argv.join(' ')}" ended with exit code ${result.exitCode}:\n${output}`)
  }
  return result.stdout
}

export function isRoot(): boolean {
  return process.getuid?.() === 0
}

/** Values of /etc/os-release, such as ID=debian and VERSION_CODENAME=bookworm. */
export function osRelease(): Map<string, string> {
  const values = new Map<string, string>()
  for (const line of readIfThere('/etc/os-release').split('\n')) {
    const pair = /^([A-Z_]+)="?([^"]*)"?$/.exec(line)
    if (pair?.[1] !== undefined) values.set(pair[1], pair[2] ?? '')
  }
  return values
}

export function isDebianLike(): boolean {
  const release = osRelease()
  const names = `${release.get('ID') ?? ''} ${release.get('ID_LIKE') ?? ''}`.split(/\s+/)
  return names.includes('debian') && Bun.which('apt-get') !== null
}

/** The Debian mirror that this machine's own apt sources name, or undefined. */
export function debianMirror(): string | undefined {
  const folder = '/etc/apt/sources.list.d'
  const files = namesIn(folder).map((name) => join(folder, name))
  const sources: AptSource[] = parseSourcesList(readIfThere('/etc/apt/sources.list'))
  for (const file of files) {
    if (file.endsWith('.sources')) sources.push(...parseDeb822(readIfThere(file)))
    else if (file.endsWith('.list')) sources.push(...parseSourcesList(readIfThere(file)))
  }
  return pickDebianMirror(sources.map(followMirrorFile), osRelease().get('VERSION_CODENAME') ?? '')
}

/** Cloud images name a file that lists the mirrors (`mirror+file:…`); debootstrap wants the mirror itself. */
function followMirrorFile(source: AptSource): AptSource {
  const file = /^mirror\+file:(?:\/\/)?(\/.*)$/.exec(source.uri)?.[1]
  if (file === undefined) return source
  const uri = readIfThere(file)
    .split('\n')
    .map((line) => line.trim().split(/\s+/)[0] ?? '')
    .find((line) => line !== '' && !line.startsWith('#'))
  return uri === undefined ? source : { ...source, uri }
}

/** Settings such as a proxy that this machine's apt needs to reach its mirror, as apt.conf lines. */
export async function aptAccessSettings(): Promise<string> {
  const dump = await run(['apt-config', 'dump'])
  return dump.stdout
    .split('\n')
    .filter((line) => /^Acquire::https?::(Proxy|Verify|CaInfo)/i.test(line) && !/"";$/.test(line))
    .join('\n')
}

/** apt has a single lock, and does not wait for it. */
const installLock = join(tmpdir(), 'patchcord-apt.lock')

/**
 * Makes sure that a command is on PATH, installing its Debian package when this process may.
 * Installs run one after another, those of other processes too.
 * @throws Error that says what to install when this process may not.
 */
export async function ensureCommand(command: string, packageName: string = command): Promise<void> {
  if (isThere(command)) return
  if (!isRoot() || !isDebianLike()) {
    throw new Error(
      `${command} is missing; install it (Debian: apt-get install ${packageName}) or run as root on Debian`,
    )
  }
  await withFileLock(installLock, async () => {
    if (!isThere(command)) await installPackage(packageName)
  })
}

async function installPackage(name: string): Promise<void> {
  const install = ['apt-get', 'install', '-y', '-qq', '--no-install-recommends', name]
  const env = { DEBIAN_FRONTEND: 'noninteractive' }
  if ((await run(install, { env })).exitCode === 0) return
  await run(['apt-get', 'update', '-qq'], { env })
  await mustRun(install, { env })
}

/** sbin is looked into as well: a root shell made by `su` lacks it, and debootstrap and asterisk live there. */
export function findCommand(command: string): string | null {
  return Bun.which(command, { PATH: `${process.env.PATH ?? ''}:/usr/sbin:/sbin` })
}

function isThere(command: string): boolean {
  return findCommand(command) !== null
}

export function readIfThere(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return ''
  }
}

export function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder).sort()
  } catch {
    return []
  }
}
