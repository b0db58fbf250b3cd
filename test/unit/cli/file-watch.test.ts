import { afterEach, beforeEach, describe, expect, test } from 'bun:test'
import { mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { silentLog } from '#base/log.ts'
import { FileWatch } from '#cli/file-watch.ts'
import { ManualClock } from '../../fakes/manual-clock.ts'

let folder: string
let clock: ManualClock
let watch: FileWatch | null
let news: number

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'patchcord-watch-'))
  clock = new ManualClock()
  news = 0
})

afterEach(() => {
  watch?.close()
  rmSync(folder, { recursive: true, force: true })
})

function noticed(): void {
  news += 1
}

/** What the watch found, each time that it may have found something. */
function watching(path: string): FileWatch {
  watch = new FileWatch({ path, clock, changed: noticed })
  watch.start(silentLog)
  return watch
}

/** Looks, and lets the file stand still for long enough, until there is as much news; where there is none to come, once. */
async function settled(expected: number): Promise<void> {
  for (let round = 0; round === 0 || (round < 200 && news < expected); round += 1) {
    await watch?.look()
    clock.advance(200)
    // Reading is real, though time is not.
    await Bun.sleep(15)
  }
  expect(news).toBe(expected)
}

/** Until the folder has told it, without a look. */
async function told(): Promise<number> {
  for (let round = 0; round < 200 && news === 0; round += 1) {
    await Bun.sleep(5)
    clock.advance(160)
  }
  return news
}

describe('a watched file', () => {
  test('that is written anew in place, is news once', async () => {
    const file = join(folder, 'a.yaml')
    writeFileSync(file, 'one')
    watching(file)
    await settled(0)
    writeFileSync(file, 'two')
    await settled(1)
    await settled(1)
  })

  test('that an editor replaces by another, again and again, is news each time', async () => {
    const file = join(folder, 'a.yaml')
    writeFileSync(file, 'one')
    watching(file)
    for (const [before, text] of ['two', 'three'].entries()) {
      const draft = join(folder, '.a.yaml.swp')
      writeFileSync(draft, text)
      renameSync(draft, file)
      await settled(before + 1)
    }
  })

  test('is told by its folder, without waiting for the next look', async () => {
    const file = join(folder, 'a.yaml')
    writeFileSync(file, 'one')
    watching(file)
    await Bun.sleep(20)
    const draft = join(folder, 'draft')
    writeFileSync(draft, 'two')
    renameSync(draft, file)
    expect(await told()).toBe(1)
  })

  test('that is only touched, or saved without a change, is none', async () => {
    const file = join(folder, 'a.yaml')
    writeFileSync(file, 'one')
    watching(file)
    utimesSync(file, new Date(1), new Date(2))
    await settled(0)
    rmSync(file)
    writeFileSync(file, 'one')
    await settled(0)
  })

  test('that is being written is left alone until it stands still', async () => {
    const file = join(folder, 'a.yaml')
    writeFileSync(file, 'one')
    const watched = watching(file)
    for (const text of ['t', 'tw', 'two']) {
      writeFileSync(file, text)
      await watched.look()
      clock.advance(100)
    }
    await Bun.sleep(15)
    expect(news).toBe(0)
    await settled(1)
  })

  test('that is half-written for longer is news, and again when it is whole', async () => {
    const file = join(folder, 'a.yaml')
    writeFileSync(file, 'one')
    watching(file)
    writeFileSync(file, 'two: [')
    await settled(1)
    writeFileSync(file, 'two: []')
    await settled(2)
  })

  test('behind links that are swapped, as Kubernetes mounts them', async () => {
    for (const [name, text] of [
      ['..1', 'one'],
      ['..2', 'two'],
    ] as const) {
      mkdirSync(join(folder, name))
      writeFileSync(join(folder, name, 'a.yaml'), text)
    }
    symlinkSync('..1', join(folder, '..data'))
    symlinkSync('..data/a.yaml', join(folder, 'a.yaml'))
    watching(join(folder, 'a.yaml'))
    await settled(0)
    symlinkSync('..2', join(folder, '..data_tmp'))
    renameSync(join(folder, '..data_tmp'), join(folder, '..data'))
    await settled(1)
  })

  test('behind a link into another folder, which only a look finds', async () => {
    mkdirSync(join(folder, 'far'))
    mkdirSync(join(folder, 'near'))
    writeFileSync(join(folder, 'far', 'a.yaml'), 'one')
    symlinkSync(join(folder, 'far', 'a.yaml'), join(folder, 'near', 'a.yaml'))
    watching(join(folder, 'near', 'a.yaml'))
    await Bun.sleep(20)
    writeFileSync(join(folder, 'far', 'a.yaml'), 'two')
    clock.advance(2000)
    expect(await told()).toBe(1)
  })

  test('that is gone is no news, and one that comes back with other words is', async () => {
    const file = join(folder, 'a.yaml')
    writeFileSync(file, 'one')
    watching(file)
    rmSync(file)
    await settled(0)
    writeFileSync(file, 'two')
    await settled(1)
  })

  test('that is empty for a while is no news: it may be about to be written', async () => {
    const file = join(folder, 'a.yaml')
    writeFileSync(file, 'one')
    watching(file)
    writeFileSync(file, '')
    await settled(0)
    expect(news).toBe(0)
    // Somebody may have asked for a reload of what was empty.
    writeFileSync(file, 'one')
    await settled(1)
  })

  test('that was not there at first is news when it comes; its folder need not be there', async () => {
    const file = join(folder, 'config', 'a.yaml')
    watching(file)
    await settled(0)
    mkdirSync(join(folder, 'config'))
    writeFileSync(file, 'one')
    await settled(1)
  })

  test('that changes between the first look and the start is news', async () => {
    const file = join(folder, 'a.yaml')
    writeFileSync(file, 'one')
    watch = new FileWatch({ path: file, clock, changed: noticed })
    writeFileSync(file, 'two')
    watch.start(silentLog)
    await settled(1)
  })

  test('is not read where a pipe stands in its place, which is news', async () => {
    const file = join(folder, 'a.yaml')
    Bun.spawnSync(['mkfifo', file])
    watching(file)
    await settled(0)
    rmSync(file)
    writeFileSync(file, 'one')
    await settled(1)
    rmSync(file)
    Bun.spawnSync(['mkfifo', file])
    await settled(2)
  })

  test('is of no interest any more once the watch is closed', async () => {
    const file = join(folder, 'a.yaml')
    writeFileSync(file, 'one')
    watching(file).close()
    writeFileSync(file, 'two')
    await settled(0)
    expect(clock.pending).toBe(0)
  })
})
