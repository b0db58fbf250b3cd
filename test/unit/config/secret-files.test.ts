import { expect, test } from 'bun:test'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { ok } from '#base/result.ts'
import { SecretFiles } from '#config/secret-files.ts'
import { readSecret } from '#config/secrets.ts'
import { ManualClock, settle } from '../../fakes/manual-clock.ts'

test('what is told by variables alone needs no file', async () => {
  const env = { KEY: 'a', BOTH: 'a', BOTH_FILE: '/nowhere' }
  const files = new SecretFiles({ env, clock: new ManualClock(), readText: () => Promise.reject(new Error('a disk')) })
  expect(['KEY', 'OTHER'].map(files.read)).toEqual([ok('a'), ok(undefined)])
  expect(files.read('BOTH')).toMatchObject({ ok: false, error: expect.stringContaining('keep one of them') })
  expect(await files.fetch()).toBe(false)
})

test('a file is fetched when it was asked for, and told as it is told at a start', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'secret-files-'))
  writeFileSync(join(folder, 'key'), 'canary\n')
  writeFileSync(join(folder, 'empty'), '')
  Bun.spawnSync(['mkfifo', join(folder, 'pipe')])
  const names = ['key', 'empty', 'pipe', 'gone']
  const env = Object.fromEntries(names.map((name) => [`${name}_FILE`, join(folder, name)]))
  const clock = new ManualClock()
  const files = new SecretFiles({ env, clock })
  expect(names.map((name) => files.read(name).ok)).toEqual([false, false, false, false])
  expect(await files.fetch()).toBe(true)
  const stripped = (said: object) => JSON.stringify(said).replace(/, (stat|open) '.*'/g, '')
  expect(names.map((name) => stripped(files.read(name)))).toEqual(names.map((name) => stripped(readSecret(name, env))))
  expect([files.read('key'), files.unanswered, await files.fetch(), clock.pending]).toEqual([
    ok('canary'),
    [],
    false,
    0,
  ])
  rmSync(folder, { recursive: true })
})

test('one that does not answer is told after five seconds by its variable and its file, the others are read', async () => {
  const clock = new ManualClock()
  const env = { HUNG_FILE: '/net/hung', KEY_FILE: '/net/key' }
  const readText = (path: string) =>
    path === '/net/key' ? Promise.resolve('canary\n') : new Promise<string | null>(() => {})
  const files = new SecretFiles({ env, clock, readText })
  files.read('HUNG')
  files.read('KEY')
  let isOver = false
  const fetched = files.fetch().then(() => {
    isOver = true
  })
  clock.advance(4999)
  await settle()
  expect(isOver).toBe(false)
  clock.advance(1)
  await fetched
  const why = 'the file that HUNG_FILE names (/net/hung) has not been read within 5 seconds. Is its disk there?'
  expect(files.unanswered).toEqual([why])
  expect([files.read('HUNG'), files.read('KEY')]).toEqual([{ ok: false, error: why }, ok('canary')])
})
