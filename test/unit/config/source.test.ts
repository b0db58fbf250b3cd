import { describe, expect, test } from 'bun:test'
import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { formatProblem } from '#config/problem.ts'
import { builtInSource, readConfigurationSource } from '#config/source.ts'

const empty = () => mkdtempSync(join(tmpdir(), 'patchcord-source-'))

describe('which file', () => {
  test('the one that was named, else config/ai-agent.yaml of the folder, else the copy built in', () => {
    const folder = empty()
    expect(readConfigurationSource(folder)).toEqual({ ok: true, value: builtInSource })
    mkdirSync(join(folder, 'config'))
    writeFileSync(join(folder, 'config/ai-agent.yaml'), 'language: de\n')
    writeFileSync(join(folder, 'mine.yaml'), 'language: fr\n')
    expect(readConfigurationSource(folder)).toEqual({
      ok: true,
      value: { file: 'config/ai-agent.yaml', text: 'language: de\n' },
    })
    expect(readConfigurationSource(folder, 'mine.yaml')).toEqual({
      ok: true,
      value: { file: 'mine.yaml', text: 'language: fr\n' },
    })
    expect(readConfigurationSource('/', join(folder, 'mine.yaml')).ok).toBe(true)
  })

  test('a pipe may be checked, but not be read by whoever will read it again', () => {
    const folder = empty()
    Bun.spawnSync(['mkfifo', join(folder, 'pipe.yaml')])
    const read = readConfigurationSource(folder, 'pipe.yaml', true)
    expect(read.ok ? [] : read.error.map(formatProblem)).toEqual([
      'pipe.yaml:1:1: this is a pipe or a device, which cannot be read again. Write the configuration into a file.',
    ])
    const writer = Bun.spawn(['sh', '-c', 'echo language: de > pipe.yaml'], { cwd: folder })
    expect(readConfigurationSource(folder, 'pipe.yaml')).toEqual({
      ok: true,
      value: { file: 'pipe.yaml', text: 'language: de\n' },
    })
    writer.kill()
  })

  test('the copy built in is the file of the repository', async () => {
    const file = join(import.meta.dir, '../../../config/ai-agent.yaml')
    expect(builtInSource.text).toBe(await Bun.file(file).text())
  })
})

describe('files that cannot be read', () => {
  const folder = empty()
  writeFileSync(join(folder, 'utf16.yaml'), Buffer.from('\ufefflanguage: en\n', 'utf16le'))
  writeFileSync(join(folder, 'utf16-bare.yaml'), Buffer.from('language: en\n', 'utf16le'))
  writeFileSync(join(folder, 'latin1.yaml'), Buffer.from('llm:\n  prompt: Grüß Gott\n', 'latin1'))
  writeFileSync(join(folder, 'huge.yaml'), '#'.repeat(1024 * 1024 + 1))
  writeFileSync(join(folder, 'bom.yaml'), '\ufefflanguage: en\n')

  test.each([
    ['none.yaml', /no such file/],
    ['.', /folder/],
    ['', /empty/],
    ['utf16.yaml', /UTF-16.*Save it as UTF-8/],
    ['utf16-bare.yaml', /UTF-16.*Save it as UTF-8/],
    ['latin1.yaml', /not UTF-8.*Save it as UTF-8/],
    ['huge.yaml', /1048577 bytes/],
  ])('%p', (file, words) => {
    const read = readConfigurationSource(folder, file)
    expect(read.ok).toBe(false)
    if (!read.ok) expect(read.error.map(({ message, advice }) => `${message}. ${advice}`).join()).toMatch(words)
  })

  test('a byte order mark is no part of the text', () => {
    expect(readConfigurationSource(folder, 'bom.yaml')).toEqual({
      ok: true,
      value: { file: 'bom.yaml', text: 'language: en\n' },
    })
  })
})
