import type { Result } from '#base/result.ts'
import { type Environment, readSecret } from '#config/secrets.ts'
import { tokenVariable } from '#http/access.ts'

/**
 * The token of /api, kept between reloads: a request is answered without a look at the disk, which may be a network's and
 * hang, and with it all calls.
 */
export class ApiToken {
  /** A failure where it cannot be told, with the cure. */
  value: Result<string | undefined, string>
  private readonly env: () => Environment

  /** @param env the one in force */
  constructor(env: () => Environment) {
    this.env = env
    this.value = readSecret(tokenVariable, env())
  }

  readAnew(): void {
    this.value = readSecret(tokenVariable, this.env())
  }
}
