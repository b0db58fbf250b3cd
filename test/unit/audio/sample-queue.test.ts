import { describe, expect, test } from 'bun:test'
import { SampleQueue } from '#audio/sample-queue.ts'
import { seededRandom } from '#base/random.ts'

const ramp = (length: number, from = 0) => Int16Array.from({ length }, (_, n) => from + n)

describe('SampleQueue', () => {
  test('gives back in order what was put in, across chunks', () => {
    const queue = new SampleQueue(100)
    queue.push(ramp(3))
    queue.push(ramp(4, 3))
    const target = new Int16Array(5)
    expect([queue.take(target), [...target], queue.length]).toEqual([5, [0, 1, 2, 3, 4], 2])
    expect([queue.take(target), [...target.subarray(0, 2)], queue.length]).toEqual([2, [5, 6], 0])
    expect(queue.take(target)).toBe(0)
  })

  test('leaves alone what it does not fill', () => {
    const queue = new SampleQueue(100)
    queue.push(ramp(2, 7))
    const target = new Int16Array(4).fill(99)
    queue.take(target)
    expect([...target]).toEqual([7, 8, 99, 99])
  })

  test('copies: what happens to the chunk afterwards does not matter', () => {
    const queue = new SampleQueue(100)
    const chunk = ramp(3, 1)
    queue.push(chunk)
    chunk.fill(0)
    const target = new Int16Array(3)
    queue.take(target)
    expect([...target]).toEqual([1, 2, 3])
  })

  test('a chunk that does not fit is refused whole; one that just fits is taken', () => {
    const queue = new SampleQueue(10)
    expect(queue.push(ramp(6))).toBe('queued')
    expect(queue.push(ramp(5))).toBe('full')
    expect(queue.length).toBe(6)
    expect(queue.push(ramp(4, 6))).toBe('queued')
    expect(queue.push(ramp(1))).toBe('full')
    expect(queue.push(ramp(0))).toBe('queued')
    const target = new Int16Array(10)
    queue.take(target)
    expect([...target]).toEqual([...ramp(10)])
  })

  test('clear makes room for all of it again', () => {
    const queue = new SampleQueue(10)
    queue.push(ramp(10))
    queue.take(new Int16Array(3))
    queue.clear()
    expect([queue.length, queue.push(ramp(10, 50))]).toEqual([0, 'queued'])
    const target = new Int16Array(2)
    queue.take(target)
    expect([...target]).toEqual([50, 51])
  })

  test('a long stream through a small queue, in pieces of any size, is the same stream', () => {
    const random = seededRandom(2)
    const queue = new SampleQueue(4000)
    let put = 0
    let taken = 0
    for (let step = 0; step < 5000; step += 1) {
      const chunk = ramp(Math.floor(random.next() * 200)).map((n) => (n + put) % 30_011)
      if (queue.push(chunk) === 'queued') put += chunk.length
      const target = new Int16Array(Math.floor(random.next() * 200))
      const count = queue.take(target)
      for (let index = 0; index < count; index += 1) {
        if (target[index] !== (taken + index) % 30_011) throw new Error(`sample ${taken + index} is ${target[index]}`)
      }
      taken += count
      expect(queue.length).toBe(put - taken)
    }
    expect(taken).toBeGreaterThan(100_000)
  })

  test('what is put back comes first again, whatever was taken of the chunk behind it', () => {
    const queue = new SampleQueue(100)
    queue.push(Int16Array.of(1, 2, 3, 4))
    queue.push(Int16Array.of(5, 6))
    const taken = new Int16Array(3)
    queue.take(taken)
    queue.putBack(taken.subarray(1))
    queue.putBack(new Int16Array(0))
    expect(queue.length).toBe(5)
    const rest = new Int16Array(6)
    expect([queue.take(rest), [...rest]]).toEqual([5, [2, 3, 4, 5, 6, 0]])
  })
})
