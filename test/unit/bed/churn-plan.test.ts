import { describe, expect, test } from 'bun:test'
import { seededRandom } from '#base/random.ts'
import { doors, moments, planCalls } from '../../bed/churn-plan.ts'

describe('planCalls', () => {
  test('a third hangs up right after the INVITE; every door meets every moment', () => {
    const calls = planCalls(seededRandom(1), 200)
    expect(calls).toHaveLength(200)
    expect(calls.filter(({ moment }) => moment === 'invite')).toHaveLength(67)
    const met = new Set(calls.map(({ door, moment }) => `${door} ${moment}`))
    expect(met.size).toBe(Object.keys(doors).length * moments.length)
  })

  test('the same seed gives the same calls, another one others', () => {
    expect(planCalls(seededRandom(7), 30)).toEqual(planCalls(seededRandom(7), 30))
    expect(planCalls(seededRandom(7), 30)).not.toEqual(planCalls(seededRandom(8), 30))
  })
})
