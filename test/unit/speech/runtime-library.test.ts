import { afterEach, describe, expect, test } from 'bun:test'
import {
  chmodSync,
  chownSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { type PlacedLibrary, placeLibrary } from '#speech/runtime-library.ts'

const library = new TextEncoder().encode('a shared library')
const foreign = new TextEncoder().encode('a foreign librar')
const folders: string[] = []

afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true })
})

function newFolder(mode = 0o700): string {
  const folder = mkdtempSync(join(tmpdir(), 'runtime-library-'))
  folders.push(folder)
  chmodSync(folder, mode)
  return folder
}

function place(folder: string, uid?: number): PlacedLibrary {
  const placed = placeLibrary(library, folder, uid)
  if (placed.temporary) folders.push(dirname(placed.path))
  // Wherever it lies, it is the right one.
  expect(new Uint8Array(readFileSync(placed.path))).toEqual(library)
  return placed
}

describe('placeLibrary', () => {
  test('is written once into a folder that is ours, and found there afterwards', () => {
    const folder = join(newFolder(), 'patchcord', 'runtime')
    const first = place(folder)
    expect(first.temporary).toBe(false)
    expect(place(folder)).toEqual(first)
    expect(readdirSync(folder).length).toBe(1)
  })

  test('a file of the same name and size with other bytes is replaced', () => {
    const folder = newFolder()
    const { path } = place(folder)
    writeFileSync(path, foreign)
    expect(place(folder)).toEqual({ path, temporary: false })
  })

  test('a file that others may write, or a link, is replaced', () => {
    const folder = newFolder()
    const { path } = place(folder)
    chmodSync(path, 0o777)
    place(folder)
    const other = join(newFolder(), 'other')
    writeFileSync(other, foreign)
    rmSync(path)
    symlinkSync(other, path)
    expect(place(folder)).toEqual({ path, temporary: false })
    expect(new Uint8Array(readFileSync(other))).toEqual(foreign)
  })

  test.each([0o777, 0o770, 0o1777])('a folder that others may write (%o) is not used', (mode) => {
    const folder = newFolder(mode)
    expect(place(folder).temporary).toBe(true)
    expect(readdirSync(folder)).toEqual([])
  })

  test('nor is one that lies in a folder others may write; a sticky one is fine', () => {
    const open = newFolder(0o777)
    expect(place(join(open, 'runtime')).temporary).toBe(true)
    const stickyFolder = newFolder(0o1777)
    expect(place(join(stickyFolder, 'runtime')).temporary).toBe(false)
  })

  test('a folder of another user is not used', () => {
    const folder = newFolder()
    const us = process.getuid?.() ?? 0
    // Only root can give a folder away; for anybody else, somebody else asks.
    if (us === 0) chownSync(folder, 4711, 4711)
    expect(place(folder, us === 0 ? 0 : us + 1).temporary).toBe(true)
    expect(readdirSync(folder)).toEqual([])
  })

  test('where nothing can be written the private folder serves', () => {
    const file = join(newFolder(), 'file')
    writeFileSync(file, '')
    expect(place(join(file, 'runtime')).temporary).toBe(true)
  })

  test('a private folder is closed to others', () => {
    const folder = newFolder(0o777)
    mkdirSync(join(folder, 'x'))
    const { path } = place(folder)
    expect(
      Bun.spawnSync(['stat', '-c', '%a', dirname(path)])
        .stdout.toString()
        .trim(),
    ).toBe('700')
  })
})
