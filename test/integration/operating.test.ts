import { describe, expect, test } from 'bun:test'
import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startAsterisk } from '../bed/asterisk.ts'
import { engineCallFrom, visit } from '../bed/conversation.ts'
import { BedEngine } from '../bed/engine.ts'
import { digitStrings } from '../bed/speech.ts'
import { readWav } from '../bed/wav-file.ts'
import { OpenAiCompatibleServer } from '../fakes/openai-compatible-server.ts'

// What an operator meets: things that are missing, that fail, and that come back.

const mainFile = join(import.meta.dir, '..', '..', 'src', 'main.ts')
const silence = { waitMs: 60_000 }
const withoutLocal = 'providers:\n  local:\n    enabled: false\n'
const withModel = (baseUrl: string) => `providers:\n  local:\n    llm:\n      base_url: ${baseUrl}\n`

describe('operating the engine', () => {
  test('without models, key or Asterisk it starts, and says what is missing', async () => {
    const engine = await BedEngine.start({
      untilReady: false,
      env: { PATCHCORD_MODELS_DIR: mkdtempSync(join(tmpdir(), 'patchcord-no-models-')) },
    })
    try {
      expect(await engine.get('/live')).toBe(200)
      let reasons: string[] = []
      await engine.until('able to say what is missing', 10_000, async () => {
        const ready = await fetch(`${engine.httpUrl}/ready`)
        expect(ready.status).toBe(503)
        reasons = ((await ready.json()) as { reasons: string[] }).reasons
        return (
          reasons.some((reason) => reason.includes('patchcord models')) &&
          reasons.some((reason) => reason.includes('Asterisk'))
        )
      })
      const health = await engine.health()
      expect(health.status).toBe('degraded')
      expect(health.active_calls).toBe(0)
      expect(health.ari_connected).toBe(false)
      for (const key of ['audio_transport', 'conversation', 'providers']) expect(health).toHaveProperty(key)
    } finally {
      expect(await engine.stop()).toBe(0)
    }
  }, 30_000)

  test('a caller whom no provider can serve goes back to the dialplan with not_ready', async () => {
    const asterisk = await startAsterisk()
    const engine = await BedEngine.start({
      asterisk: asterisk.ari,
      untilReady: false,
      yaml: withModel('http://127.0.0.1:9/v1'),
    })
    try {
      await engine.until('connected', 10_000, async () => (await engine.health()).ari_connected)
      const call = await asterisk.call({ extension: '100', waitAfterMs: 500 })
      await call.ended
      expect(asterisk.logText().includes('PATCHCORD_RESULT=not_ready')).toBe(true)
      await asterisk.untilQuiet()
    } finally {
      await engine.stop()
      await asterisk.stop()
    }
  }, 30_000)

  // Two that mostly wait, each with an Asterisk of its own.
  test.concurrent('a language model that fails: the caller hears the apology, and after three failures goes back to the dialplan', async () => {
    const server = new OpenAiCompatibleServer({ status: 500, body: { error: { message: 'no' } } })
    const asterisk = await startAsterisk()
    // The gate's later openings are lines of the debug level.
    const engine = await BedEngine.start({ asterisk: asterisk.ari, logLevel: 'debug', yaml: withModel(server.baseUrl) })
    try {
      const [utterance] = await digitStrings(1, 5)
      if (utterance === undefined) throw new Error('no utterance')
      const call = await asterisk.call({ extension: '100', callerId: '5550600', steps: [silence] })
      const id = await engineCallFrom(engine, '5550600')
      const opened = (count: number) =>
        engine.until(
          `listening for the ${count}. time`,
          30_000,
          () =>
            engine.steps(id).filter((step) => step === 'gate_opened').length >= count ||
            engine.steps(id).includes('cleaned'),
        )
      for (const turn of [1, 2, 3]) {
        await opened(turn)
        await Bun.sleep(200)
        await call.turnTo([{ play: utterance.path }, silence])
        if (turn < 3)
          await engine.until(
            'the apology',
            20_000,
            () =>
              engine.log.filter(
                (line) =>
                  line.message === 'transcript' && line.side === 'agent' && String(line.text).startsWith('Sorry'),
              ).length >= turn,
          )
      }
      await engine.until('given back', 20_000, () => asterisk.logText().includes('PATCHCORD_RESULT=provider_failed'))
      await call.hangup()
      await engine.untilIdle()
      await asterisk.untilQuiet()
      expect(engine.records().at(-1)?.cause).toBe('provider_failed')
    } finally {
      await engine.stop()
      await asterisk.stop()
      await server.close()
    }
  }, 90_000)

  test.concurrent('transcripts stay out of the log and the records unless they are asked for', async () => {
    const asterisk = await startAsterisk()
    const engine = await BedEngine.start({ asterisk: asterisk.ari, transcripts: true })
    const quiet = await BedEngine.start({ asterisk: asterisk.ari, transcripts: false, yaml: '', application: 'quiet' })
    try {
      const [utterance] = await digitStrings(1, 9)
      if (utterance === undefined) throw new Error('no utterance')
      const spoken = await visit(asterisk, engine, { extension: '100', callerNumber: '5550800', utterance })
      expect(spoken.callerWords).not.toBe('')
      await engine.untilIdle()
      expect(JSON.stringify(engine.records())).toContain('caller_text')
      const heard = join(quiet.folder, 'heard.wav')
      const dialled = Bun.spawn(
        [
          process.execPath,
          '--no-env-file',
          mainFile,
          'dial',
          '--json',
          '--wav',
          utterance.path,
          '--out',
          heard,
          '--port',
          String(quiet.audioSocketPort),
        ],
        { stdout: 'pipe', stderr: 'inherit' },
      )
      const timeline = JSON.parse(await new Response(dialled.stdout).text()) as Record<string, number>
      expect(await dialled.exited).toBe(0)
      const order = [
        'connected_ms',
        'greeting_first_frame_ms',
        'greeting_end_ms',
        'caller_started_ms',
        'caller_stopped_ms',
        'reply_first_frame_ms',
        'reply_end_ms',
        'ended_ms',
      ]
      const times = order.map((name) => timeline[name] ?? Number.NaN)
      expect(times).toEqual([...times].sort((a, b) => a - b))
      // What was recorded is as long as the call: a frame of 20 ms every 20 ms.
      const recorded = (await readWav(heard)).samples.length / 8
      expect(Math.abs(recorded - (timeline.ended_ms ?? 0))).toBeLessThan(200)
      await quiet.untilIdle()
      expect(quiet.records().length).toBe(1)
      for (const text of [quiet.output, JSON.stringify(quiet.records())]) {
        // A field may be called one_way, and a message begin with one-way audio.
        for (const word of utterance.words.split(' '))
          expect(text.toLowerCase()).not.toMatch(new RegExp(`"${word}(?!_way|-way)`))
        expect(text).not.toContain('transcript')
        expect(text).not.toContain('_text')
      }
    } finally {
      await engine.stop()
      await quiet.stop()
      await asterisk.stop()
    }
  }, 90_000)

  test('an Asterisk that dies in mid-call and comes back: the call is cleaned up, and the next one is served', async () => {
    const first = await startAsterisk()
    const engine = await BedEngine.start({ asterisk: first.ari, provider: 'loopback', yaml: withoutLocal })
    try {
      await first.call({ extension: '100', callerId: '5550700', steps: [silence] })
      await engineCallFrom(engine, '5550700')
      await engine.until('in a call', 5000, async () => (await engine.health()).active_calls === 1)
      await first.killHard()
      await engine.untilIdle(6000)
      expect((await engine.health()).ari_connected).toBe(false)
      const second = await startAsterisk({ ariPort: first.ari.port, ariPassword: first.ari.password })
      try {
        await engine.until('connected again', 10_000, async () => (await engine.health()).ari_connected)
        const call = await second.call({ extension: '100', callerId: '5550701', waitAfterMs: 500 })
        await call.ended
        await engine.untilIdle()
        expect(engine.records().map((record) => record.cause)).toEqual(['media_lost', 'caller'])
        await second.untilQuiet()
      } finally {
        await second.stop()
      }
    } finally {
      await engine.stop()
      await first.stop()
    }
  }, 60_000)

  test('an engine that is killed in mid-call: the next one gives its caller back, and nothing is left', async () => {
    const asterisk = await startAsterisk()
    const first = await BedEngine.start({ asterisk: asterisk.ari, provider: 'loopback', yaml: withoutLocal })
    const call = await asterisk.call({ extension: '100', callerId: '5550710', steps: [silence] })
    const id = await engineCallFrom(first, '5550710')
    await first.until('in a call', 5000, () => first.steps(id).includes('media_open'))
    first.signal('SIGKILL')
    await first.exited
    const second = await BedEngine.start({ asterisk: asterisk.ari, provider: 'loopback', yaml: withoutLocal })
    try {
      await second.until('given back', 15_000, () => asterisk.logText().includes('PATCHCORD_RESULT=internal_error'))
      await call.hangup()
      await call.ended
      await asterisk.untilQuiet(5000)
      expect(await second.metric('ai_agent_orphans_removed_total{orphan="caller"}')).toBe(1)
      expect(await second.metric('ai_agent_orphans_removed_total{orphan="bridge"}')).toBe(1)
    } finally {
      await second.stop()
      await asterisk.stop()
    }
  }, 60_000)

  test('SIGTERM with a call that goes on: at the limit it is ended as shutdown, at a second SIGTERM at once', async () => {
    for (const [limitSeconds, again] of [
      [1, false],
      [60, true],
    ] as const) {
      const asterisk = await startAsterisk()
      const yaml = `${withoutLocal}drain:\n  timeout_seconds: ${limitSeconds}\n`
      const engine = await BedEngine.start({ asterisk: asterisk.ari, provider: 'loopback', yaml })
      try {
        const call = await asterisk.call({ extension: '100', callerId: '5550720', steps: [silence] })
        const id = await engineCallFrom(engine, '5550720')
        await engine.until('in a call', 5000, () => engine.steps(id).includes('media_open'))
        engine.signal('SIGTERM')
        await engine.until('draining', 5000, async () => (await engine.health()).status === 'draining')
        // The same request, handed on by a program in between, ends no call.
        engine.signal('SIGTERM')
        await Bun.sleep(300)
        expect(engine.steps(id)).not.toContain('hangup')
        if (again) {
          await Bun.sleep(1000)
          engine.signal('SIGTERM')
        }
        expect(await Promise.race([engine.exited, Bun.sleep(10_000).then(() => 'still there')])).toBe(0)
        await call.ended
        expect(engine.records().map((record) => record.cause)).toEqual(['shutdown'])
        await asterisk.untilQuiet()
      } finally {
        if (engine.running) await engine.stop()
        await asterisk.stop()
      }
    }
  }, 60_000)
})
