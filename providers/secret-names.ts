import { tokenVariable } from '#config/api-token.ts'
import type { Configuration } from '#config/schema.ts'
import { type ReadSecret, readSecrets, type Secrets } from '#config/secrets.ts'

/** All that an engine with this configuration needs beside it: the secrets that it names, and the token of /api. */
export function secretsNamed(configuration: Configuration, read: ReadSecret): Secrets {
  return readSecrets([...variablesNamed(configuration), tokenVariable], read)
}

/** Where a vendor's own cloud is reached with Amazon's credentials. */
const awsVariables = ['AWS_ACCESS_KEY_ID', 'AWS_SECRET_ACCESS_KEY', 'AWS_SESSION_TOKEN']

/**
 * The variables that hold the secrets of a section, at any depth: what its keys that end in `_env` name, what its headers
 * name as `$NAME`, and Amazon's where it has a region.
 */
export function variablesNamed(section: object): string[] {
  return Object.entries(section).flatMap(([key, value]: [string, unknown]) => {
    if (key.endsWith('headers')) {
      return [...JSON.stringify(value).matchAll(/\$([A-Za-z_][A-Za-z0-9_]*)/g)].map(([, name = '']) => name)
    }
    if (typeof value === 'object' && value !== null) return variablesNamed(value)
    if (value === '') return []
    if (key === 'aws_region') return awsVariables
    return key.endsWith('_env') && typeof value === 'string' ? [value] : []
  })
}
