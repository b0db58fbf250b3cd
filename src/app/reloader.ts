import type { Clock, Milliseconds } from '#base/clock.ts'
import type { Log } from '#base/log.ts'
import { failed, messageOf, ok, type Result } from '#base/result.ts'
import { type Change, changesBetween } from '#config/changes.ts'
import type { LastChange, ReloadAnswer, ReloadTrigger } from '#config/reload.ts'
import { configurationSchema } from '#config/schema.ts'
import { vendorSchemas } from '#providers/schemas.ts'
import type { Generation, LoadedConfiguration } from './generation.ts'
import { changedSecrets } from './secret-changes.ts'

/**
 * From a file that may have changed to a generation in force, or to a refusal that leaves everything as it was: read,
 * check, compare, refuse what only a start can bring, make the next generation beside the present one, wait until it
 * could serve a call, swap. One at a time; what is asked for meanwhile is one more, and all who asked get its answer.
 *
 * Nobody has to wait out a file that is no longer there: where one is asked for during the wait, the file is read again,
 * and what it does not say any more is given up. Where it says the same, as after a switch of the provider that the watch
 * of the file has noticed, too, the wait goes on.
 */

/** A configuration that was read, and what is odd about it, as lines. */
export interface ReadConfiguration {
  readonly loaded: LoadedConfiguration
  readonly warnings: readonly string[]
}

/** Reads and checks it anew, without holding up the audio of calls. Fails with the lines that `patchcord check` would print. */
export type ReadAnew = () => Promise<Result<ReadConfiguration, readonly string[]>>

export interface ReloaderDeps {
  /** Null: this engine was given its configuration by hand. */
  readonly read: ReadAnew | null
  readonly current: () => Generation
  /** The next one, beside the present: nothing of it is in force. */
  readonly build: (loaded: LoadedConfiguration) => Promise<Generation>
  /** It is in force from now on, for calls that begin. */
  readonly swap: (next: Generation) => void
  readonly clock: Clock
  readonly log: Log
}

/** Loading models from a cold disk takes some seconds, a vendor's answer less. */
const readyMaxMs: Milliseconds = 30_000
/** For models that calls can do without, and which may not be there at all. */
const modelsMaxMs: Milliseconds = 5000
const pollMs: Milliseconds = 50

export class Reloader {
  /** How often each outcome was the answer. */
  readonly counts: Record<ReloadAnswer['outcome'], number> = { changed: 0, unchanged: 0, refused: 0 }
  private readonly deps: ReloaderDeps
  private readonly stop = new AbortController()
  private running: Promise<ReloadAnswer> | null = null
  private next: Promise<ReloadAnswer> | null = null
  /** How often it was asked for. */
  private asked = 0
  private last: LastChange | null = null

  constructor(deps: ReloaderDeps) {
    this.deps = deps
  }

  /** Never rejects. */
  reload(trigger: ReloadTrigger): Promise<ReloadAnswer> {
    this.asked += 1
    // The next one is due as soon as the one before has answered: who comes in between joins it.
    if (this.next !== null) return this.next
    if (this.running === null) return this.begin(trigger)
    this.next = this.running.then(() => {
      this.next = null
      return this.begin(trigger)
    })
    return this.next
  }

  /** Refuses what is asked for from now on; resolves when nothing is under way. */
  async close(): Promise<void> {
    this.stop.abort()
    while (this.running !== null || this.next !== null) await (this.next ?? this.running)
  }

  private begin(trigger: ReloadTrigger): Promise<ReloadAnswer> {
    const running = this.attempt()
      .catch(
        (thrown: unknown): ReloadAnswer => ({
          outcome: 'refused',
          problems: [faultOf(thrown)],
        }),
      )
      .then((answer) => {
        this.running = null
        this.counts[answer.outcome] += 1
        if (answer.outcome === 'changed') {
          this.last = { wallMs: this.deps.clock.wallNow(), trigger, changes: answer.changes }
        }
        this.say(trigger, answer)
        return answer
      })
    this.running = running
    return running
  }

