import type { Log } from '#base/log.ts'

/**
 * How every child process of ours is started. It runs foreign code (eSpeak NG, llama.cpp), so it learns nothing it
 * doesn't need: no variable but those below, hence no password or key; a folder of ours to run in, since Bun reads
 * bunfig.toml and .env where it is started; and what it says goes through the log, where lines have one shape.
 */
export type Child = Bun.Subprocess<'pipe', 'pipe', 'pipe'>

export interface ChildOptions {
  readonly command: readonly string[]
  /** Of the model store: the child's working folder. */
  readonly folder: string
  readonly log: Log
  /** The engine's own environment, of which the child gets a few variables. */
  readonly env?: Readonly<Record<string, string | undefined>>
}

export interface StartedChild {
  readonly child: Child
  /** The last line it wrote to its standard error, cut short: why it ended, if it said so. */
  readonly lastWords: () => string
  /** Resolves when no more words can come. */
  readonly silent: Promise<void>
}

const passedVariables = ['PATH', 'HOME', 'TMPDIR', 'LANG']
const wordsCharsMax = 300
/** A line without end is cut there. The longest real one is an answer of the phonemizer, some kilobytes. */
const lineCharsMax = 1 << 20

/** Throws when the command can't be started. */
export function startChild(options: ChildOptions): StartedChild {
  const { command, folder, log, env = process.env } = options
  const child = Bun.spawn([...command], {
    cwd: folder,
    env: Object.fromEntries(passedVariables.flatMap((name) => (env[name] === undefined ? [] : [[name, env[name]]]))),
    stdin: 'pipe',
    stdout: 'pipe',
    stderr: 'pipe',
  })
  let lastWords = ''
  const listen = async () => {
    for await (const line of linesOf(child.stderr)) {
      lastWords = line.slice(0, wordsCharsMax)
      log.debug('child process says', { pid: child.pid, line: lastWords })
    }
  }
  // A pipe that breaks is the end of the words; that of the child shows in `exited`.
  return { child, lastWords: () => lastWords, silent: listen().catch(() => {}) }
}

/** Whole lines of a child's output, without empty ones. */
export async function* linesOf(stream: ReadableStream<Uint8Array>): AsyncGenerator<string> {
  const decoder = new TextDecoder()
  let pending = ''
  for await (const bytes of stream) {
    const parts = (pending + decoder.decode(bytes, { stream: true })).split('\n')
    pending = (parts.pop() ?? '').slice(-lineCharsMax)
    yield* parts.filter((line) => line.trim() !== '')
  }
  if (pending.trim() !== '') yield pending
}
