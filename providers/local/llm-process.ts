import type { Readiness } from '#agent/provider.ts'
import { Backoff } from '#base/backoff.ts'
import type { Clock } from '#base/clock.ts'
import type { Log } from '#base/log.ts'
import type { Random } from '#base/random.ts'
import { messageOf } from '#base/result.ts'
import { type Child, linesOf, type StartedChild, startChild } from '#speech/child-process.ts'
import { renderStart } from './llm-wire.ts'

/**
 * Keeps the built-in language model's child process running: starts it, learns its port, starts it anew when it dies,
 * and ends it for sure.
 */
export interface LlmProcessDependencies {
  readonly clock: Clock
  readonly random: Random
  readonly log: Log
  /** The command that becomes `runLlmChild` with these arguments: `selfCommand` of the speech layer. */
  readonly command: (args: readonly string[]) => readonly string[]
  readonly env: Readonly<Record<string, string | undefined>>
  /** The folder with `node_modules/node-llama-cpp`, and the GGUF file: absolute paths. */
  readonly runtimeFolder: string
  readonly modelFile: string
  /** What calls begin with: the child reads it in before the first one. */
  readonly prompt: string
  /** What keeps the models from being used, in plain words with the cure; null when they are there. */
  readonly missing: () => Promise<string | null>
}

/** Loading takes 0.5 to 3 s on two cores; a disk that must be read first may take longer. */
const startTimeoutMs = 60_000
/** A child that ran for so long before it died is started again without the grown pause. */
const healthyMs = 60_000
const endTimeoutMs = 1000
/** Models may be fetched while the engine runs. */
const missingCheckMs = 2000

export class LlmProcess {
  private readonly deps: LlmProcessDependencies
  private readonly log: Log
  private readonly stop = new AbortController()
  private running: Promise<void> | undefined
  private state: Readiness = { ready: false, reason: 'the built-in language model has not been started' }
  private port: number | undefined
  private child: Child | undefined

  constructor(deps: LlmProcessDependencies) {
    this.deps = deps
    this.log = deps.log.with({ part: 'llm_child' })
  }

  /** For tests and for the log; undefined while no child runs. */
  get pid(): number | undefined {
    return this.child?.pid
  }

  start(): void {
    if (this.running !== undefined || this.stop.signal.aborted) return
    this.state = { ready: false, reason: 'the built-in language model is starting' }
    this.running = this.run()
  }

  readiness(): Readiness {
    return this.state
  }

  baseUrl(): string | undefined {
    return this.port === undefined ? undefined : `http://127.0.0.1:${this.port}/v1`
  }

  async close(): Promise<void> {
    this.stop.abort()
    await this.running
    this.state = { ready: false, reason: 'the built-in language model is closed' }
  }

  private async run(): Promise<void> {
    const { clock, random } = this.deps
    const backoff = new Backoff(500, 30_000, random)
    while (!this.stop.signal.aborted) {
      // What cannot be looked at now may be readable later.
      const missing = await this.deps
        .missing()
        .catch((thrown: unknown) => `the model store can't be read: ${messageOf(thrown)}`)
      if (missing !== null) {
        this.state = { ready: false, reason: missing }
        await clock.sleep(missingCheckMs, this.stop.signal)
        continue
      }
      const began = clock.now()
      await this.runOnce()
      if (this.stop.signal.aborted) return
      if (clock.now() - began > healthyMs) backoff.reset()
      await clock.sleep(backoff.next(), this.stop.signal)
    }
  }

  /** One life of a child, from its start to its end. */
  private async runOnce(): Promise<void> {
    const { clock, env, runtimeFolder, modelFile } = this.deps
    const began = clock.now()
    const command = this.deps.command(['internal', 'llm', '--runtime', runtimeFolder, '--model', modelFile])
    let started: StartedChild
    try {
      started = startChild({ command, folder: runtimeFolder, log: this.log, env })
    } catch (thrown) {
      this.fail(`it cannot be started: ${messageOf(thrown)}`)
      return
    }
    const { child } = started
    this.child = child
    this.tell(child)
    const endOnStop = () => void this.end(child)
    this.stop.signal.addEventListener('abort', endOnStop, { once: true })
    // Also when close was called while the child was being started.
    if (this.stop.signal.aborted) endOnStop()
    using late = clock.after(startTimeoutMs, () => {
      if (this.port === undefined) child.kill('SIGKILL')
    })
    const reading = Promise.all([this.readPort(child, began, late), started.silent])
    await child.exited
    await reading
    this.stop.signal.removeEventListener('abort', endOnStop)
    this.port = undefined
    this.child = undefined
    if (!this.stop.signal.aborted)
      this.fail(`it ended (${child.signalCode ?? child.exitCode}) ${started.lastWords()}`.trim())
  }

  /** A child that is dead already shows in `exited`. */
  private tell(child: Child): void {
    child.stdin.write(`${renderStart(this.deps.prompt)}\n`)
    void Promise.resolve(child.stdin.flush()).catch(() => {})
  }

  private async readPort(child: Child, began: number, late: Disposable): Promise<void> {
    for await (const line of linesOf(child.stdout)) {
      const port = portOf(line)
      if (port === undefined || this.port !== undefined) continue
      this.port = port
      late[Symbol.dispose]()
      this.state = { ready: true }
      this.log.info('built-in language model ready', {
        pid: child.pid,
        tookMs: Math.round(this.deps.clock.now() - began),
      })
    }
  }

  private fail(reason: string): void {
    this.state = { ready: false, reason: `the built-in language model is not running: ${reason}` }
    this.log.error('built-in language model failed', { reason })
  }

  /** Its standard input ends, which it obeys; a child that hangs is killed. */
  private async end(child: Child): Promise<void> {
    await Promise.resolve(child.stdin.end()).catch(() => {})
    const ended = await Promise.race([
      child.exited.then(() => true),
      this.deps.clock.sleep(endTimeoutMs).then(() => false),
    ])
    if (!ended) child.kill('SIGKILL')
  }
}

function portOf(line: string): number | undefined {
  try {
    const value: unknown = JSON.parse(line)
    const port = typeof value === 'object' && value !== null && 'port' in value ? value.port : undefined
    return typeof port === 'number' ? port : undefined
  } catch {
    return undefined
  }
}
