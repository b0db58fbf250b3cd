import type { Clock, Milliseconds } from '#base/clock.ts'
import { directToThisMachine } from './direct.ts'
import type { CommandIo } from './io.ts'

// Requests look it up when they are made.
Object.assign(process.env, directToThisMachine(process.env))

/** The real process as a command sees it. */
export const processIo: CommandIo = {
  stdout: (line) => void process.stdout.write(`${line}\n`),
  stderr: (line) => void process.stderr.write(`${line}\n`),
  env: process.env,
  cwd: process.cwd(),
}

/**
 * Resolves when all that was printed has left the process, or nobody is there to take it. Into a pipe it leaves no faster
 * than it is read, and what has not left when the process exits is lost: whoever ends the process waits for this. Nothing
 * can be printed any more.
 * @param limit for readers that may have stopped reading
 */
export async function printed(limit?: { readonly clock: Clock; readonly ms: Milliseconds }): Promise<void> {
  const ended = [process.stdout, process.stderr].map((stream) => {
    // What is printed all the same is no fault.
    stream.on('error', () => {})
    // A callback of `write` would come before the bytes have left.
    return new Promise<void>((resolve) => void stream.end(() => resolve()))
  })
  await Promise.race([Promise.all(ended), ...(limit === undefined ? [] : [limit.clock.sleep(limit.ms)])])
}
