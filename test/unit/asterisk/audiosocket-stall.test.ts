import { afterEach, expect, test } from 'bun:test'
import { readFileSync } from 'node:fs'
import { AllowList } from '#asterisk/allow-list.ts'
import { audioMessageBytes, uuidMessage } from '#asterisk/audiosocket.ts'
import type { AudioSocketLeg } from '#asterisk/audiosocket-leg.ts'
import { AudioSocketServer } from '#asterisk/audiosocket-server.ts'
import { type SampleRateHz, samplesPerFrame } from '#audio/format.ts'
import { SystemClock } from '#base/clock.ts'
import { silentLog } from '#base/log.ts'

// A real peer that never reads. What its own kernel takes nobody here can know; what waits on our side is bounded.

const closing: (() => void)[] = []
afterEach(() => {
  for (const close of closing.splice(0)) close()
})

/** Bytes that the kernel holds of the connection to this port, on both its ends: not acknowledged, and not read. */
function heldByKernel(port: number): { readonly unacknowledged: number; readonly unread: number } {
  const hex = port.toString(16).toUpperCase().padStart(4, '0')
  const held = { unacknowledged: 0, unread: 0 }
  for (const line of readFileSync('/proc/net/tcp', 'utf8').split('\n').slice(1)) {
    const [, local = '', remote = '', , queues = ''] = line.trim().split(/\s+/)
    const [sending = '0', receiving = '0'] = queues.split(':')
    if (remote === '00000000:0000') continue
    if (local.endsWith(`:${hex}`)) held.unacknowledged = Number.parseInt(sending, 16)
    if (remote.endsWith(`:${hex}`)) held.unread = Number.parseInt(receiving, 16)
  }
  return held
}

async function connected(sampleRateHz: SampleRateHz) {
  const allowList = AllowList.parse(['127.0.0.1'])
  if (!allowList.ok) throw new Error(allowList.error)
  const arrived = Promise.withResolvers<AudioSocketLeg>()
  const warnings: string[] = []
  const server = new AudioSocketServer({
    host: '127.0.0.1',
    port: 0,
    sampleRateHz,
    uuidTimeoutMs: 10_000,
    silentPeerTimeoutMs: 0,
    connectionsMax: 10,
    allowList: allowList.value,
    clock: new SystemClock(),
    log: { ...silentLog, warn: (message) => warnings.push(message) },
    accept: (_uuid, leg) => {
      arrived.resolve(leg)
      return 'accepted'
    },
  })
  const peer = await Bun.connect({ hostname: '127.0.0.1', port: server.port, socket: { data: () => {} } })
  closing.push(() => {
    peer.terminate()
    server.close()
  })
  peer.pause()
  peer.write(uuidMessage('40325ec2-5efd-4bd3-805f-53576e581d13'))
  return { server, leg: await arrived.promise, warnings }
}

test.each([8000, 16_000, 48_000] as const)(
  'a peer that never reads: at %d Hz at most about 200 ms of audio wait on our side',
  async (sampleRateHz) => {
    const { server, leg, warnings } = await connected(sampleRateHz)
    expect(warnings).toEqual([])
    const samples = new Int16Array(samplesPerFrame(sampleRateHz)).fill(1)
    const bytes = audioMessageBytes(samples.length)
    let sent = 0
    // Until nothing more is taken, by us or by the peer's kernel, for 300 ms.
    for (let refusedMs = 0; refusedMs < 300; ) {
      if (leg.write({ sampleRateHz, samples }) === 'sent') {
        sent += 1
        refusedMs = 0
      } else {
        await Bun.sleep(5)
        refusedMs += 5
      }
    }
    const { unacknowledged, unread } = heldByKernel(server.port)
    expect(unread).toBeGreaterThan(0)
    const waitingMs = ((sent * bytes - unread) / bytes) * 20
    console.log(
      `${sampleRateHz} Hz: ${sent * 20} ms sent, of which ${Math.round((unread / bytes) * 20)} ms lie in the peer's kernel, ` +
        `${Math.round((unacknowledged / bytes) * 20)} ms in ours, and ${Math.round(waitingMs)} ms have not reached it`,
    )
    expect(waitingMs).toBeLessThanOrEqual(220)
  },
  20_000,
)
