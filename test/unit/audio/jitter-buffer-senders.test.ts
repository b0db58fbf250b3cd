import { describe, expect, test } from 'bun:test'
import { JitterBuffer } from '#audio/jitter-buffer.ts'
import { seededRandom } from '#base/random.ts'
import { indexOf, largest, listen, type Packet, perFrame, rateHz, stream, voice } from '../../fakes/packet-stream.ts'

describe('a sender that counts anew', () => {
  const sound = voice(rateHz * 8)
  const first = sound.subarray(0, rateHz * 4)
  const second = sound.subarray(rateHz * 4)
  const before = stream({ sound: first, firstSequence: 100, firstTimestamp: 5000 })

  test('a new SSRC is followed at once, and nothing is dropped', () => {
    const after = stream({
      sound: second,
      firstSequence: 40_000,
      firstTimestamp: 3_000_000_000,
      ssrc: 8,
      startMs: 5000,
    })
    const { samples, buffer } = listen([...before, ...after], 200, 8, 0)
    expect(samples).toEqual(sound.subarray(0, samples.length))
    expect(buffer.counters.ssrcChanges).toBe(1)
    expect(buffer.stats).toMatchObject({ lost: 0, late: 0, concealed: 0 })
  })

  test('a sequence that begins anew is believed with its second packet, and the first is heard too', () => {
    const after = stream({ sound: second, firstSequence: 40_000, firstTimestamp: 5000 + first.length, startMs: 5000 })
    const { samples, buffer } = listen([...before, ...after], 200, 8, 0)
    expect(buffer.counters.sequenceRestarts).toBe(1)
    // The first had to wait for the second: one frame is made up meanwhile.
    expect(buffer.stats).toMatchObject({ lost: 0, late: 0, concealed: 1 })
    const at = indexOf(samples, second.subarray(perFrame, 20 * perFrame))
    // Behind the made-up frame and the first one, less the pitch period that took the delay back.
    expect(at).toBeGreaterThan(first.length + perFrame)
    expect(at).toBeLessThanOrEqual(first.length + 2 * perFrame)
  })

  test('a packet from nowhere between the others changes nothing', () => {
    const stray = { ...(before[50] as Packet), sequence: 30_000, timestamp: 99, atMs: (before[50] as Packet).atMs + 1 }
    const { samples, buffer } = listen([...before, stray], 200, 8, 0)
    expect(samples).toEqual(first.subarray(0, samples.length))
    expect(buffer.counters.sequenceRestarts).toBe(0)
  })

  test.each([
    ['far ahead', 2_000_000_000],
    ['backwards', 17],
    ['by an hour', 5000 + first.length + 3600 * rateHz],
  ])('a timestamp that jumps %s is followed without a hole', (_name, firstTimestamp) => {
    const after = stream({ sound: second, firstSequence: 100 + before.length, firstTimestamp, startMs: 5000 })
    const { samples, buffer } = listen([...before, ...after], 200, 8, 0)
    expect(samples).toEqual(sound.subarray(0, samples.length))
    expect(buffer.counters.timestampJumps).toBe(1)
    expect(buffer.stats).toMatchObject({ lost: 0, late: 0, concealed: 0 })
  })

  test.each([2_000_000_000, 17])(
    'a packet from before a jump of timestamps to %d, overtaken by it, harms nothing',
    (to) => {
      const after = stream({ sound: second, firstSequence: 100 + before.length, firstTimestamp: to, startMs: 5000 })
      const overtaken = before.map((each, index) => (index === before.length - 1 ? { ...each, atMs: 5021 } : each))
      const { samples, buffer, delaysMs } = listen([...overtaken, ...after], 200, 8, 0)
      expect(buffer.stats).toMatchObject({ lost: 0, late: 1, duplicates: 0 })
      expect(indexOf(samples, second.subarray(5 * perFrame, 150 * perFrame))).toBeGreaterThan(0)
      expect(largest(delaysMs.slice(-50))).toBeLessThanOrEqual(25)
    },
  )

  test.each([
    ['went on', 5000 + first.length + 10 * rateHz],
    ['stood still', 5000 + first.length],
  ])('behind silence of 10 s whose timestamp %s, the sound is whole and no delay is left', (_name, firstTimestamp) => {
    const after = stream({ sound: second, firstSequence: 100 + before.length, firstTimestamp, startMs: 15_000 })
    const { samples, buffer, delaysMs } = listen([...before, ...after], 200, 8, 0)
    // Its first frame fades in from silence.
    expect(indexOf(samples, second.subarray(2 * perFrame, 150 * perFrame))).toBeGreaterThan(13 * rateHz)
    expect(buffer.stats).toMatchObject({ lost: 0, late: 0 })
    expect(buffer.stats.concealed).toBeLessThanOrEqual(_name === 'went on' ? 1 : 501)
    expect(largest(delaysMs.slice(-50))).toBeLessThanOrEqual(25)
  })
})

describe('clock drift', () => {
  test.each([200, -200, 50, -50])('an hour at %d ppm adds no delay, and hardly a frame is made up', (driftPpm) => {
    const buffer = new JitterBuffer(rateHz, 200)
    const random = seededRandom(9)
    const sound = voice(rateHz)
    const frame = new Int16Array(perFrame)
    const packetMs = 20 / (1 + driftPpm / 1e6)
    let sent = 0
    let worst = 0
    for (let tick = 0; tick < 180_000; tick += 1) {
      const nowMs = 1000 + tick * 20
      for (; 1000 + (sent + 1) * packetMs <= nowMs; sent += 1) {
        const at = (sent % 50) * perFrame
        const atMs = 1000 + (sent + 1) * packetMs + random.next() * 2
        buffer.push(sent & 0xffff, (sent * perFrame) >>> 0, 1, sound.subarray(at, at + perFrame), Math.min(atMs, nowMs))
      }
      buffer.pull(nowMs, frame)
      if (tick > 100) worst = Math.max(worst, buffer.stats.delayMs)
    }
    expect(worst).toBeLessThanOrEqual(30)
    // A sender too slow by 200 ppm leaves out 36 frames of 180,000, and somebody must make them up.
    expect(buffer.stats.concealed).toBeLessThanOrEqual(driftPpm < 0 ? Math.ceil((-driftPpm * 180_000) / 1e6) * 2 : 1)
    expect(buffer.stats).toMatchObject({ lost: 0, late: 0, duplicates: 0, reordered: 0 })
  })
})

test('a key held for 12 s is 600 packets without sound, and none of them is missing', () => {
  const sound = voice(rateHz * 2)
  const frame = new Int16Array(perFrame)
  const buffer = new JitterBuffer(rateHz, 200)
  for (let each = 0; each < 700; each += 1) {
    const atMs = 1000 + each * 20
    const at = (each % 50) * perFrame
    if (each >= 50 && each < 650) buffer.noteOther(each, 7)
    else buffer.push(each, each * perFrame, 7, sound.subarray(at, at + perFrame), atMs)
    buffer.pull(atMs + 8, frame)
  }
  expect(buffer.stats).toMatchObject({ lost: 0, late: 0, concealed: 0 })
  expect(buffer.counters).toMatchObject({ sequenceRestarts: 0, timestampJumps: 0 })
})
