import { failed, ok, type Result } from '#base/result.ts'

/**
 * Who may connect to a media port: addresses and CIDR ranges of both families. The AudioSocket protocol has no
 * password, so the peer's address is all there is to judge by.
 */
interface Range {
  readonly bits: bigint
  readonly prefix: number
  readonly width: number
}

export class AllowList {
  private readonly ranges: readonly Range[]

  private constructor(ranges: readonly Range[]) {
    this.ranges = ranges
  }

  /** Fails with the entry that is neither an address nor a range. */
  static parse(entries: readonly string[]): Result<AllowList, string> {
    const ranges: Range[] = []
    for (const entry of entries) {
      const range = parseRange(entry)
      if (range === null) return failed(`"${entry}" is neither an IP address nor a CIDR range such as 10.0.0.0/8`)
      ranges.push(range)
    }
    return ok(new AllowList(ranges))
  }

  allows(address: string): boolean {
    const peer = parseAddress(address)
    if (peer === null) return false
    return this.ranges.some(({ bits, prefix, width }) => {
      if (width !== peer.width) return false
      const shift = BigInt(width - prefix)
      return bits >> shift === peer.bits >> shift
    })
  }
}

function parseRange(entry: string): Range | null {
  const [address = '', prefixText, ...rest] = entry.split('/')
  const parsed = parseAddress(address)
  if (parsed === null || rest.length > 0) return null
  if (prefixText === undefined) return { ...parsed, prefix: parsed.width }
  if (!/^\d{1,3}$/.test(prefixText)) return null
  const prefix = Number(prefixText)
  return prefix <= parsed.width ? { ...parsed, prefix } : null
}

/** An IPv4 address that arrives in IPv6 clothes (`::ffff:10.0.0.1`) is judged as IPv4. */
function parseAddress(text: string): { bits: bigint; width: number } | null {
  const bare = text.replace(/%.*$/, '').toLowerCase()
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/.exec(bare)
  const v4 = parseIpv4(mapped?.[1] ?? bare)
  if (v4 !== null) return { bits: v4, width: 32 }
  const v6 = parseIpv6(bare)
  return v6 === null ? null : { bits: v6, width: 128 }
}

function parseIpv4(text: string): bigint | null {
  const parts = text.split('.')
  if (parts.length !== 4) return null
  let bits = 0n
  for (const part of parts) {
    if (!/^\d{1,3}$/.test(part) || Number(part) > 255) return null
    bits = (bits << 8n) | BigInt(Number(part))
  }
  return bits
}

function parseIpv6(text: string): bigint | null {
  const halves = text.split('::')
  if (halves.length > 2) return null
  const groups = (half: string | undefined) => (half === undefined || half === '' ? [] : half.split(':'))
  const head = groups(halves[0])
  const tail = groups(halves[1])
  const missing = 8 - head.length - tail.length
  if (halves.length === 1 ? missing !== 0 : missing < 1) return null
  let bits = 0n
  for (const group of [...head, ...Array<string>(missing).fill('0'), ...tail]) {
    if (!/^[0-9a-f]{1,4}$/.test(group)) return null
    bits = (bits << 16n) | BigInt(Number.parseInt(group, 16))
  }
  return bits
}
