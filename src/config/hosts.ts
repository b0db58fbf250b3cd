import { isIP } from 'node:net'

/** Shapes of host names and addresses in the configuration. */

/** `loopback`, `asterisk`, an IP address, or an IP network such as 10.0.0.0/8. */
export function isAllowedPeer(value: string): boolean {
  if (value === 'loopback' || value === 'asterisk') return true
  const [address = '', bits, ...rest] = value.split('/')
  const version = isIP(address)
  if (version === 0 || rest.length > 0) return false
  return bits === undefined || (/^\d{1,3}$/.test(bits) && Number(bits) <= (version === 4 ? 32 : 128))
}

/** A host name or an IP address, without scheme, port or path. */
export function isHost(value: string): boolean {
  return (
    isIP(value) !== 0 || /^(?=.{1,253}$)[A-Za-z0-9_]([A-Za-z0-9_-]*[A-Za-z0-9_])?(\.[A-Za-z0-9_-]+)*\.?$/.test(value)
  )
}

export const hostShape = 'a host name or an IP address, without scheme, port or path'

/** What stands in for an address that need not be given. */
export const isHostOrEmpty = (value: string): boolean => value === '' || isHost(value)
export const peerShape = 'loopback, asterisk, an IP address, or a network such as 10.0.0.0/8'

/** Listens on every address of the machine, so it is no address that anyone can connect to. */
export function isWildcard(host: string): boolean {
  return host === '0.0.0.0' || (isIP(host) === 6 && /^[0:]+$/.test(host))
}

export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || (isIP(host) === 4 && host.startsWith('127.'))
}

/** The address that Asterisk is told for a server of ours: the advertised one, else where it listens. */
export function advertised(section: { readonly host: string; readonly advertise_host: string }): string {
  if (section.advertise_host !== '') return section.advertise_host
  return isWildcard(section.host) ? '127.0.0.1' : section.host
}
