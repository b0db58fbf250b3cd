import { lookup } from 'node:dns/promises'
import { AllowList } from '#asterisk/allow-list.ts'
import type { Log } from '#base/log.ts'
import type { Configuration } from '#config/schema.ts'

/** Who may bring media, by the door. */
export interface AllowLists {
  readonly audiosocket: AllowList
  readonly externalMedia: AllowList
  readonly mediaWebSocket: AllowList
  /** What the configured Asterisk's name was resolved to last; empty where it never was. */
  readonly asterisk: readonly string[]
}

/**
 * The `allow` lists as addresses: `loopback` and `asterisk` are names for what this machine and the configured Asterisk
 * resolve to.
 *
 * @param known its addresses so far, which stand where the name does not resolve now
 */
export async function allowedPeers(
  configuration: Configuration,
  log: Log,
  known: readonly string[] = [],
): Promise<AllowLists> {
  const asterisk = await addressesOf(configuration.asterisk.host, known, log)
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
    asterisk,
  }
}

interface InForce {
  readonly configuration: Configuration
  allow: AllowLists
}

/**
 * Whenever Asterisk has been reached: the engine may have started before the network had names, and Asterisk may have moved.
 * What is in force then gets it, also where that has changed meanwhile. Never rejects.
 */
export async function lookAgain(current: () => InForce, log: Log): Promise<void> {
  let looked: InForce
  let allow: AllowLists
  do {
    looked = current()
    allow = await allowedPeers(looked.configuration, log, looked.allow.asterisk)
  } while (current() !== looked)
  looked.allow = allow
}

/** A name that was resolved need not be resolved again. */
export function allowsTheSame(one: Configuration, other: Configuration): boolean {
  const entries = ({ audiosocket, external_media: rtp, media_websocket: webSocket }: Configuration) =>
    JSON.stringify([audiosocket.allow, rtp.allow, webSocket.allow])
  return entries(one) === entries(other)
}

async function addressesOf(host: string, known: readonly string[], log: Log): Promise<readonly string[]> {
  try {
    const found = await lookup(host, { all: true })
    return found.map(({ address }) => address)
  } catch {
    if (known.length === 0)
      log.warn(
        'the name of the configured Asterisk cannot be resolved: until it can, its media connections are refused',
        {
          host,
        },
      )
    return known
  }
}
