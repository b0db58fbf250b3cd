import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Asterisk, startAsterisk } from '../bed/asterisk.ts'
import { doorExtensions, doors } from '../bed/churn-plan.ts'
import { engineCallFrom } from '../bed/conversation.ts'
import type { BedEngine } from '../bed/engine.ts'
import { type ReactiveCall, Telephones } from '../bed/reactive-caller.ts'
import { startScriptedEngine } from '../bed/scripted-engine.ts'
import { digitStrings } from '../bed/speech.ts'
import { type HeardSteps, heardSteps, stepMs, stepsMax, toneSteps } from '../bed/tone-steps.ts'
import { readWav, writeWav } from '../bed/wav-file.ts'
import { pacedReply, type ReplyScript } from '../fakes/scripted-agent.ts'

// Agents that send too fast, too slowly, and not to the end, through a real Asterisk: what the caller hears is counted
// frame by frame. The same on a simulated clock, in thousands of forms, is `test/simulation`.

const short = pacedReply({ replyMs: 2 * stepMs, sampleRateHz: 8000, chunkMs: 100, speed: 20 })
/** 60 s within 200 ms. */
const burst = pacedReply({ replyMs: 120 * stepMs, sampleRateHz: 8000, chunkMs: 1000, speed: 300 })
const dribble = pacedReply({ replyMs: 16 * stepMs, sampleRateHz: 8000, chunkMs: 100, speed: 0.9 })
/** In the middle of its sixth tone, and no word of its end. */
const broken = pacedReply({ replyMs: 5.4 * stepMs, sampleRateHz: 8000, chunkMs: 50, speed: 2, ends: false })

const names = ['burst', 'dribble', 'broken', 'byRtp'] as const
type PaceName = (typeof names)[number]

interface Visitor {
  readonly number: string
  readonly extension: string
  readonly reply: ReplyScript
}

const visitors: Readonly<Record<PaceName, Visitor>> = {
  burst: { number: '5550901', extension: '100', reply: burst },
  dribble: { number: '5550902', extension: '100', reply: dribble },
  broken: { number: '5550903', extension: '100', reply: broken },
  byRtp: { number: '5550904', extension: doors.externalmedia, reply: dribble },
}

interface Heard {
  readonly reply: HeardSteps
  readonly next: HeardSteps
  readonly all: HeardSteps
  /** Length of Asterisk's own recordings of the caller's telephone. */
  readonly heardMs: number
  readonly saidMs: number
  readonly record: Record<string, unknown>
  /** The line at the call's end. */
  readonly summary: Record<string, unknown>
}

const upTo = (count: number) => Array.from({ length: count }, (_, step) => step % stepsMax)

