import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { callSteps } from '#call/observer.ts'
import { type Asterisk, startAsterisk } from '../bed/asterisk.ts'
import { BedEngine } from '../bed/engine.ts'
import { freeTcpPort } from '../bed/ports.ts'
import { digitStrings } from '../bed/speech.ts'
import { locate } from '../bed/wav-analysis.ts'
import { readWav } from '../bed/wav-file.ts'

// The whole way once, without models: real Asterisk, real SIP and RTP, the engine's echo.
describe('a loopback call through a real Asterisk', () => {
  let asterisk: Asterisk
  let engine: BedEngine

  beforeAll(async () => {
    const audioSocketPort = await freeTcpPort()
    asterisk = await startAsterisk({ engine: { audioSocketHost: '127.0.0.1', audioSocketPort } })
    engine = await BedEngine.start({ asterisk: asterisk.ari, provider: 'loopback', audioSocketPort })
  }, 300_000)

  afterAll(async () => {
    await engine?.stop()
    await asterisk?.stop()
  })

  test.each([
    ['100', 'through Stasis'],
    ['200', 'through AudioSocket() in the dialplan'],
  ])(
    'extension %s, %s: the caller hears their own words again, and nothing is left',
    async (extension) => {
      const [utterance] = await digitStrings(1, 11)
      if (utterance === undefined) throw new Error('no utterance')
      const call = await asterisk.call({ extension, wav: utterance.path, waitBeforeMs: 800, waitAfterMs: 1500 })
      await call.ended
      await engine.untilIdle()
      const heard = await readWav(await call.heard())
      const said = await readWav(await call.said())
      const spoken = await readWav(utterance.path)
      const inHeard = locate(heard.samples, spoken.samples, 8000)
      const inSaid = locate(said.samples, spoken.samples, 8000)
      // µ-law and a bridge lie between, so alike and not equal; an echo of something else scores below 0.3.
      expect(inHeard.correlation).toBeGreaterThan(0.9)
      const delayMs = inHeard.atMs - inSaid.atMs
      expect(delayMs).toBeGreaterThan(480)
      expect(delayMs).toBeLessThan(800)
      await asterisk.untilQuiet()
    },
    60_000,
  )

  test('each step of the call is logged once, in the order of a call', async () => {
    const call = await asterisk.call({ extension: '100', waitBeforeMs: 500, waitAfterMs: 500 })
    await call.ended
    await engine.untilIdle()
    const admitted = engine.log.filter((line) => line.step === 'admitted').at(-1)
    const steps = engine.steps(String(admitted?.call))
    const expected = callSteps.filter((step) => !/greeting|gate/.test(step))
    expect(steps).toEqual([...expected])
  }, 30_000)

  test('a caller who hangs up before anything is set up leaves nothing', async () => {
    for (const waitMs of [0, 5, 10, 20, 40, 80]) {
      const call = await asterisk.call({ extension: '100', waitBeforeMs: 5000 })
      await Bun.sleep(waitMs)
      await call.hangup()
      await call.ended
    }
    await engine.untilIdle()
    await asterisk.untilQuiet(3000)
    expect(await engine.metric('ai_agent_audiosocket_connections')).toBe(0)
  }, 30_000)
})
