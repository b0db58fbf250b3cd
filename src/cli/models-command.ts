import { SystemClock } from '#base/clock.ts'
import { createLog } from '#telemetry/log.ts'
import { knownConfig } from './engine-config.ts'
import type { CommandIo } from './io.ts'
import { runModels } from './models.ts'

/** `patchcord models` on the real process. */
export function models(argv: readonly string[], command: CommandIo): Promise<number> {
  const clock = new SystemClock()
  const write = (line: string) => void process.stderr.write(`${line}\n`)
  return runModels(argv, {
    out: (line) => void process.stdout.write(`${line}\n`),
    err: (text) => void process.stderr.write(text),
    errIsTty: process.stderr.isTTY === true,
    env: process.env,
    clock,
    configuredFolder: (config) => knownConfig(command, config)?.configuration.models.dir ?? null,
    log: createLog({ level: 'warn', format: 'pretty', clock, write }),
  })
}
