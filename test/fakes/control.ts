import { ok } from '#base/result.ts'
import type { AccessRules } from '#http/access.ts'
import type { ControlDeps } from '#http/control.ts'
import { ManualClock } from './manual-clock.ts'

/** On loopback, without a token and without names of its own. */
export function accessRules(over: Partial<AccessRules> = {}): AccessRules {
  return { open: true, boundHost: '127.0.0.1', token: ok(undefined), names: [], ...over }
}

/** What /api asks of an engine, with answers that say little. */
export function controlDeps(over: Partial<ControlDeps> = {}): ControlDeps {
  return {
    clock: new ManualClock(),
    access: () => accessRules(),
    reload: () => Promise.resolve({ outcome: 'unchanged', warnings: [], last: null }),
    configuration: {
      effective: () => ({
        file: 'a.yaml',
        values: [{ key: 'language', value: 'de', origin: { source: 'file', line: 3 }, restart: false }],
      }),
      examine: () => Promise.resolve({ good: true, changes: [], warnings: [] }),
    },
    providers: {
      list: () => [],
      switchTo: () =>
        Promise.resolve({
          outcome: 'unchanged',
          file: 'a.yaml',
          line: 1,
          changes: [],
          warnings: [],
          ready: true,
          reason: null,
        }),
    },
    ...over,
  }
}
