import type { Hono } from 'hono'
import type { Clock } from '#base/clock.ts'
import type { Change } from '#config/changes.ts'
import { textBody, wordsBounds } from './body.ts'
import type { ConnectionBindings } from './connection.ts'

/** The providers of a running engine, and the choice of the one that answers calls. */
export interface ProviderDesk {
  list(): readonly ProviderState[]
  /** Never rejects. */
  switchTo(name: string): Promise<SwitchAnswer>
}

/** One provider that the configuration has a section for. */
export interface ProviderState {
  readonly name: string
  readonly enabled: boolean
  /** The next call is given to it. */
  readonly in_use: boolean
  readonly ready: boolean
  /** Why it is not ready; null: it is. */
  readonly reason: string | null
  /** When readiness or its reason was last seen to change, in ISO 8601; at first, when it was first looked at. */
  readonly changed_at: string | null
  /** When it was last looked at. */
  readonly seen_at: string | null
  /** Why a switch to it would be refused; null: nothing is known against it. */
  readonly refusal: string | null
}

export type SwitchAnswer =
  | {
      /** `unchanged`: it was the one in use, and the file said so. */
      readonly outcome: 'changed' | 'unchanged'
      readonly file: string
      /** Where the file names it, counted from 1. */
      readonly line: number
      readonly changes: readonly Change[]
      readonly warnings: readonly string[]
      readonly ready: boolean
      /** Why calls are not served yet; null: they are. */
      readonly reason: string | null
    }
  /** What was in force still is, and the file is as it was. 409: the file, and not the name, stands against it. */
  | { readonly outcome: 'refused'; readonly status: 409 | 422; readonly problems: readonly string[] }

/** Two readings of the file, one change of it, and a provider that needs half a minute to become ready. */
const answerMaxSeconds = 120

/** The same members whatever the outcome. */
export interface SwitchBody {
  readonly outcome: SwitchAnswer['outcome']
  readonly file: string | null
  readonly line: number | null
  readonly changes: readonly Omit<Change, 'restart'>[]
  readonly warnings: readonly string[]
  readonly problems: readonly string[]
  readonly ready: boolean | null
  readonly reason: string | null
}

export function addProviderApi(api: Hono<{ Bindings: ConnectionBindings }>, clock: Clock, desk: ProviderDesk): void {
  api.get('/api/providers', (context) => context.json({ providers: desk.list() }))

  api.put('/api/provider', async (context) => {
    const body = await textBody(context, clock, wordsBounds)
    if (!body.ok) return context.json({ error: body.error.error }, body.error.status)
    const name = nameIn(body.value)
    if (name === null) return context.json({ error: 'expected a JSON object such as {"name": "local"}' }, 400)
    context.env?.wait?.(answerMaxSeconds)
    const answer = await desk.switchTo(name)
    return context.json(bodyOf(answer), answer.outcome === 'refused' ? answer.status : 200)
  })
}

function nameIn(text: string): string | null {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    return null
  }
  if (typeof value !== 'object' || value === null || Object.keys(value).join() !== 'name') return null
  const { name } = value as { readonly name: unknown }
  return typeof name === 'string' && name !== '' ? name : null
}

function bodyOf(answer: SwitchAnswer): SwitchBody {
  const nothing = { file: null, line: null, changes: [], warnings: [], problems: [], ready: null, reason: null }
  if (answer.outcome === 'refused') return { ...nothing, outcome: 'refused', problems: answer.problems }
  const { outcome, file, line, warnings, ready, reason } = answer
  const changes = answer.changes.map(({ key, from, to }) => ({ key, from, to }))
  return { ...nothing, outcome, file, line, changes, warnings, ready, reason }
}
