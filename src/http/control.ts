import type { Hono } from 'hono'
import type { Clock } from '#base/clock.ts'
import type { Change } from '#config/changes.ts'
import { type LastChange, type ReloadAnswer, type ReloadTrigger, reloadMaxSeconds } from '#config/reload.ts'
import { type AccessRules, accessRefusal } from './access.ts'
import { textBody, wordsBounds } from './body.ts'
import { addConfigurationApi, type ConfigurationDesk } from './configuration-api.ts'
import type { ConnectionBindings } from './connection.ts'
import { openApi } from './openapi.ts'
import { addProviderApi, type ProviderDesk } from './provider-api.ts'

/** The endpoints under /api: what an operator asks of a running engine and does to it. `openapi.ts` describes them. */
export interface ControlDeps {
  readonly clock: Clock
  /** Asked at each request. */
  readonly access: () => AccessRules
  /** Never rejects. */
  readonly reload: () => Promise<ReloadAnswer>
  readonly configuration: ConfigurationDesk
  readonly providers: ProviderDesk
}

export const controlEndpoints = [
  'GET /api/config',
  'POST /api/config/validate',
  'POST /api/config/diff',
  'GET /api/providers',
  'PUT /api/provider',
  'POST /api/reload',
  'GET /api/openapi.json',
] as const

export function addControl(api: Hono<{ Bindings: ConnectionBindings }>, deps: ControlDeps): void {
  api.use('/api/*', async (context, next) => {
    const header = (name: string) => context.req.header(name) ?? null
    const refusal = accessRefusal(
      { host: header('host'), origin: header('origin'), authorization: header('authorization') },
      deps.access(),
    )
    // What an engine is made of is for whoever asked, and for nobody's cache.
    context.header('cache-control', 'no-store')
    if (refusal === null) return await next()
    const headers = refusal.status === 401 ? { 'www-authenticate': 'Bearer' } : {}
    return context.json({ error: refusal.error }, refusal.status, headers)
  })

  api.post('/api/reload', async (context) => {
    // It needs no words, and reads them away.
    const body = await textBody(context, deps.clock, wordsBounds)
    if (!body.ok) return context.json({ error: body.error.error }, body.error.status)
    context.env?.wait?.(reloadMaxSeconds)
    const answer = await deps.reload()
    return context.json(answerBody(answer), answer.outcome === 'refused' ? 422 : 200)
  })
  addConfigurationApi(api, deps.clock, deps.configuration)
  addProviderApi(api, deps.clock, deps.providers)
  api.get('/api/openapi.json', (context) => context.json(openApi))

  api.all('/api/*', (context) => {
    const here = controlEndpoints.map((each) => each.split(' ')).filter(([, path]) => path === context.req.path)
    const allowed = here.map(([method]) => method).join(', ')
    if (allowed !== '') return context.json({ error: `expected ${allowed}` }, 405, { allow: allowed })
    return context.json({ error: `no such endpoint; there are ${controlEndpoints.join(', ')}` }, 404)
  })
}

/** The same members whatever the outcome. */
export interface ReloadBody {
  readonly outcome: ReloadAnswer['outcome']
  readonly changes: readonly ChangeBody[]
  readonly warnings: readonly string[]
  readonly problems: readonly string[]
  /** Where nothing changed: the last time that something did. */
  readonly last_change: {
    readonly at: string
    readonly trigger: ReloadTrigger
    readonly changes: readonly ChangeBody[]
  } | null
}

type ChangeBody = Pick<Change, 'key' | 'from' | 'to'>

function changeBody({ key, from, to }: Change): ChangeBody {
  return { key, from, to }
}

function answerBody(answer: ReloadAnswer): ReloadBody {
  const { outcome } = answer
  return {
    outcome,
    changes: outcome === 'changed' ? answer.changes.map(changeBody) : [],
    warnings: outcome === 'refused' ? [] : answer.warnings,
    problems: outcome === 'refused' ? answer.problems : [],
    last_change: outcome === 'unchanged' && answer.last !== null ? lastBody(answer.last) : null,
  }
}

function lastBody({ wallMs, trigger, changes }: LastChange): ReloadBody['last_change'] {
  return { at: new Date(wallMs).toISOString(), trigger, changes: changes.map(changeBody) }
}