  private async attempt(): Promise<ReloadAnswer> {
    const { read, current, build, swap } = this.deps
    if (this.stop.signal.aborted) return refused('the engine is stopping')
    if (read === null) return refused('this engine was started without a configuration file: there is none to read')
    const asked = this.asked
    const found = await read()
    if (this.stop.signal.aborted) return refused('the engine is stopping')
    if (!found.ok) return { outcome: 'refused', problems: found.error }
    const { loaded, warnings } = found.value
    const before = current()
    const changes = allChanges(before.loaded, loaded)
    if (changes.length === 0) return { outcome: 'unchanged', warnings, last: this.last }
    const atStart = changes.filter(({ restart }) => restart)
    if (atStart.length > 0)
      return refused(
        ...atStart.map(
          ({ key }) => `${key}: takes effect only at a restart of the engine. Restart it, or take the change back.`,
        ),
      )
    const next = await build(loaded)
    const ready = await this.untilServing(next, before, read, asked).catch((thrown: unknown) => failed(faultOf(thrown)))
    if (!ready.ok) {
      next.retire()
      return refused(ready.error)
    }
    swap(next)
    before.retire()
    return { outcome: 'changed', changes, warnings }
  }

  /** Begins to load what it lacks. Where calls are not served now, nothing can be lost by a swap, and there is nothing to wait for. */
  private async untilServing(
    next: Generation,
    before: Generation,
    read: ReadAnew,
    asked: number,
  ): Promise<Result<void, string>> {
    const { clock } = this.deps
    const { signal } = this.stop
    next.start()
    const begunMs = clock.now()
    let looked = asked
    let isOutdated = false
    const until = async (isReady: () => boolean, limitMs: Milliseconds) => {
      while (!isReady() && !isOutdated && !signal.aborted && clock.now() - begunMs < limitMs) {
        if (looked === this.asked) await clock.sleep(pollMs, signal)
        else {
          looked = this.asked
          isOutdated = await saysOtherThan(next.loaded, read)
        }
      }
    }
    await until(() => next.readiness().ready || !before.readiness().ready, readyMaxMs)
    await until(() => next.agentsReady || !before.agentsReady, modelsMaxMs)
    await until(() => next.modelsReady || !before.modelsReady, modelsMaxMs)
    if (signal.aborted) return failed('the engine is stopping')
    if (isOutdated) return failed('the file has changed again while this waited to become ready: it is read anew')
    const state = next.readiness()
    if (state.ready || !before.readiness().ready) return ok(undefined)
    return failed(`calls could not be served with it, ${readyMaxMs / 1000} seconds were waited for: ${state.reason}`)
  }

  private say(trigger: ReloadTrigger, answer: ReloadAnswer): void {
    const { log } = this.deps
    switch (answer.outcome) {
      case 'changed':
        for (const { key, from, to } of answer.changes) log.info('configuration changed', { key, from, to })
        return log.info('configuration reloaded', { trigger, changes: answer.changes.length })
      case 'unchanged':
        return log.info('configuration read anew: nothing changed', { trigger })
      case 'refused':
        for (const why of answer.problems) log.warn('configuration refused', { why })
        return log.warn('the configuration before stays in force', { trigger, problems: answer.problems.length })
    }
  }
}

export const schema = configurationSchema(vendorSchemas)

/** Of keys, and of the secrets that keys name. */
export function allChanges(before: LoadedConfiguration, after: LoadedConfiguration): Change[] {
  const comparable = ({ configuration, fromEnvironment = [] }: LoadedConfiguration) => ({
    configuration,
    fromEnvironment,
  })
  return [
    ...changesBetween(comparable(before), comparable(after), schema),
    ...changedSecrets(before.secrets, after.secrets),
  ]
}

/** The file as it is now: another configuration, or none. */
async function saysOtherThan(loaded: LoadedConfiguration, read: ReadAnew): Promise<boolean> {
  const found = await read()
  return !found.ok || allChanges(loaded, found.value.loaded).length > 0
}

function faultOf(thrown: unknown): string {
  return `a fault of the engine: ${messageOf(thrown)}`
}

function refused(...problems: string[]): ReloadAnswer {
  return { outcome: 'refused', problems }
}
