import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { AriProxy } from '../bed/ari-proxy.ts'
import { type Asterisk, startAsterisk } from '../bed/asterisk.ts'
import { engineCallFrom } from '../bed/conversation.ts'
import type { BedEngine } from '../bed/engine.ts'
import { Telephones } from '../bed/reactive-caller.ts'
import { startScriptedEngine } from '../bed/scripted-engine.ts'
import { digitStrings } from '../bed/speech.ts'
import { heardSteps, stepMs, toneSteps } from '../bed/tone-steps.ts'
import { readWav, writeWav } from '../bed/wav-file.ts'
import { pacedReply, type ReplyScript } from '../fakes/scripted-agent.ts'

// A file takes over in the middle of a streamed reply, on a real Asterisk: what the caller hears is counted tone by tone.

const tones = 14
const fallbackMs = 1000
const greeting = pacedReply({ replyMs: stepMs, sampleRateHz: 8000, chunkMs: 100, speed: 20 })
const whole = pacedReply({ replyMs: tones * stepMs, sampleRateHz: 8000, chunkMs: 100, speed: 20 })
/** Stops in the middle of its fifth tone, says nothing of its end for twice as long as it is waited for, and goes on. */
const interrupted: ReplyScript = (() => {
  const headMs = 4.6 * stepMs
  const head = pacedReply({ replyMs: headMs, sampleRateHz: 8000, chunkMs: 100, speed: 5, ends: false })
  const tail = pacedReply({ replyMs: tones * stepMs - headMs, sampleRateHz: 8000, chunkMs: 100, speed: 5 })
  const resumesMs = headMs + 2 * fallbackMs
  return [...head, ...tail.slice(1).map((event) => ({ ...event, atMs: event.atMs + resumesMs }))]
})()

/** 620 Hz, for a caller who comes back to the bed's dialplan with a result: most like the tone of this number. */
const afterwards = 3

/** Without what the dialplan plays at the end. */
function upToTheDialplan(frames: readonly Int16Array[]): readonly Int16Array[] {
  const isReply = (frame: Int16Array) => {
    const [step = afterwards] = heardSteps([frame]).order
    return step !== afterwards
  }
  return frames.slice(0, frames.findLastIndex(isReply) + 1)
}

const everyTone = Array.from({ length: tones }, (_, step) => step)

describe('a file takes over in the middle of a reply', () => {
  let asterisk: Asterisk
  let proxy: AriProxy
  let engine: BedEngine
  let telephones: Telephones
  let question: Int16Array
  let folder: string

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'patchcord-takeover-'))
    const sound = join(folder, 'tones.wav')
    await writeWav(sound, { sampleRateHz: 8000, samples: toneSteps(tones) })
    const [utterance] = await digitStrings(1, 31)
    question = (await readWav(utterance?.path ?? '')).samples
    asterisk = await startAsterisk()
    proxy = await AriProxy.open(asterisk.ari)
    // The question's pauses are part of it: only a long silence ends it.
    const yaml = `streaming:\n  fallback_timeout_ms: ${fallbackMs}\nturn_taking:\n  stop: silence\nvad:\n  end_silence_ms: 1200`
    engine = await startScriptedEngine(
      {
        sound,
        calls: [
          [greeting, interrupted],
          [greeting, whole],
        ],
      },
      { asterisk: proxy.address, logLevel: 'debug', yaml },
    )
    telephones = new Telephones()
  }, 300_000)

  afterAll(async () => {
    telephones?.close()
    await engine?.stop()
    proxy?.close()
    await asterisk?.stop()
    rmSync(folder, { recursive: true, force: true })
  })

  /** A caller who has heard the greeting and has just asked. */
  async function asking(number: string) {
    const { caller, call } = await telephones.call(asterisk, { extension: '100', callerId: number })
    const id = await engineCallFrom(engine, number)
    const opened = () => engine.steps(id).filter((step) => step === 'gate_opened').length
    await engine.until('listening', 30_000, () => opened() >= 1)
    const greeted = caller.frames.length
    await caller.say(question)
    const heard = () => heardSteps(caller.frames.slice(greeted))
    const record = async () => {
      await engine.until('recorded', 20_000, () => engine.records().some((one) => one.call_id === id))
      return engine.records().find((one) => one.call_id === id) ?? {}
    }
    return { caller, call, id, greeted, opened, heard, record }
  }

  test('since the provider stopped: the rest once it is there, every tone once, and the call goes on', async () => {
    const { caller, call, opened, heard, record } = await asking('5550951')
    await engine.until('listening again', 60_000, () => opened() >= 2)
    await Bun.sleep(200)
    const { order, frames } = heard()
    expect(order).toEqual(everyTone)
    // A frame at either end of a part may hold only some samples; a tone that is lost or doubled is 25 of them.
    expect(Math.abs(frames - (tones * stepMs) / 20)).toBeLessThanOrEqual(4)
    await caller.hangUp(100)
    await call.ended
    const { audio, cause, turns } = await record()
    expect(audio).toMatchObject({ fallbacks: 1, files_failed: 0, restarts: 0 })
    expect([cause, (turns as { outcome: string }[]).map(({ outcome }) => outcome)]).toEqual(['caller', ['answered']])
    expect(await engine.metric('ai_agent_fallbacks_total{trigger="no_audio"}')).toBe(1)
    expect(await engine.metric('ai_agent_playback_files')).toBe(0)
  }, 120_000)

  test('since the media path is lost for good: the rest on the caller’s own channel, and then the dialplan', async () => {
    const { caller, call, id, greeted, heard, record } = await asking('5550952')
    await engine.until('in the fourth tone', 30_000, () => heard().order.length >= 4)
    proxy.refuses = 'POST /ari/channels/externalMedia'
    const media = (await asterisk.channels()).find((channel) => channel.name.startsWith('AudioSocket/'))
    await asterisk.client.request('DELETE', `/channels/${encodeURIComponent(media?.id ?? '')}`)
    await call.ended
    proxy.refuses = null
    expect(proxy.refusals).toBe(1)
    expect(heard().order).toEqual([...everyTone, afterwards])
    const { order, frames } = heardSteps(upToTheDialplan(caller.frames.slice(greeted)))
    expect(order).toEqual(everyTone)
    // What was under way in the connection that broke is all that may be missing.
    const missing = (tones * stepMs) / 20 - frames
    expect(missing).toBeGreaterThanOrEqual(-2)
    expect(missing).toBeLessThanOrEqual(6)
    const { audio, cause } = await record()
    expect(cause).toBe('media_lost')
    expect(audio).toMatchObject({ fallbacks: 1, files_failed: 0, restarts: 0 })
    expect(await engine.metric('ai_agent_fallbacks_total{trigger="leg_lost"}')).toBe(1)
    expect(engine.steps(id)).toContain('media_open')
    await engine.untilIdle()
    await asterisk.untilQuiet()
  }, 120_000)
})
