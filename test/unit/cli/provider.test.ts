import { afterAll, afterEach, beforeEach, describe, expect, test } from 'bun:test'
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { SystemClock } from '#base/clock.ts'
import { ok } from '#base/result.ts'
import { provider } from '#cli/provider.ts'
import { createApi } from '#http/api.ts'
import { Listener } from '#http/listener.ts'
import type { ProviderState, SwitchAnswer } from '#http/provider-api.ts'
import type { EngineStatus } from '#http/status.ts'
import { accessRules, controlDeps } from '../../fakes/control.ts'

const token = 'canary-token-4711'
const folder = mkdtempSync(join(tmpdir(), 'patchcord-provider-'))
const file = join(folder, 'a.yaml')
let listener: Listener | null = null
let asked: string[] = []

beforeEach(() => {
  asked = []
})
afterEach(async () => {
  await listener?.close()
  listener = null
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const local: ProviderState = {
  name: 'local',
  enabled: true,
  in_use: true,
  ready: true,
  reason: null,
  changed_at: '2026-01-01T00:00:00.000Z',
  seen_at: '2026-01-01T00:01:00.000Z',
  refusal: null,
}
const idle = { ...local, in_use: false, ready: false, reason: 'not loaded' }
const deepgram = { ...idle, name: 'deepgram', enabled: false, reason: 'not enabled', refusal: 'it is not enabled.' }

/** An engine that is found by the file. */
function engine(answer: SwitchAnswer): string {
  const api = createApi({
    status: () => ({}) as EngineStatus,
    scrape: () => Promise.resolve({ contentType: '', text: '' }),
    control: controlDeps({
      clock: new SystemClock(),
      access: () => accessRules({ token: ok(token) }),
      providers: {
        list: () => [local, { ...idle, name: 'loopback' }, deepgram],
        switchTo: (name) => {
          asked.push(name)
          return Promise.resolve(answer)
        },
      },
    }),
  })
  listener = new Listener('127.0.0.1', 0)
  listener.attach((request, connection) => api.fetch(request, connection))
  return listener.url
}

async function run(argv: readonly string[], env: Readonly<Record<string, string>> = { PATCHCORD_API_TOKEN: token }) {
  const out: string[] = []
  const err: string[] = []
  const io = {
    stdout: (line: string) => void out.push(line),
    stderr: (line: string) => void err.push(line),
    env,
    cwd: folder,
  }
  const code = await provider(argv, io)
  expect([...out, ...err].join()).not.toContain('canary')
  return { code, out, err }
}

const changed: SwitchAnswer = {
  outcome: 'changed',
  file: 'a.yaml',
  line: 3,
  changes: [{ key: 'default_provider', from: '"local"', to: '"loopback"', restart: false }],
  warnings: ['warning: w'],
  ready: true,
  reason: null,
}

describe('with an engine that runs, found by the file or named', () => {
  test('switch lets it judge and apply, and prints what changed', async () => {
    const url = engine(changed)
    const text = `health: {port: ${listener?.port}}\ndefault_provider: local\n`
    writeFileSync(file, text)
    const expected = { code: 0, out: ['default_provider: "local" -> "loopback"'], err: ['warning: w'] }
    expect(await run(['switch', 'loopback', '--config', file])).toEqual(expected)
    expect(await run(['switch', 'nonsense', '--url', `${url}/`, '--token', token], {})).toEqual(expected)
    expect(asked).toEqual(['loopback', 'nonsense'])
    // The engine has its own file; this one is only where it was found.
    expect(readFileSync(file, 'utf8')).toBe(text)
  })

  test('a refusal, nothing new, and one that serves no calls yet', async () => {
    const refused = engine({ outcome: 'refused', status: 422, problems: ['no provider is called "x".'] })
    expect(await run(['switch', 'x', '--url', refused])).toEqual({
      code: 1,
      out: [],
      err: ['no provider is called "x".', 'Refused: what was in force before still is.'],
    })
    await listener?.close()
    const same = engine({ ...changed, outcome: 'unchanged', changes: [], warnings: [] })
    expect(await run(['switch', 'local', '--url', same])).toEqual({
      code: 0,
      out: ['nothing changed: it is local already (a.yaml:3)'],
      err: [],
    })
    await listener?.close()
    const waiting = engine({ ...changed, warnings: [], ready: false, reason: 'loading' })
    const { code, err } = await run(['switch', 'loopback', '--url', waiting])
    expect([code, err]).toEqual([1, [expect.stringContaining('not served yet: loading')]])
  })

  test('list prints each with its state', async () => {
    expect(await run(['list', '--url', engine(changed)])).toEqual({
      code: 0,
      out: [
        '* local     ready (since 2026-01-01T00:00:00.000Z)',
        '  loopback  not loaded',
        '  deepgram  it is not enabled.',
      ],
      err: [],
    })
  })

  test('a wrong token, a port of somebody else, an engine that starts: the file is left alone', async () => {
    engine(changed)
    writeFileSync(file, `health: {port: ${listener?.port}}\n`)
    for (const env of [{}, { PATCHCORD_API_TOKEN: 'wrong' }]) {
      const { code, err } = await run(['switch', 'loopback', '--config', file], env)
      expect([code, err.join()]).toEqual([1, expect.stringContaining('PATCHCORD_API_TOKEN')])
    }
    listener?.attach(() => Response.json({ hello: 'you' }))
    expect(await run(['list', '--config', file])).toMatchObject({ code: 1, err: ['what answers there is no engine'] })
    listener?.attach(() => Response.json({ status: 'not_ready', reasons: ['the engine is starting'] }, { status: 503 }))
    const { code, err } = await run(['switch', 'loopback', '--config', file])
    expect([code, err.join()]).toEqual([1, expect.stringContaining('the engine is starting')])
    expect(readFileSync(file, 'utf8')).toBe(`health: {port: ${listener?.port}}\n`)
    expect(asked).toEqual([])
  })

  test('one that was named and does not answer: nothing is done', async () => {
    const url = engine(changed)
    await listener?.close()
    writeFileSync(file, 'default_provider: local\n')
    const { code, err } = await run(['switch', 'loopback', '--url', url, '--config', file])
    expect([code, err.join()]).toEqual([1, expect.stringContaining('is it running?')])
    expect(readFileSync(file, 'utf8')).toBe('default_provider: local\n')
  })
})

test('the engine is found, and its file changed, without its secrets', async () => {
  engine(changed)
  const port = listener?.port ?? 0
  const text = `asterisk: {password: "\${ARI_SECRET}"}\nhealth: {port: ${port}}\ndefault_provider: local\n`
  writeFileSync(file, text)
  expect((await run(['switch', 'loopback', '--config', file])).code).toBe(0)
  expect(asked).toEqual(['loopback'])
  await listener?.close()
  expect((await run(['switch', 'loopback', '--config', file])).code).toBe(0)
  expect(readFileSync(file, 'utf8')).toBe(text.replace('local', 'loopback'))
  writeFileSync(file, text.replace(String(port), '"${PORT}"'))
  const lost = await run(['switch', 'loopback', '--config', file])
  expect([lost.code, lost.err[0]]).toEqual([1, expect.stringContaining('health.port comes from a variable')])
})

describe('where no engine runs', () => {
  const text = (port: number) =>
    `# head\nhealth:   {port: ${port}}\ndefault_provider:   'local'   # why\nproviders: {openai_realtime: {enabled: true}, deepgram: {enabled: false}}\n`

  async function written(): Promise<string> {
    engine(changed)
    const port = listener?.port ?? 0
    await listener?.close()
    writeFileSync(file, text(port))
    return text(port)
  }

  test('switch changes the one value, and says that no engine was told', async () => {
    const before = await written()
    const { code, out, err } = await run(['switch', 'loopback', '--config', 'a.yaml'])
    expect([code, out]).toEqual([0, ['a.yaml:3: default_provider: "local" -> "loopback"']])
    expect(err.join()).toContain('none was told')
    expect(readFileSync(file, 'utf8')).toBe(before.replace("'local'", "'loopback'"))
    expect((await run(['switch', 'loopback', '--config', 'a.yaml'])).out).toEqual([
      'nothing changed: it is loopback already',
    ])
  })

  test('list says what the file says', async () => {
    await written()
    const { code, out, err } = await run(['list', '--config', 'a.yaml'])
    expect([code, out[0], out[2]]).toEqual([
      0,
      '* local            enabled',
      expect.stringContaining('providers.deepgram.enabled'),
    ])
    expect(out[1]).toContain('OPENAI_API_KEY')
    expect(err).toEqual(['No engine answers: this is what a.yaml says.'])
  })

  test.each([
    ['loopbak', 'Did you mean loopback?'],
    ['deepgram', 'Set providers.deepgram.enabled to true.'],
    ['openai_realtime', 'the environment variable OPENAI_API_KEY'],
  ])('%s is refused: %s', async (name, why) => {
    const before = await written()
    const { code, out, err } = await run(['switch', name, '--config', 'a.yaml'])
    expect([code, out, err.join()]).toEqual([1, [], expect.stringContaining(why)])
    expect(err.join()).toContain('nothing was changed')
    expect(readFileSync(file, 'utf8')).toBe(before)
  })

  test('with its key in the environment of the command it is taken', async () => {
    await written()
    const { code } = await run(['switch', 'openai_realtime', '--config', 'a.yaml'], { OPENAI_API_KEY: 'canary-key' })
    expect([code, readFileSync(file, 'utf8').includes("'openai_realtime'")]).toEqual([0, true])
  })

  test('a file that is read-only, one that is wrong, and none at all', async () => {
    const before = await written()
    chmodSync(file, 0o444)
    const readOnly = await run(['switch', 'loopback', '--config', 'a.yaml'])
    expect([readOnly.code, readOnly.err.join()]).toEqual([1, expect.stringContaining('a.yaml: the file is read-only')])
    expect(readFileSync(file, 'utf8')).toBe(before)
    chmodSync(file, 0o644)
    writeFileSync(file, 'defaul_provider: local\nhealth: {port: 0}\n')
    const bad = await run(['switch', 'loopback', '--config', 'a.yaml'])
    expect([bad.code, bad.err[0]]).toEqual([1, expect.stringContaining('a.yaml:1:1: defaul_provider')])
    expect((await run(['list', '--config', 'none.yaml'])).code).toBe(1)
  })
})

test('the command line: no verb, no name, an unknown option, help', async () => {
  for (const argv of [[], ['switch'], ['switch', '--url', 'x'], ['frob'], ['list', 'more'], ['--frob']]) {
    expect((await run(argv)).code).toBe(2)
  }
  for (const argv of [['--help'], ['list', '--help'], ['switch', '--help'], ['switch', 'local', '--help']]) {
    expect((await run(argv)).code).toBe(0)
  }
})
