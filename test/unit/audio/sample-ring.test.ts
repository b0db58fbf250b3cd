import { describe, expect, test } from 'bun:test'
import { SampleRing } from '#audio/sample-ring.ts'
import { seededRandom } from '#base/random.ts'

const ramp = (length: number, from = 0) => Int16Array.from({ length }, (_, n) => from + n)

describe('SampleRing', () => {
  test('gives the newest samples, oldest first', () => {
    const ring = new SampleRing(10)
    ring.push(ramp(4, 1))
    expect([...ring.newest(2)]).toEqual([3, 4])
    expect([...ring.newest(4)]).toEqual([1, 2, 3, 4])
  })

  test('fewer where fewer are held, none where none are asked for', () => {
    const ring = new SampleRing(10)
    expect([...ring.newest(5)]).toEqual([])
    ring.push(ramp(3, 1))
    expect([...ring.newest(5)]).toEqual([1, 2, 3])
    expect([[...ring.newest(0)], [...ring.newest(-1)]]).toEqual([[], []])
  })

  test('forgets the oldest beyond its capacity, also in the middle of a chunk and of a chunk larger than itself', () => {
    const ring = new SampleRing(5)
    ring.push(ramp(4))
    ring.push(ramp(3, 4))
    expect([...ring.newest(9)]).toEqual([2, 3, 4, 5, 6])
    ring.push(ramp(20, 100))
    expect([...ring.newest(9)]).toEqual([115, 116, 117, 118, 119])
    expect([...ring.newest(2)]).toEqual([118, 119])
  })

  test('gives a copy', () => {
    const ring = new SampleRing(5)
    ring.push(ramp(5))
    const given = ring.newest(5)
    ring.push(ramp(5, 50))
    expect([...given]).toEqual([0, 1, 2, 3, 4])
  })

  test('clear forgets everything', () => {
    const ring = new SampleRing(5)
    ring.push(ramp(4))
    ring.clear()
    expect(ring.newest(5).length).toBe(0)
    ring.push(ramp(2, 9))
    expect([...ring.newest(5)]).toEqual([9, 10])
  })

  test('is the end of the stream at any moment, whatever the chunks', () => {
    const random = seededRandom(4)
    const ring = new SampleRing(777)
    const stream: number[] = []
    for (let step = 0; step < 400; step += 1) {
      const chunk = ramp(Math.floor(random.next() * 300), stream.length % 20_000)
      ring.push(chunk)
      stream.push(...chunk)
      const count = Math.floor(random.next() * 900)
      expect([...ring.newest(count)]).toEqual(count === 0 ? [] : stream.slice(-Math.min(count, 777)))
    }
  })
})
