import type * as v from 'valibot'
import { type ComparedConfiguration, leavesOf, maskedValue } from './changes.ts'
import { asNode } from './describe.ts'
import { type Origin, type Origins, originFinder } from './origins.ts'

/** What is in force, key by key, in the schema's order. Nothing in it holds a secret, or what a variable holds. */
export interface EffectiveValue {
  readonly key: string
  /** A JSON value; the mask where it may be a secret. */
  readonly value: unknown
  readonly origin: Origin
  /** Only a start of the engine can change it. */
  readonly restart: boolean
}

/** What is in force, and where it was read. */
export interface EffectiveConfiguration {
  /** The name of the file as the engine was told it; null: the one built in. */
  readonly file: string | null
  readonly values: readonly EffectiveValue[]
}

/** @param commandLine options that stand over the file, by the key that they set */
export function effectiveValues(
  compared: ComparedConfiguration,
  origins: Origins,
  commandLine: Readonly<Record<string, string>>,
  schema: v.GenericSchema,
): EffectiveValue[] {
  const originOf = originFinder(origins)
  return [...leavesOf(compared.configuration, asNode(schema))].map(([key, leaf]) => {
    const option = commandLine[key]
    const origin: Origin = option === undefined ? originOf(key) : { source: 'command_line', option }
    const value = maskedValue(leaf, origin.source === 'environment')
    return { key, value, origin, restart: leaf.restart }
  })
}
