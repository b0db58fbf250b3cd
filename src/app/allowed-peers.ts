import { lookup } from 'node:dns/promises'
import { AllowList } from '#asterisk/allow-list.ts'
import type { Log } from '#base/log.ts'
import type { Configuration } from '#config/schema.ts'

/** Who may bring media, by the door. */
export interface AllowLists {
  readonly audiosocket: AllowList
  readonly externalMedia: AllowList
  readonly mediaWebSocket: AllowList
}

/**
 * The `allow` lists as addresses: `loopback` and `asterisk` are names for what this machine and the configured Asterisk
 * resolve to when the engine starts.
 */
export async function allowedPeers(configuration: Configuration, log: Log): Promise<AllowLists> {
  const asterisk = await addressesOf(configuration.asterisk.host, log)
  const list = (section: 'audiosocket' | 'external_media' | 'media_websocket') => {
    const entries = configuration[section].allow.flatMap((entry) => {
      if (entry === 'loopback') return ['127.0.0.0/8', '::1']
      return entry === 'asterisk' ? asterisk : [entry]
    })
    const parsed = AllowList.parse(entries)
    // The schema has checked each entry, so this is a bug and no mistake of the user's.
    if (!parsed.ok) throw new Error(`bug: ${section}.allow: ${parsed.error}`)
    return parsed.value
  }
  return {
    audiosocket: list('audiosocket'),
    externalMedia: list('external_media'),
    mediaWebSocket: list('media_websocket'),
  }
}

/** A name that was resolved need not be resolved again. */
export function allowsTheSame(one: Configuration, other: Configuration): boolean {
  const entries = ({ audiosocket, external_media: rtp, media_websocket: webSocket }: Configuration) =>
    JSON.stringify([audiosocket.allow, rtp.allow, webSocket.allow])
  return entries(one) === entries(other)
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
