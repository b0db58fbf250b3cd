import { afterAll, beforeAll, expect, test } from 'bun:test'
import { type Asterisk, startAsterisk } from '../bed/asterisk.ts'
import { engineCallFrom } from '../bed/conversation.ts'
import { BedEngine } from '../bed/engine.ts'

// A machine that does not keep up, made by stopping the engine's process for some milliseconds again and again.

let asterisk: Asterisk
let engine: BedEngine

beforeAll(async () => {
  asterisk = await startAsterisk()
  engine = await BedEngine.start({ asterisk: asterisk.ari, provider: 'loopback', yaml: 'limits:\n  loop_lag_ms: 5' })
}, 300_000)

afterAll(async () => {
  engine?.signal('SIGCONT')
  await engine?.stop()
  await asterisk?.stop()
})

test('while the 20 ms clock runs late a caller goes back to the dialplan as overloaded; the one there stays', async () => {
  const first = await asterisk.call({ extension: '100', callerId: '5550701', steps: [{ waitMs: 60_000 }] })
  const id = await engineCallFrom(engine, '5550701')
  await engine.until('heard', 10_000, () => engine.steps(id).includes('first_caller_audio'))
  let stalling = true
  const stalls = (async () => {
    while (stalling) {
      engine.signal('SIGSTOP')
      await Bun.sleep(30)
      engine.signal('SIGCONT')
      await Bun.sleep(10)
    }
  })()
  // Two seconds of it are more than the second that is judged.
  await Bun.sleep(2000)
  const second = await asterisk.call({ extension: '100', callerId: '5550702', waitAfterMs: 300 })
  await second.ended
  stalling = false
  await stalls
  expect(asterisk.logText()).toContain('PATCHCORD_RESULT=overloaded')
  expect(await engine.metric('ai_agent_calls_refused_total{result="overloaded"}')).toBe(1)
  expect((await engine.health()).active_calls).toBe(1)

  // When the machine keeps up again, callers are served again.
  await Bun.sleep(1500)
  const third = await asterisk.call({ extension: '100', callerId: '5550703', steps: [{ waitMs: 1000 }] })
  const thirdId = await engineCallFrom(engine, '5550703')
  await third.ended
  await engine.until('the third over', 10_000, () => engine.records().length === 1)
  await first.hangup()
  await first.ended
  await engine.untilIdle()
  expect(engine.records().map((record) => [record.call_id, record.cause])).toEqual([
    [thirdId, 'caller'],
    [id, 'caller'],
  ])
  await asterisk.untilQuiet()
}, 60_000)
