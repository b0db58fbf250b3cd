// A lock between processes. The kernel drops it when its holder dies, so a killed run never blocks the next one,
// which a lock file holding a process id can't promise. Bun has no flock of its own, hence the C library's.

import { dlopen, FFIType } from 'bun:ffi'
import { closeSync, mkdirSync, openSync } from 'node:fs'
import { dirname } from 'node:path'

/** flock(2): exclusive, and don't wait. */
const LOCK_EX_NB = 2 | 4
const RETRY_MS = 200

/** Runs `work` while holding an exclusive lock on `path`. Waits for as long as another process holds it. */
export async function withFileLock<T>(path: string, work: () => Promise<T>): Promise<T> {
  mkdirSync(dirname(path), { recursive: true })
  const library = dlopen('libc.so.6', { flock: { args: [FFIType.i32, FFIType.i32], returns: FFIType.i32 } })
  const descriptor = openSync(path, 'a')
  try {
    while (library.symbols.flock(descriptor, LOCK_EX_NB) !== 0) await Bun.sleep(RETRY_MS)
    return await work()
  } finally {
    closeSync(descriptor)
    library.close()
  }
}
