// The test bed itself, on a real Asterisk: what it records is what was said, and nothing is left behind.
// The first run on a machine makes the Asterisk root, which takes about a minute.

import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { type Asterisk, startAsterisk } from '../bed/asterisk.ts'
import { spokenDigits, type Utterance } from '../bed/speech.ts'
import { audibleStretches, cut, locate, toneShare } from '../bed/wav-analysis.ts'
import { readWav } from '../bed/wav-file.ts'

const FIRST_START_TIMEOUT_MS = 300_000
const CALL_TIMEOUT_MS = 20_000

let asterisk: Asterisk
let speech: Utterance

beforeAll(async () => {
  asterisk = await startAsterisk()
  speech = await spokenDigits('421')
}, FIRST_START_TIMEOUT_MS)

afterAll(async () => {
  await asterisk.stop()
  expect(existsSync(asterisk.folder)).toBe(false)
})

describe('a call', () => {
  for (const via of ['sip', 'local'] as const) {
    test(
      `over ${via}: the caller's speech is said in full and the echo is heard`,
      async () => {
        const call = await asterisk.call({
          extension: '900',
          via,
          wav: speech.path,
          waitBeforeMs: 400,
          waitAfterMs: 400,
        })
        expect(await call.answered).toBe(true)
        expect(await call.ended).toMatchObject({ cause: 16, answered: true })
        const spoken = await readWav(speech.path)
        const said = await readWav(await call.said())
        const heard = await readWav(await call.heard())
        const saidAt = locate(said.samples, spoken.samples, 8000)
        const heardAt = locate(heard.samples, spoken.samples, 8000)
        expect(saidAt.correlation).toBeGreaterThan(0.95)
        expect(heardAt.correlation).toBeGreaterThan(0.95)
        expect(saidAt.atMs).toBeWithin(350, 500)
        // The echo comes back within a few packets, and never before it was said.
        expect(heardAt.atMs - saidAt.atMs).toBeWithin(0, 150)
        await asterisk.untilQuiet()
      },
      CALL_TIMEOUT_MS,
    )
  }

  test(
    'what the called side plays is heard from its first sound on',
    async () => {
      const sound = await asterisk.sound(speech.path)
      const call = await asterisk.call({ extension: '901', variables: { BED_SOUND: sound }, waitAfterMs: 10_000 })
      const heard = await readWav(await call.heard())
      const spoken = await readWav(speech.path)
      const found = locate(heard.samples, spoken.samples, 8000)
      expect(found.correlation).toBeGreaterThan(0.95)
      // Extension 901 waits one second first.
      expect(found.atMs).toBeWithin(900, 1200)
      expect((await call.ended).durationMs).toBeLessThan(9_000)
    },
    CALL_TIMEOUT_MS,
  )

  test(
    'caller id, variables and digits arrive, over SIP and over Local',
    async () => {
      const calls = await Promise.all(
        (['sip', 'local'] as const).map((via, i) =>
          asterisk.call({
            extension: '903',
            via,
            callerId: `"Ada" <555000${i}>`,
            variables: { BED_PROBE: `a b,c=${via};"d"` },
            digits: i === 0 ? '12*#' : '3456',
          }),
        ),
      )
      await Promise.all(calls.map((call) => call.ended))
      const log = asterisk.logText()
      expect(log).toContain('bed 903: caller=5550000 name=Ada BED_PROBE=a b,c=sip;"d"')
      expect(log).toContain('bed 903: caller=5550001 name=Ada BED_PROBE=a b,c=local;"d"')
      expect(log).toContain('bed 903: digits=12*')
      expect(log).toContain('bed 903: digits=3456')
    },
    CALL_TIMEOUT_MS,
  )

  test(
    'a caller can be told to do something else',
    async () => {
      const call = await asterisk.call({ extension: '900', steps: [{ waitMs: 30_000 }] })
      await call.answered
      await call.turnTo([{ play: speech.path }, { waitMs: 300 }])
      const heard = await readWav(await call.heard())
      expect(locate(heard.samples, (await readWav(speech.path)).samples, 8000).correlation).toBeGreaterThan(0.95)
    },
    CALL_TIMEOUT_MS,
  )

  test(
    'nobody there: the call ends unanswered and has no recording',
    async () => {
      const call = await asterisk.call({ extension: '1' })
      expect(await call.answered).toBe(false)
      expect((await call.ended).answered).toBe(false)
      await expect(call.heard()).rejects.toThrow('never answered')
    },
    CALL_TIMEOUT_MS,
  )
})

