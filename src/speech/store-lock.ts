import { closeSync, openSync } from 'node:fs'
import type { Clock, Milliseconds } from '#base/clock.ts'
import { tryLockFile } from './libc.ts'

const pollMs: Milliseconds = 250

/**
 * One process at a time changes a model store. The lock is the kernel's, on an open file: it ends with its holder, so
 * nothing stale is ever left behind. On a system without flock(2) two processes may fetch the same file twice, which
 * costs time only: each writes to names of its own.
 *
 * Waits as long as the holder lives; `onWait` is called once if there is a wait. Throws when the file can't be opened.
 */
export async function lockStore(path: string, clock: Clock, onWait: () => void): Promise<Disposable> {
  const fd = openSync(path, 'a', 0o644)
  try {
    for (let waited = false; tryLockFile(fd) === 'held'; waited = true) {
      if (!waited) onWait()
      await clock.sleep(pollMs)
    }
  } catch (thrown) {
    closeSync(fd)
    throw thrown
  }
  return { [Symbol.dispose]: () => closeSync(fd) }
}
