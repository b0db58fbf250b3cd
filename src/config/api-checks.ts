import { readApiToken, tokenVariable } from './api-token.ts'
import type { CrossCheck } from './cross-checks.ts'
import { isLoopback } from './hosts.ts'

/** What is served to whom over HTTP: it depends on a secret as well, which only the engine itself may know. */
export const apiChecks: readonly CrossCheck[] = [
  {
    keys: ['health.host', 'health.api'],
    severity: 'error',
    ofSecrets: true,
    broken: ({ health }, env, read) => {
      const token = readApiToken(env, read)
      return health.api && !isLoopback(health.host) && (!token.ok || token.value === undefined)
    },
    message: ({ health }, env, read) => {
      const token = readApiToken(env, read)
      const why = token.ok ? `no token is set in ${tokenVariable} or ${tokenVariable}_FILE` : token.error
      return `health.host (${health.host}) can be reached from elsewhere, so /api needs a token there, and ${why}`
    },
    advice: `Set ${tokenVariable} in the environment of the engine, or set health.api to false: then only /live, /ready, /health, /metrics and audio for Asterisk are served.`,
  },
  {
    keys: ['health.host', 'health.api'],
    severity: 'warning',
    ofSecrets: true,
    broken: ({ health }, env, read) => health.api && isLoopback(health.host) && !readApiToken(env, read).ok,
    message: (_, env, read) => {
      const token = readApiToken(env, read)
      return `/api is closed, since its token cannot be told: ${token.ok ? '' : token.error}`
    },
    advice: 'Mend it, and reload.',
  },
  {
    keys: ['health.allowed_hosts', 'health.host', 'health.api'],
    severity: 'warning',
    ofSecrets: true,
    broken: ({ health }, env, read) => {
      const token = readApiToken(env, read)
      const isOpen = health.api && isLoopback(health.host) && token.ok && token.value === undefined
      return isOpen && health.allowed_hosts.length > 0
    },
    message: () => 'whoever comes by one of health.allowed_hosts may use /api, since no token is set',
    advice: `Set ${tokenVariable} in the environment of the engine.`,
  },
]
