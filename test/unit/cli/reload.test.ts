import { afterEach, describe, expect, test } from 'bun:test'
import { SystemClock } from '#base/clock.ts'
import { ok } from '#base/result.ts'
import { reload } from '#cli/reload.ts'
import type { ReloadAnswer } from '#config/reload.ts'
import { createApi } from '#http/api.ts'
import { Listener } from '#http/listener.ts'
import type { EngineStatus } from '#http/status.ts'
import { accessRules, controlDeps } from '../../fakes/control.ts'

const token = 'canary-token-4711'
let listener: Listener | null = null

afterEach(async () => {
  await listener?.close()
  listener = null
})

function engine(answer: ReloadAnswer): string {
  const api = createApi({
    status: () => ({}) as EngineStatus,
    scrape: () => Promise.resolve({ contentType: '', text: '' }),
    control: controlDeps({
      clock: new SystemClock(),
      access: () => accessRules({ token: ok(token) }),
      reload: () => Promise.resolve(answer),
    }),
  })
  listener = new Listener('127.0.0.1', 0)
  listener.attach((request, connection) => api.fetch(request, connection))
  return listener.url
}

async function run(argv: readonly string[], env: Readonly<Record<string, string>> = {}) {
  const out: string[] = []
  const err: string[] = []
  const io = {
    stdout: (line: string) => void out.push(line),
    stderr: (line: string) => void err.push(line),
    env,
    cwd: '/',
  }
  return { code: await reload(argv, io), out, err }
}

describe('patchcord reload', () => {
  test('prints what changed, key by key; the token comes from the command line or the environment', async () => {
    const change = { key: 'llm.initial_greeting', from: '"Hello."', to: '"Good day."', restart: false }
    const url = engine({ outcome: 'changed', changes: [change], warnings: ['warning: w'] })
    const expected = { code: 0, out: ['llm.initial_greeting: "Hello." -> "Good day."'], err: ['warning: w'] }
    expect(await run(['--url', `${url}/`, '--token', token])).toEqual(expected)
    expect(await run(['--url', url], { PATCHCORD_API_TOKEN: token })).toEqual(expected)
  })

  test('of a secret it says that it is another', async () => {
    const change = { key: 'DEEPGRAM_API_KEY (secret)', from: '********', to: '********', restart: false }
    const url = engine({ outcome: 'changed', changes: [change], warnings: [] })
    expect((await run(['--url', url, '--token', token])).out).toEqual(['DEEPGRAM_API_KEY (secret) changed'])
  })

  test('says that nothing changed', async () => {
    const url = engine({ outcome: 'unchanged', warnings: [], last: null })
    expect(await run(['--url', url, '--token', token])).toEqual({ code: 0, out: ['nothing changed'], err: [] })
  })

  test('says what was taken up before it asked, and when', async () => {
    const changes = Array.from({ length: 12 }, (_, index) => ({ key: `k${index}`, from: '1', to: '2', restart: false }))
    const wallMs = new Date(2026, 10, 9, 3, 5, 7).getTime()
    const url = engine({ outcome: 'unchanged', warnings: [], last: { wallMs, trigger: 'file', changes } })
    expect((await run(['--url', url, '--token', token])).out).toEqual([
      'nothing changed since 2026-11-09 03:05:07, when the file was taken up: k0, k1, k2, k3, k4, k5, k6, k7, k8, k9 and 2 more',
    ])
  })

  test('prints why it was refused, and fails', async () => {
    const url = engine({ outcome: 'refused', problems: ['a.yaml:1:1: x: unknown key.'] })
    expect(await run(['--url', url, '--token', token])).toEqual({
      code: 1,
      out: [],
      err: ['a.yaml:1:1: x: unknown key.', 'Refused: what was in force before still is.'],
    })
  })

  test('a wrong token, no token, nobody there, a wrong option', async () => {
    const url = engine({ outcome: 'unchanged', warnings: [], last: null })
    for (const argv of [
      ['--url', url],
      ['--url', url, '--token', 'wrong'],
    ]) {
      const { code, err } = await run(argv)
      expect([code, err.join()]).toEqual([1, expect.stringContaining('PATCHCORD_API_TOKEN')])
      expect(err.join()).not.toContain(token)
    }
    await listener?.close()
    const nobody = await run(['--url', url, '--token', token])
    expect([nobody.code, nobody.err.join()]).toEqual([1, expect.stringContaining('is it running?')])
    expect((await run(['--frobnicate'])).code).toBe(2)
    expect((await run(['--help'])).code).toBe(0)
  })

  test.each<[what: string, body: unknown, said: string]>([
    ['an engine that starts', { reasons: ['it is starting'] }, 'Nothing was changed: it is starting. Try again.'],
    ['what is no engine', { status: 'up' }, 'what answers there is no engine'],
    ['what says nothing', null, 'what answers there is no engine'],
  ])('%s has refused nothing', async (_, body, said) => {
    listener = new Listener('127.0.0.1', 0)
    listener.attach(() => Response.json(body))
    expect(await run(['--url', listener.url])).toEqual({ code: 1, out: [], err: [said] })
  })

  test('a configuration that is wrong in itself is said without an engine', async () => {
    const { code, err } = await run(['--config', '/nowhere.yaml'])
    expect([code, err[0]]).toEqual([1, expect.stringContaining('there is no such file')])
  })
})
