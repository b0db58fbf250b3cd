import { expect, test } from 'bun:test'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { ok } from '#base/result.ts'
import { ApiToken } from '../../../src/app/api-token.ts'

test('the token is what its file held when it was read last', () => {
  const folder = mkdtempSync(join(tmpdir(), 'api-token-'))
  const file = join(folder, 'token')
  writeFileSync(file, 'first\n')
  const token = new ApiToken(() => ({ PATCHCORD_API_TOKEN_FILE: file }))
  writeFileSync(file, 'second\n')
  expect(token.value).toEqual(ok('first'))
  token.readAnew()
  expect(token.value).toEqual(ok('second'))
  rmSync(folder, { recursive: true })
  expect(token.value).toEqual(ok('second'))
  token.readAnew()
  expect(token.value.ok).toBe(false)
})
