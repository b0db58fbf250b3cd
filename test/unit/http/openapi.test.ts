import { describe, expect, test } from 'bun:test'
import Ajv from 'ajv/dist/2020'
import type { ReloadAnswer } from '#config/reload.ts'
import { createApi } from '#http/api.ts'
import { type ControlDeps, controlEndpoints } from '#http/control.ts'
import { openApi } from '#http/openapi.ts'
import type { SwitchAnswer } from '#http/provider-api.ts'
import type { EngineStatus } from '#http/status.ts'
import { accessRules, controlDeps } from '../../fakes/control.ts'

const headers = { host: 'localhost' }
const ajv = new Ajv({ strict: false, formats: { 'date-time': (text: string) => !Number.isNaN(Date.parse(text)) } })
ajv.addSchema(openApi, 'openapi')

function create(over: Partial<ControlDeps> = {}) {
  return createApi({
    status: () => ({}) as EngineStatus,
    scrape: () => Promise.resolve({ contentType: '', text: '' }),
    control: controlDeps(over),
  })
}

interface Operation {
  readonly responses: Readonly<
    Record<
      string,
      { readonly content: { readonly 'application/json': { readonly schema: { readonly $ref?: string } } } }
    >
  >
}

function operationOf(endpoint: string): Operation {
  const [method = '', path = ''] = endpoint.toLowerCase().split(' ')
  const paths: Readonly<Record<string, Readonly<Record<string, unknown>>>> = openApi.paths
  return paths[path]?.[method] as Operation
}

/** Fails with what is wrong where the answer is none that is described. */
async function described(
  endpoint: string,
  over: Partial<ControlDeps>,
  init: RequestInit = {},
): Promise<[number, unknown]> {
  const [method = '', path = ''] = endpoint.split(' ')
  const response = await create(over).request(path, { method, headers, ...init })
  const schema = operationOf(endpoint).responses[String(response.status)]?.content['application/json'].schema
  if (schema === undefined) throw new Error(`${endpoint} may answer ${response.status}, but that is not described`)
  const body: unknown = await response.json()
  const validate = schema.$ref === undefined ? ajv.compile(schema) : ajv.compile({ $ref: `openapi${schema.$ref}` })
  if (!validate(body)) throw new Error(`${endpoint}: ${ajv.errorsText(validate.errors)} in ${JSON.stringify(body)}`)
  expect(response.headers.get('cache-control')).toBe('no-store')
  return [response.status, body]
}

test('each route is described, and what is described is there', () => {
  const routes = create()
    .routes.filter(({ method, path }) => path.startsWith('/api/') && method !== 'ALL')
    .map(({ method, path }) => `${method} ${path}`)
  const entries = Object.entries(openApi.paths).flatMap(([path, operations]) =>
    Object.keys(operations).map((method) => `${method.toUpperCase()} ${path}`),
  )
  expect([...new Set(routes)].sort()).toEqual(entries.sort())
  expect(entries.sort()).toEqual([...controlEndpoints].sort())
})

