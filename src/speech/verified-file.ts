import { closeSync, existsSync, fsyncSync, openSync, readFileSync, renameSync, rmSync, writeSync } from 'node:fs'
import { dirname } from 'node:path'
import { failed, messageOf, ok, type Result } from '#base/result.ts'

/** Why a model, or one file of it, can't be had. `message` names the model, the source and the cure. */
export interface ModelFailure {
  readonly code: 'unreachable' | 'cut_short' | 'wrong_content' | 'disk_full' | 'not_found' | 'no_client' | 'failed'
  readonly message: string
}

/** Tells a full disk, which no other source can cure, from every other fault. */
export function failureOf(thrown: unknown): ModelFailure {
  const message = messageOf(thrown)
  const code = (thrown as { readonly code?: unknown } | null)?.code
  const full = code === 'ENOSPC' || code === 'EDQUOT' || /no space left|disk quota exceeded/i.test(message)
  return full ? { code: 'disk_full', message: 'the disk is full' } : { code: 'failed', message }
}

/**
 * A file that appears under its own name only when it is whole and right: bytes go to a temporary name on the same
 * file system while they are hashed, then fsync, compare, rename. A crash, a full disk or a wrong byte at any point
 * leaves the final name as it was.
 */
export class VerifiedFile {
  private readonly temporary: string
  private readonly hash = new Bun.CryptoHasher('sha256')
  private readonly fd: number
  private bytes = 0
  private open = true

  /**
   * @param resume go on after the bytes that an earlier, interrupted try left there
   * Throws what `open` throws: the caller turns it into a failure.
   */
  constructor(temporary: string, resume = false) {
    this.temporary = temporary
    if (resume && existsSync(temporary)) {
      const earlier = readFileSync(temporary)
      this.hash.update(earlier)
      this.bytes = earlier.byteLength
    }
    this.fd = openSync(temporary, this.bytes > 0 ? 'a' : 'w', 0o644)
  }

  get bytesWritten(): number {
    return this.bytes
  }

  /** Throws ENOSPC and its kin. */
  write(chunk: Uint8Array): void {
    let offset = 0
    while (offset < chunk.byteLength) offset += writeSync(this.fd, chunk, offset, chunk.byteLength - offset)
    this.hash.update(chunk)
    this.bytes += chunk.byteLength
  }

  /** Moves the file to `path` when size and SHA-256 are the expected ones; removes it when not. */
  commit(path: string, expected: { readonly bytes: number; readonly sha256: string }): Result<void, ModelFailure> {
    try {
      fsyncSync(this.fd)
      this.close()
      const sha256 = this.hash.digest('hex')
      if (this.bytes !== expected.bytes || sha256 !== expected.sha256) {
        rmSync(this.temporary, { force: true })
        const seen = `${this.bytes} bytes, sha256 ${sha256}`
        return failed({
          code: 'wrong_content',
          message: `the content is not the expected one (${seen} instead of ${expected.bytes} bytes, sha256 ${expected.sha256})`,
        })
      }
      renameSync(this.temporary, path)
      syncFolder(dirname(path))
      return ok(undefined)
    } catch (thrown) {
      this.discard()
      return failed(failureOf(thrown))
    }
  }

  /** Closes the temporary file and lets it lie, for a later try that resumes. */
  keep(): void {
    this.close()
  }

  /** Drops what was written. Idempotent. */
  discard(): void {
    this.close()
    rmSync(this.temporary, { force: true })
  }

  private close(): void {
    if (!this.open) return
    this.open = false
    closeSync(this.fd)
  }
}

/** A rename is only safe from a power cut when the folder that holds the name is written too. */
function syncFolder(path: string): void {
  const fd = openSync(path, 'r')
  try {
    fsyncSync(fd)
  } finally {
    closeSync(fd)
  }
}

/** SHA-256 of a file in pieces of 1 MiB, yielding between them so that a large file doesn't stop the event loop. */
export async function sha256Of(path: string): Promise<string> {
  const hash = new Bun.CryptoHasher('sha256')
  for await (const chunk of Bun.file(path).stream()) hash.update(chunk)
  return hash.digest('hex')
}
