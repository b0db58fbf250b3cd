// A Debian sid in a folder, holding Asterisk. Bookworm and its neighbours carry no asterisk package, sid does.
//
// Every command gets a mount namespace of its own (`unshare --mount`): /proc, /dev and the instance's folder are
// mounted there and vanish with the command. So nothing is ever left to unmount, two users of the root can't pull
// a mount away from each other, and throwing a half-made root away can't reach into the machine's /dev.

import { existsSync, mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { withFileLock } from './file-lock.ts'
import {
  aptAccessSettings,
  type CommandResult,
  debianMirror,
  ensureCommand,
  findCommand,
  mustRun,
  run,
} from './host.ts'

const SUITE = 'sid'
/** Raise it when the list below changes: an older root is then made anew. */
const RECIPE = 1
const PACKAGES = [
  'asterisk',
  'asterisk-modules',
  'asterisk-core-sounds-en',
  'asterisk-core-sounds-en-wav',
  'pocketsphinx-testdata',
]
const MARKER = 'patchcord-root.json'
const DPKG_FORMAT = '${Package} ${db:Status-Status}\n'
/** Where an instance's folder appears inside; short, because a socket's path may hold 107 characters only. */
export const INSTANCE_MOUNT = '/instance'

const ENTER = `
set -e
root=$1; mounts=$2; shift 2
mount -t proc proc "$root/proc"
mount --rbind /dev "$root/dev"
while [ "$mounts" -gt 0 ]; do
  mkdir -p "$root$2"
  mount --bind "$1" "$root$2"
  shift 2; mounts=$((mounts - 1))
done
exec chroot "$root" "$@"
`

/** A folder of this machine that a chrooted command sees under another name. */
export interface BindMount {
  readonly from: string
  readonly to: string
}

export class Chroot {
  readonly folder: string

  constructor(folder: string) {
    this.folder = folder
  }

  get complete(): boolean {
    return existsSync(join(this.folder, MARKER))
  }

  /** argv that runs `argv` inside. Each stage replaces itself, so the process started is the command itself. */
  command(argv: readonly string[], mounts: readonly BindMount[] = []): string[] {
    return enterCommand(this.folder, argv, mounts)
  }

  /** Runs a command inside, to its end. */
  async run(argv: readonly string[], mounts: readonly BindMount[] = []): Promise<CommandResult> {
    return await run(this.command(argv, mounts), { env: INSIDE_ENVIRONMENT })
  }

  /** Installs packages of sid inside, unless they are there. Throws when apt can't. */
  async ensurePackages(names: readonly string[]): Promise<void> {
    await withFileLock(`${this.folder}.lock`, async () => {
      const query = await this.run(['dpkg-query', '-W', '-f', DPKG_FORMAT, ...names])
      const installed = new Set(query.stdout.split('\n'))
      const missing = names.filter((name) => !installed.has(`${name} installed`))
      if (missing.length > 0) await installInside(this.folder, missing)
    })
  }
}

const INSIDE_ENVIRONMENT = {
  PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
  HOME: '/root',
  LANG: 'C.UTF-8',
  TMPDIR: '/tmp',
  DEBIAN_FRONTEND: 'noninteractive',
}

/**
 * The root in `folder`, made first when it is missing, half-made or of an older recipe (about a minute, 0.7 GB).
 * Two processes that ask at once build it once.
 * @throws Error when no mirror is known, or debootstrap or apt fail.
 */
export async function provideChroot(folder: string, onProgress: (line: string) => void): Promise<Chroot> {
  const root = new Chroot(folder)
  if (await isCurrent(root)) return root
  return await withFileLock(`${folder}.lock`, async () => {
    if (await isCurrent(root)) return root
    await build(folder, onProgress)
    return root
  })
}

async function isCurrent(root: Chroot): Promise<boolean> {
  const marker = Bun.file(join(root.folder, MARKER))
  if (!(await marker.exists())) return false
  const content: unknown = await marker.json().catch(() => null)
  return typeof content === 'object' && content !== null && 'recipe' in content && content.recipe === RECIPE
}

async function build(folder: string, onProgress: (line: string) => void): Promise<void> {
  const mirror = process.env.PATCHCORD_DEBIAN_MIRROR ?? debianMirror()
  if (mirror === undefined) {
    throw new Error(
      'this machine has no Debian mirror in its apt sources; set PATCHCORD_DEBIAN_MIRROR to the address of one',
    )
  }
  await ensureCommand('debootstrap')
  const debootstrap = findCommand('debootstrap') ?? 'debootstrap'
  const building = `${folder}.building`
  await discard(building)
  await discard(folder)
  mkdirSync(dirname(folder), { recursive: true })
  onProgress(`making an Asterisk root in ${folder}: Debian ${SUITE} by debootstrap (about a minute, once)`)
  // In a namespace of its own too: debootstrap mounts proc, and a killed one would leave it mounted.
  const bootstrap = [debootstrap, '--variant=minbase', '--include=ca-certificates', SUITE, building, mirror]
  await mustRun(['unshare', '--mount', ...bootstrap], { env: INSIDE_ENVIRONMENT })
  const access = await aptAccessSettings()
  // A snapshot mirror serves release files past their date; they are signed all the same.
  const settings = ['Acquire::Check-Valid-Until "false";', access, ''].join('\n')
  writeFileSync(join(building, 'etc/apt/apt.conf.d/90-patchcord'), settings)
  // Packages want to start their daemons; 101 is "forbidden by policy", so nothing starts but what the tests start.
  writeFileSync(join(building, 'usr/sbin/policy-rc.d'), '#!/bin/sh\nexit 101\n', { mode: 0o755 })
  onProgress(`installing ${PACKAGES.join(', ')}`)
  await installInside(building, PACKAGES)
  await mustRun(enterCommand(building, ['apt-get', 'clean'], []), { env: INSIDE_ENVIRONMENT })
  mkdirSync(join(building, INSTANCE_MOUNT), { recursive: true })
  const marker = { recipe: RECIPE, suite: SUITE, packages: PACKAGES }
  writeFileSync(join(building, MARKER), `${JSON.stringify(marker)}\n`)
  // The root takes its name only when it is whole, in one step.
  renameSync(building, folder)
}

async function installInside(folder: string, packages: readonly string[]): Promise<void> {
  const inside = async (...argv: string[]) => await mustRun(enterCommand(folder, argv, []), { env: INSIDE_ENVIRONMENT })
  const install = ['apt-get', 'install', '-y', '-qq', '--no-install-recommends', ...packages]
  await inside('apt-get', 'update', '-qq')
  await inside(...install)
}

function enterCommand(folder: string, argv: readonly string[], mounts: readonly BindMount[]): string[] {
  const pairs = mounts.flatMap((mount) => [mount.from, mount.to])
  return ['unshare', '--mount', 'sh', '-c', ENTER, 'enter', folder, String(mounts.length), ...pairs, ...argv]
}

/** Removes a folder, and stops where another file system is mounted in it by someone's hand. */
async function discard(folder: string): Promise<void> {
  if (!existsSync(folder)) return
  rmSync(join(folder, MARKER), { force: true })
  await mustRun(['rm', '-rf', '--one-file-system', folder])
}
