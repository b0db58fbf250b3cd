import type { Environment } from '#config/secrets.ts'

/** As `NO_PROXY` writes them. */
const thisMachine = ['localhost', '127.0.0.1', '::1', '[::1]']

const proxies = ['HTTP_PROXY', 'http_proxy', 'HTTPS_PROXY', 'https_proxy']

/**
 * The variables by which requests to this machine go straight there, whatever proxy the environment names. A proxy knows
 * another machine by these names, and would be sent the token of /api, and what callers say to a model of this machine.
 */
export function directToThisMachine(env: Environment): Partial<Record<'NO_PROXY' | 'no_proxy', string>> {
  if (!proxies.some((name) => (env[name] ?? '') !== '')) return {}
  return { NO_PROXY: withThisMachine(env.NO_PROXY), no_proxy: withThisMachine(env.no_proxy ?? env.NO_PROXY) }
}

function withThisMachine(list = ''): string {
  const listed = list.split(',').filter((each) => each.trim() !== '')
  // It means every address, but only alone.
  if (listed.some((each) => each.trim() === '*')) return '*'
  return [...new Set([...listed, ...thisMachine])].join(',')
}
