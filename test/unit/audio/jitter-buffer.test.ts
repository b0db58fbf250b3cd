import { describe, expect, test } from 'bun:test'
import { JitterBuffer } from '#audio/jitter-buffer.ts'
import { seededRandom } from '#base/random.ts'
import {
  indexOf,
  jittered,
  largest,
  listen,
  type Packet,
  perFrame,
  rateHz,
  steepest,
  stream,
  voice,
} from '../../fakes/packet-stream.ts'

describe('on a clean network', () => {
  test.each([0, 3, 6, 11, 16, 19.9])(
    'nothing is changed, and a frame waits for 20 ms at most (phase %d)',
    (phaseMs) => {
      const sound = voice(rateHz * 10)
      const { samples, buffer, delaysMs } = listen(stream({ sound }), 200, phaseMs, 0)
      expect(buffer.stats).toMatchObject({ lost: 0, late: 0, duplicates: 0, reordered: 0, concealed: 0 })
      expect(largest(delaysMs.slice(50))).toBeLessThanOrEqual(20)
      if (buffer.counters.shortened === 0) expect(samples).toEqual(sound.subarray(0, samples.length))
      else expect(steepest(samples)).toBeLessThanOrEqual(steepest(sound) * 1.1)
      // At most the last packet is still under way.
      expect(samples.length).toBeGreaterThanOrEqual(sound.length - 2 * perFrame)
    },
  )

  test.each([80, 160, 240, 320, 480])('packets of %d samples come out as the same sound', (packetSamples) => {
    const sound = voice(rateHz * 4)
    const { samples, buffer } = listen(stream({ sound, packetSamples }), 200, 8, 0)
    expect(buffer.stats).toMatchObject({ lost: 0, late: 0, duplicates: 0, reordered: 0, concealed: 0 })
    expect(samples).toEqual(sound.subarray(0, samples.length))
    expect(samples.length).toBeGreaterThan(sound.length - 2 * packetSamples - 2 * perFrame)
  })

  test('sequence numbers and timestamps wrap', () => {
    const sound = voice(rateHz * 4)
    const packets = stream({ sound, firstSequence: 65_500, firstTimestamp: 2 ** 32 - 5000 })
    const { samples, buffer } = listen(packets, 200, 8, 0)
    expect(buffer.stats).toMatchObject({ lost: 0, late: 0, duplicates: 0, reordered: 0, concealed: 0 })
    expect(samples).toEqual(sound.subarray(0, samples.length))
  })

  test('nothing comes out before something came in', () => {
    const buffer = new JitterBuffer(rateHz, 200)
    const frame = new Int16Array(perFrame).fill(5)
    expect(buffer.pull(0, frame)).toBe(false)
    expect(frame[0]).toBe(5)
  })
})

describe('loss', () => {
  test('each lost packet is counted once and concealed once', () => {
    const random = seededRandom(3)
    const packets = stream({ sound: voice(rateHz * 60) })
    const kept = packets.filter((_, index) => index < 3 || index > packets.length - 4 || random.next() >= 0.05)
    const { buffer } = listen(kept)
    const lost = packets.length - kept.length
    expect(lost).toBeGreaterThan(100)
    expect(buffer.stats).toMatchObject({ lost, concealed: lost, late: 0, duplicates: 0, reordered: 0 })
  })

  test('around a hole nothing clicks, and what follows is the sound as it was', () => {
    const sound = voice(rateHz * 4)
    const packets = stream({ sound })
    const { samples } = listen(packets.filter((_, index) => index !== 60 && index !== 61))
    expect(steepest(samples.subarray(0, 100 * perFrame))).toBeLessThanOrEqual(steepest(sound) * 1.2)
    expect(samples.subarray(0, 60 * perFrame)).toEqual(sound.subarray(0, 60 * perFrame))
    expect(samples.subarray(63 * perFrame, 100 * perFrame)).toEqual(sound.subarray(63 * perFrame, 100 * perFrame))
  })

  test('a hole that lasts becomes silence within 100 ms', () => {
    const packets = stream({ sound: voice(rateHz * 4) })
    const { samples } = listen(packets.filter((_, index) => index < 60 || index >= 90))
    expect(largest(samples.subarray(60 * perFrame, 62 * perFrame))).toBeGreaterThan(1000)
    expect(new Set(samples.subarray(65 * perFrame, 89 * perFrame))).toEqual(new Set([0]))
  })

  test('a packet of 60 ms that is lost is one lost packet and three concealed frames', () => {
    const packets = stream({ sound: voice(rateHz * 4), packetSamples: 480 })
    const { buffer } = listen(packets.filter((_, index) => index !== 20))
    expect(buffer.stats).toMatchObject({ lost: 1, concealed: 3, late: 0 })
  })
})

