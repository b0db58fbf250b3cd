import { join } from 'node:path'
import type { EventSchemas } from '../../test/standin/json-schema.ts'

/** Writes schemas as the house's formatter wants them. */
export async function writeSchema(root: string, path: string, schemas: EventSchemas): Promise<void> {
  await Bun.write(path, JSON.stringify(schemas))
  const format = Bun.spawn([join(root, 'node_modules/.bin/biome'), 'format', '--write', path], { cwd: root })
  if ((await format.exited) !== 0) throw new Error(`${path} could not be formatted`)
}
