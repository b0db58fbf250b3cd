import { afterAll, describe, expect, test } from 'bun:test'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { runCheck } from '#cli/check.ts'
import { knownConfig, readEngineConfig } from '#cli/engine-config.ts'
import { checkedToken, readApiToken } from '#config/api-token.ts'
import { loadConfiguration } from '#config/load.ts'
import { formatProblem } from '#config/problem.ts'
import type { Environment } from '#config/secrets.ts'
import { vendors } from './vendors.ts'

const folder = mkdtempSync(join(tmpdir(), 'patchcord-api-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))
const tokenFile = join(folder, 'token')
writeFileSync(tokenFile, 'canary\n')
const emptyFile = join(folder, 'empty')
writeFileSync(emptyFile, '')
const oddFile = join(folder, 'odd')
writeFileSync(oddFile, 'canary\ncanary\n')

function said(text: string, env: Environment): { errors: string[]; warnings: string[] } {
  const loaded = loadConfiguration({ file: 'a.yaml', text, env: { ASTERISK_ARI_PASSWORD: 'x', ...env }, vendors })
  const lines = (loaded.ok ? loaded.value.warnings : loaded.error).map(formatProblem)
  expect(lines.join()).not.toContain('canary')
  return loaded.ok ? { errors: [], warnings: lines } : { errors: lines, warnings: [] }
}

const none = { errors: [], warnings: [] }
const everywhere = 'language: en\nhealth:\n  host: 0.0.0.0\n'

describe('another address than loopback', () => {
  test('without a token is refused with its line and two cures', () => {
    for (const env of [{}, { PATCHCORD_API_TOKEN: '' }]) {
      const { errors } = said(everywhere, env)
      expect(errors).toEqual([expect.stringMatching(/^a\.yaml:3:3: health\.host \(0\.0\.0\.0\).*no token is set/)])
      expect(errors.join()).toMatch(/Set PATCHCORD_API_TOKEN.*or set health\.api to false/)
    }
    for (const host of ['10.0.0.5', '::', 'pbx.example']) {
      expect(said(`health: { host: "${host}" }`, {}).errors).toHaveLength(1)
    }
  })

  test('where the token cannot be told, it says why', () => {
    expect(said(everywhere, { PATCHCORD_API_TOKEN_FILE: emptyFile }).errors.join()).toContain('is empty')
    expect(said(everywhere, { PATCHCORD_API_TOKEN_FILE: oddFile }).errors.join()).toContain('a line break')
    expect(said(everywhere, { PATCHCORD_API_TOKEN_FILE: join(folder, 'gone') }).errors.join()).toContain('be read')
    const both = { PATCHCORD_API_TOKEN: 'canary', PATCHCORD_API_TOKEN_FILE: tokenFile }
    expect(said(everywhere, both).errors.join()).toContain('keep one of them')
  })

  test('is good with a token, from the environment or a file, and with /api closed', () => {
    expect(said(everywhere, { PATCHCORD_API_TOKEN: 'canary' })).toEqual(none)
    expect(said(everywhere, { PATCHCORD_API_TOKEN_FILE: tokenFile })).toEqual(none)
    expect(said(`${everywhere}  api: false\n`, {})).toEqual(none)
  })

  test('an address that came out of a variable is not shown', () => {
    const { errors } = said('health: { host: "$' + '{ADDRESS}" }', { ADDRESS: 'pbx.example' })
    expect(errors).toHaveLength(1)
    expect(errors.join()).not.toContain('pbx.example')
  })
})

test('on loopback no token is needed; one that cannot be told is a warning', () => {
  for (const host of ['127.0.0.1', '::1', 'localhost']) expect(said(`health: { host: "${host}" }`, {})).toEqual(none)
  const { warnings } = said('', { PATCHCORD_API_TOKEN: 'can ary' })
  expect(warnings.join()).toMatch(/\/api is closed.*PATCHCORD_API_TOKEN holds a space/)
})

test('names of others on loopback, without a token: a warning', () => {
  const named = 'health: { allowed_hosts: [proxy.example] }'
  expect(said(named, {}).warnings).toEqual([expect.stringMatching(/^a\.yaml:1:11: health\.allowed_hosts: .*no token/)])
  expect(said(named, { PATCHCORD_API_TOKEN: 'canary' })).toEqual(none)
  expect(said('health: { allowed_hosts: [proxy.example], api: false }', {})).toEqual(none)
})

describe('who is asked', () => {
  writeFileSync(join(folder, 'a.yaml'), everywhere)
  const lines: string[] = []
  const io = (env: Environment) => ({
    stdout: (line: string) => void lines.push(line),
    stderr: (line: string) => void lines.push(line),
    env,
    cwd: folder,
  })

  test('check, and an engine that starts, refuse', async () => {
    expect(await runCheck(['a.yaml'], io({}), { vendors })).toBe(1)
    expect(readEngineConfig(io({}), { config: 'a.yaml' })).toMatchObject({
      ok: false,
      error: [expect.stringContaining('a.yaml:3:3: health.host')],
    })
    expect(await runCheck(['a.yaml'], io({ PATCHCORD_API_TOKEN: 'canary' }), { vendors })).toBe(0)
    writeFileSync(join(folder, 'engine.env'), 'PATCHCORD_API_TOKEN=canary\n')
    expect(await runCheck(['a.yaml', '--env-file', 'engine.env'], io({}), { vendors })).toBe(0)
    expect(await runCheck(['--env-file=none.env', 'a.yaml'], io({}), { vendors })).toBe(1)
    expect(await runCheck(['a.yaml', '--env-file'], io({}), { vendors })).toBe(2)
    expect(lines.join()).not.toContain('canary')
  })

  test('a command beside the engine, which has the token, finds it all the same', () => {
    expect(knownConfig(io({}), 'a.yaml')?.configuration.health.host).toBe('0.0.0.0')
  })
})

describe('a token', () => {
  const odd: [string, string][] = [
    ['a\nb', 'a line break'],
    ['a b', 'a space'],
    ['a\u00e9', 'characters beyond ASCII'],
    ['\u6f22', 'characters beyond ASCII'],
    ['a\u0000', 'a control character'],
    ['', 'is empty'],
  ]
  test.each(odd)('%j is refused by the place where it was found', (token, why) => {
    const checked = checkedToken(token, '--token')
    expect(checked).toMatchObject({
      ok: false,
      error: expect.stringMatching(new RegExp(`^the token in --token .*${why}`)),
    })
  })

  test('is read from the variable or the file', () => {
    expect(readApiToken({})).toMatchObject({ ok: true, value: undefined })
    expect(readApiToken({ PATCHCORD_API_TOKEN: '~a/+=.-_!' })).toMatchObject({ ok: true, value: '~a/+=.-_!' })
    expect(readApiToken({ PATCHCORD_API_TOKEN_FILE: tokenFile })).toMatchObject({ ok: true, value: 'canary' })
    expect(readApiToken({ PATCHCORD_API_TOKEN_FILE: oddFile })).toMatchObject({
      ok: false,
      error: expect.stringContaining('the file that PATCHCORD_API_TOKEN_FILE names holds a line break'),
    })
  })
})
