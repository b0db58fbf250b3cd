import { hostname } from 'node:os'
import type { Result } from '#base/result.ts'
import { readApiToken } from '#config/api-token.ts'
import type { Configuration } from '#config/schema.ts'
import type { Environment } from '#config/secrets.ts'
import type { AccessRules } from '#http/access.ts'

/**
 * Who may use /api, by what is in force. The token is kept between reloads: a request is answered without a look at the
 * disk, which may be a network's and hang, and with it all calls.
 */
export class ApiAccess {
  private readonly current: () => { readonly configuration: Configuration; readonly env: Environment }
  /** Of the start: the port stays bound there. */
  private readonly boundHost: string
  private readonly machine = hostname()
  /** A failure where it cannot be told, with the cure. */
  private token: Result<string | undefined, string>

  /** @param current what is in force */
  constructor(current: () => { readonly configuration: Configuration; readonly env: Environment }) {
    const { configuration, env } = current()
    this.current = current
    this.boundHost = configuration.health.host
    this.token = readApiToken(env)
  }

  get rules(): AccessRules {
    const { health } = this.current().configuration
    const { boundHost, token, machine } = this
    return { open: health.api, boundHost, token, names: [machine, ...health.allowed_hosts] }
  }

  readAnew(): void {
    this.token = readApiToken(this.current().env)
  }
}
