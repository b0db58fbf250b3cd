import { describe, expect, test } from 'bun:test'
import type { RtpLegOptions } from '#asterisk/rtp-leg.ts'
import { seededRandom } from '#base/random.ts'
import { MediaPath } from '#call/media-path.ts'
import { WarmUp } from '#call/warm-up.ts'
import { playoutSettings } from '../../fakes/calls.ts'
import { address, port, rtpLegWorld } from '../../fakes/rtp-leg-world.ts'

/** A call's audio over RTP, without a socket: the leg's tick and the call's are of one pacer, as they are in a call. */
function setUp(changes: Partial<RtpLegOptions> = {}) {
  const world = rtpLegWorld(changes)
  const { clock, pacer } = world
  const frames = { heard: 0 }
  const media = new MediaPath(
    { clock, pacer, sampleRateHz: 8000, playout: playoutSettings, warmUp: new WarmUp(200), files: null },
    {
      frame: () => {
        frames.heard += 1
      },
      digit: () => {},
      legEnded: () => {},
      broke: (thrown) => {
        throw thrown
      },
      replyStarted: () => {},
      replyDone: () => {},
      stuck: () => {},
      fellBack: () => {},
    },
    world.leg,
  )
  const say = (packets: number, everyMs = 20) => {
    for (let each = 0; each < packets; each += 1) {
      world.leg.receive(world.packet(1000), port, address)
      clock.advance(everyMs)
    }
  }
  return { ...world, media, say, frames }
}

describe('the drift of a telephone over RTP', () => {
  test.each([
    [2000, 120],
    [-2000, -120],
    [200, 12],
    [0, 0],
  ])('whose clock runs %d ppm too fast for 60 s: %d ms', (ppm, driftMs) => {
    const { media, say } = setUp()
    const everyMs = 20 / (1 + ppm / 1e6)
    say(Math.round(60_000 / everyMs), everyMs)
    // The first second is what the last is measured against.
    expect(Math.abs(media.facts(0).driftMs - driftMs)).toBeLessThan(Math.max(3, Math.abs(driftMs) / 20))
  })

  test('is told through 60 ms of jitter, to a few milliseconds', () => {
    const { media, leg, packet, clock } = setUp()
    const random = seededRandom(4)
    const packets = Array.from({ length: 3000 }, (_, index) => ({
      atMs: clock.now() + (index * 20) / 1.002 + random.next() * 60,
      bytes: packet(1000),
    })).sort((one, other) => one.atMs - other.atMs)
    for (const { atMs, bytes } of packets) {
      clock.advance(Math.max(0, atMs - clock.now()))
      leg.receive(bytes, port, address)
    }
    expect(Math.abs(media.facts(0).driftMs - 120)).toBeLessThan(12)
  })

  test('stays when the sender begins to count anew, and what was never sent is none', () => {
    const { media, say, leg, packet, clock } = setUp()
    say(1500, 20 / 1.002)
    const before = media.facts(0).driftMs
    expect(before).toBeGreaterThan(50)
    // On hold for 10 s, and then under another SSRC whose clock is right.
    clock.advance(10_000)
    for (let each = 0; each < 200; each += 1) {
      leg.receive(packet(1000, { ssrc: 77 }), port, address)
      clock.advance(20)
    }
    expect(Math.abs(media.facts(0).driftMs - before)).toBeLessThan(1)
  })

  test('of a lost media path is kept beside that of the next', async () => {
    const { media, say } = setUp()
    say(1500, 20 / 1.002)
    const before = media.facts(0).driftMs
    await media.detach('media_lost')
    expect(media.facts(0).driftMs).toBe(before)
    const next = rtpLegWorld()
    media.attach(next.leg)
    expect(media.facts(0).driftMs).toBe(before)
  })
})

describe('frames that the jitter buffer made up', () => {
  test('are heard, and are none of the caller’s', () => {
    const { media, say, frames, clock } = setUp()
    say(50)
    clock.advance(2000)
    expect(frames.heard).toBeGreaterThan(140)
    expect(media.facts(0).framesIn).toBe(50)
  })

  test('do not keep a dead path alive: 5 s after its last packet it was not heard lately', () => {
    const { media, say, clock } = setUp()
    say(50)
    clock.advance(4900)
    expect(media.heardWithin(5000)).toBe(true)
    clock.advance(200)
    expect(media.heardWithin(5000)).toBe(false)
  })

  test('for single lost packets: as many frames as packets came', () => {
    const { media, say, packet, leg, clock } = setUp()
    for (let each = 0; each < 20; each += 1) {
      say(9)
      packet(0)
      clock.advance(20)
    }
    say(20)
    expect(leg.stats).toMatchObject({ lost: 20, concealed: 20 })
    expect(media.facts(0).framesIn).toBe(200)
  })
})

test('after a stall of the machine the timestamps stand where real time is, and the gap is marked', () => {
  const { sent, clock } = setUp()
  clock.advance(1000)
  clock.stall(400)
  clock.advance(100)
  const headers = sent.map(({ bytes }) => {
    const view = new DataView(bytes.buffer, bytes.byteOffset)
    return { marker: view.getUint8(1) >> 7 === 1, timestamp: view.getUint32(4) }
  })
  const first = headers[0]?.timestamp ?? 0
  const steps = headers.map(({ timestamp, marker }) => [((timestamp - first) >>> 0) / 160, marker] as const)
  // 51 frames on time; of the twenty that the stall missed, fifteen are given up and five are sent at once.
  expect(steps.slice(0, 51).map(([at]) => at)).toEqual(Array.from({ length: 51 }, (_, index) => index))
  expect(steps.slice(51).map(([at]) => at)).toEqual(Array.from({ length: 10 }, (_, index) => 66 + index))
  expect(steps.filter(([, marker]) => marker).map(([at]) => at)).toEqual([0, 66])
})
