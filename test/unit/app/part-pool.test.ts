import { describe, expect, test } from 'bun:test'
import { type Log, silentLog } from '#base/log.ts'
import { PartPool } from '../../../src/app/part-pool.ts'

class Part {
  closes = 0
  closing: Promise<void> = Promise.resolve()

  close(): Promise<void> {
    this.closes += 1
    return this.closing
  }
}

describe('PartPool', () => {
  test('equal fingerprints share one part; it is closed when the last lease is given back', () => {
    const pool = new PartPool<Part>(() => silentLog)
    const first = pool.lease('a', () => new Part())
    const second = pool.lease('a', () => {
      throw new Error('made twice')
    })
    const other = pool.lease('b', () => new Part())
    expect(second.part).toBe(first.part)
    expect(pool.parts).toEqual([first.part, other.part])
    first[Symbol.dispose]()
    // Given back once, however often it is said.
    first[Symbol.dispose]()
    expect([first.part.closes, pool.parts.length]).toEqual([0, 2])
    second[Symbol.dispose]()
    expect([first.part.closes, other.part.closes, pool.parts.length]).toEqual([1, 0, 1])
  })

  test('a part that was closed is made anew, and an old lease does not touch the new one', () => {
    const pool = new PartPool<Part>(() => silentLog)
    const first = pool.lease('a', () => new Part())
    first[Symbol.dispose]()
    const second = pool.lease('a', () => new Part())
    expect(second.part).not.toBe(first.part)
    first[Symbol.dispose]()
    expect(second.part.closes).toBe(0)
  })

  test('closing closes what is leased, and waits for what is being closed already', async () => {
    const left: Part[] = []
    const pool = new PartPool<Part>(
      () => silentLog,
      (part) => left.push(part),
    )
    const slow = pool.lease('a', () => new Part())
    const done = Promise.withResolvers<void>()
    slow.part.closing = done.promise
    slow[Symbol.dispose]()
    const leased = pool.lease('b', () => new Part())
    let closed = false
    const closing = pool.close().then(() => {
      closed = true
    })
    await Promise.resolve()
    expect([slow.part.closes, leased.part.closes, closed]).toEqual([1, 1, false])
    done.resolve()
    await closing
    expect(left).toEqual([slow.part, leased.part])
    leased[Symbol.dispose]()
    expect(leased.part.closes).toBe(1)
  })

  test('a part that cannot be closed is logged, and closing waits for the others all the same', async () => {
    const said: unknown[] = []
    const log: Log = { ...silentLog, error: (_message, fields) => void said.push(fields?.why) }
    const pool = new PartPool<Part>(() => log)
    for (const name of ['a', 'b']) {
      const lease = pool.lease(name, () => new Part())
      if (name === 'a') lease.part.closing = Promise.reject(new Error('stuck'))
      else
        lease.part.close = () => {
          throw new Error('broken')
        }
      lease[Symbol.dispose]()
    }
    await pool.close()
    expect(said.sort()).toEqual(['broken', 'stuck'])
  })
})
