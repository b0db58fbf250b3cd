import {
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { failed, ok, type Result } from '#base/result.ts'
import type { NpmTreeEntry } from './model-registry.ts'
import type { PackageFetcher } from './package-fetch.ts'
import { failureOf, type ModelFailure } from './verified-file.ts'

/**
 * A folder of npm packages in the store: `bun install --frozen-lockfile` in a temporary folder, then one rename. The
 * lockfile pins every package by its integrity hash, so what arrives is right; a manifest written beside it makes later
 * damage visible. Optional packages are left out: for llama.cpp they are 500 MB of graphics drivers' code.
 */
const manifestName = '.patchcord-tree.json'

interface Manifest {
  /** SHA-256 of package.json and lockfile: another engine version may want another tree. */
  readonly wanted: string
  /** SHA-256 over every path and content of `node_modules`. */
  readonly content: string
}

export type TreeState = 'present' | 'missing' | 'wrong'

/** @param deep read every file again instead of trusting the manifest */
export function treeState(folder: string, entry: NpmTreeEntry, deep: boolean): TreeState {
  const manifest = readManifest(folder)
  if (manifest === null) return existsSync(folder) ? 'wrong' : 'missing'
  if (manifest.wanted !== wantedHash(entry) || !existsSync(join(folder, entry.probe))) return 'wrong'
  return deep && contentHash(folder) !== manifest.content ? 'wrong' : 'present'
}

/** @param temporary a name on the same file system that nobody else uses */
export async function installTree(
  folder: string,
  temporary: string,
  entry: NpmTreeEntry,
  packages: PackageFetcher,
): Promise<Result<void, ModelFailure>> {
  try {
    mkdirSync(temporary, { recursive: true })
    writeFileSync(join(temporary, 'package.json'), entry.packageJson)
    writeFileSync(join(temporary, 'bun.lock'), entry.bunLock)
    const installed = await packages.bunInstall(temporary, ['--frozen-lockfile', '--omit=optional'])
    if (!installed.ok) return installed
    if (!existsSync(join(temporary, entry.probe)))
      return failed({ code: 'wrong_content', message: `the installed packages hold no ${entry.probe}` })
    const manifest: Manifest = { wanted: wantedHash(entry), content: contentHash(temporary) }
    writeFileSync(join(temporary, manifestName), JSON.stringify(manifest))
    rmSync(folder, { recursive: true, force: true })
    renameSync(temporary, folder)
    return ok(undefined)
  } catch (thrown) {
    return failed(failureOf(thrown))
  }
}

function wantedHash(entry: NpmTreeEntry): string {
  return new Bun.CryptoHasher('sha256').update(entry.packageJson).update(entry.bunLock).digest('hex')
}

function readManifest(folder: string): Manifest | null {
  try {
    const value: unknown = JSON.parse(readFileSync(join(folder, manifestName), 'utf8'))
    const { wanted, content } = value as Partial<Manifest>
    return typeof wanted === 'string' && typeof content === 'string' ? { wanted, content } : null
  } catch {
    return null
  }
}

/** Order-independent of the file system: names are sorted. */
function contentHash(folder: string): string {
  const hash = new Bun.CryptoHasher('sha256')
  const walk = (relative: string) => {
    for (const name of readdirSync(join(folder, relative)).sort()) {
      const path = `${relative}/${name}`
      const full = join(folder, path)
      const stat = lstatSync(full)
      if (stat.isDirectory()) walk(path)
      else
        hash.update(`${path}\0${stat.size}\0`).update(stat.isSymbolicLink() ? readlinkSync(full) : readFileSync(full))
    }
  }
  walk('node_modules')
  return hash.digest('hex')
}
