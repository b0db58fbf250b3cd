import { describe, expect, test } from 'bun:test'
import { assert, unreachable } from '#base/assert.ts'
import { Backoff } from '#base/backoff.ts'
import { seededRandom, systemRandom } from '#base/random.ts'
import { failed, messageOf, ok } from '#base/result.ts'

const always = (value: number) => ({ next: () => value, uuid: () => '' })

describe('Backoff', () => {
  test('doubles from the first wait to the cap: half of it at least, all of it at most', () => {
    const least = new Backoff(250, 5000, always(0))
    expect(Array.from({ length: 7 }, () => least.next())).toEqual([125, 250, 500, 1000, 2000, 2500, 2500])
    const most = new Backoff(250, 5000, always(1))
    expect(Array.from({ length: 7 }, () => most.next())).toEqual([250, 500, 1000, 2000, 4000, 5000, 5000])
  })

  test('begins anew after a reset, and stays finite for ever', () => {
    const backoff = new Backoff(250, 5000, always(1))
    for (let attempt = 0; attempt < 5000; attempt += 1) expect(backoff.next()).toBeLessThanOrEqual(5000)
    backoff.reset()
    expect(backoff.next()).toBe(250)
  })
})

describe('chance', () => {
  const version4 = /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/

  test('a seed gives the same numbers again, another seed others', () => {
    const draw = (seed: number) => {
      const random = seededRandom(seed)
      return Array.from({ length: 20 }, () => random.next())
    }
    expect(draw(7)).toEqual(draw(7))
    expect(draw(7)).not.toEqual(draw(8))
  })

  test('seeded numbers are spread over [0, 1)', () => {
    const random = seededRandom(1)
    const tenths = new Array<number>(10).fill(0)
    for (let draw = 0; draw < 100_000; draw += 1) {
      const number = random.next()
      const tenth = Math.floor(number * 10)
      tenths[tenth] = (tenths[tenth] ?? Number.NaN) + 1
    }
    // 10,000 each, give or take five times the standard deviation of 95.
    for (const count of tenths) expect(Math.abs(count - 10_000)).toBeLessThan(475)
  })

  test.each([
    ['seeded', seededRandom(3)],
    ['system', systemRandom],
  ])('%s UUIDs are of version 4, lower case, and differ', (_name, random) => {
    const ids = Array.from({ length: 500 }, () => random.uuid())
    for (const id of ids) expect(id).toMatch(version4)
    expect(new Set(ids).size).toBe(500)
  })
})

describe('results and bugs', () => {
  test('a result says whether it is one', () => {
    expect([ok(5), failed('why')]).toEqual([
      { ok: true, value: 5 },
      { ok: false, error: 'why' },
    ])
  })

  test('the words of anything that was thrown', () => {
    expect([messageOf(new TypeError('a')), messageOf('b'), messageOf(undefined)]).toEqual(['a', 'b', 'undefined'])
  })

  test('an assertion throws when it does not hold, and only then', () => {
    assert(true, 'x')
    expect(() => assert(0, 'no frames')).toThrow('bug: no frames')
    expect(() => unreachable('x' as never)).toThrow('bug: unreachable value "x"')
  })
})
