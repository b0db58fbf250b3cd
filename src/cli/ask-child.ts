import { setPriority } from 'node:os'
import type { Clock, Milliseconds } from '#base/clock.ts'
import { failed, messageOf, ok, type Result } from '#base/result.ts'
import type { Environment } from '#config/secrets.ts'
import { selfCommand } from '#speech/executable.ts'
import { exitCodes } from './io.ts'

export interface ChildQuestion {
  /** The child's name and its options, as `patchcord internal` takes them. */
  readonly argv: readonly string[]
  readonly env: Environment
  readonly clock: Clock
}

/** It gives way to the audio of calls on a machine that is short of cores. */
const lowPriority = 10
/** On a machine with a cold disk that is short of time. */
const answerMaxMs: Milliseconds = 10_000

/**
 * Asks a child process for one JSON value: for work that would hold up the audio of calls, and is rare. Never rejects. It is
 * not of idle priority: it may be in the middle of a change, which must not be ended and asked for again.
 */
export async function askChild<Answer>({ argv, env, clock }: ChildQuestion): Promise<Result<Answer, string>> {
  try {
    const child = Bun.spawn(selfCommand(['internal', ...argv]), {
      // Not where the engine was started: Bun would read .env and bunfig.toml there.
      cwd: '/',
      env: { ...env },
      stdin: 'ignore',
      stdout: 'pipe',
      stderr: 'ignore',
    })
    setPriority(child.pid, lowPriority)
    using _limit = clock.after(answerMaxMs, () => child.kill('SIGKILL'))
    const text = await new Response(child.stdout).text()
    if ((await child.exited) === exitCodes.ok) return ok(JSON.parse(text) as Answer)
    return failed(`its reader broke, or took longer than ${answerMaxMs / 1000} seconds`)
  } catch (thrown) {
    return failed(messageOf(thrown))
  }
}
