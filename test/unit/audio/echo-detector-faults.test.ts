import { describe, expect, test } from 'bun:test'
import { EchoCall, type EchoScene } from '../../fakes/echo-call.ts'
import { judgeEcho } from '../../fakes/echo-scenes.ts'
import { echoVoice } from '../../fakes/echo-voice.ts'

/** What goes wrong between a mouth and an ear, over speech-like sound. Frames are of 20 ms. */

const seconds = 10
const seeds = [0, 1, 2, 3]
const delaysMs = [40, 120, 233, 450]

function scene(
  seed: number,
  more: Partial<EchoScene> = {},
): EchoScene & { readonly path: NonNullable<EchoScene['path']> } {
  const agent = echoVoice({ seed, durationMs: seconds * 1000, sampleRateHz: 8000, dbfs: -20, pitchHz: 180 })
  for (let at = 0; at < agent.length; at += 24_000) agent.fill(0, at, at + 4800)
  const path = { delayMs: delaysMs[seed] as number, gainDb: -15, spreadMs: seed % 2 === 0 ? 0 : 20, seed }
  return { sampleRateHz: 8000, agent, law: 'mu', noise: { dbfs: -65, seed }, ...more, path: more.path ?? path }
}

function shareTold(scenes: readonly EchoScene[], fromFrame = 0): number {
  const verdicts = scenes.map((each) => judgeEcho(each, fromFrame))
  const windows = verdicts.reduce((sum, each) => sum + each.windows, 0)
  expect(windows).toBeGreaterThan(60)
  return verdicts.reduce((sum, each) => sum + each.told, 0) / windows
}

describe('the echo is still told', () => {
  test.each([-50, 20, 50])('where its clock runs %d ppm fast', (driftPpm) => {
    const scenes = seeds.map((seed) => scene(seed, { path: { ...scene(seed).path, driftPpm } }))
    expect(shareTold(scenes)).toBeGreaterThanOrEqual(0.96)
  })

  test('where it begins 20 minutes into the call, as well as at once', () => {
    const verdicts = (after: number) => seeds.map((seed) => judgeEcho(scene(seed, { after })))
    expect(verdicts(60_000)).toEqual(verdicts(0))
  })

  test('where the line is late and catches up', () => {
    const late = [
      { frame: 150, frames: 5 },
      { frame: 300, frames: 12 },
    ]
    expect(shareTold(seeds.map((seed) => scene(seed, { late })))).toBeGreaterThanOrEqual(0.96)
  })

  test('where a frame of the line is lost every two seconds: but for the moment after it', () => {
    const lost = new Set([77, 171, 282, 377, 469])
    expect(shareTold(seeds.map((seed) => scene(seed, { lost })))).toBeGreaterThanOrEqual(0.85)
  })

  test("where the line's frames come now just after ours and now just before", () => {
    expect(shareTold(seeds.map((seed) => scene(seed, { turnsEvery: 50 })))).toBeGreaterThanOrEqual(0.98)
  })

  test('where our own clock stalls, and the reply comes in bursts and late', () => {
    const stalls = [
      { frame: 140, frames: 3 },
      { frame: 260, frames: 9 },
      { frame: 380, frames: 2 },
    ]
    expect(shareTold(seeds.map((seed) => scene(seed, { stalls })))).toBeGreaterThanOrEqual(0.9)
  })

  test('a second after its delay and its room have become others', () => {
    const changed = seeds.map((seed) =>
      scene(seed, {
        later: { frame: 200, path: { delayMs: 310 - 60 * seed, gainDb: -12, spreadMs: 15, seed: seed + 9 } },
      }),
    )
    expect(shareTold(changed, 250)).toBeGreaterThanOrEqual(0.95)
  })
})

describe('an echo that ends', () => {
  test('is forgotten: the caller has taken up the receiver', () => {
    for (const seed of seeds) {
      const call = new EchoCall(scene(seed, { later: { frame: 150, path: { delayMs: 100, gainDb: -200 } } }))
      let known = false
      call.run((frame) => {
        if (frame === 149) known = call.detector.known
        // What is left is the line's noise: no report says that an echo is there.
        if (frame > 200) expect(call.detector.report(120).lineDbfs).toBeLessThan(-55)
      })
      expect(known).toBe(true)
      expect(call.detector.known).toBe(false)
    }
  })
})

describe('what it costs', () => {
  test('is nothing while the agent is silent, and bounded while it speaks', () => {
    const { agent, path } = scene(1)
    const call = new EchoCall({ sampleRateHz: 8000, agent, path })
    const silent = new EchoCall({ sampleRateHz: 8000, agent: new Int16Array(agent.length), path: null, caller: agent })
    expect(workIn(call)).toBeLessThanOrEqual(seconds * 5 + 3)
    expect(workIn(silent)).toBe(0)
  })
})

/** Ticks that learnt or searched something. */
function workIn(call: EchoCall): number {
  const { detector } = call
  let work = 0
  const { work: shared } = detector as unknown as { work: { fft: object; search: object } }
  const counted = [
    [shared.search, 'search'],
    [detector, 'learn'],
  ] as const
  for (const [owner, name] of counted) {
    const target = owner as Record<string, (...args: unknown[]) => unknown>
    const original = target[name] as (...args: unknown[]) => unknown
    target[name] = (...args) => {
      work += 1
      return original.apply(target, args)
    }
  }
  call.run(() => {})
  for (const [owner, name] of counted) delete (owner as Record<string, unknown>)[name]
  return work
}
