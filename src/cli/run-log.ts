import { resolve } from 'node:path'
import type { Clock } from '#base/clock.ts'
import type { Log } from '#base/log.ts'
import type { Configuration } from '#config/schema.ts'
import { createLog, joinLogs } from '#telemetry/log.ts'
import { LogFile } from '#telemetry/log-file.ts'
import type { CommandIo } from './io.ts'

export interface RunLog {
  readonly log: Log
  /** Resolves when every line has reached the disk. */
  flushed(): Promise<void>
}

/** The log of `patchcord run`, on standard error and, where one is named, in a file. `logging`: asked at each line. */
export function openRunLog(
  io: CommandIo,
  file: string | undefined,
  clock: Clock,
  logging: () => Configuration['logging'],
): RunLog {
  const console = createLog({
    get level() {
      return logging().level
    },
    get format() {
      const { format } = logging()
      return format === 'pretty' || (format === 'auto' && process.stderr.isTTY === true) ? 'pretty' : 'json'
    },
    clock,
    write: io.stderr,
  })
  if (file === undefined) return { log: console, flushed: () => Promise.resolve() }
  const logFile = new LogFile(resolve(io.cwd, file))
  const inFile = createLog({
    get level() {
      return logging().level
    },
    format: 'json',
    clock,
    write: (line) => logFile.append(line),
  })
  return { log: joinLogs(console, inFile), flushed: () => logFile.flushed() }
}
