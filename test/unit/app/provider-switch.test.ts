import { afterAll, beforeEach, describe, expect, test } from 'bun:test'
import { chmodSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { failed, ok } from '#base/result.ts'
import { editFile } from '#config/file-edit.ts'
import { loadConfiguration } from '#config/load.ts'
import { readSecret } from '#config/secrets.ts'
import { vendorSchemas } from '#providers/schemas.ts'
import { secretsNamed } from '#providers/secret-names.ts'
import { createConfigurationDesk } from '../../../src/app/configuration-desk.ts'
import type { ConfigurationFile } from '../../../src/app/configuration-file.ts'
import { createProviderDesk } from '../../../src/app/provider-desk.ts'
import { ProviderSwitch } from '../../../src/app/provider-switch.ts'
import { ReadinessLog } from '../../../src/app/readiness-log.ts'
import { FakeGenerations } from '../../fakes/generations.ts'

const folder = mkdtempSync(join(tmpdir(), 'patchcord-switch-'))
const path = join(folder, 'a.yaml')

afterAll(() => rmSync(folder, { recursive: true, force: true }))
beforeEach(() => writeFileSync(path, ''))

const base = [
  '# the workshop',
  'default_provider:   loopback   # for now',
  'providers: {openai_realtime: {enabled: true, headers: ["x-key: canary-header"]}, deepgram: {enabled: false}}',
  '',
].join('\n')

interface Circumstances {
  readonly text?: string
  readonly env?: Readonly<Record<string, string>>
  readonly commandLine?: Readonly<Record<string, string>>
  readonly builtIn?: boolean
}

/** An engine with a real file, whose reloads read it. */
function setUp({ text = base, env = {}, commandLine = {}, builtIn = false }: Circumstances = {}) {
  writeFileSync(path, text)
  const all = new FakeGenerations(text)
  all.env = env
  let beforeReload = () => {}
  const file: ConfigurationFile = {
    examine: (sent) => {
      const source = { file: 'a.yaml', text: sent ?? readFileSync(path, 'utf8') }
      const loaded = loadConfiguration({ ...source, env: all.env, vendors: vendorSchemas })
      if (!loaded.ok) return Promise.resolve(failed(loaded.error))
      const { origins, ...rest } = loaded.value
      const provenance = { file: 'a.yaml', path: builtIn ? null : path, origins, commandLine }
      const secrets = secretsNamed(rest.configuration, (name) => readSecret(name, all.env))
      return Promise.resolve(ok({ ...rest, env: all.env, secrets, provenance }))
    },
    edit: (...args) => editFile(...args),
  }
  const current = () => all.current
  const switching = new ProviderSwitch({
    file,
    current,
    reload: () => {
      beforeReload()
      all.text = readFileSync(path, 'utf8')
      return all.reloader.reload('api')
    },
    clock: all.clock,
    log: all.log(),
  })
  const readiness = new ReadinessLog(all.clock)
  return {
    all,
    switching,
    configuration: createConfigurationDesk(current, file),
    desk: createProviderDesk(current, switching, readiness),
    said: () => readFileSync(path, 'utf8'),
    onReload: (action: () => void) => {
      beforeReload = action
    },
  }
}

/** The file is a real one: how long it takes is not the clock's business. */
async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await Bun.sleep(1)
}

/** Lets time pass until there is an answer. */
async function waited<Answer>(all: FakeGenerations, answering: Promise<Answer>): Promise<Answer> {
  const state = { over: false }
  void answering.then(() => {
    state.over = true
  })
  while (!state.over) {
    all.clock.advance(1000)
    await Bun.sleep(1)
  }
  return await answering
}

describe('a switch to a pipeline, and from it to a provider', () => {
  const text = `${base}pipelines: { front: {} } # one\nactive_pipeline:    '' # none\n`

  test('changes the keys that say so, and nothing else', async () => {
    const { all, switching, said } = setUp({ text })
    expect(await waited(all, switching.to('front'))).toMatchObject({ outcome: 'changed', line: 5 })
    expect(said()).toBe(text.replace("    '' #", "    'front' #"))
    expect(all.current.provider.name).toBe('front')
    expect(await waited(all, switching.to('local'))).toMatchObject({ outcome: 'changed' })
    expect(said()).toBe(text.replace('  loopback ', '  local '))
    expect(all.current.provider.name).toBe('local')
  })

  test('leaves the file as it was where the reload refuses the second of them', async () => {
    const { all, switching, said, onReload } = setUp({ text: text.replace("''", 'front') })
    const before = said()
    onReload(() => {
      all.ready = { ready: false, reason: 'no' }
    })
    expect(await waited(all, switching.to('local'))).toMatchObject({ outcome: 'refused', status: 422 })
    expect(said()).toBe(before)
  })
})

