import { lookup } from 'node:dns/promises'
import { AllowList } from '#asterisk/allow-list.ts'
import type { Log } from '#base/log.ts'
import type { Configuration } from '#config/schema.ts'

/**
 * `audiosocket.allow` as addresses: `loopback` and `asterisk` are names for what this machine and the configured
 * Asterisk resolve to when the engine starts.
 */
export async function allowedPeers(configuration: Configuration, log: Log): Promise<AllowList> {
  const entries: string[] = []
  for (const entry of configuration.audiosocket.allow) {
    if (entry === 'loopback') entries.push('127.0.0.0/8', '::1')
    else if (entry === 'asterisk') entries.push(...(await addressesOf(configuration.asterisk.host, log)))
    else entries.push(entry)
  }
  const list = AllowList.parse(entries)
  // The schema has checked each entry, so this is a bug and no mistake of the user's.
  if (!list.ok) throw new Error(`bug: audiosocket.allow: ${list.error}`)
  return list.value
}

async function addressesOf(host: string, log: Log): Promise<string[]> {
  try {
    const found = await lookup(host, { all: true })
    return found.map(({ address }) => address)
  } catch {
    log.warn('the name of the configured Asterisk cannot be resolved: its media connections will be refused', { host })
    return []
  }
}
