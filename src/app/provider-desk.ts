import type { Readiness } from '#agent/provider.ts'
import { answeringName } from '#config/schema.ts'
import type { ProviderDesk, ProviderState } from '#http/provider-api.ts'
import { agentsKnown, refusalOf } from '#providers/choice.ts'
import type { Generation } from './generation.ts'
import type { ProviderSwitch } from './provider-switch.ts'
import type { ReadinessLog } from './readiness-log.ts'

export function createProviderDesk(
  current: () => Generation,
  switching: ProviderSwitch,
  readiness: ReadinessLog,
): ProviderDesk {
  return {
    list() {
      const states = current().providerReadiness()
      readiness.look(states)
      const { configuration, loaded } = current()
      const names = [...new Set([...agentsKnown(configuration), ...Object.keys(states)])]
      return names.map((name): ProviderState => {
        const state: Readiness = states[name] ?? { ready: false, reason: 'it is not enabled' }
        const seen = readiness.of(name)
        return {
          name,
          enabled: Object.hasOwn(states, name),
          in_use: name === answeringName(configuration),
          ready: state.ready,
          reason: state.ready ? null : state.reason,
          changed_at: seen === null ? null : new Date(seen.changedAtMs).toISOString(),
          seen_at: seen === null ? null : new Date(seen.seenAtMs).toISOString(),
          refusal: refusalOf(name, configuration, loaded.secrets),
        }
      })
    },
    switchTo: (name) => switching.to(name),
  }
}