describe('a switch of the provider', () => {
  test('changes the one value in the file, and the next call has it', async () => {
    const { all, switching, said } = setUp()
    expect(await switching.to('local')).toEqual({
      outcome: 'changed',
      file: 'a.yaml',
      line: 2,
      changes: [{ key: 'default_provider', from: '"loopback"', to: '"local"', restart: false }],
      warnings: [],
      ready: true,
      reason: null,
    })
    expect(said()).toBe(base.replace('  loopback ', '  local '))
    expect(all.current.provider.name).toBe('local')
    expect(await switching.to('local')).toMatchObject({ outcome: 'unchanged', changes: [], ready: true })
  })

  test('says what else the file has changed', async () => {
    const { switching } = setUp()
    writeFileSync(path, `${base}language: de\n`)
    const answer = await switching.to('local')
    expect(answer.outcome !== 'refused' && answer.changes.map(({ key }) => key)).toEqual([
      'default_provider',
      'language',
    ])
  })

  test('says the same where whoever watches the file was first', async () => {
    const { all, switching, onReload } = setUp()
    onReload(() => {
      all.text = readFileSync(path, 'utf8')
      void all.reloader.reload('file')
    })
    expect(await switching.to('local')).toMatchObject({ outcome: 'changed', changes: [{ key: 'default_provider' }] })
  })

  test('judges by what the file and the environment say now', async () => {
    const { all, switching } = setUp()
    all.env = { OPENAI_API_KEY: 'canary-key' }
    const answer = await switching.to('openai_realtime')
    expect(answer).toMatchObject({ outcome: 'changed', ready: true })
    writeFileSync(path, base.replace('deepgram: {enabled: false}', 'deepgram: {enabled: true, api_key_env: ""}'))
    expect((await switching.to('deepgram')).outcome).toBe('changed')
    expect(JSON.stringify([answer, all.lines])).not.toContain('canary')
  })

  test('waits for readiness where the present provider serves no calls either', async () => {
    const { all, switching } = setUp()
    for (const agent of all.agents) agent.ready = { ready: false, reason: 'gone' }
    all.ready = { ready: false, reason: 'loading' }
    const answering = switching.to('local')
    await until(() => all.current.provider.name === 'local')
    for (const agent of all.agents) agent.ready = { ready: true }
    expect(await waited(all, answering)).toMatchObject({ outcome: 'changed', ready: true, reason: null })
  })

  test('and tells when that does not come', async () => {
    const { all, switching } = setUp()
    for (const agent of all.agents) agent.ready = { ready: false, reason: 'gone' }
    all.ready = { ready: false, reason: 'loading' }
    expect(await waited(all, switching.to('local'))).toMatchObject({
      outcome: 'changed',
      ready: false,
      reason: 'provider local: loading',
    })
  })
})

describe('it is refused, and file and engine stay as they were', () => {
  const untouched = async (world: ReturnType<typeof setUp>, name: string, status: number, why: string) => {
    const before = world.said()
    const { ino, mtimeMs } = statSync(path)
    const answer = await world.switching.to(name)
    expect(answer).toMatchObject({ outcome: 'refused', status, problems: [expect.stringContaining(why)] })
    expect(world.said()).toBe(before)
    expect([statSync(path).ino, statSync(path).mtimeMs]).toEqual([ino, mtimeMs])
    expect(world.all.current.provider.name).toBe('loopback')
    expect(world.all.lines.map(({ message }) => message)).toContain('switch of the provider refused')
  }

  test.each([
    ['loopbak', 'Did you mean loopback?'],
    ['deepgram', 'Set providers.deepgram.enabled to true.'],
    ['openai_realtime', 'OPENAI_API_KEY'],
    ['__proto__', 'no provider is called'],
    ['a\nb', 'no provider is called "a\\nb"'],
  ])('%p', async (name, why) => {
    await untouched(setUp(), name, 422, why)
  })

  test('by a file that is wrong by now', async () => {
    const world = setUp()
    writeFileSync(path, `${base}vad: [`)
    await untouched(world, 'local', 422, 'a.yaml:4:7: ')
  })

  test('by a file that is read-only, or takes the value from elsewhere', async () => {
    const world = setUp()
    chmodSync(path, 0o444)
    await untouched(world, 'local', 409, 'read-only')
    chmodSync(path, 0o644)
    rmSync(path)
    const variable = setUp({ text: 'default_provider: ${WHO:-loopback}\n' })
    await untouched(variable, 'local', 409, 'variable of the environment')
  })

  test('by the configuration built in, and by an option that stands over the file', async () => {
    await untouched(setUp({ builtIn: true }), 'local', 409, 'built in')
    await untouched(setUp({ commandLine: { default_provider: '--provider' } }), 'local', 409, 'without --provider')
  })

  test('by an engine without a file, and by one that stops', async () => {
    const { all } = setUp()
    const deps = {
      current: () => all.current,
      reload: () => all.reloader.reload('api'),
      clock: all.clock,
      log: all.log(),
    }
    const none = new ProviderSwitch({ ...deps, file: null })
    expect(await none.to('local')).toMatchObject({ outcome: 'refused', status: 409 })
    await none.close()
    expect(await none.to('local')).toMatchObject({ problems: ['the engine is stopping'] })
  })
})

