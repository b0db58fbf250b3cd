import { afterAll, beforeAll, expect, test } from 'bun:test'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Asterisk, startAsterisk } from '../bed/asterisk.ts'
import { engineCallFrom } from '../bed/conversation.ts'
import { DeepgramBed, heardExactly } from '../bed/deepgram.ts'
import { Telephones } from '../bed/reactive-caller.ts'
import { readSpeech } from '../bed/speech.ts'
import { readWav } from '../bed/wav-file.ts'
import { injectedNumber, type Reply } from '../standin/deepgram/options.ts'
import { soundOf } from '../standin/deepgram/reply-audio.ts'

// What an operator allows: the length of a call, and the minutes of a vendor on one day, of which all but the last second
// had been used up before this engine was started.

const story: Reply = { text: 'It is a long story.', ms: 7000 }
const farewell: Reply = { ms: 1500 }
const minutesFile = 'provider-minutes.json'
const today = () => new Date().toLocaleDateString('sv')

let asterisk: Asterisk
let telephones: Telephones
let bed: DeepgramBed
let sentence: Int16Array

beforeAll(async () => {
  const spoken = await readSpeech()
  sentence = (await readWav(spoken[4]?.path ?? '')).samples
  asterisk = await startAsterisk()
  telephones = new Telephones()
  bed = await DeepgramBed.start(
    asterisk.ari,
    'patchcord',
    { greeting: { ms: 1200 }, replies: [story], injected: farewell },
    '',
    `turn_taking: { start: vad, stop: silence }
barge_in: { on_overlap: none }
vad: { max_turn_ms: 8000 }
limits:
  # A busy machine is another test's matter.
  loop_lag_ms: 1000
  pacing_lateness_ms: 1000
  call_seconds: 10
  farewell: Time is up.
  provider_minutes_per_day: 1
  fallback_provider: loopback
prices: { currency: EUR, providers: { deepgram: { per_call: 1, per_minute: 6 } } }
`,
    { [minutesFile]: `{"day":"${today()}","used_ms":{"deepgram":59000}}\n` },
  )
}, 300_000)

afterAll(async () => {
  telephones?.close()
  await bed?.stop()
  await asterisk?.stop()
})

test('a call that is long enough ends with a farewell; callers beyond the minutes of a day go elsewhere', async () => {
  const { engine } = bed
  const { caller, call } = await telephones.call(asterisk, { extension: '100', callerId: '5550901' })
  const id = await engineCallFrom(engine, '5550901')
  const begunMs = performance.now()
  await caller.waitForSpeech(5000)
  await caller.waitForQuiet(900)

  // The last second is used up by the call that runs, which goes on.
  const second = await asterisk.call({ extension: '100', callerId: '5550902', steps: [{ waitMs: 60_000 }] })
  const secondId = await engineCallFrom(engine, '5550902')
  await engine.until('heard', 10_000, () => engine.steps(secondId).includes('first_caller_audio'))
  await second.hangup()
  await second.ended

  // An answer that begins before the limit and ends behind it.
  await Bun.sleep(Math.max(0, 4000 - (performance.now() - begunMs)))
  await caller.say(sentence)
  await caller.waitForSpeech(5000)

  const text = readFileSync(engine.configurationFile, 'utf8')
  writeFileSync(engine.configurationFile, text.replace('  fallback_provider: loopback\n', ''))
  await engine.until('reloaded', 10_000, () => engine.log.some((line) => line.message === 'configuration reloaded'))
  const third = await asterisk.call({ extension: '100', callerId: '5550903', waitAfterMs: 200 })
  await third.ended
  expect(asterisk.logText()).toContain('PATCHCORD_RESULT=quota')

  await call.ended
  const record = await bed.record(id)
  expect([record.provider, record.cause, record.faults]).toEqual(['deepgram', 'time_limit', 0])
  // Ten seconds, what was left of the answer, and the farewell.
  expect(record.duration_ms).toBeWithin(11_500, 18_000)
  for (const sound of [soundOf(story, 0, 8000, ''), soundOf(farewell, injectedNumber, 8000, 'Time is up.')]) {
    const { sent, heard } = heardExactly(caller.frames, sound)
    expect(heard).toBeGreaterThanOrEqual(sent - 2)
  }
  expect(record.currency).toBe('EUR')
  expect(record.cost).toBeCloseTo(1 + (6 * Number(record.session_ms)) / 60_000, 3)
  expect(await engine.metric('ai_agent_cost_total{provider="deepgram",currency="EUR"}')).toBe(Number(record.cost))
  expect(await engine.metric('ai_agent_limits_reached_total{limit="call_seconds"}')).toBe(1)
  expect(await engine.metric('ai_agent_limits_reached_total{limit="provider_minutes_per_day"}')).toBe(2)
  expect(await engine.metric('ai_agent_provider_minutes_today{provider="deepgram"}')).toBeWithin(1.1, 1.4)

  const other = await bed.record(secondId)
  expect([other.provider, 'cost' in other]).toEqual(['loopback', false])
  await engine.untilIdle()
  await asterisk.untilQuiet()

  engine.signal('SIGTERM')
  await engine.exited
  const kept = JSON.parse(readFileSync(join(engine.folder, minutesFile), 'utf8')) as { used_ms: { deepgram: number } }
  expect(kept.used_ms.deepgram).toBeWithin(
    59_000 + Number(record.session_ms) - 5,
    59_000 + Number(record.session_ms) + 5,
  )
}, 60_000)