describe('replies that come too fast, too slowly, and not to their end', () => {
  let asterisk: Asterisk
  let engine: BedEngine
  let telephones: Telephones
  let question: Int16Array
  let folder: string
  const heard: Partial<Record<PaceName, Heard>> = {}

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'patchcord-pace-'))
    const sound = join(folder, 'tones.wav')
    await writeWav(sound, { sampleRateHz: 8000, samples: toneSteps(120) })
    const [utterance] = await digitStrings(1, 31)
    question = (await readWav(utterance?.path ?? '')).samples
    asterisk = await startAsterisk({ configuration: { 'extensions.conf': doorExtensions } })
    const calls: ReplyScript[][] = names.map((name) => [short, visitors[name].reply, short])
    // A question is a string of digits, and its pauses are part of it: only a long silence ends it.
    const yaml = 'turn_taking:\n  stop: silence\nvad:\n  end_silence_ms: 1200'
    engine = await startScriptedEngine({ sound, calls }, { asterisk: asterisk.ari, logLevel: 'debug', yaml })
    telephones = new Telephones()
    // Side by side, but admitted in the order in which the scripts lie.
    const visits: Promise<void>[] = []
    for (const name of names) {
      const { number, extension } = visitors[name]
      const line = await telephones.call(asterisk, { extension, callerId: number })
      const id = await engineCallFrom(engine, number)
      visits.push(
        converse(line, id).then((one) => {
          heard[name] = one
        }),
      )
    }
    await Promise.all(visits)
  }, 300_000)

  afterAll(async () => {
    telephones?.close()
    await engine?.stop()
    await asterisk?.stop()
    rmSync(folder, { recursive: true, force: true })
  })

  /** Greeting, a question, the reply in question, another question, and a reply that comes as it should. */
  async function converse({ caller, call }: ReactiveCall, id: string): Promise<Heard> {
    const listens = (times: number) =>
      engine.until(`listening for the ${times}. time`, 90_000, () => {
        return engine.steps(id).filter((step) => step === 'gate_opened').length >= times
      })
    await listens(1)
    const greeted = caller.frames.length
    await caller.say(question)
    // The gate opens by itself, also after a reply that never ended: the caller says nothing meanwhile.
    await listens(2)
    const replied = caller.frames.length
    await caller.say(question)
    await listens(3)
    await caller.hangUp(200)
    await call.ended
    await engine.until('recorded', 10_000, () => engine.records().some((record) => record.call_id === id))
    const [heardFile, saidFile] = await Promise.all([readWav(await call.heard()), readWav(await call.said())])
    return {
      reply: heardSteps(caller.frames.slice(greeted, replied)),
      next: heardSteps(caller.frames.slice(replied)),
      all: heardSteps(caller.frames),
      heardMs: heardFile.samples.length / 8,
      saidMs: saidFile.samples.length / 8,
      record: engine.records().find((record) => record.call_id === id) ?? {},
      summary: engine.log.find((line) => line.message === 'call summary' && line.call === id) ?? {},
    }
  }

  const of = (name: PaceName) => {
    const one = heard[name]
    if (one === undefined) throw new Error(`the call of ${name} did not come to its end`)
    return one
  }
  const audioOf = (name: PaceName) => of(name).record.audio as Record<string, number>

  test.each([
    ['burst', 120, 60_000],
    ['dribble', 16, 8000],
    ['broken', 6, 2700],
    ['byRtp', 16, 8000],
  ] as const)('%s: each of %d tones is heard once and in order, and no frame is lost or doubled', (name, tones, ms) => {
    const { reply } = of(name)
    expect(reply.order).toEqual(upTo(tones))
    // A frame at either end may hold only some samples of the tone that fades.
    expect(Math.abs(reply.frames - ms / 20)).toBeLessThanOrEqual(1)
  })

  test.each(names)('%s: the call goes on, the next turn is answered', (name) => {
    expect(of(name).next.order).toEqual(upTo(2))
    const turns = of(name).record.turns as { outcome: string }[]
    expect(turns.map((turn) => turn.outcome)).toEqual(['answered', 'answered'])
    expect(of(name).record.cause).toBe('caller')
  })

  test('the underruns in the records are the gaps in what was heard', () => {
    expect(of('burst').reply.gaps).toBe(0)
    expect(audioOf('burst').underruns).toBe(0)
    expect(of('dribble').reply.gaps).toBeGreaterThan(0)
    expect(audioOf('dribble').underruns).toBe(of('dribble').reply.gaps)
    expect(audioOf('byRtp').underruns).toBe(of('byRtp').reply.gaps)
    // It never went on: it did not run dry, it ended.
    expect(of('broken').reply.gaps).toBe(0)
    expect(audioOf('broken').underruns).toBe(0)
  })

  test('a burst of 60 s is queued whole: depth and overruns say so', () => {
    expect(audioOf('burst').depth_max_ms).toBeGreaterThan(45_000)
    expect(audioOf('burst').overruns).toBe(0)
    expect(audioOf('dribble').depth_max_ms).toBeLessThan(1500)
  })

  test.each(names)('%s: the summary line says what the record does, and both what the recording shows', (name) => {
    const { summary, record, heardMs, saidMs } = of(name)
    const audio = audioOf(name)
    expect(summary).toMatchObject(audio)
    expect(summary.cause as string).toBe(record.cause as string)
    console.log(
      `${name}: heard ${heardMs} ms, frames out ${(audio.frames_out ?? 0) * 20} ms; said ${saidMs} ms, ` +
        `frames in ${(audio.frames_in ?? 0) * 20} ms; drift ${audio.drift_ms} ms`,
    )
    // The recordings begin when the call is answered and end when it is hung up, and what is counted a moment inside; a
    // machine that stands still for a moment leaves frames out on either side.
    const apartMs = 300 + saidMs * 0.02
    expect(Math.abs(heardMs - (audio.frames_out ?? 0) * 20)).toBeLessThanOrEqual(apartMs)
    expect(Math.abs(saidMs - (audio.frames_in ?? 0) * 20)).toBeLessThanOrEqual(apartMs)
    expect(audio.frames_refused).toBe(0)
    // One machine has one clock: what the caller said is as long as the call was.
    expect(Math.abs(audio.drift_ms ?? Number.NaN)).toBeLessThanOrEqual(apartMs / 2)
    // One provider never came to its end: it was waited for, and nothing was left to be played from a file.
    expect(audio).toMatchObject({ fallbacks: name === 'broken' ? 1 : 0, files_failed: 0, restarts: 0, overruns: 0 })
    // On loopback no packet is lost, and what was heard has no hole but the underruns.
    expect(audio).toMatchObject({ lost: 0, late: 0, duplicates: 0, reordered: 0 })
  })

  test('the metrics count what the records do', async () => {
    const sum = (field: string) => names.reduce((total, name) => total + (audioOf(name)[field] ?? 0), 0)
    expect(await engine.metric('ai_agent_underruns_total')).toBe(sum('underruns'))
    for (const [what, field] of [
      ['in', 'frames_in'],
      ['out', 'frames_out'],
      ['refused', 'frames_refused'],
      ['lost', 'lost'],
      ['concealed', 'concealed'],
    ] as const) {
      expect([what, await engine.metric(`ai_agent_frames_total{what="${what}"}`)]).toEqual([what, sum(field)])
    }
    expect(await engine.metric('ai_agent_fallbacks_total{trigger="no_audio"}')).toBe(sum('fallbacks'))
  })
})
