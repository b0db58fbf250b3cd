import { describe, expect, test } from 'bun:test'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { stageNames } from '#agent/provider.ts'
import { tokenKinds } from '#agent/usage.ts'
import { patchcordResults } from '#call/admission.ts'
import { hangupCauses } from '#call/leg.ts'
import { unknownKinds } from '#call/session-store.ts'
import { turnStates } from '#call/turn-state.ts'
import { metricRows } from './metric-rows.ts'

const document = readFileSync(join(import.meta.dir, '..', '..', '..', 'docs', 'metrics.md'), 'utf8')

describe('docs/metrics.md', () => {
  test('has a row for each metric, in the registry’s order, and for nothing else', async () => {
    const rows = document.split('\n').filter((line) => line.startsWith('| `'))
    expect(rows.filter((row) => /^\| `(ai_agent|process)_/.test(row))).toEqual(await metricRows())
  })

  test('names are those of Prometheus: total for counters, base units for what is measured', async () => {
    for (const row of await metricRows()) {
      const [, name = '', type = ''] = /^\| `(\w+)` \| (\w+) /.exec(row) ?? []
      expect({ name, total: name.endsWith('_total') }).toEqual({ name, total: type === 'counter' })
      if (type === 'histogram') expect(name).toEndWith('_seconds')
      expect(name).not.toMatch(/_(ms|milliseconds)(_|$)/)
    }
  })
})

describe('the values of labels in docs/metrics.md', () => {
  const listed = (label: string) => {
    const row = document.split('\n').find((line) => line.startsWith(`| \`${label}\` | \``)) ?? ''
    return [...row.matchAll(/`(\w+)`/g)].map((match) => match[1] ?? '').slice(1)
  }
  test.each([
    ['cause', hangupCauses],
    ['stage', stageNames],
    ['state', turnStates],
    ['result', patchcordResults],
    ['kind', unknownKinds],
    ['token_type', tokenKinds],
  ] as const)('%s', (label, values) => {
    expect(listed(label)).toEqual([...values])
  })
})
