import { afterAll, beforeEach, describe, expect, test } from 'bun:test'
import {
  chmodSync,
  chownSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { editFile, undoEdit } from '#config/file-edit.ts'

const top = mkdtempSync(join(tmpdir(), 'patchcord-edit-'))
let folder = ''
let file = ''
let count = 0

beforeEach(() => {
  count += 1
  folder = join(top, String(count))
  mkdirSync(folder)
  file = join(folder, 'a.yaml')
})
afterAll(() => rmSync(top, { recursive: true, force: true }))

const edit = (path = file, value = 'deepgram') => editFile(path, 'a.yaml', 'default_provider', value)

async function edited(path = file) {
  const result = await edit(path)
  if (!result.ok) throw new Error(result.error)
  return result.value
}

describe('a configuration file is edited', () => {
  test('with its mark, comments, anchors, spacing and line ends as they were, and put back', async () => {
    const before = '\ufeff# head\r\nx:   &p  {a:  1}   # odd\r\ny: *p\r\ndefault_provider:   "local"\t# why\r\n\r\n'
    writeFileSync(file, before)
    const result = await edited()
    expect([readFileSync(file, 'utf8'), result.line]).toEqual([before.replace('"local"', '"deepgram"'), 4])
    expect((await undoEdit(result)).ok).toBe(true)
    expect(readFileSync(file, 'utf8')).toBe(before)
    expect(readdirSync(folder)).toEqual(['a.yaml'])
  })

  test('keeping its rights and, where we may give it away, its owner', async () => {
    writeFileSync(file, 'default_provider: local\n')
    chmodSync(file, 0o640)
    const isRoot = process.getuid?.() === 0
    if (isRoot) chownSync(file, 1234, 4321)
    const { uid, gid } = statSync(file)
    await edited()
    const after = statSync(file)
    expect([after.mode & 0o7777, after.uid, after.gid]).toEqual([0o640, uid, gid])
  })

  test('by a new file in its place, so that a reader of the old one keeps all of it', async () => {
    writeFileSync(file, 'default_provider: local\n')
    const before = statSync(file).ino
    await edited()
    expect(statSync(file).ino).not.toBe(before)
  })

  test('behind links, which stay links', async () => {
    mkdirSync(join(folder, 'data'))
    const real = join(folder, 'data', 'real.yaml')
    writeFileSync(real, 'default_provider: local\n')
    symlinkSync(join('data', 'real.yaml'), file)
    expect((await edited()).path).toEndWith('/data/real.yaml')
    expect([readlinkSync(file), readFileSync(real, 'utf8')]).toEqual(['data/real.yaml', 'default_provider: deepgram\n'])
  })

  test('in place where it has a second name', async () => {
    writeFileSync(file, 'default_provider: local\n')
    linkSync(file, join(folder, 'b.yaml'))
    await edited()
    expect(readFileSync(join(folder, 'b.yaml'), 'utf8')).toBe('default_provider: deepgram\n')
  })

  test('in place where no new file can stand beside it', async () => {
    const long = join(folder, `${'a'.repeat(245)}.yaml`)
    writeFileSync(long, 'default_provider: local\n')
    const before = statSync(long).ino
    await edited(long)
    expect([statSync(long).ino, readFileSync(long, 'utf8')]).toEqual([before, 'default_provider: deepgram\n'])
  })

  test('not at all where it says so already', async () => {
    writeFileSync(file, 'default_provider: deepgram\n')
    const { ino, mtimeMs } = statSync(file)
    await edited()
    expect([statSync(file).ino, statSync(file).mtimeMs]).toEqual([ino, mtimeMs])
  })
})

describe('it is refused, and left as it is', () => {
  test('where it is read-only, for root as well', async () => {
    writeFileSync(file, 'default_provider: local\n')
    chmodSync(file, 0o444)
    const result = await edit()
    expect(!result.ok && result.error).toStartWith('a.yaml: the file is read-only. ')
    expect([readFileSync(file, 'utf8'), statSync(file).mode & 0o777]).toEqual(['default_provider: local\n', 0o444])
  })

  test('where it is gone, is no text, or cannot be changed by one value', async () => {
    expect(await edit()).toMatchObject({ ok: false, error: expect.stringContaining('no such file') })
    writeFileSync(file, new Uint8Array([0xff, 0xfe, 0x41]))
    expect(await edit()).toMatchObject({ ok: false, error: expect.stringContaining('UTF-8') })
    writeFileSync(file, 'default_provider: ${WHO}\n')
    expect(await edit()).toMatchObject({ ok: false, error: expect.stringContaining('a.yaml:1:1: ') })
    expect(readFileSync(file, 'utf8')).toBe('default_provider: ${WHO}\n')
  })

  test('where somebody else has saved it since', async () => {
    writeFileSync(file, 'default_provider: local\n')
    const result = await edited()
    writeFileSync(file, 'default_provider: loopback # by hand\n')
    expect(await undoEdit(result)).toMatchObject({ ok: false, error: expect.stringContaining('meanwhile') })
    expect(readFileSync(file, 'utf8')).toBe('default_provider: loopback # by hand\n')
    expect(readdirSync(folder)).toEqual(['a.yaml'])
  })
})
