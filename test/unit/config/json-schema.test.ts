import { describe, expect, test } from 'bun:test'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import Ajv from 'ajv'
import { parse } from 'yaml'
import { asNode, listKeys } from '#config/describe.ts'
import { editorSchema } from '#config/json-schema.ts'
import { configurationSchema } from '#config/schema.ts'
import { builtInSource } from '#config/source.ts'
import { vendors } from './vendors.ts'

// By a validator that editors use.
const folder = join(import.meta.dir, '../../../config')
const kept = JSON.parse(readFileSync(join(folder, 'ai-agent.schema.json'), 'utf8'))
const accepts = new Ajv({ allowUnionTypes: true }).compile(kept)
const keys = listKeys(asNode(configurationSchema(vendors)))

/** A file with this one value. */
const fileWith = (path: readonly string[], value: unknown) =>
  path.reduceRight<unknown>((inner, name) => ({ [name]: inner }), value)

describe('config/ai-agent.schema.json', () => {
  test('is what the schema says', () => {
    expect(kept).toEqual(JSON.parse(JSON.stringify(editorSchema(configurationSchema(vendors)))))
  })

  test('stands at the head of the annotated file, where editors look for it', () => {
    expect(builtInSource.text).toStartWith('# yaml-language-server: $schema=./ai-agent.schema.json\n')
  })

  test('takes the annotated file, every example, and an empty file', () => {
    const examples = readdirSync(join(folder, 'examples')).map((name) => join(folder, 'examples', name))
    expect(examples.length).toBeGreaterThan(3)
    for (const text of [builtInSource.text, '', ...examples.map((path) => readFileSync(path, 'utf8'))]) {
      accepts(parse(text))
      expect(accepts.errors ?? []).toEqual([])
    }
  })

  for (const { key, path, isSection, fallback, facts } of keys) {
    test(`${key}: a wrong kind is refused, and so is a neighbour that there is not`, () => {
      expect(accepts(fileWith(path, { no_such_key: true }))).toBeFalse()
      expect(accepts(fileWith([...path.slice(0, -1), `${path.at(-1)}_x`], 1))).toBeFalse()
      if (isSection) return expect(accepts(fileWith(path, null))).toBeTrue()
      // A secret is only ever a reference.
      if (facts.secret !== true) expect(accepts(fileWith(path, fallback))).toBeTrue()
      else expect([accepts(fileWith(path, 'hunter2')), accepts(fileWith(path, '${NAME}'))]).toEqual([false, true])
      if (typeof fallback !== 'object') expect(accepts(fileWith(path, '${NAME:-x}'))).toBeTrue()
    })
  }

  test('knows bounds, and what must be there', () => {
    expect(accepts({ streaming: { min_start_ms: 1001 } })).toBeFalse()
    expect(accepts({ streaming: { min_start_ms: 10.5 } })).toBeFalse()
    expect(accepts({ transfer: { destinations: { sales: { context: 'internal' } } } })).toBeFalse()
    expect(accepts({ transfer: { destinations: { sales: { context: 'internal', extension: '200' } } } })).toBeTrue()
  })
})
