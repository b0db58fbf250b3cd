import { expect, test } from 'bun:test'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { hostname, tmpdir } from 'node:os'
import { join } from 'node:path'
import { ok } from '#base/result.ts'
import { loadConfiguration } from '#config/load.ts'
import { type Environment, readSecret } from '#config/secrets.ts'
import { vendorSchemas } from '#providers/schemas.ts'
import { secretsNamed } from '#providers/secret-names.ts'
import { ApiAccess } from '../../../src/app/api-access.ts'

function inForce(text: string, env: Environment) {
  const found = loadConfiguration({ text, env, vendors: vendorSchemas })
  if (!found.ok) throw new Error('a good configuration was expected')
  const { configuration } = found.value
  return { configuration, env, secrets: secretsNamed(configuration, (name) => readSecret(name, env)) }
}

test('the token is what its file held when it was read last', () => {
  const folder = mkdtempSync(join(tmpdir(), 'api-token-'))
  const file = join(folder, 'token')
  writeFileSync(file, 'first\n')
  const env = { PATCHCORD_API_TOKEN_FILE: file }
  let found = inForce('', env)
  const access = new ApiAccess(() => found)
  writeFileSync(file, 'second\n')
  expect(access.rules.token).toEqual(ok('first'))
  found = inForce('', env)
  expect(access.rules.token).toEqual(ok('second'))
  rmSync(folder, { recursive: true })
  expect(access.rules.token).toEqual(ok('second'))
  found = inForce('', env)
  expect(access.rules.token.ok).toBe(false)
})

test("the names are this machine's and those in force, the address is the one of the start", () => {
  const token = { PATCHCORD_API_TOKEN: 'a' }
  let found = inForce('health: { host: 10.0.0.5, allowed_hosts: [a.example] }', token)
  const access = new ApiAccess(() => found)
  expect(access.rules).toMatchObject({ open: true, boundHost: '10.0.0.5', names: [hostname(), 'a.example'] })
  found = inForce('health: { api: false, allowed_hosts: [b.example] }', token)
  expect(access.rules).toMatchObject({ open: false, boundHost: '10.0.0.5', names: [hostname(), 'b.example'] })
})
