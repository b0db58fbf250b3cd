import { afterAll, describe, expect, test } from 'bun:test'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { answeringName } from '#config/schema.ts'
import { engineConfig } from '../../../src/cli/engine-config.ts'

const folder = mkdtempSync(join(tmpdir(), 'patchcord-engine-config-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const file = join(folder, 'engine.yaml')
writeFileSync(
  file,
  'active_pipeline: front\npipelines: { front: {}, back: {} }\nproviders: { deepgram: { enabled: false } }\n',
)

/** Who answers with this choice, or what was said against it. */
function answering(provider: string | undefined): string {
  const said: string[] = []
  const io = {
    cwd: folder,
    env: { ASTERISK_ARI_PASSWORD: 'x' },
    stdout: () => {},
    stderr: (line: string) => void said.push(line),
  }
  const config = engineConfig(io, { config: file, provider })
  return config === null ? said.join('\n') : answeringName(config.configuration)
}

test('what an engine is given by a pipe is refused: its next reading would find it empty', () => {
  Bun.spawnSync(['mkfifo', join(folder, 'pipe')])
  const said: string[] = []
  const io = { cwd: folder, env: {}, stdout: () => {}, stderr: (line: string) => void said.push(line) }
  expect(engineConfig(io, { config: 'pipe' })).toBeNull()
  expect(engineConfig(io, { config: file, envFile: 'pipe' })).toBeNull()
  expect(said.join('\n')).toMatch(/pipe:1:1: .*cannot be read again.*\n--env-file pipe: .*could not be read again/)
})

describe('--provider', () => {
  test('names a provider or a pipeline, and wins over the file', () => {
    expect(answering(undefined)).toBe('front')
    expect(answering('back')).toBe('back')
    expect(answering('local')).toBe('local')
  })

  test.each([['deepgram'], ['openai_compatible'], ['nobody']])('%s answers no calls', (name) => {
    expect(answering(name)).toBe(
      `--provider ${name}: no such provider is enabled; there are local, openai_realtime, loopback, front, back`,
    )
  })
})
