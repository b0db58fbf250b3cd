import { createHash } from 'node:crypto'
import { type FSWatcher, readFileSync, statSync, watch } from 'node:fs'
import { readFile, stat } from 'node:fs/promises'
import { dirname } from 'node:path'
import type { Clock, Milliseconds } from '#base/clock.ts'
import { type Log, silentLog } from '#base/log.ts'

/**
 * Notices that a file says something else. Watched is its folder and not the file itself: editors write a new file and
 * rename it over the old one, and Kubernetes swaps a symbolic link (`..data`) beside it. What the folder does not tell (a
 * link into another folder, a network drive) is found by looking every two seconds. A file that is still being written is
 * left alone until it has stood still for a moment, and one that was touched but says the same is no news.
 */
export interface FileWatchOptions {
  readonly path: string
  readonly clock: Clock
  /** The file says something else than when it was last looked at. */
  readonly changed: () => void
}

const pollMs: Milliseconds = 2000
const settleMs: Milliseconds = 150

export class FileWatch {
  private readonly options: FileWatchOptions
  /** Which file it is and when it was written last; empty where there is none. Links are followed. */
  private signature: string
  private hash: string
  private watcher: FSWatcher | null = null
  private poll: Disposable | null = null
  private settling: Disposable | null = null
  private log: Log = silentLog
  private closed = false

  /** Remembers what the file says now: what is read after this, and changed before `start`, is noticed. */
  constructor(options: FileWatchOptions) {
    this.options = options
    try {
      const facts = statSync(options.path, { bigint: true })
      this.signature = signatureOf(facts)
      this.hash = facts.isFile() ? hashOf(readFileSync(options.path)) : unreadable
    } catch {
      this.signature = ''
      this.hash = ''
    }
  }

  start(log: Log): void {
    this.log = log
    const { path, clock } = this.options
    this.poll = clock.every(pollMs, () => void this.look())
    try {
      this.watcher = watch(dirname(path), () => void this.look())
      // Looking goes on without it.
      this.watcher.on('error', () => this.watcher?.close())
    } catch {
      this.watcher = null
    }
    void this.look()
  }

  /** Never rejects. Resolves when it is known whether the file has been touched; if so, it is read when it stands still. */
  async look(): Promise<void> {
    const signature = await this.currentSignature()
    if (this.closed || signature === this.signature) return
    this.signature = signature
    this.settling?.[Symbol.dispose]()
    this.settling = this.options.clock.after(settleMs, () => void this.read())
  }

  close(): void {
    this.closed = true
    this.watcher?.close()
    this.poll?.[Symbol.dispose]()
    this.settling?.[Symbol.dispose]()
  }

  private async read(): Promise<void> {
    const { path, changed } = this.options
    const before = this.signature
    if (before === '') {
      this.log.warn('the configuration file is gone: what is in force stays in force', { file: path })
      return
    }
    // One that may not be read is news too: whoever is told of it says why.
    const hash = await hashAt(path)
    if (this.closed) return
    if ((await this.currentSignature()) !== before) return this.look()
    if (this.closed || hash === this.hash) return
    this.hash = hash
    if (hash === hashOf(new Uint8Array(0))) {
      // Somebody is writing it, or their disk is full: whoever means it asks for a reload.
      this.log.warn('the configuration file is empty: what is in force stays in force', { file: path })
      return
    }
    changed()
  }

  private async currentSignature(): Promise<string> {
    return await stat(this.options.path, { bigint: true }).then(signatureOf, () => '')
  }
}

const unreadable = 'unreadable'

/** A pipe is not read: it would wait for whoever writes into it. */
async function hashAt(path: string): Promise<string> {
  try {
    return (await stat(path)).isFile() ? hashOf(await readFile(path)) : unreadable
  } catch {
    return unreadable
  }
}

interface FileFacts {
  readonly dev: bigint
  readonly ino: bigint
  readonly size: bigint
  readonly mtimeNs: bigint
  readonly ctimeNs: bigint
}

function signatureOf({ dev, ino, size, mtimeNs, ctimeNs }: FileFacts): string {
  return [dev, ino, size, mtimeNs, ctimeNs].join(':')
}

function hashOf(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex')
}
