import { describe, expect, test } from 'bun:test'
import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { runCheck } from '#cli/check.ts'
import type { Environment } from '#config/secrets.ts'
import { vendors } from './vendors.ts'

const folder = mkdtempSync(join(tmpdir(), 'patchcord-check-'))
writeFileSync(join(folder, 'good.yaml'), 'language: de\n')
writeFileSync(join(folder, 'bad.yaml'), 'langage: de\nhealth: { port: x }\n')

async function check(argv: readonly string[], env: Environment = {}) {
  const out: string[] = []
  const err: string[] = []
  const io = { stdout: (line: string) => out.push(line), stderr: (line: string) => err.push(line), env, cwd: folder }
  const notes = async () => ['a model is missing']
  const code = await runCheck(argv, io, { vendors, notes })
  return { code, out: out.join('\n'), err: err.join('\n') }
}

describe('patchcord check', () => {
  test('a good file: 0, and what is missing on this machine is only a note', async () => {
    const { code, out, err } = await check(['good.yaml'])
    expect({ code, out }).toEqual({ code: 0, out: 'good.yaml: the configuration is good.' })
    expect(err).toContain('note: a model is missing')
    expect(err).toContain('warning: good.yaml:')
  })

  test('a bad file: 1, every problem on its line, and how many', async () => {
    const { code, out, err } = await check(['--config', 'bad.yaml'])
    expect({ code, out }).toEqual({ code: 1, out: '' })
    expect(err).toMatch(/^bad\.yaml:1:1: langage: .*language\?\nbad\.yaml:2:17: health\.port: .*\n2 problems\.$/)
  })

  test('no file at all: the built-in one', async () => {
    expect((await check([])).out).toContain('built-in')
  })

  test('a missing file: 1', async () => {
    expect(await check(['none.yaml'])).toMatchObject({ code: 1 })
  })

  test.each([['--wrong'], ['--config'], ['good.yaml bad.yaml'], ['--config=']])(
    '%p is a wrong command line: 2',
    async (line) => {
      const { code, err } = await check(line.split(' '))
      expect(code).toBe(2)
      expect(err).toContain('patchcord check [FILE]')
    },
  )

  test('--help: 0, on standard output', async () => {
    const { code, out } = await check(['--help'])
    expect(code).toBe(0)
    expect(out).toContain('Exit status')
  })

  test('--show masks what is secret and shows the rest', async () => {
    const { out } = await check(['good.yaml', '--show'], {
      ASTERISK_ARI_PASSWORD: 'hunter2',
      ASTERISK_ARI_USERNAME: 'ann',
    })
    expect(out).not.toContain('hunter2')
    expect(JSON.parse(out)).toMatchObject({ language: 'de', asterisk: { username: 'ann', password: '********' } })
  })
})
