import { afterAll, beforeAll, expect, test } from 'bun:test'
import { chmodSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Asterisk, startAsterisk } from '../bed/asterisk.ts'
import { engineCallFrom } from '../bed/conversation.ts'
import { BedEngine } from '../bed/engine.ts'

// An operator gives calls to another provider while one runs: by the command, in a file that is theirs.

const mainFile = join(import.meta.dir, '..', '..', 'src', 'main.ts')
const token = 'canary-token-4711'
/** Secrets, in the environment and in the file; none may be seen again. */
const canaries = {
  PATCHCORD_API_TOKEN: token,
  DEEPGRAM_API_KEY: 'canary-deepgram',
  THINK_KEY: 'canary-think',
  MEDIA_WEBSOCKET_PASSWORD: 'canary-media',
  OPENAI_API_KEY: '',
}
const more = `
# ── the workshop ──
llm:   {  initial_greeting:   "Hello: #1"  }   # a colon and a hash
turn_taking:
    farewell: &bye   'Good bye.'      # said twice
    check_ins:
    - "Hello?"    
on_failure: { notice: *bye }
providers:
      openai_realtime:   { enabled: true }
      deepgram:
         enabled: false      # one day
         think:
            endpoint_url: https://llm.example.com/v1
            endpoint_headers: [ "x-key: canary-header", "authorization: Bearer $THINK_KEY" ]
# the end, without a line end`

let asterisk: Asterisk
let engine: BedEngine

beforeAll(async () => {
  asterisk = await startAsterisk()
  engine = await BedEngine.start({ asterisk: asterisk.ari, provider: 'loopback', yaml: more, env: canaries })
}, 300_000)

afterAll(async () => {
  await engine?.stop()
  await asterisk?.stop()
})

const said = () => readFileSync(engine.configurationFile, 'utf8')
const seen: string[] = []

async function patchcord(...argv: string[]) {
  const child = Bun.spawn([process.execPath, '--no-env-file', mainFile, 'provider', ...argv, '--url', engine.httpUrl], {
    cwd: '/',
    env: { HOME: process.env.HOME, PATCHCORD_API_TOKEN: token },
    stdin: 'ignore',
    stdout: 'pipe',
    stderr: 'pipe',
  })
  const [out, err] = await Promise.all([new Response(child.stdout).text(), new Response(child.stderr).text()])
  seen.push(out, err)
  return { code: await child.exited, out, err }
}

async function ask(method: string, path: string, body?: string) {
  const headers = { authorization: `Bearer ${token}` }
  const response = await fetch(`${engine.httpUrl}${path}`, { method, headers, ...(body === undefined ? {} : { body }) })
  const text = await response.text()
  seen.push(text, JSON.stringify([...response.headers]))
  return { status: response.status, body: JSON.parse(text) }
}

async function caller(number: string) {
  const call = await asterisk.call({ extension: '100', callerId: number, steps: [{ waitMs: 60_000 }] })
  return { call, id: await engineCallFrom(engine, number) }
}

test('the next call has the other provider, the running one keeps its own, and one value of the file has changed', async () => {
  // With the spacing and the quotes of a person, and the line ends of their editor.
  const odd = said()
    .replace('default_provider: loopback', "# who answers\ndefault_provider  :   'loopback'    # for now")
    .replaceAll('\n', '\r\n')
  writeFileSync(engine.configurationFile, odd)
  chmodSync(engine.configurationFile, 0o640)
  const first = await caller('5550811')
  await engine.until('heard', 10_000, () => engine.steps(first.id).includes('first_caller_audio'))

  for (const [name, why] of [
    ['lokal', 'Did you mean local?'],
    ['deepgram', 'providers.deepgram.enabled'],
    ['openai_realtime', 'OPENAI_API_KEY'],
  ] as const) {
    const { code, out, err } = await patchcord('switch', name)
    expect([code, out, err]).toEqual([1, '', expect.stringContaining(why)])
  }
  expect(said()).toBe(odd)

  const switched = await patchcord('switch', 'local')
  expect([switched.code, switched.out]).toEqual([0, 'default_provider: "loopback" -> "local"\n'])
  expect(said()).toBe(odd.replace("'loopback'", "'local'"))
  expect(statSync(engine.configurationFile).mode & 0o777).toBe(0o640)
  expect(await engine.health()).toMatchObject({ default_provider: 'local', active_calls: 1 })
  const second = await caller('5550812')
  await engine.until('greeted', 15_000, () => engine.steps(second.id).includes('greeting_started'))

  chmodSync(engine.configurationFile, 0o444)
  const readOnly = await patchcord('switch', 'loopback')
  expect([readOnly.code, readOnly.err]).toEqual([1, expect.stringContaining('read-only')])
  expect((await patchcord('list')).out).toStartWith('* local            ready (since ')

  for (const { call } of [second, first]) {
    await call.hangup()
    await call.ended
  }
  await engine.untilIdle()
  const providerOf = (id: string) => engine.records().find((record) => record.call_id === id)?.provider
  expect([first, second].map(({ id }) => providerOf(id))).toEqual(['loopback', 'local'])
}, 60_000)

test('what is in force is told with its origin; what would be wrong or new, without applying it; no secret anywhere', async () => {
  const { body } = await ask('GET', '/api/config')
  const of = (key: string) => body.values.find((each: { key: string }) => each.key === key)
  const lineOf = (words: string) =>
    said()
      .split('\n')
      .findIndex((line) => line.includes(words)) + 1
  expect(of('default_provider')).toMatchObject({ value: 'local', origin: { source: 'file', line: 2 } })
  expect(of('on_failure.notice')).toMatchObject({ value: 'Good bye.', origin: { line: lineOf('*bye') } })
  expect(of('asterisk.password')).toMatchObject({
    value: '********',
    origin: { source: 'environment', variables: ['ASTERISK_ARI_PASSWORD'], line: lineOf('ASTERISK_ARI_PASSWORD') },
  })
  expect(of('media_websocket.password')).toMatchObject({ value: '********', origin: { line: null } })
  expect(of('vad.threshold').origin).toEqual({ source: 'default' })

  const wrong = await ask('POST', '/api/config/validate', 'languag: de\nlanguage: "${THINK_KEY}"\n')
  expect(wrong).toMatchObject({ status: 200, body: { valid: false, problems: [{ line: 1 }, { line: 2, column: 11 }] } })
  const other = await ask('POST', '/api/config/diff', `${said()}\nlanguage: "de"\nvad: {threshold: 0.4}\n`)
  expect(other).toMatchObject({
    status: 200,
    body: {
      changes: [
        { key: 'language', from: '"en"', to: '"de"', restart: false },
        { key: 'vad.threshold', restart: false },
      ],
    },
  })
  expect((await ask('POST', '/api/config/diff')).body).toMatchObject({ changes: [], problems: [] })
  expect((await ask('GET', '/api/providers')).body.providers).toHaveLength(4)
  expect((await ask('GET', '/api/openapi.json')).status).toBe(200)
  expect((await ask('DELETE', '/api/provider')).status).toBe(405)
  expect((await ask('GET', '/api/nothing')).status).toBe(404)
  expect((await fetch(`${engine.httpUrl}/api/config`)).status).toBe(401)
  const refused = await ask('PUT', '/api/provider', '{"name": "loopback"}')
  expect(refused).toMatchObject({ status: 409, body: { outcome: 'refused' } })
  seen.push(engine.output)
  expect(seen.join('\n')).not.toContain('canary')
}, 30_000)
