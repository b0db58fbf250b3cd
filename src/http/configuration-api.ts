import type { Hono } from 'hono'
import type { Clock } from '#base/clock.ts'
import type { Change } from '#config/changes.ts'
import type { EffectiveConfiguration } from '#config/effective.ts'
import type { Finding } from '#config/problem.ts'
import { type BodyBounds, textBody } from './body.ts'
import type { ConnectionBindings } from './connection.ts'

/** What may be asked about the configuration of a running engine, without changing it. */
export interface ConfigurationDesk {
  effective(): EffectiveConfiguration
  /** @param text as if it stood in the file; null: what the file holds now. Never rejects, and holds up no call. */
  examine(text: string | null): Promise<Examination>
}

export type Examination =
  /** `changes`: what would be another one than in force. */
  | { readonly good: true; readonly changes: readonly Change[]; readonly warnings: readonly Finding[] }
  | { readonly good: false; readonly problems: readonly Finding[] }

/** As large as the file may be. */
const yamlBounds: BodyBounds = { bytesMax: 1024 * 1024, maxMs: 5000 }
/** They wait for one reader, which reloads need as well. */
const examinationsMax = 2
const answerMaxSeconds = 30

export function addConfigurationApi(
  api: Hono<{ Bindings: ConnectionBindings }>,
  clock: Clock,
  desk: ConfigurationDesk,
): void {
  let underWay = 0
  const examine = async (text: string | null): Promise<Examination | null> => {
    if (underWay >= examinationsMax) return null
    underWay += 1
    try {
      return await desk.examine(text)
    } finally {
      underWay -= 1
    }
  }
  const busy = { error: `${examinationsMax} texts are being looked at already. Try again.` }

  api.get('/api/config', (context) => {
    const { file, values } = desk.effective()
    return context.json({ file, values })
  })

  api.post('/api/config/validate', async (context) => {
    const body = await textBody(context, clock, yamlBounds)
    if (!body.ok) return context.json({ error: body.error.error }, body.error.status)
    context.env?.wait?.(answerMaxSeconds)
    const found = await examine(body.value)
    if (found === null) return context.json(busy, 503, { 'retry-after': '1' })
    if (found.good) return context.json({ valid: true, problems: [], warnings: found.warnings })
    return context.json({ valid: false, problems: found.problems, warnings: [] })
  })

  api.post('/api/config/diff', async (context) => {
    const body = await textBody(context, clock, yamlBounds)
    if (!body.ok) return context.json({ error: body.error.error }, body.error.status)
    context.env?.wait?.(answerMaxSeconds)
    const found = await examine(body.value === '' ? null : body.value)
    if (found === null) return context.json(busy, 503, { 'retry-after': '1' })
    if (found.good) return context.json({ changes: found.changes, problems: [], warnings: found.warnings })
    return context.json({ changes: [], problems: found.problems, warnings: [] }, 422)
  })
}
