// Where an Asterisk comes from: this machine's own, a Debian root made for it, or Docker, in this order.
// All three answer the same questions, so that nothing else in the bed knows which one it is.

import { existsSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { type BindMount, type Chroot, INSTANCE_MOUNT, provideChroot } from './chroot.ts'
import { provideDockerImage } from './docker-image.ts'
import { type CommandResult, findCommand, isDebianLike, isRoot, namesIn, run } from './host.ts'

export const OLDEST_ASTERISK = 20

export type AsteriskKind = 'path' | 'chroot' | 'docker'

/** An Asterisk that can be started. `instanceFolder` is always the folder as this process names it. */
export interface AsteriskRoot {
  readonly kind: AsteriskKind
  /** As `asterisk -V` says it: "22.10.1". */
  readonly version: string
  /** Folders of Asterisk's own files, as Asterisk names them. */
  readonly modulesFolder: string
  readonly dataFolder: string
  /** The Debian root on this machine, when there is one: more packages can be installed into it. */
  readonly chroot?: Chroot
  /** Asterisk's name for the instance folder. */
  insideFolder(instanceFolder: string): string
  /** argv that runs the server in the foreground. */
  serverCommand(instanceFolder: string, argv: readonly string[]): string[]
  /** argv that runs a console command against a running server. */
  consoleCommand(instanceFolder: string, argv: readonly string[]): string[]
}

/** Folder for things that are costly to make and safe to delete. */
export function cacheFolder(): string {
  const base = process.env.XDG_CACHE_HOME || join(homedir(), '.cache')
  return join(base, 'patchcord')
}

export interface ProvideOptions {
  /** Take this kind or fail; without it the first that can be had. */
  readonly kind?: AsteriskKind
  readonly onProgress?: (line: string) => void
}

let provided: Promise<AsteriskRoot> | undefined

/**
 * An Asterisk of version 20 or later. Making the Debian root takes about a minute, once per machine.
 * @throws Error that says what to provide when none of the three ways is open.
 */
export async function provideAsterisk(options: ProvideOptions = {}): Promise<AsteriskRoot> {
  if (options.kind !== undefined) return await find(options)
  provided ??= find(options).catch((error: unknown) => {
    provided = undefined
    throw error
  })
  return await provided
}

/**
 * Runs a command inside the Debian root, to its end; `mounts` are folders of this machine that it sees as well.
 * Throws when this machine can have no root.
 */
export async function chrootRun(argv: readonly string[], mounts: readonly BindMount[] = []): Promise<CommandResult> {
  return await (await debianRoot()).run(argv, mounts)
}

/** Installs packages of Debian sid inside the Debian root, unless they are there. Throws when there is no root. */
export async function ensurePackages(names: readonly string[]): Promise<void> {
  await (await debianRoot()).ensurePackages(names)
}

/** Whether a Debian root can be made or reused here. */
export function canChroot(): boolean {
  return isRoot() && isDebianLike() && findCommand('unshare') !== null
}

/** The Debian root, whichever Asterisk the calls go through: it carries speech and tools as well. */
export async function debianRoot(onProgress: (line: string) => void = () => {}): Promise<Chroot> {
  if (!canChroot()) throw new Error('a Debian root can only be made by root on Debian')
  return await provideChroot(join(cacheFolder(), 'asterisk-root'), onProgress)
}

async function find(options: ProvideOptions): Promise<AsteriskRoot> {
  const onProgress = options.onProgress ?? ((line: string) => console.error(`bed: ${line}`))
  const wants = (kind: AsteriskKind) => options.kind === undefined || options.kind === kind
  const refusals: string[] = []
  if (wants('path')) {
    const found = await onPath()
    if (typeof found !== 'string') return found
    refusals.push(found)
  }
  if (wants('chroot')) {
    if (canChroot()) return await inChroot(await debianRoot(onProgress))
    refusals.push('not root on Debian, so no Debian root can be made')
  }
  if (wants('docker')) {
    const found = await inDocker(onProgress)
    if (typeof found !== 'string') return found
    refusals.push(found)
  }
  throw new Error(
    `no Asterisk for the tests: ${refusals.join('; ')}. Provide one of: an \`asterisk\` of version ` +
      `${OLDEST_ASTERISK} or later on PATH; root on Debian; a Docker engine that \`docker info\` reaches.`,
  )
}

async function onPath(): Promise<AsteriskRoot | string> {
  const program = findCommand('asterisk')
  if (program === null) return 'no `asterisk` on PATH'
  const version = parseVersion((await run([program, '-V'])).stdout)
  if (Number.parseInt(version, 10) < OLDEST_ASTERISK) return `asterisk ${version} on PATH is too old`
  const modulesFolder = findModules('')
  if (modulesFolder === undefined) return `asterisk ${version} is on PATH, but its modules were not found`
  const withProgram = (argv: readonly string[]) => [program, ...argv.slice(1)]
  return {
    kind: 'path',
    version,
    modulesFolder,
    dataFolder: findData(''),
    insideFolder: (instanceFolder) => instanceFolder,
    serverCommand: (_, argv) => withProgram(argv),
    consoleCommand: (_, argv) => withProgram(argv),
  }
}

async function inChroot(chroot: Chroot): Promise<AsteriskRoot> {
  const version = parseVersion((await chroot.run(['asterisk', '-V'])).stdout)
  const modulesFolder = findModules(chroot.folder)
  if (modulesFolder === undefined) throw new Error(`no Asterisk modules in ${chroot.folder}; delete it and try again`)
  const command = (instanceFolder: string, argv: readonly string[]) =>
    chroot.command(argv, [{ from: instanceFolder, to: INSTANCE_MOUNT }])
  return {
    kind: 'chroot',
    version,
    modulesFolder,
    dataFolder: findData(chroot.folder),
    chroot,
    insideFolder: () => INSTANCE_MOUNT,
    serverCommand: command,
    consoleCommand: command,
  }
}

async function inDocker(onProgress: (line: string) => void): Promise<AsteriskRoot | string> {
  const image = await provideDockerImage(onProgress)
  if ('refusal' in image) return image.refusal
  return {
    kind: 'docker',
    version: parseVersion(image.versionText),
    modulesFolder: image.modulesFolder,
    dataFolder: '/usr/share/asterisk',
    insideFolder: () => INSTANCE_MOUNT,
    serverCommand: (instanceFolder, argv) => image.serverCommand(instanceFolder, INSTANCE_MOUNT, argv),
    consoleCommand: (instanceFolder, argv) => image.consoleCommand(instanceFolder, argv),
  }
}

/** "Asterisk 22.10.1+dfsg+~cs6.17" → "22.10.1". Empty when the text says no version. */
export function parseVersion(text: string): string {
  return /(\d+\.\d+\.\d+)/.exec(text)?.[1] ?? ''
}

/** Debian names the processor's architecture in the folder, other systems don't. */
function findModules(root: string): string | undefined {
  const architectures = namesIn(`${root}/usr/lib`).map((name) => `/usr/lib/${name}/asterisk/modules`)
  const usual = ['/usr/lib/asterisk/modules', '/usr/lib64/asterisk/modules', '/usr/local/lib/asterisk/modules']
  return [...architectures, ...usual].find((folder) => existsSync(`${root}${folder}/app_stasis.so`))
}

function findData(root: string): string {
  const usual = ['/usr/share/asterisk', '/var/lib/asterisk', '/usr/local/share/asterisk']
  return usual.find((folder) => existsSync(`${root}${folder}/sounds`)) ?? '/var/lib/asterisk'
}
