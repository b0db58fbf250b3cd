import { AllowList } from '#asterisk/allow-list.ts'
import { RtpDoor } from '#asterisk/rtp-door.ts'
import { samplesPerFrame, type WireFormat, wireRatesHz } from '#audio/format.ts'
import { silentLog } from '#base/log.ts'
import { seededRandom } from '#base/random.ts'
import type { Leg } from '#call/leg.ts'
import { Pacer } from '#call/pacer.ts'
import { ManualClock } from '../fakes/manual-clock.ts'
import { RtpFarSide } from '../fakes/rtp-far-side.ts'
import { type FarSide, type LegUnderTest, legContract } from './leg.ts'

/**
 * Real datagrams over loopback, and time that the far side moves: a packet is sent, is seen to have arrived, and then
 * 20 ms pass. So the jitter buffer hears a network without jitter on a machine however busy.
 */
const turn = () => new Promise<void>((resolve) => setImmediate(resolve))

async function openRtp(format: WireFormat, ports: 'per_call' | 'shared'): Promise<LegUnderTest> {
  const allowList = AllowList.parse(['127.0.0.1'])
  if (!allowList.ok) throw new Error(allowList.error)
  const clock = new ManualClock()
  const pacer = new Pacer(clock)
  let leg: Leg | null = null
  const door = new RtpDoor({
    host: '127.0.0.1',
    advertiseHost: '127.0.0.1',
    // The kernel chooses.
    portMin: 0,
    portMax: 0,
    ports,
    allowList: allowList.value,
    lockRemote: true,
    jitterBufferMaxMs: 200,
    silentPeerTimeoutMs: 0,
    clock,
    random: seededRandom(1),
    log: silentLog,
    pacer,
    accept: (_uuid, accepted) => {
      leg = accepted
      return 'accepted'
    },
  })
  const asterisk = await RtpFarSide.open(format)
  const prepared = await door.prepare({ uuid: 'u', channelId: 'c', format })
  if (!prepared.ok) throw new Error(prepared.error)
  asterisk.sendTo(prepared.value.request.external_host ?? '')
  prepared.value.made({ UNICASTRTP_LOCAL_ADDRESS: '127.0.0.1', UNICASTRTP_LOCAL_PORT: String(asterisk.port) })
  if (leg === null) throw new Error('the door made no leg')
  const perFrame = samplesPerFrame(wireRatesHz[format])
  let isOver = false
  const far: FarSide = {
    async speak(samples) {
      // Between two ticks, as the packets of another clock arrive.
      clock.advance(10)
      for (let offset = 0; offset < samples.length && !isOver; offset += perFrame) {
        const before = door.counters.packetsIn
        asterisk.audio(samples.subarray(offset, offset + perFrame), offset === 0)
        // A leg that has ended takes none.
        for (let turns = 0; turns < 1000 && !isOver && door.counters.packetsIn === before; turns += 1) await turn()
        clock.advance(20)
      }
    },
    async digit(digit) {
      asterisk.digit(digit)
      await turn()
    },
    hangUp: () => {},
    stopReading: () => {},
    get heard() {
      return asterisk.received.flatMap(({ samples }) => [...samples])
    },
    // RTP says nothing at the end. What can be seen is that a port of its own is closed; a shared one stays.
    get gone() {
      return (async () => {
        const wanted = ports === 'shared' ? 1 : 0
        while (door.openPorts !== wanted) await turn()
      })()
    },
  }
  return {
    leg,
    far,
    dispose: () => {
      isOver = true
      void (leg as Leg | null)?.close('shutdown')
      door.close()
      asterisk.close()
    },
  }
}

const datagrams = { farHangsUp: false, backPressure: false } as const

legContract('RTP with µ-law', () => openRtp('ulaw', 'per_call'), { ...datagrams, wire: 'g711' })
legContract('RTP with A-law', () => openRtp('alaw', 'per_call'), { ...datagrams, wire: 'g711' })
legContract('RTP with slin', () => openRtp('slin', 'per_call'), datagrams)
legContract('RTP on a shared port', () => openRtp('slin', 'shared'), datagrams)
