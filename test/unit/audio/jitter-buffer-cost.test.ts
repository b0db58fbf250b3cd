import { afterEach, beforeEach, describe, expect, type Mock, spyOn, test } from 'bun:test'
import { JitterBuffer } from '#audio/jitter-buffer.ts'
import { PacketWindow, waitingMax } from '#audio/packet-window.ts'
import { perFrame, rateHz, voice } from '../../fakes/packet-stream.ts'

/** Numbers of a packet are the sender's to choose: whichever they are, one packet or tick costs a bounded search. */

/** A few walks over the window; nothing may grow with what came before. */
const stepsMax = 8 * waitingMax
const ssrc = 7
const sound = voice(rateHz)

let steps = 0
let spies: Mock<(...args: never[]) => unknown>[] = []

/** A step is a number that is looked up; a search for who waits counts as what it may have to look at. */
beforeEach(() => {
  steps = 0
  const { hasCome, firstWaiting } = PacketWindow.prototype
  spies = [
    spyOn(PacketWindow.prototype, 'hasCome').mockImplementation(function (this: PacketWindow, sequence: number) {
      steps += 1
      return hasCome.call(this, sequence)
    }),
    spyOn(PacketWindow.prototype, 'firstWaiting').mockImplementation(function (this: PacketWindow) {
      const first = firstWaiting.call(this)
      steps += (first < 0 ? this.highest : first) - this.next + 1
      return first
    }),
  ]
})
afterEach(() => {
  for (const spy of spies) spy.mockRestore()
})

function begin() {
  const buffer = new JitterBuffer(rateHz, 200)
  const frame = new Int16Array(perFrame)
  let worst = 0
  const measured = (act: () => void) => {
    steps = 0
    act()
    worst = Math.max(worst, steps)
  }
  return {
    buffer,
    audio: (index: number, nowMs: number) =>
      measured(() => buffer.push(index & 0xffff, (index * perFrame) >>> 0, ssrc, sound.subarray(0, perFrame), nowMs)),
    other: (index: number) => measured(() => buffer.noteOther(index & 0xffff, ssrc)),
    pull: (nowMs: number) => measured(() => buffer.pull(nowMs, frame)),
    worst: () => worst,
  }
}

describe('packets without sound', () => {
  test.each([false, true])(
    '60 of them, each 499 numbers on, cost no more than others do (pulled meanwhile: %p)',
    (pulls) => {
      const { buffer, audio, other, pull, worst } = begin()
      audio(0, 1000)
      pull(1008)
      pull(1028)
      for (let each = 1; each <= 60; each += 1) {
        other(each * 499)
        if (pulls) pull(1028 + each * 20)
      }
      for (let each = 1; each <= 50; each += 1) {
        audio(60 * 499 + each, 3000 + each * 20)
        pull(3008 + each * 20)
      }
      // What lies between them never came; they themselves did.
      expect(buffer.stats).toMatchObject({ lost: 60 * 498, late: 0, duplicates: 0, reordered: 0 })
      expect(worst()).toBeLessThan(stepsMax)
    },
  )

  test.each([false, true])(
    'a key held for half an hour is 90,000 in a row, and none is lost (pulled meanwhile: %p)',
    (pulls) => {
      const { buffer, audio, other, pull, worst } = begin()
      audio(0, 1000)
      pull(1008)
      for (let each = 1; each <= 90_000; each += 1) {
        other(each)
        if (pulls) pull(1008 + each * 20)
      }
      const endMs = 1000 + 90_001 * 20
      for (let each = 0; each < 50; each += 1) {
        audio(90_001 + each, endMs + each * 20)
        pull(endMs + 8 + each * 20)
      }
      expect(buffer.stats).toMatchObject({ lost: 0, late: 0, duplicates: 0, reordered: 0 })
      expect(worst()).toBeLessThan(stepsMax)
    },
  )

  test('sound that is missing before one is lost all the same', () => {
    const { buffer, audio, other, pull } = begin()
    audio(0, 1000)
    pull(1008)
    other(2)
    audio(3, 1060)
    for (let each = 1; each < 10; each += 1) pull(1008 + each * 20)
    expect(buffer.stats).toMatchObject({ lost: 1, late: 0, reordered: 0, duplicates: 0 })
  })

  test('sound that comes when the window has left it behind is late, and no longer lost', () => {
    const { buffer, audio, other, pull } = begin()
    audio(0, 1000)
    pull(1008)
    other(400)
    expect(buffer.stats).toMatchObject({ lost: 400 - waitingMax, late: 0 })
    audio(5, 1030)
    expect(buffer.stats).toMatchObject({ lost: 400 - waitingMax - 1, late: 1 })
    other(6)
    expect(buffer.stats).toMatchObject({ lost: 400 - waitingMax - 2, late: 1 })
  })
})

describe('sound', () => {
  test.each([false, true])(
    'whose numbers leap by 499 each costs no more than other sound (pulled meanwhile: %p)',
    (pulls) => {
      const { buffer, audio, pull, worst } = begin()
      for (let each = 0; each <= 200; each += 1) {
        audio(each * 499, 1000 + each * 499 * 20)
        if (pulls) pull(1008 + each * 499 * 20)
      }
      for (let each = 0; each < 200; each += 1) {
        pull(1008 + 200 * 499 * 20 + each * 20)
      }
      expect(buffer.stats.lost).toBe(200 * 498)
      expect(worst()).toBeLessThan(stepsMax)
    },
  )

  test('what is far behind the first packet, before anything is heard, takes no place of one that waits', () => {
    const { buffer, audio, pull } = begin()
    audio(1000, 1000)
    // The same slot as the first one's.
    audio(1000 - waitingMax, 1001)
    audio(1001, 1020)
    for (let each = 1; each < 10; each += 1) pull(1008 + each * 20)
    expect(buffer.stats).toMatchObject({ lost: 0, late: 1, duplicates: 0, reordered: 0 })
  })
})
