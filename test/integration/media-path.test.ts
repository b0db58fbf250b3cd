import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { mkdirSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { type Asterisk, startAsterisk } from '../bed/asterisk.ts'
import { engineCallFrom } from '../bed/conversation.ts'
import { BedEngine } from '../bed/engine.ts'
import { audibleStretches, cut, locate } from '../bed/wav-analysis.ts'
import { readWav } from '../bed/wav-file.ts'

// The greeting of one engine is the same samples in every call, so what a caller heard can be held against what another
// caller heard, or against the file that Asterisk played.

const rateHz = 8000
/** A greeting is looked for in so many parts of about a second. */
const partsHeard = 4

describe('the way of a reply to the caller', () => {
  let asterisk: Asterisk
  let caller = 0
  /** The greeting as the first caller heard it. */
  let greeting: Int16Array = new Int16Array(0)
  const engines: BedEngine[] = []

  beforeAll(async () => {
    asterisk = await startAsterisk()
  }, 300_000)

  afterAll(async () => {
    for (const engine of engines) await engine.stop()
    await asterisk?.stop()
  })

  async function engineWith(yaml: string): Promise<BedEngine> {
    // One at a time: an application has one engine.
    for (const engine of engines.splice(0)) await engine.stop()
    const engine = await BedEngine.start({ asterisk: asterisk.ari, yaml })
    engines.push(engine)
    return engine
  }

  /** A caller who only listens; `meanwhile` runs when the greeting has begun. */
  async function listen(engine: BedEngine, meanwhile: (id: string) => Promise<void> = () => Promise.resolve()) {
    caller += 1
    const number = `5552${caller}`
    const call = await asterisk.call({ extension: '100', callerId: number, steps: [{ waitMs: 30_000 }] })
    const id = await engineCallFrom(engine, number)
    await engine.until('greeting started', 10_000, () => engine.steps(id).includes('greeting_started'))
    await meanwhile(id)
    await engine.until('greeting finished', 20_000, () => engine.steps(id).includes('greeting_finished'))
    await Bun.sleep(300)
    await call.hangup()
    await call.ended
    await engine.untilIdle()
    await asterisk.untilQuiet()
    const { samples } = await readWav(await call.heard())
    const stretches = audibleStretches(samples, { sampleRateHz: rateHz })
    const record = engine.records().find((each) => each.call_id === id)
    return { samples, stretches, record, id }
  }

  /** Milliseconds in which something was audible. */
  const audibleMs = (samples: Int16Array) =>
    audibleStretches(samples, { sampleRateHz: rateHz, joinGapMs: 20 }).reduce(
      (sum, { startMs, endMs }) => sum + endMs - startMs,
      0,
    )

  test('streamed: the greeting, whole', async () => {
    const { samples, stretches, record } = await listen(await engineWith(''))
    const first = stretches[0]
    const last = stretches.at(-1)
    if (first === undefined || last === undefined) throw new Error('nothing was heard')
    greeting = cut(samples, rateHz, { startMs: first.startMs, endMs: last.endMs })
    expect(greeting.length / rateHz).toBeGreaterThan(2)
    expect(record?.audio).toMatchObject({ fallbacks: 0, restarts: 0, underruns: 0 })
  }, 60_000)

  test('the media channel dies in the middle: another takes its place, and no word is lost or doubled', async () => {
    const [engine] = engines
    if (engine === undefined) throw new Error('no engine')
    const { samples, record } = await listen(engine, async () => {
      await Bun.sleep(1200)
      const media = (await asterisk.channels()).find((channel) => channel.name.startsWith('AudioSocket/'))
      await asterisk.client.request('DELETE', `/channels/${encodeURIComponent(media?.id ?? '')}`)
    })
    expect(record).toMatchObject({ cause: 'caller' })
    expect(record?.audio).toMatchObject({ restarts: 1, fallbacks: 0 })
    // Both ends of the greeting are there, further apart by the gap and by nothing else.
    const half = greeting.length >> 1
    const head = locate(samples, greeting.subarray(0, 8000), rateHz)
    const tail = locate(samples, greeting.subarray(half), rateHz)
    expect(Math.min(head.correlation, tail.correlation)).toBeGreaterThan(0.95)
    const apartMs = tail.atMs - head.atMs - (half * 1000) / rateHz
    expect(apartMs).toBeGreaterThan(-40)
    expect(apartMs).toBeLessThan(1500)
    // What was under way when the connection broke is all that may be missing.
    expect(Math.abs(audibleMs(samples) - audibleMs(greeting))).toBeLessThan(120)
    expect(engine.log.filter((line) => line.message.startsWith('the media path was lost'))).toHaveLength(1)
  }, 60_000)

  test.each(['fetched by HTTP', 'from a shared folder'])(
    'downstream_mode: file, %s: the greeting once, whole, and nothing of it is left',
    async (way) => {
      const folder = join(asterisk.folder, 'replies')
      mkdirSync(folder, { recursive: true })
      const shared = `\nfile_playback:\n  folder: ${folder}\n  asterisk_folder: ${asterisk.inside(folder)}`
      const engine = await engineWith(`downstream_mode: file${way.includes('folder') ? shared : ''}`)
      let played = new Int16Array(0)
      const { samples, stretches, record } = await listen(engine, async () => {
        const [name = ''] = readdirSync(folder)
        const cached = await asterisk.cli('media cache show all')
        const url = /http:\/\/\S+\.sln/.exec(cached)?.[0] ?? `nothing is cached: ${cached}`
        const source = way.includes('folder') ? Bun.file(join(folder, name)) : await fetch(url)
        played = new Int16Array(await source.arrayBuffer())
      })
      expect(record).toMatchObject({ cause: 'caller' })
      expect(record?.audio).toMatchObject({ fallbacks: 0, files_failed: 0 })
      const [spoken] = audibleStretches(played, { sampleRateHz: rateHz, joinGapMs: 5000 })
      if (spoken === undefined) throw new Error('the file is silent')
      const reply = cut(played, rateHz, spoken)
      expect(reply.length / rateHz).toBeGreaterThan(2)
      // Asterisk's mixing inserts a frame of silence now and then: the part it falls into is found by its larger half.
      // A word that is missing or there twice would move what follows by more than these frames do.
      const parts = Array.from({ length: partsHeard }, (_, part) => {
        const startMs = (part * reply.length * 1000) / rateHz / partsHeard
        const sound = cut(reply, rateHz, { startMs, endMs: startMs + (reply.length * 1000) / rateHz / partsHeard })
        const { atMs, correlation } = locate(samples, sound, rateHz)
        return { movedMs: atMs - startMs, correlation }
      })
      const [first] = parts
      if (first === undefined) throw new Error('no part')
      expect(parts.filter(({ correlation }) => correlation > 0.9).length).toBeGreaterThanOrEqual(partsHeard - 1)
      for (const { movedMs, correlation } of parts) {
        expect(correlation).toBeGreaterThan(0.6)
        expect(Math.abs(movedMs - first.movedMs)).toBeLessThan(100)
      }
      expect(Math.abs(audibleMs(samples) - audibleMs(reply))).toBeLessThan(150)
      expect((stretches.at(-1)?.endMs ?? 0) - (stretches[0]?.startMs ?? 0)).toBeLessThan(
        (reply.length * 1000) / rateHz + 200,
      )
      expect(await engine.metric('ai_agent_playback_files')).toBe(0)
      expect(readdirSync(folder)).toEqual([])
    },
    60_000,
  )
})
