import { describe, expect, test } from 'bun:test'
import { join } from 'node:path'
import * as v from 'valibot'
import { asNode, listKeys } from '#config/describe.ts'
import { loadConfiguration } from '#config/load.ts'
import { renderComment, renderReference } from '#config/reference.ts'
import { configurationSchema } from '#config/schema.ts'
import { builtInSource } from '#config/source.ts'
import { vendors } from './vendors.ts'

const schema = configurationSchema(vendors)
const keys = listKeys(asNode(schema))
const lines = builtInSource.text.split('\n')

/** The line of each key of the annotated file, found by its indentation, without a YAML parser. */
function annotatedKeys(): Map<string, number> {
  const found = new Map<string, number>()
  let path: string[] = []
  for (const [index, line] of lines.entries()) {
    const [, indent = '', name] = /^( *)([a-z][a-z0-9_]*):(?:\s|$)/.exec(line) ?? []
    if (name === undefined) continue
    path = [...path.slice(0, indent.length / 2), name]
    found.set(path.join('.'), index)
  }
  return found
}

/** The comment that stands right above a line, as one line. */
function commentAbove(line: number): string {
  const words: string[] = []
  for (let index = line - 1; index >= 0; index -= 1) {
    const comment = /^ *# (.*)$/.exec(lines[index] ?? '')?.[1]
    if (comment === undefined) break
    words.unshift(comment)
  }
  return words.join(' ')
}

describe('config/ai-agent.yaml', () => {
  test('holds every key of the schema, and no other', () => {
    expect([...annotatedKeys().keys()]).toEqual(keys.map(({ key }) => key))
  })

  for (const info of keys) {
    test(`${info.key} has its meaning, unit and default above it`, () => {
      expect(commentAbove(annotatedKeys().get(info.key) ?? 0)).toBe(renderComment(info))
    })
  }

  test('gives exactly the defaults', () => {
    const loaded = loadConfiguration({ ...builtInSource, env: {}, vendors })
    expect(loaded.ok && loaded.value.configuration).toEqual(v.parse(schema, {}))
  })

  test('takes every variable of the schema: an empty value in the file would keep it out', () => {
    for (const { path, facts } of keys) {
      if (facts.env === undefined) continue
      const loaded = loadConfiguration({ ...builtInSource, env: { [facts.env]: '4711' }, vendors })
      const value = path.reduce<unknown>(
        (section, name) => (section as Record<string, unknown>)[name],
        loaded.ok ? loaded.value.configuration : {},
      )
      expect({ path, value: String(value) }).toEqual({ path, value: '4711' })
    }
  })

  test('takes its variables', () => {
    const env = { ASTERISK_HOST: 'pbx', ASTERISK_ARI_PORT: '1', ASTERISK_ARI_USERNAME: 'u', ASTERISK_ARI_PASSWORD: 'p' }
    const loaded = loadConfiguration({ ...builtInSource, env, vendors })
    expect(loaded.ok && loaded.value.configuration.asterisk).toMatchObject({
      host: 'pbx',
      port: 1,
      username: 'u',
      password: 'p',
    })
  })
})

describe('every key', () => {
  test('says what it means, as a sentence, and durations name their unit', () => {
    for (const { key, meaning, facts, isSection } of keys) {
      expect(`${key}: ${meaning}`).toMatch(/: \S.*\.$/)
      if (!isSection && key.endsWith('_ms')) expect(`${key} ${facts.unit}`).toBe(`${key} ms`)
      if (!isSection && key.endsWith('_seconds')) expect(`${key} ${facts.unit}`).toBe(`${key} s`)
    }
  })

  test('keeps within its own bounds at its default', () => {
    expect(v.safeParse(schema, {}).success).toBe(true)
  })
})

test('docs/configuration.md holds the table of all keys, as `patchcord check --keys` prints it, and no other row', async () => {
  const page = await Bun.file(join(import.meta.dir, '../../../docs/configuration.md')).text()
  const wanted = renderReference(schema).split('\n')
  const [, table = ''] = /<!-- Printed by [^\n]*-->\n\n([\s\S]*?)\n\n/.exec(page) ?? []
  const rows = table.split('\n')
  expect(wanted.filter((row) => !rows.includes(row))).toEqual([])
  expect(rows.filter((row) => !wanted.includes(row))).toEqual([])
  expect(rows).toHaveLength(wanted.length)
})
