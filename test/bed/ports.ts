// Ports for an instance. Port 0 lets the kernel choose one that is free; between the choice and its use lies a
// moment in which another process could take it, which the kernel's habit of not repeating itself makes rare.

/** Four ports per call in the bed (two legs, RTP and RTCP): enough for a thousand calls. */
export const RTP_PORTS = 4_000

export function freeTcpPort(): number {
  const listener = Bun.listen({ hostname: '127.0.0.1', port: 0, socket: { data() {} } })
  const { port } = listener
  listener.stop(true)
  return port
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
