import { afterEach, expect, test } from 'bun:test'
import { AllowList } from '#asterisk/allow-list.ts'
import { RtpDoor } from '#asterisk/rtp-door.ts'
import { ptimeMs } from '#audio/format.ts'
import { SystemClock } from '#base/clock.ts'
import { silentLog } from '#base/log.ts'
import { seededRandom } from '#base/random.ts'
import type { Leg } from '#call/leg.ts'
import { Pacer } from '#call/pacer.ts'
import { readSpeech } from '../bed/speech.ts'
import { readWav } from '../bed/wav-file.ts'
import { compareConcealment } from '../fakes/concealment-measure.ts'
import { RtpFarSide } from '../fakes/rtp-far-side.ts'
import { noFaults, RtpProxy } from '../fakes/rtp-proxy.ts'

/** A bad network between real sockets, in real time; and how much of real speech survives one. */

const closing: (() => void)[] = []
afterEach(() => {
  for (const close of closing.splice(0)) close()
})

async function speech(): Promise<Int16Array> {
  const parts = await Promise.all((await readSpeech()).slice(0, 5).map(({ path }) => readWav(path)))
  const all = new Int16Array(parts.reduce((sum, { samples }) => sum + samples.length, 0))
  let at = 0
  for (const { samples } of parts) {
    all.set(samples, at)
    at += samples.length
  }
  return all
}

