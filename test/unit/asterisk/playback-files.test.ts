import { afterEach, beforeEach, describe, expect, test } from 'bun:test'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { encodeSlin, FolderFiles, HttpFiles, type PublishedFile } from '#asterisk/playback-files.ts'
import { silentLog } from '#base/log.ts'
import { seededRandom } from '#base/random.ts'
import type { Result } from '#base/result.ts'
import { ManualClock } from '../../fakes/manual-clock.ts'

const value = (result: Result<PublishedFile, string>): PublishedFile => {
  if (!result.ok) throw new Error(result.error)
  return result.value
}

describe('encodeSlin', () => {
  test('little-endian samples, and silence up to whole frames and three more', () => {
    const bytes = encodeSlin(new Int16Array([1, -2, 0x1234]), 8000)
    expect([...bytes.subarray(0, 8)]).toEqual([1, 0, 0xfe, 0xff, 0x34, 0x12, 0, 0])
    expect(bytes.length).toBe(4 * 320)
    expect(encodeSlin(new Int16Array(480), 24_000).length).toBe(4 * 960)
    expect(encodeSlin(new Int16Array(0), 48_000).length).toBe(3 * 1920)
  })
})

describe('FolderFiles', () => {
  let folder = ''
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'patchcord-files-'))
  })
  afterEach(() => rmSync(folder, { recursive: true, force: true }))

  const files = (options: Partial<ConstructorParameters<typeof FolderFiles>[0]> = {}) =>
    new FolderFiles({
      folder,
      asteriskFolder: '/var/spool/agent/',
      application: 'patchcord',
      random: seededRandom(1),
      log: silentLog,
      ...options,
    })

  /** Removing is not waited for. */
  async function untilEmpty(): Promise<void> {
    for (let turn = 0; turn < 200 && readdirSync(folder).length > 0; turn += 1) await Bun.sleep(5)
    expect(readdirSync(folder)).toEqual([])
  }

  test.each([
    [8000, 'sln'],
    [16_000, 'sln16'],
    [24_000, 'sln24'],
    [48_000, 'sln48'],
  ] as const)('%i Hz: a file .%s that all may read, named to Asterisk as Asterisk sees it', async (rate, extension) => {
    const samples = new Int16Array([5, 6, 7])
    const publishing = files().publish(samples, rate)
    // It has been read already.
    samples.fill(0)
    const { mediaUri, remove } = value(await publishing)
    const base = /^sound:\/var\/spool\/agent\/(patchcord-[0-9a-f-]{36})$/.exec(mediaUri)?.[1]
    const path = join(folder, `${base}.${extension}`)
    expect([...readFileSync(path).subarray(0, 6)]).toEqual([5, 0, 6, 0, 7, 0])
    expect(statSync(path).mode & 0o777).toBe(0o644)
    expect(readdirSync(folder)).toHaveLength(1)
    remove()
    remove()
    await untilEmpty()
  })

  test('at its start it sweeps what a killed engine of its application left, and nothing else', async () => {
    const uuid = '01234567-89ab-4cde-8f01-23456789abcd'
    const left = [`patchcord-${uuid}.sln`, `patchcord-${uuid}.sln16.part`, `patchcord-${uuid}.sln48`]
    const others = [`patchcord-two-${uuid}.sln`, `patchcord-${uuid}.wav`, 'patchcord-notes.sln', `x-${uuid}.sln`]
    for (const name of [...left, ...others]) writeFileSync(join(folder, name), 'x')
    expect(await files().prepare()).toEqual({ ok: true, value: 3 })
    expect(readdirSync(folder).sort()).toEqual(others.sort())
  })

  test('a folder that is not there: said with its cure, by both', async () => {
    const missing = files({ folder: join(folder, 'none') })
    for (const result of [await missing.prepare(), await missing.publish(new Int16Array(1), 8000)]) {
      expect(result).toMatchObject({ ok: false, error: expect.stringContaining('does not exist: create it') })
    }
  })

  test('a folder that cannot be written to: the same', async () => {
    // Even root may not write there.
    const readOnly = files({ folder: '/proc/self' })
    const result = await readOnly.publish(new Int16Array(1), 8000)
    expect(result.ok).toBe(false)
    const notAFolder = join(folder, 'file')
    writeFileSync(notAFolder, '')
    expect(await files({ folder: notAFolder }).prepare()).toMatchObject({ ok: false })
    expect(existsSync(notAFolder)).toBe(true)
  })
})

describe('HttpFiles', () => {
  const clock = new ManualClock()
  const files = (limits = { files: 3, bytes: 100_000 }) =>
    new HttpFiles({ baseUrl: 'http://10.0.0.2:15000', clock, random: seededRandom(2), limits })
  const nameOf = ({ mediaUri }: PublishedFile) => mediaUri.split('/media/')[1] ?? ''
  const publish = async (store: HttpFiles, first: number, rate: 8000 | 16_000 = 8000) =>
    value(await store.publish(new Int16Array([first]), rate))

  test('a file is read under its name until it is removed', async () => {
    const store = files()
    const published = await publish(store, 7, 16_000)
    expect(published.mediaUri).toMatch(/^sound:http:\/\/10\.0\.0\.2:15000\/media\/[0-9a-f-]{36}\.sln16$/)
    expect(store.read(nameOf(published))?.slice(0, 2)).toEqual(new Uint8Array([7, 0]))
    expect([store.read('x.sln16'), store.read(nameOf(published).slice(0, -6))]).toEqual([null, null])
    expect(store.held).toEqual({ files: 1, bytes: 4 * 640 })
    published.remove()
    published.remove()
    expect([store.read(nameOf(published)), store.held]).toEqual([null, { files: 0, bytes: 0 }])
  })

  test('beyond the number the oldest goes, and is counted', async () => {
    const store = files()
    const published: PublishedFile[] = []
    for (const first of [1, 2, 3, 4]) published.push(await publish(store, first))
    expect(published.map((each) => store.read(nameOf(each))?.[0] ?? null)).toEqual([null, 2, 3, 4])
    expect([store.dropped, store.held.files]).toEqual([1, 3])
    published[0]?.remove()
    expect(store.held.files).toBe(3)
  })

  test('beyond the bytes as well; what could never be held is refused', async () => {
    const store = files({ files: 100, bytes: 3000 })
    const first = await publish(store, 1)
    await publish(store, 2)
    await publish(store, 3)
    expect([store.read(nameOf(first)), store.dropped, store.held]).toEqual([null, 1, { files: 2, bytes: 2560 }])
    expect(await store.publish(new Int16Array(2000), 8000)).toMatchObject({ ok: false })
    expect(store.held.files).toBe(2)
  })

  test('a name is used again after a minute, for the same format only, and its first owner has no say in it', async () => {
    const store = files()
    const first = await publish(store, 1)
    first.remove()
    const soon = await publish(store, 2)
    clock.advance(60_000)
    const wide = await publish(store, 3, 16_000)
    const again = await publish(store, 4)
    const names = [soon, wide, again].map(nameOf)
    expect(names.map((name) => name === nameOf(first))).toEqual([false, false, true])
    first.remove()
    expect(store.read(nameOf(again))?.[0]).toBe(4)
  })

  test('names that rest are as many as files may be', async () => {
    const store = files()
    const names: string[] = []
    for (let count = 0; count < 10; count += 1) {
      const published = await publish(store, count)
      names.push(nameOf(published))
      published.remove()
    }
    clock.advance(60_000)
    const again: string[] = []
    for (let count = 0; count < 3; count += 1) again.push(nameOf(await publish(store, count)))
    expect(again).toEqual(names.slice(-3))
  })
})
