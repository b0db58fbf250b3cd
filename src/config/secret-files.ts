import { readFile, stat } from 'node:fs/promises'
import type { Clock, Milliseconds } from '#base/clock.ts'
import { failed, type Result } from '#base/result.ts'
import { type Environment, type ReadSecret, secretOfFile, secretPlace, unreadable } from './secrets.ts'

/**
 * Secrets in files, read without waiting for ever: the disk of one may be a network's and hang. What is asked for is noted
 * first, then fetched, all at once, and asked for again: only who loads a configuration finds out which ones it needs.
 */
export interface SecretFilesDeps {
  readonly env: Environment
  readonly clock: Clock
  readonly readText?: ReadText
}

/** Null where it is no regular file: opening a pipe waits for whoever writes into it. */
export type ReadText = (path: string) => Promise<string | null>

/** Longer than a child of idle priority is waited for, which may get no core meanwhile; shorter than the one after it. */
const answerMaxMs: Milliseconds = 5000

export class SecretFiles {
  private readonly deps: SecretFilesDeps
  // keyed by: name of the variable
  private readonly known = new Map<string, Result<string, string>>()
  // keyed by: the same
  private readonly wanted = new Set<string>()
  private readonly hung: string[] = []

  constructor(deps: SecretFilesDeps) {
    this.deps = deps
  }

  /** Why those could not be read that have not answered, each with its variable and its file. */
  get unanswered(): readonly string[] {
    return this.hung
  }

  /** What a file holds is a failure until it has been fetched. */
  readonly read: ReadSecret = (name) => {
    const place = secretPlace(name, this.deps.env)
    if (place.kind === 'told') return place.secret
    const known = this.known.get(name)
    if (known !== undefined) return known
    this.wanted.add(name)
    return failed(`the file that ${name}_FILE names has not been read yet`)
  }

  /** Never rejects. False: nothing was asked for that is not known. */
  async fetch(): Promise<boolean> {
    const names = [...this.wanted]
    this.wanted.clear()
    await Promise.all(names.map(async (name) => this.known.set(name, await this.secretOf(name))))
    return names.length > 0
  }

  private async secretOf(name: string): Promise<Result<string, string>> {
    const { env, clock, readText = readRegularFile } = this.deps
    const file = env[`${name}_FILE`] ?? ''
    const { promise, resolve } = Promise.withResolvers<Result<string, string>>()
    using _limit = clock.after(answerMaxMs, () => {
      const seconds = answerMaxMs / 1000
      const why = `the file that ${name}_FILE names (${file}) has not been read within ${seconds} seconds. Is its disk there?`
      this.hung.push(why)
      resolve(failed(why))
    })
    readText(file).then(
      (content) => resolve(secretOfFile(name, content)),
      (thrown: unknown) => resolve(unreadable(name, thrown)),
    )
    return await promise
  }
}

async function readRegularFile(path: string): Promise<string | null> {
  return (await stat(path)).isFile() ? await readFile(path, 'utf8') : null
}
