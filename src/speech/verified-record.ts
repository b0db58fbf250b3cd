import { readFileSync, renameSync, statSync, writeFileSync } from 'node:fs'
import { sha256Of } from './verified-file.ts'

interface Seen {
  readonly bytes: number
  readonly mtimeMs: number
  readonly sha256: string
}

/**
 * Remembers which files of the store were hashed, by size and time of change, so that a look at 250 MB of models takes
 * milliseconds. It only saves time: without it, or with a damaged one, everything is hashed again.
 */
export class VerifiedRecord {
  private readonly path: string
  private readonly seen: Record<string, Seen>
  private changed = false

  constructor(path: string) {
    this.path = path
    this.seen = readSeen(path)
  }

  /** @param anew hash even when the record knows the file */
  async check(
    name: string,
    path: string,
    expected: { readonly bytes: number; readonly sha256: string },
    anew: boolean,
  ): Promise<'present' | 'missing' | 'wrong'> {
    const stat = statSync(path, { throwIfNoEntry: false })
    if (stat === undefined) return 'missing'
    if (!stat.isFile() || stat.size !== expected.bytes) return 'wrong'
    const known = this.seen[name]
    const same = known !== undefined && known.bytes === stat.size && known.mtimeMs === stat.mtimeMs
    const sha256 = same && !anew ? known.sha256 : await sha256Of(path)
    if (!same || known.sha256 !== sha256) {
      this.seen[name] = { bytes: stat.size, mtimeMs: stat.mtimeMs, sha256 }
      this.changed = true
    }
    return sha256 === expected.sha256 ? 'present' : 'wrong'
  }

  /** Best effort: a store on a read-only file system works, it is only slower to check. */
  save(): void {
    if (!this.changed) return
    try {
      const temporary = `${this.path}.${process.pid}`
      writeFileSync(temporary, JSON.stringify(this.seen))
      renameSync(temporary, this.path)
      this.changed = false
    } catch {
      // The next check hashes again.
    }
  }
}

function readSeen(path: string): Record<string, Seen> {
  try {
    const value: unknown = JSON.parse(readFileSync(path, 'utf8'))
    return typeof value === 'object' && value !== null ? (value as Record<string, Seen>) : {}
  } catch {
    return {}
  }
}
