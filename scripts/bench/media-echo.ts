import type { Socket } from 'bun'
import { SystemClock } from '#base/clock.ts'
import { answerOrchestrator } from './media-usage.ts'

/**
 * The physical floor: in the engine's place a server that sends each caller's last frame back, one paced timer for all,
 * and does nothing else. What remains are the system calls, the runtime's sockets, and the load client's own jitter.
 */
const messageBytes = 323
const uuidBytes = 19

interface Echo {
  readonly last: Uint8Array
  /** Bytes of the message that is coming in; negative while the UUID is. */
  filled: number
}

const open: Socket<Echo>[] = []
const listener = Bun.listen<Echo>({
  hostname: '127.0.0.1',
  port: 0,
  socket: {
    open(socket) {
      const last = new Uint8Array(messageBytes)
      last.set([0x10, 1, 0x40])
      socket.data = { last, filled: -uuidBytes }
      socket.setNoDelay(true)
      open.push(socket)
    },
    data({ data: echo }, chunk) {
      let offset = 0
      while (offset < chunk.length) {
        const wanted = echo.filled < 0 ? -echo.filled : messageBytes - echo.filled
        const take = Math.min(wanted, chunk.length - offset)
        if (echo.filled >= 0) echo.last.set(chunk.subarray(offset, offset + take), echo.filled)
        echo.filled += take
        if (echo.filled === messageBytes) echo.filled = 0
        offset += take
      }
    },
    close(socket) {
      const index = open.indexOf(socket)
      if (index >= 0) open.splice(index, 1)
    },
    error() {},
  },
})

let lateTicks = 0
const clock = new SystemClock()
const originMs = clock.now()
let done = 0
clock.every(20, (nowMs) => {
  const due = Math.floor((nowMs - originMs) / 20 + 0.5)
  const owed = due - done
  done = due
  if (owed > 1) lateTicks += 1
  for (let frame = 0; frame < owed; frame += 1) for (const socket of open) socket.write(socket.data.last)
})

await answerOrchestrator({
  port: listener.port,
  calls: () => open.length,
  drained: () => Promise.resolve({ underruns: 0, lateTicks, framesGivenUp: 0 }),
  stop: () => Promise.resolve(listener.stop(true)),
})
