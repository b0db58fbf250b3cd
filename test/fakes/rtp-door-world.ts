import { AllowList } from '#asterisk/allow-list.ts'
import type { Acceptance, PreparedMedia } from '#asterisk/door.ts'
import { RtpDoor, type RtpDoorOptions } from '#asterisk/rtp-door.ts'
import { silentLog } from '#base/log.ts'
import { seededRandom } from '#base/random.ts'
import type { Leg, LegEvent } from '#call/leg.ts'
import { Pacer } from '#call/pacer.ts'
import { ManualClock } from './manual-clock.ts'
import { RtpFarSide } from './rtp-far-side.ts'

/** What the tests of the door need: a door on loopback, far sides, and ports; `closeAll` takes all of it down. */
const closing: (() => void)[] = []

export function closeAll(): void {
  for (const close of closing.splice(0)) close()
}

export function atEnd(close: () => void): void {
  closing.push(close)
}

export const until = async (condition: () => boolean) => {
  while (!condition()) await new Promise<void>((resolve) => setImmediate(resolve))
}
export const turns = async (count = 50) => {
  for (let turn = 0; turn < count; turn += 1) await new Promise<void>((resolve) => setImmediate(resolve))
}

export async function occupy(port: number): Promise<{ port: number; close: () => void }> {
  const socket = await Bun.udpSocket({ hostname: '127.0.0.1', port, socket: {} })
  return { port: socket.port, close: () => socket.close() }
}

/** The first of `count` neighbouring ports that nobody holds. */
export async function freeRange(count: number): Promise<number> {
  for (;;) {
    const probe = await occupy(0)
    probe.close()
    const held: { close: () => void }[] = []
    try {
      for (let each = 0; each < count; each += 1) held.push(await occupy(probe.port + each))
      return probe.port
    } catch {
      // Somebody has one of them: look elsewhere.
    } finally {
      for (const each of held) each.close()
    }
  }
}

export function rtpDoorWorld(changes: Partial<RtpDoorOptions> = {}, acceptance: Acceptance = 'accepted') {
  const allowList = AllowList.parse(['127.0.0.0/8'])
  if (!allowList.ok) throw new Error(allowList.error)
  const clock = new ManualClock()
  const pacer = new Pacer(clock)
  const taken: { uuid: string; leg: Leg; peer: string; events: LegEvent[]; heard: number[] }[] = []
  const door = new RtpDoor({
    host: '127.0.0.1',
    advertiseHost: '127.0.0.1',
    portMin: 0,
    portMax: 0,
    ports: 'per_call',
    allowList: allowList.value,
    lockRemote: true,
    jitterBufferMaxMs: 200,
    silentPeerTimeoutMs: 0,
    clock,
    random: seededRandom(2),
    log: silentLog,
    pacer,
    accept: (uuid, leg, peer) => {
      const events: LegEvent[] = []
      const heard: number[] = []
      leg.onEvent((event) => {
        if (event.type === 'audio') heard.push(...event.frame.samples)
        else events.push(event)
      })
      taken.push({ uuid, leg, peer, events, heard })
      return acceptance
    },
    ...changes,
  })
  closing.push(() => {
    for (const { leg } of taken) void leg.close('shutdown')
    door.close()
  })
  const prepare = async (uuid: string): Promise<PreparedMedia> => {
    const prepared = await door.prepare({ uuid, channelId: `channel-${uuid}`, format: 'slin' })
    if (!prepared.ok) throw new Error(prepared.error)
    return prepared.value
  }
  return { door, clock, pacer, taken, prepare }
}

export async function farSide(address = '127.0.0.1'): Promise<RtpFarSide> {
  const far = await RtpFarSide.open('slin', address)
  closing.push(() => far.close())
  return far
}

export const variablesOf = (far: RtpFarSide, address = '127.0.0.1') => ({
  UNICASTRTP_LOCAL_ADDRESS: address,
  UNICASTRTP_LOCAL_PORT: String(far.port),
})
export const hostOf = (prepared: PreparedMedia) => prepared.request.external_host ?? ''
export const say = (far: RtpFarSide, value: number) => far.audio(new Int16Array(160).fill(value))

/** Where this far side's own call is heard: what the far side receives comes from there. */
export async function enginePort(far: RtpFarSide, taken: readonly { leg: Leg }[]): Promise<number> {
  taken[0]?.leg.write({ sampleRateHz: 8000, samples: new Int16Array(160) })
  await until(() => far.received.length > 0)
  far.received.length = 0
  return far.lastSourcePort
}
