import { existsSync } from 'node:fs'
import { vendorSchemas } from '#providers/schemas.ts'
import { runCheck } from './check.ts'
import type { CommandIo } from './io.ts'

/** `patchcord check` with this build's own vendors. */
export function check(argv: readonly string[], io: CommandIo): Promise<number> {
  return runCheck(argv, io, {
    vendors: vendorSchemas,
    notes: (configuration) => {
      const { dir } = configuration.models
      return Promise.resolve(
        dir !== '' && !existsSync(dir) ? [`models.dir ${dir} does not exist yet: run patchcord models`] : [],
      )
    },
  })
}
