import { failed, messageOf, ok, type Result } from '#base/result.ts'

/**
 * UDP sockets out of a range of ports. The range is gone through in a circle, so that a port is not used again at once:
 * what an ended call's far side still sends would be heard in the next call.
 */
export interface RtpSocket {
  readonly port: number
  /** False when the kernel has no room. Throws when an earlier datagram was refused, or the socket is closed. */
  send(bytes: Uint8Array, port: number, address: string): boolean
  close(): void
}

export type Datagram = (bytes: Uint8Array, port: number, address: string) => void

export interface RtpPortsOptions {
  readonly host: string
  readonly portMin: number
  /** The same as `portMin` where all calls share one port. */
  readonly portMax: number
  /** The kernel tells of a datagram that was refused; it is no reason to end anything. */
  readonly refused: () => void
}

const range = 'external_media.port_min to external_media.port_max'

export class RtpPorts {
  private readonly options: RtpPortsOptions
  private readonly openPorts: number[] = []
  private next = 0

  constructor(options: RtpPortsOptions) {
    this.options = options
  }

  /** Sockets that are open, and so taken out of the range. */
  get open(): number {
    return this.openPorts.length
  }

  /** Binds the next free port. A failure names the keys of the configuration, and how many ports are needed. */
  async bind(received: Datagram): Promise<Result<RtpSocket, string>> {
    const { host, portMin, portMax } = this.options
    const size = portMax - portMin + 1
    let held = 0
    for (let tries = 0; tries < size; tries += 1) {
      const port = portMin + (this.next % size)
      this.next += 1
      // 0 is whatever the kernel gives: there are always more of it.
      if (port !== 0 && this.openPorts.includes(port)) continue
      try {
        return ok(await this.openAt(port, received))
      } catch (thrown) {
        if (!isInUse(thrown)) return failed(`external_media.host ${host} cannot be bound: ${messageOf(thrown)}`)
        held += 1
      }
    }
    if (portMin === portMax && this.open === 0) {
      return failed(`external_media.port_min: UDP port ${portMin} of ${host} is in use; choose another one`)
    }
    const needed = this.open + held + 1
    return failed(
      `no free UDP port in ${range} (${portMin} to ${portMax}): ${size} ports, ${this.open} in calls, ${held} held by ` +
        `other programs; each call needs one: make it at least ${needed} ports`,
    )
  }

  private async openAt(port: number, received: Datagram): Promise<RtpSocket> {
    // Taken before the kernel has answered: another call may ask meanwhile.
    this.openPorts.push(port)
    try {
      const socket = await Bun.udpSocket({
        hostname: this.options.host,
        port,
        socket: {
          data: (_socket, bytes, fromPort, fromAddress) => received(bytes, fromPort, fromAddress),
          // Without a handler a refused datagram, of whichever call, would end the process.
          error: () => this.options.refused(),
        },
      })
      let isOpen = true
      return {
        port: socket.port,
        send: (bytes, toPort, toAddress) => socket.send(bytes, toPort, toAddress),
        close: () => {
          if (!isOpen) return
          isOpen = false
          socket.close()
          this.forget(port)
        },
      }
    } catch (thrown) {
      this.forget(port)
      throw thrown
    }
  }

  private forget(port: number): void {
    this.openPorts.splice(this.openPorts.indexOf(port), 1)
  }
}

function isInUse(thrown: unknown): boolean {
  // A port below 1024, or one that the system keeps for itself, is as good as taken.
  return thrown instanceof Error && 'code' in thrown && (thrown.code === 'EADDRINUSE' || thrown.code === 'EACCES')
}
