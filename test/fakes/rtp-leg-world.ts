import { AllowList } from '#asterisk/allow-list.ts'
import { headerBytes, payloads, writeHeader } from '#asterisk/rtp.ts'
import { RtpLeg, type RtpLegOptions } from '#asterisk/rtp-leg.ts'
import { samplesPerFrame, type WireFormat, wireRatesHz } from '#audio/format.ts'
import { silentLog } from '#base/log.ts'
import { seededRandom } from '#base/random.ts'
import type { LegEvent } from '#call/leg.ts'
import { Pacer } from '#call/pacer.ts'
import { ManualClock } from './manual-clock.ts'

/** One leg without a socket: what it sends is on record, and what it hears is handed to it. Announced is this one. */
export const address = '10.0.0.5'
export const port = 12_000

export function rtpLegWorld(changes: Partial<RtpLegOptions> = {}) {
  const allowList = AllowList.parse(['10.0.0.0/24', '172.17.0.0/16'])
  if (!allowList.ok) throw new Error(allowList.error)
  const clock = new ManualClock()
  const pacer = new Pacer(clock)
  const sent: { bytes: Uint8Array; to: string }[] = []
  const counters = {
    packetsIn: 0,
    packetsOut: 0,
    dropped: {},
    unsent: { refused: 0, full: 0, no_remote: 0 },
    streams: { ssrcChanges: 0, sequenceRestarts: 0, timestampJumps: 0, shortened: 0 },
  }
  let closed = 0
  const format: WireFormat = changes.format ?? 'slin'
  const leg = new RtpLeg({
    format,
    announced: { address, port },
    lockRemote: true,
    allowList: allowList.value,
    jitterBufferMaxMs: 200,
    silentPeerTimeoutMs: 0,
    clock,
    random: seededRandom(2),
    pacer,
    log: silentLog,
    counters,
    send: (bytes, toPort, toAddress) => {
      sent.push({ bytes: bytes.slice(), to: `${toAddress}:${toPort}` })
      return true
    },
    closed: () => {
      closed += 1
    },
    ...changes,
  })
  const events: LegEvent[] = []
  const heard: number[] = []
  leg.onEvent((event) => {
    if (event.type === 'audio') heard.push(...event.frame.samples)
    else events.push(event)
  })
  const count = samplesPerFrame(wireRatesHz[format])
  let sequence = 0
  const packet = (value: number, { ssrc = 9, type = payloads[format].sends } = {}) => {
    const bytes = new Uint8Array(headerBytes + count * payloads[format].bytesPerSample)
    writeHeader(bytes, type, false, sequence, sequence * count, ssrc)
    payloads[format].encode(new Int16Array(count).fill(value), bytes.subarray(headerBytes))
    sequence += 1
    return bytes
  }
  const frame = (value: number) => ({
    sampleRateHz: wireRatesHz[format],
    samples: new Int16Array(count).fill(value),
  })
  return { leg, clock, pacer, sent, counters, events, heard, packet, frame, count, closes: () => closed }
}