describe('order and time', () => {
  test('a duplicate is counted and not heard', () => {
    const sound = voice(rateHz * 4)
    const packets = stream({ sound })
    const twice = [
      ...packets,
      ...packets.filter((_, index) => index % 7 === 3).map((each) => ({ ...each, atMs: each.atMs + 31 })),
    ]
    const { samples, buffer } = listen(twice, 200, 8, 40)
    expect(buffer.stats).toMatchObject({ duplicates: twice.length - packets.length, lost: 0, late: 0, reordered: 0 })
    expect(samples.subarray(0, sound.length)).toEqual(sound)
  })

  test('what is overtaken is put back in order', () => {
    const sound = voice(rateHz * 4)
    // 2 ms after its follower: still in time, as the buffer takes its first frame 8 ms after it came.
    const packets = stream({ sound }).map((each, index) =>
      index % 10 === 5 ? { ...each, atMs: each.atMs + 22 } : each,
    )
    const { buffer, samples } = listen(packets, 200, 8, 0)
    expect(buffer.stats.lost).toBe(0)
    expect(buffer.stats.duplicates).toBe(0)
    expect(buffer.stats.reordered + buffer.stats.late).toBe(20)
    expect(buffer.stats.late).toBeLessThanOrEqual(2)
    // Once the delay has grown, the sound is whole.
    expect(indexOf(samples, sound.subarray(100 * perFrame, 180 * perFrame))).toBeGreaterThan(0)
  })

  test('what comes after its time is late, and no longer lost', () => {
    const packets = stream({ sound: voice(rateHz * 4) })
    const held = packets.map((each, index) => (index === 50 ? { ...each, atMs: each.atMs + 500 } : each))
    const { buffer } = listen(held)
    expect(buffer.stats).toMatchObject({ lost: 0, late: 1, concealed: 1, reordered: 0, duplicates: 0 })
    const again = [...held, { ...(held[50] as Packet), atMs: 3000 }]
    expect(listen(again).buffer.stats).toMatchObject({ lost: 0, late: 1, duplicates: 1 })
  })

  test('the delay grows with the jitter, and shrinks when it is over, without a click', () => {
    const sound = voice(rateHz * 60)
    const random = seededRandom(5)
    const packets = stream({ sound })
    const third = packets.length / 3
    const shaken = packets.map((each, index) =>
      index > third && index < 2 * third ? { ...each, atMs: each.atMs + random.next() * 80 } : each,
    )
    const { delaysMs, samples, buffer } = listen(shaken)
    expect(largest(delaysMs.slice(100, third - 5))).toBeLessThanOrEqual(20)
    const during = delaysMs.slice(third + 250, 2 * third - 5)
    expect(Math.min(...during)).toBeGreaterThan(55)
    expect(largest(during)).toBeLessThan(110)
    expect(largest(delaysMs.slice(-250))).toBeLessThan(25)
    expect(buffer.counters.shortened).toBeGreaterThan(3)
    expect(steepest(samples)).toBeLessThanOrEqual(steepest(sound) * 1.25)
    // Nearly all of them were waited for.
    expect(buffer.stats.late).toBeLessThan(third * 0.04)
    expect(buffer.stats.lost).toBe(0)
  })

  test('the delay never grows beyond its maximum', () => {
    const packets = jittered(stream({ sound: voice(rateHz * 30) }), seededRandom(6), 300)
    const { delaysMs, buffer } = listen(packets, 100)
    expect(largest(delaysMs)).toBeLessThanOrEqual(120)
    expect(buffer.stats.late).toBeGreaterThan(100)
    expect(buffer.stats.lost).toBe(0)
  })

  test.each([0, 20, 1000])('whatever the maximum (%d ms), jitter breaks nothing', (delayMaxMs) => {
    const random = seededRandom(8)
    const sent = stream({ sound: voice(rateHz * 20) })
    const kept = sent.filter((_, index) => index < 3 || index > 995 || random.next() > 0.05)
    const { delaysMs, buffer } = listen(jittered(kept, random, 60), delayMaxMs, 8, 1000)
    expect(largest(delaysMs)).toBeLessThanOrEqual(Math.max(80, delayMaxMs / 5) + 40)
    expect(buffer.stats.lost).toBe(sent.length - kept.length)
    if (delayMaxMs === 1000) expect(buffer.stats.late).toBeLessThan(10)
    else expect(buffer.stats.late).toBeGreaterThan(100)
  })

  test('behind a standstill of the network the delay comes back', () => {
    const packets = stream({ sound: voice(rateHz * 20) })
    const stopped = packets.map((each) => (each.atMs > 5000 && each.atMs < 5800 ? { ...each, atMs: 5800 } : each))
    const { delaysMs, buffer } = listen(stopped)
    expect(largest(delaysMs)).toBeLessThanOrEqual(220)
    expect(largest(delaysMs.slice(-250))).toBeLessThanOrEqual(25)
    expect(buffer.stats).toMatchObject({ lost: 0, duplicates: 0, reordered: 0 })
  })
})

