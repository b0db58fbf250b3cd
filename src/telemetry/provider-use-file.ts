import { readFileSync } from 'node:fs'
import { mkdir, rename, writeFile } from 'node:fs/promises'
import { dirname } from 'node:path'
import type { Log } from '#base/log.ts'
import { messageOf } from '#base/result.ts'
import type { UseOfDay } from '#call/provider-use.ts'

/**
 * Keeps what providers were used for today over restarts: one line of JSON, `{"day":"2026-01-31","used_ms":{"deepgram":
 * 61000}}`, written to a file beside it and renamed over it, so that nobody ever reads half of it. A process that is
 * killed loses what came since the last time it was saved. A disk that fails costs the memory of a day, and no call.
 */
export class ProviderUseFile {
  private readonly path: string
  private readonly log: Log
  private savedText = ''
  private saving: Promise<void> = Promise.resolve()
  private failures = 0

  constructor(path: string, log: Log) {
    this.path = path
    this.log = log
  }

  /** Null where there is none, or where it makes no sense: that is said, and the day is begun anew. At a start only. */
  read(): UseOfDay | null {
    let text: string
    try {
      text = readFileSync(this.path, 'utf8')
    } catch (thrown) {
      if ((thrown as NodeJS.ErrnoException).code !== 'ENOENT') this.warn(messageOf(thrown))
      return null
    }
    const use = parseUse(text)
    if (use === null) this.warn('its content makes no sense')
    else this.savedText = text
    return use
  }

  /** Writes it where it has changed. Resolves when it is on the disk, or has failed to get there; never rejects. */
  save(use: UseOfDay): Promise<void> {
    this.saving = this.saving.then(() => this.write(formatUse(use)))
    return this.saving
  }

  private async write(text: string): Promise<void> {
    if (text === this.savedText) return
    const draft = `${this.path}.new`
    try {
      await mkdir(dirname(this.path), { recursive: true })
      await writeFile(draft, text, { mode: 0o600 })
      await rename(draft, this.path)
      this.savedText = text
    } catch (thrown) {
      this.failures += 1
      if (this.failures > 1) return
      this.log.error('the minutes of providers cannot be kept', { file: this.path, why: messageOf(thrown) })
    }
  }

  private warn(why: string): void {
    this.log.warn('the minutes of providers are counted anew from now on', { file: this.path, why })
  }
}

function formatUse({ day, usedMs }: UseOfDay): string {
  const whole = Object.entries(usedMs).map(([provider, ms]) => [provider, Math.round(ms)])
  return `${JSON.stringify({ day, used_ms: Object.fromEntries(whole) })}\n`
}

/** Null where it is something else. */
function parseUse(text: string): UseOfDay | null {
  let read: unknown
  try {
    read = JSON.parse(text)
  } catch {
    return null
  }
  const { day, used_ms: usedMs } = (read ?? {}) as { readonly day?: unknown; readonly used_ms?: unknown }
  if (typeof day !== 'string' || !/^\d{4}-\d{2}-\d{2}$/.test(day)) return null
  if (typeof usedMs !== 'object' || usedMs === null || Array.isArray(usedMs)) return null
  const isDuration = (value: unknown) => typeof value === 'number' && Number.isFinite(value) && value >= 0
  return Object.values(usedMs).every(isDuration) ? { day, usedMs: usedMs as Record<string, number> } : null
}