describe('extension 100', () => {
  test(
    'goes on in the dialplan when no engine is connected, and the caller hears it',
    async () => {
      const call = await asterisk.call({ extension: '100', waitAfterMs: 5_000 })
      const heard = await readWav(await call.heard())
      const [stretch] = audibleStretches(heard.samples, heard)
      expect(stretch).toBeDefined()
      if (stretch !== undefined) expect(toneShare(cut(heard.samples, 8000, stretch), 8000, 440)).toBeGreaterThan(0.9)
      expect(asterisk.logText()).toContain('left Stasis: STASISSTATUS=FAILED PATCHCORD_RESULT=')
    },
    CALL_TIMEOUT_MS,
  )

  test(
    'five calls at once are told apart, and nothing is left',
    async () => {
      const utterances = await Promise.all(['10', '25', '39', '64', '78'].map((digits) => spokenDigits(digits)))
      const calls = await Promise.all(
        utterances.map((utterance, i) =>
          asterisk.call({
            extension: '900',
            via: i % 2 === 0 ? 'sip' : 'local',
            wav: utterance.path,
            waitAfterMs: 300,
          }),
        ),
      )
      await Promise.all(
        calls.map(async (call, i) => {
          const heard = await readWav(await call.heard())
          const spoken = await readWav(utterances[i]?.path ?? '')
          expect(locate(heard.samples, spoken.samples, 8000).correlation).toBeGreaterThan(0.95)
        }),
      )
      await asterisk.untilQuiet()
    },
    CALL_TIMEOUT_MS,
  )
})

describe('the instance', () => {
  test('the dialplan given to operators loads, and apologises while no engine is there', async () => {
    const sample = await Bun.file(join(import.meta.dir, '../../config/asterisk/extensions.conf')).text()
    const reached = '[agent]\nexten => 110,1,Goto(patchcord,100,1)\n'
    const operators = await startAsterisk({ configuration: { 'extensions.conf': `${reached}${sample}` } })
    try {
      const call = await operators.call({ extension: '110', waitAfterMs: 8_000 })
      const heard = await readWav(await call.heard())
      expect(audibleStretches(heard.samples, heard).length).toBeGreaterThan(0)
      // Booleans, because a failed match would print the whole log.
      const log = operators.logText()
      expect(log.includes("Playing 'please-try-call-later")).toBe(true)
      expect(/(WARNING|ERROR).*(pbx_config|does not exist in any format)/.test(log)).toBe(false)
    } finally {
      await operators.stop()
    }
  }, 20_000)

  test(
    'a second one runs beside it, wideband, and can be killed without it',
    async () => {
      const second = await startAsterisk({ codec: 'slin16', stasisApplication: 'other' })
      try {
        expect(second.ari.port).not.toBe(asterisk.ari.port)
        const call = await second.call({ extension: '902', waitAfterMs: 800 })
        await call.ended
        const heard = await readWav(await call.heard())
        expect(heard.sampleRateHz).toBe(16_000)
        expect(toneShare(heard.samples.subarray(1600, 6400), 16_000, 1004)).toBeGreaterThan(0.9)
        const cutOff = await second.call({ extension: '900', waitAfterMs: 30_000 })
        await cutOff.answered
        await second.killHard()
        expect(await cutOff.ended).toMatchObject({ cause: 0, causeText: 'Asterisk is gone' })
      } finally {
        await second.stop()
      }
      expect(await asterisk.channels()).toEqual([])
      expect(await asterisk.cli('core show version')).toContain(asterisk.version)
    },
    CALL_TIMEOUT_MS,
  )
})
