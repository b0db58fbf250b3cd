import type { Environment } from './secrets.ts'
import type { Scalar } from './tree.ts'

/**
 * `${VAR}`, `${VAR:-default}` and `$${` (a literal `${`) inside one value. It works after parsing, so that what a
 * variable holds can never become keys, comments or other values of the file.
 */

export interface Expansion {
  readonly text: string
  /** The variables that it was made of; empty when there was nothing to expand. */
  readonly variables: readonly string[]
  /** In words, with the cure; empty when all is well. */
  readonly failures: readonly { readonly message: string; readonly advice: string }[]
}

const reference = /\$\$\{|\$\{([^}]*)(\}?)/g
/** For advice. */
const literal = `$\${ for a literal \${`
const inside = /^([A-Za-z_][A-Za-z0-9_]*)(:-([\s\S]*))?$/

export function expand(text: string, env: Environment): Expansion {
  const variables: string[] = []
  const failures: { message: string; advice: string }[] = []
  const fail = (message: string, advice: string) => {
    failures.push({ message, advice })
    return ''
  }
  const expanded = text.replace(
    reference,
    (whole: string, content: string | undefined, closing: string | undefined) => {
      if (content === undefined) return '${'
      if (closing !== '}')
        return fail(`a reference that begins with \${ has no closing }`, `Close it, or write ${literal}.`)
      const [, name, hasDefault, fallback = ''] = inside.exec(content) ?? []
      if (name === undefined || fallback.includes('${')) {
        return fail(`${whole} is not a reference to a variable`, `Write \${NAME} or \${NAME:-default}, or ${literal}.`)
      }
      variables.push(name)
      const value = env[name]
      if (hasDefault !== undefined) return value === undefined || value === '' ? fallback : value
      if (value !== undefined) return value
      return fail(`the environment variable ${name} is not set`, `Set ${name}, or give a default: \${${name}:-value}.`)
    },
  )
  return { text: expanded, variables, failures }
}

/** The one reference that a secret may consist of: its variable's name, or undefined. A default would be a literal secret. */
export function soleReference(text: string): string | undefined {
  const [, name, , fallback = ''] = inside.exec(/^\$\{([^}]*)\}$/.exec(text.trim())?.[1] ?? '') ?? []
  return fallback === '' ? name : undefined
}

/** What YAML 1.2 (core schema) makes of an unquoted scalar, for values that came out of a variable. */
export function resolvePlain(text: string): Scalar {
  if (/^(?:~|null|Null|NULL|)$/.test(text)) return null
  if (/^(?:true|True|TRUE)$/.test(text)) return true
  if (/^(?:false|False|FALSE)$/.test(text)) return false
  if (/^[-+]?[0-9]+$/.test(text)) return Number(text)
  if (/^0o[0-7]+$/.test(text) || /^0x[0-9a-fA-F]+$/.test(text)) return Number(text)
  if (/^[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?$/.test(text)) return Number(text)
  return text
}
