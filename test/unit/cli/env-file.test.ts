import { describe, expect, test } from 'bun:test'
import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { readEnvFile } from '#cli/env-file.ts'

const folder = mkdtempSync(join(tmpdir(), 'patchcord-env-'))
const read = (text: string) => {
  writeFileSync(join(folder, 'test.env'), text)
  return readEnvFile('test.env', folder)
}

describe('readEnvFile', () => {
  test('names and values, comments, quotes, export, and nothing expanded', () => {
    const result = read(`# a comment
PLAIN=value
export EXPORTED = spaced
SINGLE='it is # no comment $HOME'
DOUBLE="two words"
PASSWORD=pa$$w0rd=x
TRAILING=value   # why
BEHIND="two words" # why "so"
EMPTY=
`)
    expect(result).toEqual({
      ok: true,
      value: {
        PLAIN: 'value',
        BEHIND: 'two words',
        EXPORTED: 'spaced',
        SINGLE: 'it is # no comment $HOME',
        DOUBLE: 'two words',
        PASSWORD: 'pa$$w0rd=x',
        TRAILING: 'value',
        EMPTY: '',
      },
    })
  })

  test('a line that is none of this is named by its number, and its text, which may be a secret, is not said', () => {
    const result = read('GOOD=1\nhunter2 is my password\n')
    expect(result).toEqual({ ok: false, error: 'test.env:2: expected NAME=value' })
  })

  test('a pipe, which gives its lines once, is refused without waiting for whoever writes into it', () => {
    Bun.spawnSync(['mkfifo', join(folder, 'pipe.env')])
    expect(readEnvFile('pipe.env', folder)).toEqual({
      ok: false,
      error: '--env-file pipe.env: this is no regular file, and could not be read again. Write the variables into one.',
    })
  })

  test('a file that is not there is named', () => {
    const result = readEnvFile('missing.env', folder)
    expect(result.ok ? '' : result.error).toContain('--env-file missing.env')
  })
})
