import { afterAll, beforeAll, expect, test } from 'bun:test'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

// `patchcord models` looks where the engine will look.

const main = join(import.meta.dir, '../../../src/main.ts')
let folder: string

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'patchcord-models-'))
  mkdirSync(join(folder, 'config'))
  writeFileSync(join(folder, 'config', 'ai-agent.yaml'), `models: { dir: "${folder}/found" }\n`)
  writeFileSync(join(folder, 'other.yaml'), `models: { dir: "${folder}/other" }\nllm: { prompt: "\${UNSET_HERE}" }\n`)
  writeFileSync(join(folder, 'wrong.yaml'), 'modles: {}\n')
})

afterAll(() => rmSync(folder, { recursive: true, force: true }))

async function list(argv: readonly string[], named = ''): Promise<{ store: string | undefined; said: string }> {
  const env = { ...process.env, PATCHCORD_MODELS_DIR: named }
  const command = [process.execPath, '--no-env-file', main, 'models', '--list', ...argv]
  const child = Bun.spawn(command, { cwd: folder, env, stdout: 'pipe', stderr: 'pipe' })
  const [out, said] = await Promise.all([new Response(child.stdout).text(), new Response(child.stderr).text()])
  return { store: /^store: (.*)$/m.exec(out)?.[1], said }
}

test.each([
  ['the configuration that is found', [], '', 'found'],
  ['the one that is named, whose secrets may be missing', ['--config', 'other.yaml'], '', 'other'],
  ['the variable, before any of them', ['--config', 'wrong.yaml'], 'variable', 'variable'],
  ['--dir, before all', ['--config', 'wrong.yaml', '--dir', 'FOLDER/here'], 'variable', 'here'],
] as const)('in the store of %s', async (_name, argv, named, expected) => {
  const given = argv.map((each) => each.replace('FOLDER', folder))
  const { store, said } = await list(given, named === '' ? '' : join(folder, named))
  expect([store, said]).toEqual([join(folder, expected), ''])
})

test('of a configuration that is wrong in none, and says why', async () => {
  const { store, said } = await list(['--config', 'wrong.yaml'])
  expect([store, said.includes('modles')]).toEqual([undefined, true])
})
