import type { Readiness } from '#agent/provider.ts'
import type { Clock, Milliseconds } from '#base/clock.ts'
import type { Log } from '#base/log.ts'
import { failed, messageOf, ok, type Result } from '#base/result.ts'
import { type EditedFile, undoEdit } from '#config/file-edit.ts'
import { formatProblem } from '#config/problem.ts'
import type { ReloadAnswer } from '#config/reload.ts'
import { answeringName } from '#config/schema.ts'
import type { SwitchAnswer } from '#http/provider-api.ts'
import { type Choice, choiceKeys, choicesFor, refusalOf } from '#providers/choice.ts'
import type { ConfigurationFile } from './configuration-file.ts'
import type { Generation } from './generation.ts'
import { allChanges } from './reloader.ts'

/**
 * Gives calls to another provider, in the file: judged by what the file says now, written there, taken up by a reload.
 * What the reload refuses is taken back, so that the file never says what is not in force. One at a time.
 */
export interface ProviderSwitchDeps {
  /** Null: this engine was given its configuration by hand. */
  readonly file: ConfigurationFile | null
  readonly current: () => Generation
  /** Never rejects. */
  readonly reload: () => Promise<ReloadAnswer>
  readonly clock: Clock
  readonly log: Log
}

/** Where the present provider takes no calls either, a reload waits for nothing. */
const readyMaxMs: Milliseconds = 30_000
const pollMs: Milliseconds = 50

type Refused = Extract<SwitchAnswer, { readonly outcome: 'refused' }>

export class ProviderSwitch {
  private readonly deps: ProviderSwitchDeps
  private readonly stop = new AbortController()
  private running: Promise<SwitchAnswer> | null = null

  constructor(deps: ProviderSwitchDeps) {
    this.deps = deps
  }

  /** Never rejects. */
  to(name: string): Promise<SwitchAnswer> {
    if (this.stop.signal.aborted) return Promise.resolve(refused(422, 'the engine is stopping'))
    if (this.running !== null) {
      return Promise.resolve(refused(409, 'another switch is under way. Try again when it has ended.'))
    }
    this.running = this.attempt(name)
      .catch((thrown: unknown) => refused(422, `a fault of the engine: ${messageOf(thrown)}`))
      .then((answer) => {
        this.running = null
        this.say(answer)
        return answer
      })
    return this.running
  }

  /** Refuses what is asked for from now on; resolves when the file says what is in force. */
  async close(): Promise<void> {
    this.stop.abort()
    await this.running
  }

  private async attempt(name: string): Promise<SwitchAnswer> {
    const { file, current, reload } = this.deps
    if (file === null)
      return refused(409, 'this engine was started without a configuration file: there is none to change')
    const place = await judge(name, file)
    if (!place.ok) return place.error
    const before = current()
    const edits: EditedFile[] = []
    for (const { key, value } of place.value.choices) {
      const edit = await file.edit(place.value.path, place.value.name, key, value)
      if (!edit.ok) return await takenBack(409, edits, [edit.error])
      edits.push(edit.value)
    }
    const answer = await reload()
    if (answer.outcome === 'refused') return await takenBack(422, edits, answer.problems)
    const after = current()
    if (answeringName(after.configuration) !== name) {
      return refused(409, 'somebody else has changed the configuration meanwhile, and it names another provider.')
    }
    const readiness = await this.untilReady()
    // Whoever watches the file may have taken it up first.
    const changes = allChanges(before.loaded, after.loaded)
    return {
      outcome: changes.length === 0 ? 'unchanged' : 'changed',
      file: place.value.name,
      line: edits[0]?.line ?? 1,
      changes,
      warnings: answer.warnings,
      ready: readiness.ready,
      reason: readiness.ready ? null : readiness.reason,
    }
  }

  private async untilReady(): Promise<Readiness> {
    const { clock, current } = this.deps
    const { signal } = this.stop
    const begunMs = clock.now()
    while (!current().readiness().ready && !signal.aborted && clock.now() - begunMs < readyMaxMs) {
      await clock.sleep(pollMs, signal)
    }
    return current().readiness()
  }

  private say(answer: SwitchAnswer): void {
    const { log } = this.deps
    if (answer.outcome === 'refused') {
      for (const why of answer.problems) log.warn('switch of the provider refused', { why })
      return
    }
    log.info('provider switched', { outcome: answer.outcome, file: answer.file, line: answer.line })
  }
}

/** By the file as it is now, with the secrets of now: what is in force may be older. */
async function judge(
  name: string,
  file: ConfigurationFile,
): Promise<Result<{ readonly path: string; readonly name: string; readonly choices: readonly Choice[] }, Refused>> {
  const found = await file.examine(null)
  if (!found.ok) {
    const problems = found.error.map((each) => (typeof each === 'string' ? each : formatProblem(each)))
    return failed({ outcome: 'refused', status: 422, problems })
  }
  const { configuration, secrets, provenance } = found.value
  const why = refusalOf(name, configuration, secrets)
  if (why !== null) return failed(refused(422, why))
  const option = choiceKeys.map((key) => provenance?.commandLine[key]).find((each) => each !== undefined)
  const choices = choicesFor(name, configuration)
  if (option !== undefined) {
    const cure = `Start it without ${option}.`
    return failed(refused(409, `the engine was started with ${option}, which stands over the file. ${cure}`))
  }
  if (provenance === undefined || provenance.path === null) {
    const [{ key, value } = { key: choiceKeys[0], value: name }] = choices
    const cure = `Write a file with the line ${key}: ${value}, and start the engine with --config FILE.`
    return failed(refused(409, `the engine runs on the configuration built in: there is no file to change. ${cure}`))
  }
  return ok({ path: provenance.path, name: provenance.file, choices })
}

/** The last one first: each is undone where the file is as that edit left it. */
async function takenBack(
  status: 409 | 422,
  edits: readonly EditedFile[],
  problems: readonly string[],
): Promise<Refused> {
  const left: string[] = []
  for (const edit of edits.toReversed()) {
    const undone = await undoEdit(edit)
    if (!undone.ok) left.push(undone.error)
  }
  return refused(status, ...problems, ...left)
}

function refused(status: 409 | 422, ...problems: string[]): Refused {
  return { outcome: 'refused', status, problems }
}