describe('on the edges', () => {
  test('what overtook the first packet before anything was heard does not push it out', () => {
    const sound = voice(rateHz)
    const packets = stream({ sound })
    const swapped = packets.map((each, index) => (index === 0 ? { ...each, atMs: each.atMs + 21 } : each))
    // At 1028 nothing but the second has come, less than 5 ms ago; at 1048 both are there.
    const later = swapped.map((each, index) => (index === 1 ? { ...each, atMs: each.atMs - 13 } : each))
    const { samples, buffer } = listen(later, 200, 8, 0)
    expect(indexOf(samples, sound.subarray(0, perFrame))).toBe(0)
    expect(buffer.stats).toMatchObject({ lost: 0, late: 0, reordered: 1 })
  })

  test('a straggler of the SSRC before is late, and does not bring it back', () => {
    const sound = voice(rateHz * 2)
    const before = stream({ sound: sound.subarray(0, rateHz) })
    const after = stream({ sound: sound.subarray(rateHz), ssrc: 8, startMs: 2000, firstSequence: 9000 })
    const straggler = { ...(before[49] as Packet), sequence: 50, atMs: 2100 }
    const { samples, buffer } = listen([...before, ...after, straggler], 200, 8, 0)
    expect(buffer.counters.ssrcChanges).toBe(1)
    expect(buffer.stats).toMatchObject({ lost: 0, late: 1, concealed: 0 })
    expect(samples).toEqual(sound.subarray(0, samples.length))
  })

  test('packets that keep being overtaken are waited for, although there is always something to be heard', () => {
    const packets = stream({ sound: voice(rateHz * 10) }).map((each, index) =>
      index % 3 === 1 ? { ...each, atMs: each.atMs + 55 } : each,
    )
    const { buffer } = listen(packets)
    const overtaken = packets.length / 3
    expect(buffer.stats.late).toBeLessThan(overtaken * 0.05)
    expect(buffer.stats.reordered).toBeGreaterThan(overtaken * 0.9)
  })

  test('silence that is known beforehand is filled, and is no concealed frame', () => {
    const sound = voice(rateHz * 4)
    const first = stream({ sound: sound.subarray(0, rateHz * 2) }).map((each, index) =>
      index > 50 && index < 58 ? { ...each, atMs: each.atMs + 100 } : each,
    )
    const begun = listen(first, 200, 8, 0).buffer
    expect(begun.stats.delayMs).toBeGreaterThan(60)
    // 40 ms of silence: its end arrives before its beginning is to be heard.
    const second = stream({
      sound: sound.subarray(rateHz * 2),
      firstSequence: first.length,
      firstTimestamp: 2 * rateHz + 320,
      startMs: 3040,
    })
    const { buffer } = listen([...first, ...second], 200, 8, 0)
    expect(buffer.stats.concealed).toBe(begun.stats.concealed)
    expect(buffer.stats).toMatchObject({ lost: 0, late: 0 })
  })

  test('a way that becomes shorter by 400 ms is followed at once, without a click', () => {
    const sound = voice(rateHz * 10)
    const packets = stream({ sound }).map((each, index) => (index < 250 ? { ...each, atMs: each.atMs + 400 } : each))
    // Those under way on the longer way arrive behind the first on the shorter one.
    const { buffer, samples, delaysMs } = listen(packets, 200, 8)
    expect(largest(delaysMs)).toBeLessThanOrEqual(220)
    expect(largest(delaysMs.slice(-100))).toBeLessThanOrEqual(25)
    expect(steepest(samples)).toBeLessThanOrEqual(steepest(sound) * 1.25)
    expect(buffer.stats.lost).toBe(0)
  })

  test('if nobody pulls, the oldest are given up, and nothing breaks', () => {
    const buffer = new JitterBuffer(rateHz, 200)
    const frame = new Int16Array(perFrame)
    for (const { sequence, timestamp, samples, atMs } of stream({ sound: voice(rateHz * 4) })) {
      buffer.push(sequence, timestamp, 7, samples, atMs)
    }
    // 200 packets, of which 128 may wait.
    expect(buffer.stats.late).toBe(72)
    expect(buffer.pull(5010, frame)).toBe(true)
    expect(buffer.stats.delayMs).toBeLessThanOrEqual(220)
  })
})
