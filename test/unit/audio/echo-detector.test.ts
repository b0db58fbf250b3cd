import { describe, expect, test } from 'bun:test'
import { EchoDetector } from '#audio/echo-detector.ts'
import { EchoCall } from '../../fakes/echo-call.ts'
import type { EchoPath } from '../../fakes/echo-path.ts'
import { judgeCaller, judgeDoubleTalk, judgeEcho } from '../../fakes/echo-scenes.ts'
import { echoVoice } from '../../fakes/echo-voice.ts'

/** Over speech-like sound; real voices are the integration test's. Seeds choose words, delays and rooms. */

const seconds = 8
const agentPitchHz = 180
const delaysMs = [0, 40, 120, 233, 387, 600]
const seeds = [0, 1, 2, 3, 4, 5]
const pathOf = (seed: number, gainDb: number, spreadMs = 0): EchoPath => ({
  delayMs: delaysMs[seed % delaysMs.length] as number,
  gainDb,
  spreadMs,
  seed,
})

/** 3 s of speech at a time, and 0.6 s between. */
function agent(seed: number, sampleRateHz = 8000): Int16Array {
  const voice = echoVoice({ seed, durationMs: seconds * 1000, sampleRateHz, dbfs: -20, pitchHz: agentPitchHz })
  for (let at = 0; at < voice.length; at += 3 * sampleRateHz) voice.fill(0, at, at + 0.6 * sampleRateHz)
  return voice
}

const word = (seed: number, pitchHz: number) =>
  echoVoice({ seed: 1000 + seed, durationMs: 600, sampleRateHz: 8000, dbfs: -20, pitchHz })

function totals(verdicts: readonly { readonly windows: number; readonly told: number }[]): number {
  const windows = verdicts.reduce((sum, each) => sum + each.windows, 0)
  expect(windows).toBeGreaterThan(100)
  return verdicts.reduce((sum, each) => sum + each.told, 0) / windows
}

describe('an echo', () => {
  test.each([
    ['mu', -3, -65],
    ['a', -15, -65],
    ['mu', -25, -65],
    ['a', -35, -75],
  ] as const)('of one reflection is told at once, over %s-law and at %d dB', (law, gainDb, noiseDbfs) => {
    const verdicts = seeds.map((seed) =>
      judgeEcho({
        sampleRateHz: 8000,
        agent: agent(seed),
        path: pathOf(seed, gainDb),
        law,
        noise: { dbfs: noiseDbfs, seed },
      }),
    )
    expect(verdicts.map(({ first }) => first)).not.toContain(false)
    for (const { knownMs } of verdicts) expect(knownMs ?? Number.NaN).toBeLessThanOrEqual(1000)
    expect(totals(verdicts)).toBeGreaterThanOrEqual(0.98)
  })

  test.each([20, 64])(
    'of a room that rings for %d ms is known within 2 s of speech, and told from then on',
    (spreadMs) => {
      const verdicts = seeds.map((seed) =>
        judgeEcho({
          sampleRateHz: 8000,
          agent: agent(seed),
          path: pathOf(seed, -15, spreadMs),
          law: 'mu',
          noise: { dbfs: -65, seed },
        }),
      )
      for (const { knownMs } of verdicts) expect(knownMs ?? Number.NaN).toBeLessThanOrEqual(2000)
      expect(totals(verdicts)).toBeGreaterThanOrEqual(0.95)
    },
  )

  test.each([16_000, 24_000, 48_000])('on a leg of %d Hz is told too', (sampleRateHz) => {
    const verdicts = [1, 2, 3].map((seed) =>
      judgeEcho({
        sampleRateHz,
        agent: agent(seed, sampleRateHz),
        path: pathOf(seed, -15),
        noise: { dbfs: -65, seed },
      }),
    )
    for (const { knownMs } of verdicts) expect(knownMs).not.toBeNull()
    expect(totals(verdicts)).toBeGreaterThanOrEqual(0.95)
  })
})

describe('a caller', () => {
  test.each([
    [0, 120],
    [0, agentPitchHz],
    [10, 120],
    [10, agentPitchHz],
    [20, 120],
    [20, agentPitchHz],
  ])('who speaks over the echo, %d dB louder and at %d Hz, is told within 150 ms', (overDb, pitchHz) => {
    const toldMs = seeds.flatMap((seed) =>
      judgeDoubleTalk(
        {
          sampleRateHz: 8000,
          agent: agent(seed),
          path: pathOf(seed, -15, seed % 2 === 0 ? 0 : 30),
          law: 'mu',
          noise: { dbfs: -65, seed },
        },
        [190, 250, 330].map((frame) => ({ frame, samples: word(seed * 10 + frame, pitchHz) })),
        overDb,
      ),
    )
    expect(toldMs.length).toBeGreaterThan(10)
    const inTime = toldMs.filter((ms) => ms <= 150).length / toldMs.length
    expect(inTime).toBeGreaterThanOrEqual(overDb === 0 ? 0.9 : 1)
  })

  test.each([
    ['another voice', 120, 2000],
    ["the agent's voice", agentPitchHz, 2000],
  ])('with %s on a line without an echo is no echo', (_, pitchHz, firstSeed) => {
    const verdicts = seeds.map((seed) =>
      judgeCaller({
        sampleRateHz: 8000,
        agent: agent(seed),
        path: null,
        caller: echoVoice({
          seed: firstSeed + seed,
          durationMs: seconds * 1000,
          sampleRateHz: 8000,
          dbfs: -22,
          pitchHz,
        }),
        law: 'a',
        noise: { dbfs: -65, seed },
      }),
    )
    expect(verdicts.map(({ known }) => known)).not.toContain(true)
    expect(totals(verdicts)).toBeLessThanOrEqual(0.02)
  })

  test("who says the agent's own words after it, a little higher, is no echo", () => {
    const told = seeds.map((seed) => {
      const said = agent(seed)
      // 1.2 s later, 3 % faster and higher: nobody repeats a sentence to the sample.
      const repeated = Int16Array.from(said, (_, index) => said[Math.floor((index - 9600) * 1.03)] ?? 0)
      return judgeCaller({ sampleRateHz: 8000, agent: said, path: null, caller: repeated, noise: { dbfs: -65, seed } })
    })
    expect(told.map(({ known }) => known)).not.toContain(true)
    expect(totals(told)).toBeLessThanOrEqual(0.02)
  })
})