test('every schema that is referred to exists, and each is referred to', () => {
  const names = new Set([...JSON.stringify(openApi).matchAll(/#\/components\/schemas\/(\w+)/g)].map(([, name]) => name))
  expect([...names].sort()).toEqual(Object.keys(openApi.components.schemas).sort())
})

const change = { key: 'default_provider', from: '"a"', to: '"b"', restart: false }
const unchanged: ReloadAnswer = {
  outcome: 'unchanged',
  warnings: [],
  last: { wallMs: 1000, trigger: 'file', changes: [change] },
}
const finding = { line: 1, column: 2, key: 'x', message: 'm', cure: '' }
const nowhere = { line: null, column: null, key: '', message: 'm', cure: '' }

describe('answers are as described', () => {
  const refused: SwitchAnswer = { outcome: 'refused', status: 409, problems: ['a.yaml: read-only.'] }
  const examined = (good: boolean): ControlDeps['configuration'] => ({
    effective: () => ({
      file: null,
      values: [
        { key: 'a', value: ['b'], origin: { source: 'default' }, restart: true },
        { key: 'b', value: 1, origin: { source: 'file', line: 3 }, restart: false },
        {
          key: 'c',
          value: '********',
          origin: { source: 'environment', variables: ['C'], line: null },
          restart: false,
        },
        { key: 'd', value: 'x', origin: { source: 'command_line', option: '--provider' }, restart: false },
      ],
    }),
    examine: () =>
      Promise.resolve(good ? { good, changes: [change], warnings: [finding] } : { good, problems: [finding, nowhere] }),
  })
  const switching = (answer: SwitchAnswer): Partial<ControlDeps> => ({
    providers: {
      list: () => [
        {
          name: 'local',
          enabled: true,
          in_use: true,
          ready: false,
          reason: 'loading',
          changed_at: '2026-01-01T00:00:00.000Z',
          seen_at: null,
          refusal: null,
        },
      ],
      switchTo: () => Promise.resolve(answer),
    },
  })
  const name = { body: '{"name": "b"}' }
  const cases: [string, Partial<ControlDeps>, RequestInit, number][] = [
    ['GET /api/config', { configuration: examined(true) }, {}, 200],
    ['POST /api/config/validate', { configuration: examined(true) }, { body: 'a: 1' }, 200],
    ['POST /api/config/validate', { configuration: examined(false) }, { body: 'a: [' }, 200],
    ['POST /api/config/validate', {}, { body: new Uint8Array([0xff]) }, 400],
    ['POST /api/config/validate', {}, { body: 'x'.repeat(1024 * 1024 + 1) }, 413],
    ['POST /api/config/diff', { configuration: examined(true) }, { body: 'a: 1' }, 200],
    ['POST /api/config/diff', { configuration: examined(false) }, {}, 422],
    ['GET /api/providers', switching(refused), {}, 200],
    [
      'PUT /api/provider',
      switching({
        outcome: 'changed',
        file: 'a.yaml',
        line: 3,
        changes: [change],
        warnings: ['w'],
        ready: false,
        reason: 'r',
      }),
      name,
      200,
    ],
    ['PUT /api/provider', switching(refused), name, 409],
    ['PUT /api/provider', switching({ outcome: 'refused', status: 422, problems: ['no'] }), name, 422],
    ['PUT /api/provider', {}, { body: 'x'.repeat(1025) }, 413],
    ['PUT /api/provider', {}, {}, 400],
    ['PUT /api/provider', {}, { body: '{"name": 1}' }, 400],
    ['PUT /api/provider', {}, { body: '{"name": ""}' }, 400],
    ['PUT /api/provider', {}, { body: '{"name": "a", "more": 1}' }, 400],
    ['PUT /api/provider', {}, { body: '["name"]' }, 400],
    ['POST /api/reload', {}, {}, 200],
    ['POST /api/reload', { reload: () => Promise.resolve(unchanged) }, {}, 200],
    ['POST /api/reload', { reload: () => Promise.resolve({ outcome: 'refused', problems: ['a'] }) }, {}, 422],
    ['GET /api/openapi.json', {}, {}, 200],
    ['GET /api/config', {}, { headers: { host: 'evil.example' } }, 421],
    ['GET /api/config', { access: () => accessRules({ open: false }) }, {}, 403],
    [
      'GET /api/config',
      { access: () => accessRules({ boundHost: '0.0.0.0', token: { ok: true, value: 'canary-token' } }) },
      {},
      401,
    ],
  ]
  test.each(cases)('%s (%#)', async (endpoint, over, init, status) => {
    const [found, body] = await described(endpoint, over, init)
    expect(found).toBe(status)
    expect(JSON.stringify(body)).not.toContain('canary')
  })

  test('a text that is empty is the file to a diff, and an empty configuration to a check', async () => {
    const asked: (string | null)[] = []
    const configuration: ControlDeps['configuration'] = {
      effective: () => ({ file: null, values: [] }),
      examine: (text) => {
        asked.push(text)
        return Promise.resolve({ good: true, changes: [], warnings: [] })
      },
    }
    await described('POST /api/config/diff', { configuration })
    await described('POST /api/config/validate', { configuration })
    await described('POST /api/config/diff', { configuration }, { body: '\ufeffa: ä' })
    expect(asked).toEqual([null, '', 'a: ä'])
  })

  test('a third text at once is told to come again; afterwards there is room', async () => {
    const held = Promise.withResolvers<void>()
    const begun = { times: 0 }
    const configuration: ControlDeps['configuration'] = {
      effective: () => ({ file: null, values: [] }),
      examine: async () => {
        begun.times += 1
        await held.promise
        return { good: true, changes: [], warnings: [] }
      },
    }
    const api = create({ configuration })
    const ask = () => api.request('/api/config/validate', { method: 'POST', headers, body: 'a: 1' })
    const both = [ask(), ask()]
    while (begun.times < 2) await Bun.sleep(1)
    const third = await ask()
    expect([third.status, third.headers.get('retry-after')]).toEqual([503, '1'])
    held.resolve()
    expect((await Promise.all(both)).map(({ status }) => status)).toEqual([200, 200])
    expect((await ask()).status).toBe(200)
  })
})
