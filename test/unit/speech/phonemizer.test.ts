import { afterEach, describe, expect, test } from 'bun:test'
import { mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { SystemClock } from '#base/clock.ts'
import { type Log, type LogFields, silentLog } from '#base/log.ts'
import { seededRandom } from '#base/random.ts'
import { Phonemizer } from '#speech/phonemizer.ts'

/** Stands in for eSpeak NG: "phonemes" are the words in capitals, and some words make trouble. */
const library = `
export async function phonemize(text, language) {
  if (text === 'crash') process.exit(3)
  if (text === 'throw') throw new Error('unknown language ' + language)
  return text === 'two lines' ? ['ONE', '(fr)TWO(en-us)'] : [text.toUpperCase()]
}
`
const childEntry = join(import.meta.dir, '..', '..', '..', 'src', 'speech', 'phonemizer-child.ts')

const folders: string[] = []
const open: Phonemizer[] = []

function start(source = library, log: Log = silentLog): Phonemizer {
  const folder = mkdtempSync(join(tmpdir(), 'phonemizer-'))
  folders.push(folder)
  writeFileSync(join(folder, 'phonemizer.js'), source)
  const main = join(folder, 'main.ts')
  writeFileSync(
    main,
    `import { runPhonemizerChild } from ${JSON.stringify(childEntry)}\nprocess.exit(await runPhonemizerChild([${JSON.stringify(folder)}]))`,
  )
  const phonemizer = new Phonemizer({
    clock: new SystemClock(),
    log,
    folder,
    random: seededRandom(1),
    command: [process.execPath, main],
  })
  open.push(phonemizer)
  phonemizer.start()
  return phonemizer
}

async function until(condition: () => boolean): Promise<void> {
  for (let tries = 0; tries < 400 && !condition(); tries++) await Bun.sleep(10)
  expect(condition()).toBe(true)
}

afterEach(async () => {
  await Promise.all(open.splice(0).map((phonemizer) => phonemizer.close()))
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true })
})

describe('Phonemizer', () => {
  test('one answer for each clause, many requests at once', async () => {
    const phonemizer = start()
    await until(() => phonemizer.readiness.ready)
    const results = await Promise.all(['a', 'b', 'c'].map((word) => phonemizer.phonemize([word, 'two lines'], 'en-us')))
    expect(results).toEqual(['A', 'B', 'C'].map((word) => ({ ok: true as const, value: [word, 'ONE TWO'] })))
  })

  test('what it cannot say fails alone', async () => {
    const phonemizer = start()
    await until(() => phonemizer.readiness.ready)
    const bad = await phonemizer.phonemize(['throw'], 'xx')
    expect(bad.ok ? '' : bad.error.message).toContain('unknown language xx')
    expect((await phonemizer.phonemize(['fine'], 'en-us')).ok).toBe(true)
  })

  test('a child that dies is replaced; what it was asked fails', async () => {
    const phonemizer = start()
    await until(() => phonemizer.readiness.ready)
    const lost = await phonemizer.phonemize(['crash'], 'en-us')
    expect(lost.ok ? '' : lost.error.code).toBe('failed')
    expect(phonemizer.readiness.ready).toBe(false)
    await until(() => phonemizer.readiness.ready)
    expect(await phonemizer.phonemize(['back'], 'en-us')).toEqual({ ok: true, value: ['BACK'] })
  })

  test('a library that cannot be loaded is named', async () => {
    const phonemizer = start('throw new Error("no such wasm")')
    await until(() => !phonemizer.readiness.ready && /no such wasm/.test(JSON.stringify(phonemizer.readiness)))
    expect((await phonemizer.phonemize(['x'], 'en-us')).ok).toBe(false)
  })

  test('the child gets no secret, runs in its own folder, and what it says goes through the log', async () => {
    process.env.ASTERISK_ARI_PASSWORD = 'hunter2'
    const lines: (LogFields | undefined)[] = []
    const log: Log = { ...silentLog, debug: (_message, fields) => lines.push(fields), with: () => log }
    try {
      const phonemizer = start(
        `console.error('w'.repeat(1000))
        export const phonemize = async () => [process.env.ASTERISK_ARI_PASSWORD ?? 'nothing', process.cwd()]`,
        log,
      )
      await until(() => phonemizer.readiness.ready)
      expect(await phonemizer.phonemize(['x'], 'en-us')).toEqual({
        ok: true,
        value: [`nothing ${realpathSync(folders.at(-1) ?? '')}`],
      })
      await until(() => lines.length > 0)
      expect(lines[0]?.line).toBe('w'.repeat(300))
    } finally {
      delete process.env.ASTERISK_ARI_PASSWORD
    }
  })

  test('the child ends when its parent closes its input', async () => {
    const phonemizer = start()
    await until(() => phonemizer.readiness.ready)
    const child = Bun.spawn([process.execPath, join(folders.at(-1) ?? '', 'main.ts')], {
      stdin: 'pipe',
      stdout: 'pipe',
    })
    const first = await child.stdout.getReader().read()
    expect(new TextDecoder().decode(first.value)).toContain('ready')
    await child.stdin.end()
    expect(await child.exited).toBe(0)
  })
})
