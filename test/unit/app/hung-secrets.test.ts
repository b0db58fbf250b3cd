import { afterAll, afterEach, describe, expect, test } from 'bun:test'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { IdleChild } from '#cli/idle-child.ts'
import { rereadEngineConfig } from '#cli/reread.ts'
import { createProviderDesk } from '../../../src/app/provider-desk.ts'
import type { ProviderSwitch } from '../../../src/app/provider-switch.ts'
import { ReadinessLog } from '../../../src/app/readiness-log.ts'
import { Reloader } from '../../../src/app/reloader.ts'
import { FakeGenerations } from '../../fakes/generations.ts'
import { ManualClock } from '../../fakes/manual-clock.ts'

// The disk of a secret may be a network's and hang. A pipe that nobody writes into stands for it: the reader in the child is
// given one that opens it all the same, and a thread of it waits in the kernel.

const folder = mkdtempSync(join(tmpdir(), 'patchcord-hung-'))
const root = join(import.meta.dir, '../../..')
const closing: IdleChild[] = []
const pipe = join(folder, 'hung')
Bun.spawnSync(['mkfifo', pipe])

afterEach(async () => {
  await Promise.all(closing.splice(0).map((child) => child.close()))
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

/** @param whenHung what the child does once it waits for the file */
function reloading(all: FakeGenerations, env: Readonly<Record<string, string>>, whenHung: string) {
  const script = join(folder, `${crypto.randomUUID()}.ts`)
  writeFileSync(
    script,
    `import { readFileSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { runConfigurationChild } from '${root}/src/cli/reread.ts'
import { ManualClock } from '${root}/test/fakes/manual-clock.ts'
const clock = new ManualClock()
const readText = (path: string) => {
  if (path !== '${pipe}') return Promise.resolve(readFileSync(path, 'utf8'))
  setImmediate(() => { ${whenHung} })
  return readFile(path, 'utf8')
}
process.exit(await runConfigurationChild({ clock, readText }))`,
  )
  writeFileSync(join(folder, 'engine.yaml'), all.text)
  const clock = new ManualClock()
  const child = new IdleChild({ command: [process.execPath, '--no-env-file', script], env: {}, clock })
  closing.push(child)
  const reloader = new Reloader({
    read: () => rereadEngineConfig({ env, cwd: folder }, { config: 'engine.yaml' }, { file: 'engine.yaml' }, child),
    current: () => all.current,
    build: () => Promise.reject(new Error('nothing is to be built')),
    swap: () => {
      throw new Error('nothing is to be taken up')
    },
    clock,
    log: all.log(),
  })
  return { reloader, child, clock }
}

const text = 'default_provider: deepgram\nlanguage: de\n'
const hungKey = { DEEPGRAM_API_KEY_FILE: pipe, PATCHCORD_API_TOKEN_FILE: join(folder, 'token') }

describe('a secret file that never answers', () => {
  test('refuses a reload by the names of its variable and its file, and what is in force stays', async () => {
    writeFileSync(join(folder, 'token'), 'canary\n')
    const all = new FakeGenerations(text.replace('de\n', 'en\n'))
    const before = all.current
    all.text = text
    for (const env of [hungKey, { ASTERISK_ARI_PASSWORD_FILE: pipe }, { PATCHCORD_API_TOKEN_FILE: pipe }]) {
      const { reloader } = reloading(all, env, 'clock.advance(5000)')
      const [variable] = Object.entries(env).find(([, file]) => file === pipe) ?? []
      expect(await reloader.reload('api')).toEqual({
        outcome: 'refused',
        problems: [`the file that ${variable} names (${pipe}) has not been read within 5 seconds. Is its disk there?`],
      })
    }
    expect(all.current).toBe(before)
    expect(JSON.stringify(all.lines)).not.toContain('canary')
  })

  test('is asked of another child the next time: a thread of the former still waits', async () => {
    const all = new FakeGenerations(text)
    const { reloader, child } = reloading(all, hungKey, 'clock.advance(5000)')
    const refused = await reloader.reload('api')
    const { pid } = child
    expect(await reloader.reload('api')).toEqual(refused)
    expect(child.pid).not.toBe(pid)
  })

  test('holds up nothing while it is waited for', async () => {
    const all = new FakeGenerations(text)
    const before = all.current
    const { reloader, child, clock } = reloading(all, hungKey, '')
    let isOver = false
    const answer = reloader.reload('api').finally(() => {
      isOver = true
    })
    const turns = async () => {
      for (let turn = 0; turn < 50; turn += 1) await new Promise<void>((resolve) => setImmediate(resolve))
    }
    await turns()
    const first = child.pid
    expect([isOver, first === null, all.current === before]).toEqual([false, false, true])
    clock.advance(1500)
    while (child.pid === null || child.pid === first) await turns()
    expect(isOver).toBe(false)
    clock.advance(10_000)
    expect(await answer).toMatchObject({ outcome: 'refused' })
    expect(all.current).toBe(before)
  })
})

test('the list of providers is made of what is in force: no file of a secret is looked at', async () => {
  const key = join(folder, 'key')
  writeFileSync(key, 'canary\n')
  const all = new FakeGenerations(text)
  all.env = { DEEPGRAM_API_KEY_FILE: key }
  await all.reloader.reload('api')
  rmSync(key)
  const desk = createProviderDesk(() => all.current, {} as ProviderSwitch, new ReadinessLog(all.clock))
  const refusal = () => desk.list().find(({ name }) => name === 'deepgram')?.refusal
  expect(refusal()).toBeNull()
  Bun.spawnSync(['mkfifo', key])
  expect(refusal()).toBeNull()
})
