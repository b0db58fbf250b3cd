import { afterAll, describe, expect, test } from 'bun:test'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { SystemClock } from '#base/clock.ts'
import { editInChild } from '#cli/edit-child.ts'
import { IdleChild } from '#cli/idle-child.ts'
import { examineAnew, rereadEngineConfig } from '#cli/reread.ts'
import { builtInSource } from '#config/source.ts'
import { selfCommand } from '#speech/executable.ts'

const folder = mkdtempSync(join(tmpdir(), 'patchcord-reread-'))
const clock = new SystemClock()
const env = { HOME: process.env.HOME }
const child = new IdleChild({ command: selfCommand(['internal', 'configuration']), env, clock })

afterAll(async () => {
  await child.close()
  rmSync(folder, { recursive: true, force: true })
})

const reread = (options: Parameters<typeof rereadEngineConfig>[1], file = options.config ?? '') =>
  rereadEngineConfig({ env, cwd: folder }, options, { file }, child)

describe('the configuration of a running engine, read anew', () => {
  test('has what the file says now, the variables of the environment file, and the provider of the command line', async () => {
    writeFileSync(join(folder, 'a.yaml'), 'language: ${TONGUE}\ndefault_provider: local')
    writeFileSync(join(folder, '.env'), 'TONGUE=fr\n')
    writeFileSync(join(folder, 'a.env'), 'TONGUE=de\nOPENAI_API_KEY=canary\n')
    const read = await reread({ config: 'a.yaml', envFile: 'a.env', provider: 'loopback' })
    expect(read.ok && read.value.loaded).toMatchObject({
      configuration: { language: 'de', default_provider: 'loopback' },
      env: { OPENAI_API_KEY: 'canary', TONGUE: 'de' },
      fromEnvironment: ['language'],
      file: 'a.yaml',
    })
    expect(read.ok && Object.isFrozen(read.value.loaded.configuration.llm)).toBe(true)
    expect(read.ok && read.value.warnings.map((line) => line.split(':')[1])).toEqual([' a.yaml'])
  })

  test('says what is wrong as `patchcord check` does', async () => {
    writeFileSync(join(folder, 'b.yaml'), 'languag: de\n')
    expect(await reread({ config: 'b.yaml' })).toEqual({
      ok: false,
      error: ['b.yaml:1:1: languag: unknown key. Did you mean language?'],
    })
    expect(await reread({ config: 'b.yaml', envFile: 'none.env' })).toMatchObject({ ok: false })
  })

  test('is not the built-in one where the file that the engine began with is missing', async () => {
    const read = await reread({}, 'config/ai-agent.yaml')
    expect(!read.ok && read.error[0]).toContain('config/ai-agent.yaml:1:1: there is no such file')
    const builtIn = await reread({}, builtInSource.file)
    expect(builtIn.ok && builtIn.value.loaded.file).toBe(builtInSource.file)
  })
})

describe('in a child process', () => {
  const examine = (text: string, more = {}) =>
    examineAnew({ env: { ...env, ...more }, cwd: folder }, { text }, { file: 'a.yaml' }, child)

  test('a text is looked at as if it stood in the file, and belongs to none', async () => {
    const good = await examine('language: fr\nvad: {end_silence_ms: 800}')
    expect(good.ok && [good.value.configuration.language, good.value.provenance]).toMatchObject([
      'fr',
      { path: null, origins: { lines: { language: 1, 'vad.end_silence_ms': 2 } } },
    ])
    const bad = await examine('language: fr\nvad: {treshold: "${CANARY}"}', { CANARY: 'canary-4711' })
    expect(bad).toMatchObject({ ok: false, error: [{ line: 2, column: 7, key: 'vad.treshold' }] })
    expect(JSON.stringify(bad)).not.toContain('canary')
  })

  test('each question has the environment of its own time', async () => {
    const spoken = async (variables = {}) => {
      const found = await examine('language: ${TONGUE:-en}', variables)
      return found.ok && found.value.configuration.language
    }
    expect([await spoken({ TONGUE: 'fr' }), await spoken(), await spoken({ TONGUE: 'de' })]).toEqual(['fr', 'en', 'de'])
  })

  test('the file of a secret is found from where the engine was started', async () => {
    writeFileSync(join(folder, 'token'), 'canary\n')
    const found = await examine('health: {host: 10.0.0.5}', { PATCHCORD_API_TOKEN_FILE: 'token' })
    expect(found).toMatchObject({ ok: true })
  })

  test('what secrets hold comes back with the configuration, each time as it is then', async () => {
    const keys = { DEEPGRAM_API_KEY_FILE: 'deepgram', OPENAI_API_KEY: 'canary-1', PATCHCORD_API_TOKEN_FILE: 'gone' }
    const held = async (content: string) => {
      writeFileSync(join(folder, 'deepgram'), content)
      const found = await examine('providers: {deepgram: {enabled: true}}', keys)
      return found.ok && found.value.secrets
    }
    expect(await held('canary-2\n')).toMatchObject({
      DEEPGRAM_API_KEY: 'canary-2',
      OPENAI_API_KEY: 'canary-1',
      PATCHCORD_API_TOKEN: { why: expect.stringContaining('cannot be read') },
    })
    expect(await held('canary-3\n')).toMatchObject({ DEEPGRAM_API_KEY: 'canary-3' })
    const without = await examine('language: fr')
    expect(without.ok && without.value.secrets).toMatchObject({ OPENAI_API_KEY: null, PATCHCORD_API_TOKEN: null })
  })

  test('a long text, with signs of several bytes, comes back as it is', async () => {
    // Pipes hand on 64 KiB at once: this is cut into many pieces, there and back.
    const prompt = 'ä“🙂'.repeat(5000)
    const agents = Array.from({ length: 8 }, (_, index) => `  a${index}: { prompt: "${prompt}" }\n`).join('')
    const found = await examine(`# ${prompt.repeat(5)}\nagents:\n${agents}`)
    const prompts = found.ok ? Object.values(found.value.configuration.agents).map((agent) => agent.prompt) : []
    expect(prompts.map((each) => each === prompt)).toEqual(Array.from({ length: 8 }, () => true))
  })

  test('it ends with its input, as when the engine is killed', async () => {
    const reader = Bun.spawn(selfCommand(['internal', 'configuration']), {
      stdin: new Blob([`${JSON.stringify({ env, cwd: folder, text: 'language: fr' })}\n`]),
      stdout: 'pipe',
      stderr: 'pipe',
    })
    const [answers, trouble] = await Promise.all([reader.stdout, reader.stderr].map((end) => new Response(end).text()))
    expect([await reader.exited, trouble, answers?.split('\n').length]).toEqual([0, '', 2])
  })

  test('of very many problems the first are told', async () => {
    const bad = await examine(Array.from({ length: 500 }, (_, index) => `key_${index}: 1\n`).join(''))
    expect(!bad.ok && [bad.error.length, bad.error[100]]).toEqual([101, 'and 400 more problems'])
  })

  test('a file is changed by one value', async () => {
    const path = join(folder, 'c.yaml')
    writeFileSync(path, '# c\ndefault_provider: local # d\n')
    const edited = await editInChild(path, 'c.yaml', 'default_provider', 'loopback', { env: process.env, clock })
    expect(edited.ok && edited.value.line).toBe(2)
    expect(readFileSync(path, 'utf8')).toBe('# c\ndefault_provider: loopback # d\n')
    const gone = await editInChild(`${path}x`, 'x.yaml', 'default_provider', 'local', { env: process.env, clock })
    expect(gone).toMatchObject({ ok: false, error: expect.stringContaining('x.yaml: there is no such file') })
  })
})
