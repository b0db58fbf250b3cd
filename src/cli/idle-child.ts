import { getPriority, setPriority } from 'node:os'
import type { Clock, Milliseconds } from '#base/clock.ts'
import { failed, messageOf, ok, type Result } from '#base/result.ts'
import type { Environment } from '#config/secrets.ts'
import { runWhereIdle } from '#speech/libc.ts'

/**
 * A child process for work that would hold up the audio of calls. It answers one question after the other, each and its
 * answer one line of JSON, and takes a core only where nothing else wants it. Starting it costs more than most questions
 * do (it loads and compiles its code, and the thread that starts it stands still until the system has it): it begins with
 * the first question and is kept for a minute behind the last.
 *
 * A process of idle priority may not run at all on a machine whose cores are full. What is not answered soon is asked
 * again of a child that gets a share even there, and which is kept in its place.
 */
export interface IdleChildOptions {
  readonly command: readonly string[]
  readonly env: Environment
  readonly clock: Clock
}

type Child = Bun.Subprocess<'pipe', 'pipe', 'ignore'>
type Priority = 'idle' | 'low'

/** A start with the first question takes 0.15 s of a core's time. */
const idleMaxMs: Milliseconds = 1500
/** On a machine with a cold disk that is short of time. */
const lowMaxMs: Milliseconds = 10_000
const keptMs: Milliseconds = 60_000
const lowNice = 10
const lastNice = 19
/** Reloads are one at a time; the others are those whom the API has let in. */
const waitingMax = 16

export class IdleChild {
  private readonly options: IdleChildOptions
  private child: Child | null = null
  /** The question that it works on. */
  private heard: (line: string | null) => void = () => {}
  private last: Promise<unknown> = Promise.resolve()
  private waiting = 0
  private keeping: Disposable | null = null
  private closed = false

  constructor(options: IdleChildOptions) {
    this.options = options
  }

  /** Of the child that runs now. */
  get pid(): number | null {
    return this.child?.pid ?? null
  }

  /** In the order in which they were asked. Never rejects; fails where no child has answered in time. */
  ask<Answer>(question: object): Promise<Result<Answer, string>> {
    if (this.waiting >= waitingMax) return Promise.resolve(failed('too many questions wait for its reader'))
    this.waiting += 1
    const line = `${JSON.stringify(question)}\n`
    const answered = this.last.then(async () => {
      this.keeping?.[Symbol.dispose]()
      const answer = await this.answer<Answer>(line)
      this.waiting -= 1
      if (this.child !== null) this.keeping = this.options.clock.after(keptMs, () => this.end())
      return answer
    })
    this.last = answered
    return answered
  }

  /** What is asked for now fails. Resolves when no child is left. */
  async close(): Promise<void> {
    this.closed = true
    this.keeping?.[Symbol.dispose]()
    const { child } = this
    this.end()
    await Promise.all([child?.exited, this.last])
  }

  private async answer<Answer>(line: string): Promise<Result<Answer, string>> {
    try {
      const text = (await this.askAt('idle', line, idleMaxMs)) ?? (await this.askAt('low', line, lowMaxMs))
      if (text !== null) return ok(JSON.parse(text) as Answer)
      return failed(
        this.closed ? 'the engine is stopping' : `its reader broke, or took longer than ${lowMaxMs / 1000} seconds`,
      )
    } catch (thrown) {
      this.end()
      return failed(messageOf(thrown))
    }
  }

  /** Null where it ends or is ended before it answers. */
  private async askAt(priority: Priority, line: string, limitMs: Milliseconds): Promise<string | null> {
    if (this.closed) return null
    const child = this.child ?? this.start(priority)
    const { promise, resolve } = Promise.withResolvers<string | null>()
    this.heard = resolve
    using _limit = this.options.clock.after(limitMs, () => this.end())
    child.stdin.write(line)
    void Promise.resolve(child.stdin.flush()).catch(() => this.ended(child))
    return await promise
  }

  private start(priority: Priority): Child {
    const child = Bun.spawn([...this.options.command], {
      // Not where the engine was started: Bun would read .env and bunfig.toml there.
      cwd: '/',
      env: { ...this.options.env },
      stdin: 'pipe',
      stdout: 'pipe',
      stderr: 'ignore',
    })
    // An engine of a lower share than that may not raise its child's.
    if (priority === 'low') setPriority(child.pid, Math.max(lowNice, getPriority()))
    else if (!runWhereIdle(child.pid)) setPriority(child.pid, lastNice)
    this.child = child
    void this.read(child).finally(() => this.ended(child))
    return child
  }

  private async read(child: Child): Promise<void> {
    const decoder = new TextDecoder()
    let line: string[] = []
    for await (const bytes of child.stdout) {
      const text = decoder.decode(bytes, { stream: true })
      const end = text.indexOf('\n')
      line.push(end < 0 ? text : text.slice(0, end))
      if (end < 0) continue
      if (this.child === child) this.heard(line.join(''))
      line = [text.slice(end + 1)]
    }
  }

  private end(): void {
    if (this.child !== null) this.ended(this.child)
  }

  /** It holds nothing that would have to be put away. */
  private ended(child: Child): void {
    child.kill('SIGKILL')
    if (this.child !== child) return
    this.child = null
    this.heard(null)
  }
}
