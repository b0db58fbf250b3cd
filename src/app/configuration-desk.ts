import { effectiveValues } from '#config/effective.ts'
import { findingOf } from '#config/problem.ts'
import type { ConfigurationDesk } from '#http/configuration-api.ts'
import type { ConfigurationFile } from './configuration-file.ts'
import type { Generation, LoadedConfiguration } from './generation.ts'
import { allChanges, schema } from './reloader.ts'

const made: NonNullable<LoadedConfiguration['provenance']> = {
  file: '',
  path: null,
  origins: { lines: {}, variables: {} },
  commandLine: {},
}

/** @param file null: this engine was given its configuration by hand */
export function createConfigurationDesk(current: () => Generation, file: ConfigurationFile | null): ConfigurationDesk {
  return {
    effective() {
      const { loaded } = current()
      const { configuration, fromEnvironment = [], provenance = made } = loaded
      const { path, commandLine } = provenance
      // What is built in is the defaults, though it is written down like a file.
      const origins = path === null ? { ...provenance.origins, lines: {} } : provenance.origins
      const values = effectiveValues({ configuration, fromEnvironment }, origins, commandLine, schema)
      return { file: path === null ? null : provenance.file, values }
    },
    async examine(text) {
      if (file === null) return { good: false, problems: [findingOf('this engine was started without a file')] }
      const found = await file.examine(text)
      if (!found.ok) return { good: false, problems: found.error.map(findingOf) }
      const { warnings, ...loaded } = found.value
      return { good: true, changes: allChanges(current().loaded, loaded), warnings: warnings.map(findingOf) }
    },
  }
}
