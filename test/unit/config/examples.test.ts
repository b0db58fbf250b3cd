import { expect, test } from 'bun:test'
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { loadConfiguration } from '#config/load.ts'
import { formatProblem } from '#config/problem.ts'
import { readConfigurationSource } from '#config/source.ts'
import { vendors } from './vendors.ts'

const folder = join(import.meta.dir, '../../../config/examples')

for (const file of readdirSync(folder)) {
  test(`config/examples/${file} is good, and gives no warning`, () => {
    const source = readConfigurationSource(folder, file)
    const loaded = source.ok
      ? loadConfiguration({ ...source.value, env: { ASTERISK_ARI_PASSWORD: 'x' }, vendors })
      : source
    const words = loaded.ok ? loaded.value.warnings : loaded.error
    expect(words.map(formatProblem)).toEqual([])
  })
}
