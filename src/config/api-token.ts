import { failed, ok, type Result } from '#base/result.ts'
import { type Environment, type ReadSecret, readSecret } from './secrets.ts'

/** The token of /api, for whoever reads it: the engine, its checks, and the commands that ask it. */
export const tokenVariable = 'PATCHCORD_API_TOKEN'

/** `undefined`: none is set. The failure says what to do, names the place and never holds the token. */
export function readApiToken(
  env: Environment,
  read: ReadSecret = (name) => readSecret(name, env),
): Result<string | undefined, string> {
  const token = read(tokenVariable)
  if (!token.ok || token.value === undefined) return token
  const isFile = (env[`${tokenVariable}_FILE`] ?? '') !== ''
  return checkedToken(token.value, isFile ? `the file that ${tokenVariable}_FILE names` : tokenVariable)
}

/** What a header can carry. @param place where it was found, for the failure */
export function checkedToken(token: string, place: string): Result<string, string> {
  if (/^[\x21-\x7e]+$/.test(token)) return ok(token)
  const odd = token === '' ? 'is empty' : `holds ${oddity(token)}`
  return failed(`the token in ${place} ${odd}: a token is made of letters, digits and signs of ASCII, without spaces`)
}

function oddity(token: string): string {
  if (/[\r\n]/.test(token)) return 'a line break'
  if (/\s/.test(token)) return 'a space'
  return /[^\0-\x7f]/.test(token) ? 'characters beyond ASCII' : 'a control character'
}
