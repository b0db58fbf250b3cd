import type { CrossCheck } from './cross-checks.ts'
import type { Configuration } from './schema.ts'
import { nearest } from './suggest.ts'

/** The first that is no provider and no pipeline. */
const pricedUnknown = (configuration: Configuration): string | undefined =>
  Object.keys(configuration.prices.providers).find((name) => !namesOf(configuration).includes(name))
const namesOf = ({ providers, pipelines }: Configuration) => [...Object.keys(providers), ...Object.keys(pipelines)]

/** What no single key can tell, of limits and prices. */
export const limitChecks: readonly CrossCheck[] = [
  {
    keys: ['prices.providers', 'providers'],
    severity: 'error',
    broken: (configuration) => pricedUnknown(configuration) !== undefined,
    message: (configuration) =>
      `prices.providers has ${pricedUnknown(configuration)}, and there is no such provider: expected one of ${namesOf(configuration).join(', ')}`,
    advice: (configuration) => {
      const near = nearest(pricedUnknown(configuration) ?? '', namesOf(configuration))
      return near === undefined ? 'Take it out.' : `Did you mean ${near}?`
    },
  },
  {
    keys: ['limits.machine_talk_turns'],
    severity: 'error',
    broken: ({ limits }) => limits.machine_talk_turns > 0 && limits.machine_talk_turns < 4,
    message: ({ limits }) =>
      `limits.machine_talk_turns (${limits.machine_talk_turns}) is below 4: people who are not understood would be taken for machines`,
    advice: 'Raise it, or set it to 0.',
  },
  {
    keys: ['limits.fallback_provider', 'limits.provider_minutes_per_day'],
    severity: 'warning',
    broken: ({ limits }) => limits.fallback_provider !== '' && limits.provider_minutes_per_day === 0,
    message: () => 'limits.fallback_provider is without effect while limits.provider_minutes_per_day is 0',
    advice: 'Set limits.provider_minutes_per_day, or remove limits.fallback_provider.',
  },
]
