import type { Hono } from 'hono'
import type { Clock, Milliseconds } from '#base/clock.ts'
import type { ReloadAnswer } from '#config/reload.ts'
import { type AccessRules, accessRefusal } from './access.ts'

/** The endpoints under /api: what an operator does to a running engine. */
export interface ControlDeps {
  readonly clock: Clock
  /** Asked at each request. */
  readonly access: () => AccessRules
  /** Never rejects. */
  readonly reload: () => Promise<ReloadAnswer>
}

/** What the server lets a handler say about its connection. Missing where there is no server. */
export interface ConnectionBindings {
  /** The answer may be a while in coming. */
  readonly wait?: (seconds: number) => void
}

/** A reload needs no words. */
const bodyBytesMax = 1024
const bodyMaxMs: Milliseconds = 2000
/** A new provider may take half a minute to become ready. */
const answerMaxSeconds = 60

export function addControl(api: Hono<{ Bindings: ConnectionBindings }>, deps: ControlDeps): void {
  api.use('/api/*', async (context, next) => {
    const header = (name: string) => context.req.header(name) ?? null
    const refusal = accessRefusal(
      { host: header('host'), origin: header('origin'), authorization: header('authorization') },
      deps.access(),
    )
    if (refusal === null) return await next()
    const headers = refusal.status === 401 ? { 'www-authenticate': 'Bearer' } : {}
    return context.json({ error: refusal.error }, refusal.status, headers)
  })

  api.post('/api/reload', async (context) => {
    const body = await weigh(context.req.raw, deps.clock)
    if (body === 'too_large') return context.json({ error: `expected a body of at most ${bodyBytesMax} bytes` }, 413)
    if (body === 'too_slow') return context.json({ error: `the body did not end within ${bodyMaxMs} ms` }, 408)
    context.env?.wait?.(answerMaxSeconds)
    const answer = await deps.reload()
    return context.json(answerBody(answer), answer.outcome === 'refused' ? 422 : 200)
  })
}

/** The same members whatever the outcome. */
export interface ReloadBody {
  readonly outcome: ReloadAnswer['outcome']
  readonly changes: readonly { readonly key: string; readonly from: string; readonly to: string }[]
  readonly warnings: readonly string[]
  readonly problems: readonly string[]
}

function answerBody(answer: ReloadAnswer): ReloadBody {
  const { outcome } = answer
  return {
    outcome,
    changes: outcome === 'changed' ? answer.changes.map(({ key, from, to }) => ({ key, from, to })) : [],
    warnings: outcome === 'refused' ? [] : answer.warnings,
    problems: outcome === 'refused' ? answer.problems : [],
  }
}

/** Reads the body away, within its bounds. */
async function weigh(request: Request, clock: Clock): Promise<'good' | 'too_large' | 'too_slow'> {
  if (Number(request.headers.get('content-length') ?? 0) > bodyBytesMax) return 'too_large'
  if (request.body === null) return 'good'
  const reader = request.body.getReader()
  const late = Promise.withResolvers<'late'>()
  using _limit = clock.after(bodyMaxMs, () => late.resolve('late'))
  let bytes = 0
  while (bytes <= bodyBytesMax) {
    const read = await Promise.race([reader.read(), late.promise])
    if (read === 'late') {
      void reader.cancel().catch(() => {})
      return 'too_slow'
    }
    if (read.done) return 'good'
    bytes += read.value.length
  }
  void reader.cancel().catch(() => {})
  return 'too_large'
}
