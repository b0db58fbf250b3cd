import {
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { systemRandom } from '#base/random.ts'

/**
 * A place on the disk for a shared library that lies inside our executable, since the system opens libraries by path
 * only. What is opened there runs as our code. So the cache serves only where nobody else can have put anything: the
 * folder, each folder above it and the file belong to this user or to root and are closed to others; and the file must
 * be the embedded one, byte for byte (to read and compare 45 MB takes 20 to 50 ms, once a worker). In all other cases
 * the library goes into a fresh private folder.
 */
export interface PlacedLibrary {
  readonly path: string
  /** In a private folder: to be removed, with its folder, as soon as the library is open. */
  readonly temporary: boolean
}

/** @param uid who we are; other than by tests left to the system. Throws when nothing can be written anywhere. */
export function placeLibrary(bytes: Uint8Array, cacheFolder: string, uid = process.getuid?.() ?? 0): PlacedLibrary {
  const cached = inCache(bytes, cacheFolder, uid)
  if (cached !== null) return { path: cached, temporary: false }
  // A folder with a name nobody can guess, for this user only.
  const path = join(mkdtempSync(join(tmpdir(), 'patchcord-')), 'libonnxruntime.so.1')
  writeFileSync(path, bytes, { mode: 0o700 })
  return { path, temporary: true }
}

/**
 * The same file for every start and every worker, named for its content so that two engine versions don't meet.
 * @returns null when there is no cache folder that is ours alone and can be written
 */
function inCache(bytes: Uint8Array, cacheFolder: string, uid: number): string | null {
  try {
    mkdirSync(cacheFolder, { recursive: true, mode: 0o700 })
    const folder = realpathSync(cacheFolder)
    if (!isFolderOurs(folder, uid)) return null
    const path = join(folder, `libonnxruntime-${Bun.hash(bytes).toString(16)}.so.1`)
    if (isFileOurs(path, uid) && readFileSync(path).equals(bytes)) return path
    const temporary = `${path}.${systemRandom.uuid()}`
    try {
      writeFileSync(temporary, bytes, { mode: 0o700, flush: true })
      renameSync(temporary, path)
    } catch (thrown) {
      rmSync(temporary, { force: true })
      throw thrown
    }
    return path
  } catch {
    return null
  }
}

const writableByOthers = 0o022
const sticky = 0o1000

/** Whoever can write a folder above can put another in this one's place, save in a sticky one such as /tmp. */
function isFolderOurs(folder: string, uid: number): boolean {
  const { mode, uid: owner } = lstatSync(folder)
  if ((mode & writableByOthers) !== 0 || !isTrusted(owner, uid)) return false
  for (let above = dirname(folder); ; above = dirname(above)) {
    const { mode, uid: owner } = lstatSync(above)
    if (!isTrusted(owner, uid) || ((mode & writableByOthers) !== 0 && (mode & sticky) === 0)) return false
    if (above === dirname(above)) return true
  }
}

function isFileOurs(path: string, uid: number): boolean {
  const file = lstatSync(path, { throwIfNoEntry: false })
  return file?.isFile() === true && isTrusted(file.uid, uid) && (file.mode & writableByOthers) === 0
}

function isTrusted(owner: number, uid: number): boolean {
  return owner === uid || owner === 0
}
