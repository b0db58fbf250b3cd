import { hostname } from 'node:os'
import { readApiToken } from '#config/api-token.ts'
import { secretIn } from '#config/secrets.ts'
import type { AccessRules } from '#http/access.ts'
import type { LoadedConfiguration } from './generation.ts'

type InForce = Pick<LoadedConfiguration, 'configuration' | 'env' | 'secrets'>

/** Who may use /api, by what is in force. */
export class ApiAccess {
  private readonly current: () => InForce
  /** Of the start: the port stays bound there. */
  private readonly boundHost: string
  private readonly machine = hostname()

  /** @param current what is in force */
  constructor(current: () => InForce) {
    this.current = current
    this.boundHost = current().configuration.health.host
  }

  get rules(): AccessRules {
    const { configuration, env, secrets } = this.current()
    const { health } = configuration
    const { boundHost, machine } = this
    // A failure where it cannot be told, with the cure.
    const token = readApiToken(env, (name) => secretIn(secrets, name))
    return { open: health.api, boundHost, token, names: [machine, ...health.allowed_hosts] }
  }
}