describe('what the reload refuses is taken back', () => {
  test('a provider that does not become ready', async () => {
    const { all, switching, said } = setUp()
    all.ready = { ready: false, reason: 'no such model' }
    const answering = switching.to('local')
    await until(() => said().includes('local'))
    const second = await switching.to('loopback')
    expect(second).toMatchObject({ outcome: 'refused', status: 409, problems: [expect.stringContaining('under way')] })
    expect(await waited(all, answering)).toMatchObject({
      outcome: 'refused',
      status: 422,
      problems: [expect.stringContaining('no such model')],
    })
    expect([said(), all.current.provider.name]).toEqual([base, 'loopback'])
  })

  test('a key that needs a restart, saved before', async () => {
    const { switching, said } = setUp()
    writeFileSync(path, `${base}health: {port: 1}\n`)
    expect(await switching.to('local')).toMatchObject({ problems: [expect.stringMatching(/^health\.port: .*restart/)] })
    expect(said()).toBe(`${base}health: {port: 1}\n`)
  })

  test('unless somebody has saved the file meanwhile: theirs stays', async () => {
    const { switching, said, onReload } = setUp()
    onReload(() => writeFileSync(path, 'languag: de\n'))
    expect(await switching.to('local')).toMatchObject({
      outcome: 'refused',
      problems: [expect.stringContaining('languag'), expect.stringContaining('meanwhile')],
    })
    expect(said()).toBe('languag: de\n')
  })

  test('before an engine that stops has gone', async () => {
    const { all, switching, said } = setUp()
    all.ready = { ready: false, reason: 'loading' }
    const answering = switching.to('local')
    await until(() => said().includes('local'))
    await Promise.all([switching.close(), all.reloader.close()])
    expect(await answering).toMatchObject({ outcome: 'refused', problems: ['the engine is stopping'] })
    expect(said()).toBe(base)
  })
})

describe('what is told', () => {
  test('each provider, the disabled ones too, with what is known of it', () => {
    const { all, desk } = setUp()
    desk.list()
    all.clock.advance(5000)
    const seen = desk.list()
    const of = (name: string) => seen.find((each) => each.name === name)
    expect(seen.map(({ name, enabled, in_use }) => [name, enabled, in_use])).toEqual([
      ['local', true, false],
      ['openai_realtime', true, false],
      ['deepgram', false, false],
      ['loopback', true, true],
    ])
    expect(of('loopback')).toMatchObject({ ready: true, reason: null, refusal: null })
    expect(of('deepgram')).toMatchObject({ ready: false, changed_at: null, seen_at: null })
    expect(of('deepgram')?.refusal).toContain('providers.deepgram.enabled')
    expect(of('openai_realtime')?.refusal).toContain('OPENAI_API_KEY')
    const times = [of('loopback')?.changed_at, of('loopback')?.seen_at].map((time) => Date.parse(time ?? ''))
    expect((times[1] ?? 0) - (times[0] ?? 0)).toBe(5000)
  })

  test('what a text would change, whether it needs a restart, and what is wrong with it', async () => {
    const { configuration, all } = setUp({ env: { KEY: 'canary-key', WHO: 'canary-who' } })
    const good = await configuration.examine(`${base}health: {port: 1}\nlanguage: de\nllm: {prompt: "\${KEY}"}\n`)
    expect(good.good && good.changes.map(({ key, to, restart }) => [key, to, restart])).toEqual([
      ['language', '"de"', false],
      ['llm.prompt', '********', false],
      ['health.port', '1', true],
    ])
    expect(all.current.settings.offer.language).toBe('en')
    const bad = await configuration.examine('default_provider: ${WHO}\n')
    expect(bad).toMatchObject({ good: false, problems: [{ line: 1, column: 1, cure: expect.any(String) }] })
    expect(JSON.stringify([good, bad, configuration.effective()])).not.toContain('canary')
    writeFileSync(path, `${base}language: fr\n`)
    expect(await configuration.examine(null)).toMatchObject({ changes: [{ key: 'language', to: '"fr"' }] })
  })
})
