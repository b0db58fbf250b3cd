import type { AllowList } from './allow-list.ts'
import type { Malformed } from './rtp.ts'

/**
 * Where a call's packets go to and may come from. Asterisk announces an endpoint; behind NAT or in a container its
 * packets come from another one, and then that one is learnt, once. The announced endpoint always stays in its rights:
 * a stranger that was faster than Asterisk is heard for a packet or two, and never keeps the call. It takes a valid
 * packet to change over, so that junk in the announced endpoint's name takes no call from one that was learnt.
 */
export interface Endpoint {
  readonly address: string
  readonly port: number
}

/** Why a packet was not taken; a metric label. */
export type Dropped =
  | Malformed
  | 'payload_type'
  | 'payload_size'
  | 'foreign_source'
  | 'not_allowed'
  /** Came before Asterisk's answer, or after the call. */
  | 'no_call'
  /** On the shared port: no call knows this source. */
  | 'unknown_source'
  | 'flood'

export class RemoteEndpoint {
  /** Where to send; null while nothing is known. */
  current: Endpoint | null
  private readonly announced: Endpoint | null
  private readonly announcedAllowed: boolean
  private readonly allowList: AllowList
  private readonly lock: boolean
  private isHeard = false

  constructor(announced: Endpoint | null, allowList: AllowList, lock: boolean) {
    this.current = announced
    this.announced = announced
    this.announcedAllowed = announced !== null && allowList.allows(announced.address)
    this.allowList = allowList
    this.lock = lock
  }

  /** Nothing has been heard from anywhere yet. */
  get isOpen(): boolean {
    return !this.isHeard
  }

  /** Changes nothing. `other`: may become the current one, if its packet is valid. */
  judge(port: number, address: string): 'current' | 'other' | 'foreign_source' | 'not_allowed' {
    const { current, announced } = this
    if (announced !== null && is(announced, port, address)) {
      return this.announcedAllowed ? 'current' : 'not_allowed'
    }
    if (this.isHeard && current !== null && is(current, port, address)) return 'current'
    if (this.isHeard && this.lock) return 'foreign_source'
    return this.allowList.allows(address) ? 'other' : 'not_allowed'
  }

  /** A valid packet came from elsewhere. Once something was heard, only the same sender (SSRC) is followed. */
  follow(port: number, address: string, isSameSender: boolean): boolean {
    if (this.isHeard && !isSameSender) return false
    this.current = { port, address }
    return true
  }

  /** A valid packet of this source was taken. */
  confirm(port: number, address: string): void {
    this.isHeard = true
    if (this.announced !== null && is(this.announced, port, address)) this.current = this.announced
  }
}

/** An IPv4 address comes in IPv6 clothes on a socket that serves both. */
export function plainAddress(address: string): string {
  return address.startsWith('::ffff:') && address.includes('.') ? address.slice(7) : address
}

function is(endpoint: Endpoint, port: number, address: string): boolean {
  return endpoint.port === port && endpoint.address === address
}