test('5 % loss, 60 ms of jitter, duplicates: the engine’s counters are the network’s own record', async () => {
  const clock = new SystemClock()
  const allowList = AllowList.parse(['127.0.0.1'])
  if (!allowList.ok) throw new Error(allowList.error)
  let leg: Leg | null = null
  // A machine that stands still makes a bad network worse than the proxy's record says: by no more than these frames.
  let stalledFrames = 0
  const watch = (lagMs: number) => {
    stalledFrames += Math.round(lagMs / ptimeMs)
  }
  const door = new RtpDoor({
    host: '127.0.0.1',
    advertiseHost: '127.0.0.1',
    portMin: 0,
    portMax: 0,
    ports: 'per_call',
    allowList: allowList.value,
    lockRemote: true,
    // Room for a machine that stands still for a moment: what is given up for that is late without being overtaken.
    jitterBufferMaxMs: 1000,
    silentPeerTimeoutMs: 0,
    clock,
    random: seededRandom(1),
    log: silentLog,
    pacer: new Pacer(clock, watch),
    accept: (_uuid, accepted) => {
      leg = accepted
      return 'accepted'
    },
  })
  const far = await RtpFarSide.open('ulaw')
  const proxy = await RtpProxy.open(clock, seededRandom(7))
  const prepared = await door.prepare({ uuid: 'u', channelId: 'c', format: 'ulaw' })
  if (!prepared.ok) throw new Error(prepared.error)
  proxy.forwardTo(Number(prepared.value.request.external_host?.split(':')[1]))
  far.sendTo(`127.0.0.1:${proxy.port}`)
  prepared.value.made({ UNICASTRTP_LOCAL_ADDRESS: '127.0.0.1', UNICASTRTP_LOCAL_PORT: String(proxy.port) })
  if (leg === null) throw new Error('the door made no leg')
  const opened: Leg = leg
  closing.push(() => {
    void opened.close('shutdown')
    door.close()
    proxy.close()
    far.close()
  })
  let frames = 0
  /** Of them, those that hold sound of the sender's. */
  let heard = 0
  opened.onEvent((event) => {
    if (event.type !== 'audio') return
    frames += 1
    if (event.madeUp !== true) heard += 1
  })

  const sound = await speech()
  const packets = 400
  let sent = 0
  const done = Promise.withResolvers<void>()
  const sender = new Pacer(clock, watch)
  const sending = sender.add({
    writeFrames: (count) => {
      for (let each = 0; each < count && sent < packets; each += 1) {
        // Calm at both ends: nobody can know of a packet that was lost before the first or behind the last.
        proxy.faults = sent < 5 || sent >= packets - 5 ? noFaults : { loss: 0.05, duplicates: 0.05, jitterMs: 60 }
        far.audio(sound.subarray(sent * 160, (sent + 1) * 160), sent === 0)
        opened.write({ sampleRateHz: 8000, samples: sound.subarray(sent * 160, (sent + 1) * 160) })
        sent += 1
      }
      if (sent === packets) done.resolve()
    },
  })
  await done.promise
  sending[Symbol.dispose]()
  const { record } = proxy
  const { stats } = opened
  // All arrives, and then the buffer needs its delay to be heard. What has not come by then fails below, by its number.
  const isDone = () =>
    proxy.pending === 0 &&
    door.counters.packetsIn === record.delivered &&
    frames >= packets - stalledFrames &&
    stats.lost === record.dropped
  for (let waits = 0; waits < 500 && !isDone(); waits += 1) await Bun.sleep(20)
  await Bun.sleep(500)

  expect(record).toMatchObject({ received: packets, delivered: packets - record.dropped + record.duplicated })
  expect(Math.min(record.dropped, record.duplicated)).toBeGreaterThan(8)
  expect(record.overtaken).toBeGreaterThan(40)
  expect(stats.lost).toBe(record.dropped)
  expect(stats.duplicates).toBe(record.duplicated)
  // Put back in order, or, while the delay was still learnt, too late for it; most of them the former. On a machine
  // that keeps time both bounds are one.
  expect(stats.reordered).toBeLessThanOrEqual(record.overtaken)
  expect(stats.reordered + stats.late).toBeGreaterThanOrEqual(record.overtaken)
  expect(stats.reordered + stats.late).toBeLessThanOrEqual(record.overtaken + stalledFrames)
  expect(stats.late).toBeLessThan(record.overtaken / 2 + stalledFrames)
  // A frame for each lost and each late one; and the delay of some 60 ms, which is made of made-up frames.
  const missing = stats.lost + stats.late
  expect(stats.concealed).toBeGreaterThanOrEqual(missing - 2 * stalledFrames)
  expect(stats.concealed).toBeLessThan(missing + 20 + 2 * stalledFrames)
  expect(frames).toBeGreaterThanOrEqual(packets - stalledFrames)
  // Both ends keep one clock: what is late is no drift, and the sender is not told by our own pace.
  expect(Math.abs(stats.driftMs ?? Number.NaN)).toBeLessThanOrEqual(20 + stalledFrames * ptimeMs)
  // What was made up is none of the sender's; beside a hole a packet's sound may lie in two frames.
  expect(heard).toBeLessThan(frames)
  expect(heard).toBeGreaterThanOrEqual(packets - missing - 2 * stalledFrames)
  expect(door.counters.packetsIn).toBe(record.delivered)
  expect(door.counters.dropped).toEqual({})
  // The way back is untouched: all of it, and its timestamps leave out no more than the time that the machine stood still.
  expect(far.received.length).toBe(packets)
  const [first] = far.received
  const skipped = far.received.map(
    ({ timestamp }, index) => (((timestamp - (first?.timestamp ?? 0)) >>> 0) - index * 160) / 160,
  )
  expect(skipped).toEqual(skipped.map(Math.round).toSorted((one, other) => one - other))
  expect(skipped.at(-1)).toBeLessThanOrEqual(stalledFrames)
}, 30_000)

test.each([
  [0.05, 1],
  [0.1, 2],
])('of real speech with %d loss, much more is left than silence in the holes would leave', async (loss, seed) => {
  const { concealed, zeroFilled, framesLost, buffer } = compareConcealment(await speech(), seed, loss)
  expect(buffer.stats).toMatchObject({ lost: framesLost, concealed: framesLost, late: 0 })
  expect(concealed.framesCompared).toBeGreaterThan(30)
  // By definition: nothing of the signal is left.
  expect(zeroFilled.snrDb).toBeCloseTo(0, 5)
  expect(concealed.snrDb).toBeGreaterThan(0.5)
  expect(concealed.distanceDb).toBeLessThan(zeroFilled.distanceDb / 2)
})
