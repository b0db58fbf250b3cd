import { describe, expect, test } from 'bun:test'
import { WarmUp } from '#call/warm-up.ts'

describe('WarmUp', () => {
  test('is what the configuration says until a reply has run dry', () => {
    const warmUp = new WarmUp(400)
    expect([warmUp.of(60), warmUp.of(0), warmUp.of(400)]).toEqual([60, 0, 400])
  })

  const gaps: [string, number[], number][] = [
    ['one of 100 ms', [100], 160],
    ['shorter than a frame: 20 ms at least', [5], 80],
    ['two of 100 ms', [100, 100], 260],
    ['far beyond the bound', [5000], 400],
    ['many, beyond the bound together', [200, 200, 200], 400],
  ]
  test.each(gaps)('after underruns, %s: so much wider, up to the bound', (_name, found, expected) => {
    const warmUp = new WarmUp(400)
    for (const gapMs of found) warmUp.underran(gapMs)
    expect(warmUp.of(60)).toBe(expected)
  })

  test('what was added is told as it is heard: with a base of 60 ms, 340 of 400 at most, and clean replies count at once', () => {
    const warmUp = new WarmUp(400, 60)
    warmUp.underran(5000)
    expect([warmUp.extraMs, warmUp.of(60), warmUp.of(40)]).toEqual([340, 400, 380])
    for (let reply = 0; reply < 8; reply += 1) warmUp.ranClean()
    expect([warmUp.extraMs, warmUp.of(60)]).toEqual([320, 380])
  })

  test('is never less than the configuration says, even where that is above the bound', () => {
    const warmUp = new WarmUp(100)
    warmUp.underran(50)
    expect([warmUp.of(300), warmUp.of(60)]).toEqual([300, 100])
  })

  test('eight clean replies take 20 ms back, an underrun among them begins the count anew', () => {
    const warmUp = new WarmUp(400)
    const clean = (replies: number) => {
      for (let reply = 0; reply < replies; reply += 1) warmUp.ranClean()
    }
    warmUp.underran(100)
    clean(7)
    expect(warmUp.extraMs).toBe(100)
    clean(1)
    expect(warmUp.extraMs).toBe(80)
    clean(7)
    warmUp.underran(20)
    expect(warmUp.extraMs).toBe(100)
    clean(7)
    expect(warmUp.extraMs).toBe(100)
    clean(1)
    expect(warmUp.extraMs).toBe(80)
  })

  test('clean replies bring it back to the configuration, and never below', () => {
    const warmUp = new WarmUp(400)
    warmUp.underran(30)
    for (let reply = 0; reply < 100; reply += 1) warmUp.ranClean()
    expect(warmUp.of(60)).toBe(60)
    // Clean replies of a good time are no credit.
    warmUp.underran(40)
    warmUp.ranClean()
    expect(warmUp.of(60)).toBe(100)
  })
})
