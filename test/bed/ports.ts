// Ports for an instance. Between the choice and its use lies a moment in which another process could take it, which is rare.

/** Four ports per call in the bed (two legs, RTP and RTCP): enough for a thousand calls. */
export const RTP_PORTS = 4_000

/** Below Linux's ephemeral ports (from 32768): no connection that anybody opens meanwhile takes one of them. */
const tcpPorts = { from: 20_000, count: 12_000 } as const
// keyed by: port
const given = new Set<number>()

/** One that is free, and that this process has not asked for before. */
export function freeTcpPort(): number {
  for (let tries = 0; tries < tcpPorts.count; tries += 1) {
    const port = tcpPorts.from + Math.floor(Math.random() * tcpPorts.count)
    if (given.has(port) || !canBind(port)) continue
    given.add(port)
    return port
  }
  throw new Error(`no TCP port is free from ${tcpPorts.from} to ${tcpPorts.from + tcpPorts.count - 1}`)
}

function canBind(port: number): boolean {
  try {
    Bun.listen({ hostname: '127.0.0.1', port, socket: { data() {} } }).stop(true)
    return true
  } catch {
    return false
  }
}

export async function freeUdpPort(): Promise<number> {
  const socket = await Bun.udpSocket({ hostname: '127.0.0.1', port: 0 })
  const { port } = socket
  socket.close()
  return port
}

/**
 * Start of a range below Linux's ephemeral ports (from 32768). Ranges of two instances may coincide: Asterisk tries
 * another port when one is taken, apart is only quicker.
 */
export function randomRtpPortMin(): number {
  const ranges = 5
  return 12_000 + Math.floor(Math.random() * ranges) * RTP_PORTS
}
