import { rename, stat } from 'node:fs/promises'
import { appendLines } from './line-file.ts'

/** At so many bytes the file is renamed to `….1`, which replaces the older one: 40 MB on disk at most. */
const bytesMax = 20_000_000
/** Characters that may wait for a slow disk; beyond, lines are dropped and counted in the next line written. */
const waitingMax = 1_000_000

/** A log that lies in a file, written in lots and off the audio path. A disk that fails costs lines, not calls. */
export class LogFile {
  dropped = 0
  /** Of those, which a line in the file tells of. */
  private noted = 0
  private readonly path: string
  private waiting = ''
  private bytes: number | null = null
  private writing: Promise<void> | null = null

  constructor(path: string) {
    this.path = path
  }

  append(line: string): void {
    if (this.waiting.length > waitingMax) {
      this.dropped += 1
      return
    }
    this.waiting += `${line}\n`
    this.writing ??= this.write()
  }

  async flushed(): Promise<void> {
    while (this.writing !== null) await this.writing
  }

  private async write(): Promise<void> {
    // One turn of the event loop gathers what is said together.
    await Promise.resolve()
    while (this.waiting !== '') {
      const lines = this.waiting
      const lost = this.dropped - this.noted
      this.waiting = ''
      try {
        const begins = this.bytes === null
        this.bytes ??= await stat(this.path).then(
          ({ size }) => size,
          () => 0,
        )
        if (this.bytes > bytesMax) {
          await rename(this.path, `${this.path}.1`)
          this.bytes = 0
        }
        this.bytes += await appendLines(this.path, lossNote(lost) + lines, begins)
        this.noted += lost
      } catch {
        this.dropped += lines.split('\n').length - 1
        this.bytes = null
      }
    }
    this.writing = null
  }
}

/** A line that says how many are missing before the next. */
function lossNote(lines: number): string {
  return lines === 0 ? '' : `${JSON.stringify({ level: 'warn', message: 'log lines lost', lines })}\n`
}
