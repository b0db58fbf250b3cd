import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { levelDbfs } from '#audio/level.ts'
import { type Asterisk, startAsterisk } from '../bed/asterisk.ts'
import { LineEnded } from '../bed/caller.ts'
import { engineCallFrom } from '../bed/conversation.ts'
import { BedEngine } from '../bed/engine.ts'
import { type ReactiveCall, Telephones } from '../bed/reactive-caller.ts'
import { jitterMs } from '../bed/recording.ts'
import { startScriptedEngine } from '../bed/scripted-engine.ts'
import { murmurSound, toneSound } from '../bed/sounds.ts'
import { spokenDigits } from '../bed/speech.ts'
import { toneSteps } from '../bed/tone-steps.ts'
import { audibleStretches, cut, locate } from '../bed/wav-analysis.ts'
import { readWav, writeWav } from '../bed/wav-file.ts'
import { pacedReply } from '../fakes/scripted-agent.ts'

// The caller who reacts, proved ability by ability: a real Asterisk, real SIP and RTP, a real engine.

const rateHz = 8000

/** The loudness of the part of a recording, in ms of it. */
const levelIn = (track: Int16Array, startMs: number, endMs: number) => levelDbfs(cut(track, rateHz, { startMs, endMs }))

describe('a caller who reacts', () => {
  let asterisk: Asterisk
  let loopback: BedEngine
  let talker: BedEngine
  let telephones: Telephones
  let folder: string
  let speech: Int16Array

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'patchcord-reactive-'))
    const sound = join(folder, 'tones.wav')
    await writeWav(sound, { sampleRateHz: rateHz, samples: toneSteps(16) })
    speech = (await readWav((await spokenDigits('381')).path)).samples
    asterisk = await startAsterisk({ configuration: { 'extensions.conf': second } })
    telephones = new Telephones()
    const short = pacedReply({ replyMs: 400, sampleRateHz: rateHz, chunkMs: 100, speed: 20 })
    const long = pacedReply({ replyMs: 8000, sampleRateHz: rateHz, chunkMs: 500, speed: 20 })
    const [one, two] = await Promise.all([
      BedEngine.start({ asterisk: asterisk.ari, provider: 'loopback' }),
      startScriptedEngine(
        { sound, calls: [[short, long]] },
        { asterisk: asterisk.ari, application: 'talker', logLevel: 'debug' },
      ),
    ])
    loopback = one
    talker = two
  }, 300_000)

  afterAll(async () => {
    telephones?.close()
    await Promise.all([loopback?.stop(), talker?.stop()])
    await asterisk?.stop()
    rmSync(folder, { recursive: true, force: true })
  })

  /** Another extension: the same Asterisk, the other engine. */
  const second = '[agent]\nexten => 101,1,Stasis(talker)\n same => n,Hangup()\n'

  const recordOf = async (engine: BedEngine, id: string) => {
    await engine.until('recorded', 5000, () => engine.records().some((record) => record.call_id === id))
    return engine.records().find((record) => record.call_id === id) ?? {}
  }

  test('what it says is heard again through the echo of the engine, and both recordings are on one clock', async () => {
    const { caller, call } = await telephones.call(asterisk, { extension: '100', noiseDbfs: null })
    await caller.silence(600)
    const word = toneSound(500, 700, -20, rateHz)
    await caller.say(word)
    const saidMs = caller.line.clock.now() - caller.startedMs
    await caller.waitForSpeech(3000)
    // The loopback brings it back half a second after it was said; the word itself is half a second long.
    const reactionMs = caller.line.clock.now() - caller.startedMs - (caller.audibleSinceMs ?? 0)
    expect(reactionMs).toBeLessThan(200)
    await caller.waitForQuiet(300, 3000)
    await caller.hangUp()
    await call.ended
    const inHeard = locate(caller.heard.all, word, rateHz)
    const inSaid = locate(caller.said.all, word, rateHz)
    expect(inHeard.correlation).toBeGreaterThan(0.9)
    expect(Math.abs(inSaid.atMs + 500 - saidMs)).toBeLessThan(100)
    expect(inHeard.atMs - inSaid.atMs).toBeGreaterThan(500 - jitterMs)
    expect(inHeard.atMs - inSaid.atMs).toBeLessThan(900)
    // Asterisk's own recording has the same sound in it.
    expect(locate((await readWav(await call.heard())).samples, word, rateHz).correlation).toBeGreaterThan(0.9)
  }, 20_000)

  test('its line is never digitally silent unless it is asked to be, and its noise is as loud as it says', async () => {
    const { caller, call } = await telephones.call(asterisk, { extension: '100', noiseDbfs: -50 })
    await caller.silence(500)
    caller.noise(null)
    await caller.silence(500)
    caller.noise(-35)
    await caller.silence(500)
    await caller.hangUp()
    await call.ended
    const said = caller.said.all
    expect(Math.abs(levelIn(said, 100, 400) + 50)).toBeLessThan(1)
    expect(levelIn(said, 600, 900)).toBe(-100)
    expect(Math.abs(levelIn(said, 1100, 1400) + 35)).toBeLessThan(1)
    // µ-law keeps a level of −35 dBFS within a decibel: it really went out on the line, and came back.
    const stasis = (await readWav(await call.said())).samples
    const loudest = Math.max(...Array.from({ length: 10 }, (_, at) => levelIn(stasis, 500 + at * 100, 600 + at * 100)))
    expect(Math.abs(loudest + 35)).toBeLessThan(2)
  }, 20_000)

  test('it murmurs, presses keys and hangs up when it is told to', async () => {
    const { caller, call } = await telephones.call(asterisk, { extension: '100', callerId: '5550801' })
    const id = await engineCallFrom(loopback, '5550801')
    await caller.silence(300)
    await caller.murmur()
    await caller.digits('42#')
    const pressedMs = caller.line.clock.now()
    // The line is there again, both ways, after the keys.
    const frames = caller.frames.length
    await caller.silence(300)
    expect(caller.frames.length).toBeGreaterThan(frames + 5)
    await caller.hangUp(400)
    expect(caller.line.clock.now() - pressedMs).toBeGreaterThanOrEqual(700)
    await call.ended
    expect(locate(caller.said.all, murmurSound(-30, rateHz), rateHz).correlation).toBeGreaterThan(0.9)
    const record = await recordOf(loopback, id)
    expect([record.dtmf_digits, record.cause]).toEqual([3, 'caller'])
    await expect(caller.waitForSpeech()).rejects.toBeInstanceOf(LineEnded)
  }, 20_000)

  test('it interrupts a reply at the millisecond it was told, and hears the agent stop', async () => {
    const { caller, call } = await telephones.call(asterisk, { extension: '101', callerId: '5550802' })
    const id = await engineCallFrom(talker, '5550802')
    await caller.waitForSpeech(5000)
    await caller.waitForQuiet(600)
    await caller.say(speech)
    await caller.waitForSpeech(5000)
    const sinceMs = caller.audibleSinceMs ?? 0
    const spoken = caller.sayAfter(1500, speech)
    await caller.waitForQuiet(300)
    const stoppedMs = caller.line.clock.now() - caller.startedMs - 300
    await spoken
    await caller.hangUp()
    await call.ended
    const spokeMs = locate(caller.said.all.subarray(sinceMs * 8), speech, rateHz).atMs
    expect(Math.abs(spokeMs - 1500)).toBeLessThan(120)
    // Undisturbed it would go on for 8 s.
    expect(stoppedMs - sinceMs - spokeMs).toBeLessThan(1500)
    const record = await recordOf(talker, id)
    expect(record.barge_ins).toBe(1)
  }, 25_000)

  test('its loudspeaker comes back through its microphone, so much quieter and so much later', async () => {
    const { caller, call }: ReactiveCall = await telephones.call(asterisk, { extension: '101', noiseDbfs: null })
    caller.echo({ gainDb: -20, delayMs: 150 })
    await caller.waitForSpeech(5000)
    await caller.waitForQuiet(500)
    await caller.hangUp()
    await call.ended
    const heardMs = (audibleStretches(caller.heard.all, { sampleRateHz: rateHz }).at(0)?.startMs ?? 0) + 60
    const word = cut(caller.heard.all, rateHz, { startMs: heardMs, endMs: heardMs + 200 })
    const inHeard = locate(caller.heard.all, word, rateHz)
    const inSaid = locate(caller.said.all, word, rateHz)
    expect(inSaid.correlation).toBeGreaterThan(0.99)
    expect(Math.abs(inSaid.atMs - inHeard.atMs - 150)).toBeLessThan(90)
    const loudOf = (track: Int16Array, atMs: number) => levelIn(track, atMs, atMs + 200)
    expect(Math.abs(loudOf(caller.heard.all, inHeard.atMs) - loudOf(caller.said.all, inSaid.atMs) - 20)).toBeLessThan(1)
  }, 20_000)

  test('nothing of these calls is left', async () => {
    await loopback.untilIdle()
    await talker.untilIdle()
    await asterisk.untilQuiet(3000)
  }, 10_000)
})
