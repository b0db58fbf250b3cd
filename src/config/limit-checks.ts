import type { CrossCheck } from './cross-checks.ts'
import type { Configuration } from './schema.ts'
import { nearest } from './suggest.ts'

/** The first that is no provider. */
const pricedUnknown = ({ prices, providers }: Configuration): string | undefined =>
  Object.keys(prices.providers).find((name) => !Object.hasOwn(providers, name))

/** What no single key can tell, of limits and prices. */
export const limitChecks: readonly CrossCheck[] = [
  {
    keys: ['prices.providers', 'providers'],
    severity: 'error',
    broken: (configuration) => pricedUnknown(configuration) !== undefined,
    message: (configuration) =>
      `prices.providers has ${pricedUnknown(configuration)}, and there is no such provider: expected one of ${Object.keys(configuration.providers).join(', ')}`,
    advice: (configuration) => {
      const near = nearest(pricedUnknown(configuration) ?? '', Object.keys(configuration.providers))
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
    keys: ['limits.fallback_provider', 'providers'],
    severity: 'error',
    broken: ({ limits, providers }) =>
      limits.fallback_provider !== '' && !Object.hasOwn(providers, limits.fallback_provider),
    message: ({ limits, providers }) =>
      `limits.fallback_provider: expected one of ${Object.keys(providers).join(', ')}, found the text ${JSON.stringify(limits.fallback_provider)}`,
    advice: ({ limits, providers }) => {
      const near = nearest(limits.fallback_provider, Object.keys(providers))
      return near === undefined ? 'Name a provider that this version has.' : `Did you mean ${near}?`
    },
  },
  {
    keys: ['limits.fallback_provider', 'providers'],
    severity: 'error',
    broken: ({ limits, providers }) => providers[limits.fallback_provider]?.enabled === false,
    message: ({ limits }) =>
      `limits.fallback_provider is ${limits.fallback_provider}, but providers.${limits.fallback_provider}.enabled is false`,
    advice: 'Enable it, or name another provider.',
  },
  {
    keys: ['limits.fallback_provider', 'default_provider'],
    severity: 'error',
    broken: ({ limits, default_provider }) => limits.fallback_provider === default_provider,
    message: ({ default_provider }) =>
      `limits.fallback_provider is ${default_provider}, which is default_provider: once its minutes are used up it cannot take its own place`,
    advice: 'Name another provider, or none.',
  },
  {
    keys: ['limits.fallback_provider', 'limits.provider_minutes_per_day'],
    severity: 'warning',
    broken: ({ limits }) => limits.fallback_provider !== '' && limits.provider_minutes_per_day === 0,
    message: () => 'limits.fallback_provider is without effect while limits.provider_minutes_per_day is 0',
    advice: 'Set limits.provider_minutes_per_day, or remove limits.fallback_provider.',
  },
]
