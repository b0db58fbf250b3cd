import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { readdirSync } from 'node:fs'
import { type Random, seededRandom } from '#base/random.ts'
import { type Asterisk, startAsterisk } from '../bed/asterisk.ts'
import { engineCallFrom } from '../bed/conversation.ts'
import { BedEngine } from '../bed/engine.ts'
import { freeTcpPort } from '../bed/ports.ts'
import { digitStrings } from '../bed/speech.ts'

// Callers hang up whenever they like; whatever was under way, nothing of their call may be left anywhere.

const moments = ['set_up', 'greeting', 'caller_speech', 'thinking', 'reply'] as const
type Moment = (typeof moments)[number]

/** What must be back to the number before once the calls are over. */
const counts = [
  'ai_agent_calls_active',
  'ai_agent_provider_sessions',
  'ai_agent_audiosocket_connections',
  'ai_agent_vad_sessions',
  'ai_agent_tts_gating_active',
  'ai_agent_provider_queue{provider="local"}',
  'ai_agent_timers',
] as const

const greeting = 'Hello, how can I help?'
const silence = { waitMs: 60_000 }

describe('callers who hang up at any moment', () => {
  let asterisk: Asterisk
  let engine: BedEngine
  let speech = ''
  let number = 5550500
  const seed = Date.now() % 1_000_000
  const random: Random = seededRandom(seed)

  beforeAll(async () => {
    const audioSocketPort = await freeTcpPort()
    asterisk = await startAsterisk({ engine: { audioSocketHost: '127.0.0.1', audioSocketPort } })
    engine = await BedEngine.start({
      asterisk: asterisk.ari,
      audioSocketPort,
      yaml: `vad:\n  end_silence_ms: 500\nllm:\n  initial_greeting: ${greeting}\n`,
    })
    const [utterance] = await digitStrings(1, 3)
    speech = utterance?.path ?? ''
    console.log(`seed ${seed}`)
  }, 300_000)

  afterAll(async () => {
    await engine?.stop()
    await asterisk?.stop()
  })

  /** One call, hung up in this moment; a random part of a second later, so that the moment's edges are met as well. */
  async function callAndHangUp(moment: Moment): Promise<void> {
    number += 1
    const call = await asterisk.call({ extension: '100', callerId: String(number), steps: [silence] })
    const wait = (maxMs: number) => Bun.sleep(random.next() * maxMs)
    if (moment === 'set_up') {
      await wait(60)
    } else {
      const id = await engineCallFrom(engine, String(number))
      const step = (name: string) => engine.until(`${name} of ${number}`, 40_000, () => engine.steps(id).includes(name))
      await step('greeting_started')
      if (moment === 'greeting') {
        await wait(900)
      } else {
        await step('greeting_finished')
        await call.turnTo([{ play: speech }, silence])
        if (moment === 'caller_speech') await wait(1500)
        else {
          const said = (side: string) =>
            engine.until(`${side}'s words of ${number}`, 60_000, () =>
              engine.log.some(
                (line) =>
                  line.call === id && line.message === 'transcript' && line.side === side && line.text !== greeting,
              ),
            )
          await said('caller')
          if (moment === 'reply') await said('agent')
          await wait(moment === 'reply' ? 800 : 150)
        }
      }
    }
    await call.hangup()
    await call.ended
  }

  async function leftovers(): Promise<Record<string, number>> {
    const numbers: Record<string, number> = {}
    for (const name of counts) numbers[name] = await engine.metric(name)
    numbers.threads = readdirSync(`/proc/${engine.pid}/task`).length
    return numbers
  }

  async function expectNothingLeft(before: Record<string, number>): Promise<void> {
    await engine.untilIdle(5000)
    await asterisk.untilQuiet(3000)
    let now = await leftovers()
    // A job that the worker has begun is finished before it is thrown away: some tenths of a second.
    await engine.until(`as before (seed ${seed}): ${JSON.stringify({ before, now })}`, 10_000, async () => {
      now = await leftovers()
      return counts.every((name) => now[name] === before[name]) && (now.threads ?? 0) <= (before.threads ?? 0)
    })
    expect(now).toEqual({ ...before, threads: now.threads ?? 0 })
  }

  test('ten in a row, then five at once: all is as it was before', async () => {
    // The first call opens what stays open for all: connections that are kept alive.
    await Promise.all([1, 2, 3, 4, 5].map(() => callAndHangUp('greeting')))
    await engine.untilIdle(5000)
    await asterisk.untilQuiet(3000)
    // Closing sockets have up to two seconds to say goodbye.
    await Bun.sleep(2500)
    const before = await leftovers()
    const filesBefore = await engine.metric('process_open_fds')
    for (const moment of [...moments, ...moments]) await callAndHangUp(moment)
    await expectNothingLeft(before)
    await Promise.all(moments.map((moment) => callAndHangUp(moment)))
    await expectNothingLeft(before)
    // Connections to Asterisk and to the model that are kept for the next request may be some fewer or more.
    expect(await engine.metric('process_open_fds')).toBeLessThanOrEqual(filesBefore + 8)
    const unended = engine.records().filter((record) => record.cause !== 'caller')
    expect(unended).toEqual([])
  }, 240_000)

  test('SIGTERM while a call is under way: no new call, the running one goes on, then the engine leaves', async () => {
    number += 1
    const call = await asterisk.call({ extension: '100', callerId: String(number), steps: [silence] })
    const id = await engineCallFrom(engine, String(number))
    await engine.until('greeted', 20_000, () => engine.steps(id).includes('greeting_started'))
    engine.signal('SIGTERM')
    await engine.until('draining', 5000, async () => (await engine.health()).status === 'draining')
    const refused = await asterisk.call({ extension: '100', callerId: '5550599', waitAfterMs: 300 })
    await refused.ended
    expect(asterisk.logText().includes('PATCHCORD_RESULT=draining')).toBe(true)
    expect((await engine.health()).active_calls).toBe(1)
    await engine.until('greeted to the end', 20_000, () => engine.steps(id).includes('greeting_finished'))
    await call.hangup()
    await call.ended
    expect(await engine.exited).toBe(0)
    await asterisk.untilQuiet()
  }, 60_000)
})