describe('a report', () => {
  test('says the delay and the level of the echo once they are known', () => {
    const { detector } = afterCall(-18, 233)
    const report = detector.report(120)
    expect(report.known).toBe(true)
    expect(report.delayMs).toBeWithin(232, 234)
    expect(report.gainDb).toBeWithin(-19.5, -16.5)
    expect(report.residualDbfs).toBeLessThan(report.lineDbfs - 10)
  })

  test('of a silent line says that nothing of it is an echo', () => {
    const detector = new EchoDetector(8000)
    for (let each = 0; each < 20; each += 1) {
      detector.sent(new Int16Array(160), 20 * each)
      detector.heard(new Int16Array(160), 20 * each)
      detector.tick()
    }
    expect(detector.report(120)).toEqual({
      echoShare: 0,
      known: false,
      delayMs: 0,
      gainDb: -100,
      residualDbfs: -100,
      lineDbfs: -100,
      silent: true,
    })
  })

  test('tells a sound that nothing explains from the noise of a line, also where the line began in digital silence', () => {
    const detector = new EchoDetector(8000)
    const noise = (amplitude: number) =>
      Int16Array.from({ length: 160 }, (_, at) => ((at * 7919) % 3) * amplitude - amplitude)
    let nowMs = 0
    const pass = (line: Int16Array) => {
      nowMs += 20
      detector.sent(noise(3000), nowMs)
      detector.heard(line, nowMs)
      detector.tick()
    }
    for (let each = 0; each < 50; each += 1) pass(new Int16Array(160))
    // −60 dBFS, and −30 dBFS.
    for (let each = 0; each < 50; each += 1) pass(noise(40))
    expect(detector.report(120).silent).toBe(true)
    for (let each = 0; each < 10; each += 1)
      pass(Int16Array.from({ length: 160 }, (_, at) => (at % 2 === 0 ? 1000 : -1000)))
    expect(detector.report(120).silent).toBe(false)
  })

  test('before the first frame says so too', () => {
    expect(new EchoDetector(16_000).report(120).echoShare).toBe(0)
  })
})

describe('a line that is cleaned', () => {
  test('has lost most of its echo, and all of the caller', () => {
    let echoEnergy = 0
    let cleanedEnergy = 0
    let callerEnergy = 0
    let differenceEnergy = 0
    const caller = new Int16Array(8000 * seconds)
    caller.set(word(7, 120), 330 * 160)
    const call = new EchoCall({
      sampleRateHz: 8000,
      agent: agent(2),
      path: pathOf(2, -15, 20),
      caller,
      law: 'mu',
      noise: { dbfs: -65, seed: 2 },
    })
    const cleaned = new Int16Array(160)
    call.run((frame) => {
      if (frame < 200 || !call.detector.clean(cleaned)) return
      for (let index = 0; index < 160; index += 1) {
        const at = frame * 160 + index
        const spoken = caller[at] as number
        if (frame < 330) {
          echoEnergy += (call.echo[at] as number) ** 2
          cleanedEnergy += (cleaned[index] as number) ** 2
        } else if (frame < 360) {
          callerEnergy += spoken * spoken
          differenceEnergy += ((cleaned[index] as number) - spoken) ** 2
        }
      }
    })
    expect(10 * Math.log10(echoEnergy / cleanedEnergy)).toBeGreaterThan(10)
    expect(10 * Math.log10(callerEnergy / differenceEnergy)).toBeGreaterThan(15)
  })

  test('is as it came while no echo is known, and on a wider leg', () => {
    for (const sampleRateHz of [8000, 16_000]) {
      const detector = new EchoDetector(sampleRateHz)
      const frame = new Int16Array(sampleRateHz / 50).fill(7)
      detector.sent(frame, 0)
      detector.heard(frame, 0)
      expect(detector.clean(frame)).toBe(false)
      expect(frame.every((sample) => sample === 7)).toBe(true)
    }
  })
})

function afterCall(gainDb: number, delayMs: number): EchoCall {
  const call = new EchoCall({
    sampleRateHz: 8000,
    agent: agent(1),
    path: { gainDb, delayMs },
    noise: { dbfs: -65, seed: 1 },
  })
  call.run(() => {})
  return call
}
