import { join } from 'node:path'

interface Message {
  readonly type: string
}

/** One process of a benchmark: what it says is waited for in order. */
export class Part<From extends Message> {
  private readonly name: string
  private readonly child: Bun.Subprocess<'ignore', 'inherit', 'inherit'>
  private readonly heard: From[] = []
  private wake: () => void = () => {}
  private over = false

  /** @param job is handed over as its argument, in JSON */
  constructor(file: string, job: object, options: readonly string[] = []) {
    this.name = file
    this.child = Bun.spawn(
      [process.execPath, '--no-env-file', ...options, join(import.meta.dir, file), JSON.stringify(job)],
      {
        stdio: ['ignore', 'inherit', 'inherit'],
        ipc: (message) => {
          this.heard.push(message as From)
          this.wake()
        },
        onExit: () => {
          this.over = true
          this.wake()
        },
      },
    )
  }

  get exited(): Promise<number> {
    return this.child.exited
  }

  tell(message: Message): void {
    this.child.send(message)
  }

  /** Throws when the process fails or ends before it says so. */
  async next<Type extends From['type']>(type: Type): Promise<Extract<From, { readonly type: Type }>> {
    for (;;) {
      const message = this.heard.shift()
      if (message?.type === type) return message as Extract<From, { readonly type: Type }>
      if (message !== undefined) throw new Error(`${this.name}: ${'why' in message ? message.why : message.type}`)
      if (this.over) throw new Error(`${this.name} ended before it said "${type}"`)
      await new Promise<void>((resolve) => {
        this.wake = resolve
      })
    }
  }

  kill(): void {
    if (!this.over) this.child.kill('SIGKILL')
  }
}
