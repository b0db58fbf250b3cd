import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { failed, ok } from '#base/result.ts'
import { namedSecretIn, readSecret, type Secrets } from '#config/secrets.ts'

let folder = ''

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'secrets-'))
})

afterAll(() => rmSync(folder, { recursive: true }))

const fromFile = (name: string) => readSecret('KEY', { KEY_FILE: join(folder, name) })

describe('a secret from a file', () => {
  test('is its text without the last line break, also through a link', () => {
    writeFileSync(join(folder, 'key'), 'abc\r\n')
    symlinkSync('key', join(folder, 'link'))
    expect([fromFile('key'), fromFile('link')]).toEqual([ok('abc'), ok('abc')])
  })

  test('is refused where the file is empty, or not there', () => {
    writeFileSync(join(folder, 'empty'), '\n')
    expect(fromFile('empty')).toEqual(failed('the file that KEY_FILE names is empty'))
    expect(fromFile('nothing')).toMatchObject({ ok: false, error: expect.stringContaining('cannot be read') })
  })

  // A pipe that nobody writes into would hold up the engine for ever.
  test('is refused where it is a named pipe, a folder or a device, and nothing is waited for', () => {
    expect(Bun.spawnSync(['mkfifo', join(folder, 'pipe')]).exitCode).toBe(0)
    const refusal = failed(
      'what KEY_FILE names is not a regular file. Write the secret into one: a pipe or a device cannot be read again',
    )
    expect(fromFile('pipe')).toEqual(refusal)
    expect(fromFile('.')).toEqual(refusal)
    expect(readSecret('KEY', { KEY_FILE: '/dev/null' })).toEqual(refusal)
  })
})

describe('a secret that a key of the configuration names', () => {
  const named = (name: string, secrets: Secrets) => namedSecretIn(secrets, name, 'providers.x.api_key_env')

  test('must be there, unless none is named', () => {
    const missing = failed('the environment variable KEY (providers.x.api_key_env) is not set')
    expect(named('KEY', { KEY: 'abc' })).toEqual(ok('abc'))
    expect(named('', { KEY: 'abc' })).toEqual(ok(undefined))
    expect([named('KEY', {}), named('KEY', { KEY: null }), named('KEY', { KEY: '' })]).toEqual([
      missing,
      missing,
      missing,
    ])
  })

  test('says why it cannot be told', () => {
    expect(named('KEY', { KEY: { why: 'its file is empty' } })).toEqual(failed('its file is empty'))
  })
})
