import { beforeAll, describe, expect, setDefaultTimeout, test } from 'bun:test'
import type { CallContext, TtsEvent } from '#agent/provider.ts'
import { levelDbfs } from '#audio/level.ts'
import { SystemClock } from '#base/clock.ts'
import { silentLog } from '#base/log.ts'
import { createLocalTts } from '#providers/local/tts.ts'
import { ModelStore, modelsFolder } from '#speech/model-store.ts'
import { digitStrings, prompts, readSpeech, type Utterance } from '../bed/speech.ts'
import { readWav } from '../bed/wav-file.ts'
import type { EchoScene } from '../fakes/echo-call.ts'
import type { EchoPath } from '../fakes/echo-path.ts'
import { type EchoVerdicts, judgeCaller, judgeDoubleTalk, judgeEcho } from '../fakes/echo-scenes.ts'

setDefaultTimeout(60_000)

/**
 * The echo of real voices: the agent speaks with the local voice and with a human's prompts; callers are humans who read
 * a novel, and the prompts' own speaker who says digits. Every rate is printed. None of it is material held back: the
 * filter was tuned on the prompts, the readings and the digits, and the guesses by likeness were last set with the rates
 * of both agents in view, so these are rates on known material.
 */
const clock = new SystemClock()
const log = silentLog
const rateHz = 8000
const voice = 'piper-en-us-joe-medium'
const sentences = [
  'Hello, this is the front desk of the Harbour Hotel. How can I help you today?',
  'We have a double room with breakfast for ninety five euros a night. Shall I book it for you?',
  'Your appointment is on Thursday, the fourteenth, at a quarter past nine in the morning.',
  'I am sorry, I did not quite catch that. Could you please tell me your customer number again?',
  'The train to Salzburg leaves from platform seven, and it is running about ten minutes late.',
  'Thank you very much for calling. Is there anything else that I can do for you?',
]
const delaysMs = [20, 120, 240, 380, 600]
const calls = 10
const callSamples = 12 * rateHz

/** One after the other with half a second between, for a call each. */
let agents: { readonly synthetic: readonly Int16Array[]; readonly human: readonly Int16Array[] }
let readers: readonly Int16Array[]
let digits: readonly Int16Array[]

beforeAll(async () => {
  const store = new ModelStore({ folder: modelsFolder(process.env), clock, log, env: process.env })
  const fetched = await store.ensure([voice, 'phonemizer'], () => {})
  if (!fetched.ok) throw new Error(fetched.error.map((failure) => failure.message).join('\n'))
  const said = await spoken(store)
  const prompted = await Promise.all((await prompts(60)).map(soundOf))
  agents = {
    synthetic: Array.from({ length: calls }, (_, call) => inTurn(said, call)),
    human: Array.from({ length: calls }, (_, call) => inTurn(prompted, 5 * call)),
  }
  readers = await Promise.all((await readSpeech()).map(soundOf))
  digits = await Promise.all((await digitStrings(8, 5)).map(soundOf))
}, 300_000)

describe.each(['synthetic', 'human'] as const)('the echo of a %s agent', (kind) => {
  const agentOf = (call: number) => agents[kind][call] as Int16Array

  test.each([
    { gainDb: -15, spreadMs: 0, firstMin: 0.95, toldMin: 0.97 },
    { gainDb: -30, spreadMs: 0, firstMin: 0.9, toldMin: 0.95 },
    { gainDb: -15, spreadMs: 30, firstMin: 0.6, toldMin: 0.95 },
    { gainDb: -20, spreadMs: 64, firstMin: 0.3, toldMin: 0.93 },
  ])('at $gainDb dB, spread over $spreadMs ms, is told', ({ gainDb, spreadMs, firstMin, toldMin }) => {
    const verdicts = agents[kind].map((_, call) =>
      judgeEcho(sceneOf(agentOf(call), pathOf(call, gainDb, spreadMs), call)),
    )
    const { first, told, known } = ratesOf(verdicts)
    print(`${kind} agent, echo of ${gainDb} dB over ${spreadMs} ms`, {
      'first 120 ms told': first,
      'later windows told': told,
      'ways known after ms of echo': known.join(' '),
    })
    expect(first).toBeGreaterThanOrEqual(firstMin)
    expect(told).toBeGreaterThanOrEqual(toldMin)
    expect(known).not.toContain(null)
  })

  test.each([
    { overDb: 0, inTimeMin: 0.85 },
    { overDb: 5, inTimeMin: 0.95 },
    { overDb: 10, inTimeMin: 0.97 },
    { overDb: 20, inTimeMin: 0.97 },
  ])('leaves a caller who is $overDb dB louder to be heard', ({ overDb, inTimeMin }) => {
    for (const [name, voices] of [
      ['a reader', readers],
      ['a speaker of digits', digits],
    ] as const) {
      const toldMs = agents[kind].flatMap((_, call) =>
        judgeDoubleTalk(
          sceneOf(agentOf(call), pathOf(call, -15, call % 2 === 0 ? 0 : 30), call),
          [200, 280, 360, 440].map((frame, index) => ({ frame, samples: wordOf(voices, 4 * call + index) })),
          overDb,
        ),
      )
      const inTime = toldMs.filter((ms) => ms <= 150).length / toldMs.length
      print(`${name} ${overDb} dB over the echo of a ${kind} agent`, {
        onsets: toldMs.length,
        'told within 150 ms': inTime,
      })
      expect(toldMs.length).toBeGreaterThan(20)
      expect(inTime).toBeGreaterThanOrEqual(inTimeMin)
    }
  })

  test('is not heard where there is none: callers speak over a clean line', () => {
    for (const [name, voices] of [
      ['readers', readers],
      ['digits', digits],
    ] as const) {
      const verdicts = agents[kind].map((_, call) =>
        judgeCaller({ ...sceneOf(agentOf(call), null, call), caller: inTurn(voices, call) }),
      )
      const windows = verdicts.reduce((sum, each) => sum + each.windows, 0)
      const told = verdicts.reduce((sum, each) => sum + each.told, 0) / windows
      print(`${name} on a clean line, over a ${kind} agent`, { windows, 'told to be an echo': told })
      expect(windows).toBeGreaterThan(300)
      expect(told).toBeLessThanOrEqual(0.01)
      expect(verdicts.map(({ known }) => known)).not.toContain(true)
    }
  })
})

function sceneOf(agent: Int16Array, path: EchoPath | null, call: number): EchoScene {
  return {
    sampleRateHz: rateHz,
    agent,
    path,
    law: call % 2 === 0 ? 'mu' : 'a',
    noise: { dbfs: -65, seed: call },
  }
}

function pathOf(call: number, gainDb: number, spreadMs: number): EchoPath {
  return { delayMs: delaysMs[call % delaysMs.length] as number, gainDb, spreadMs, seed: call }
}

function ratesOf(verdicts: readonly EchoVerdicts[]) {
  const windows = verdicts.reduce((sum, each) => sum + each.windows, 0)
  expect(windows).toBeGreaterThan(300)
  return {
    first: verdicts.filter(({ first }) => first).length / verdicts.length,
    told: verdicts.reduce((sum, each) => sum + each.told, 0) / windows,
    known: verdicts.map(({ knownMs }) => knownMs),
  }
}

/** Sounds from the `first` on, each cut to where it sounds, for as long as a call lasts. */
function inTurn(sounds: readonly Int16Array[], first: number): Int16Array {
  const call = new Int16Array(callSamples)
  for (let at = rateHz / 2, next = first; at < call.length; next += 1) {
    const sound = sounds[next % sounds.length] as Int16Array
    call.set(sound.subarray(0, call.length - at), at)
    at += sound.length + rateHz / 2
  }
  return call
}

const wordOf = (sounds: readonly Int16Array[], index: number) =>
  (sounds[index % sounds.length] as Int16Array).subarray(0, 0.7 * rateHz)

async function soundOf(utterance: Utterance): Promise<Int16Array> {
  return levelled((await readWav(utterance.path)).samples)
}

/** At −20 dBFS where it sounds, from its first sound on: the first frame within 15 dB of that. */
function levelled(samples: Int16Array): Int16Array {
  const frame = rateHz / 50
  const levels = Array.from({ length: Math.floor(samples.length / frame) }, (_, index) =>
    levelDbfs(samples.subarray(index * frame, (index + 1) * frame)),
  )
  const loud = levels.filter((level) => level > -42)
  const gainDb = -20 - 10 * Math.log10(loud.reduce((sum, level) => sum + 10 ** (level / 10), 0) / loud.length)
  const sounds = (level: number) => level + gainDb > -35
  return samples
    .subarray(levels.findIndex(sounds) * frame, (levels.findLastIndex(sounds) + 5) * frame)
    .map((sample) => Math.max(-32_768, Math.min(32_767, Math.round(sample * 10 ** (gainDb / 20)))))
}

async function spoken(store: ModelStore): Promise<Int16Array[]> {
  const tts = createLocalTts({ store, voice, phrases: [], clock, log })
  tts.start()
  while (!tts.readiness().ready) await Bun.sleep(20)
  const sounds: Int16Array[] = []
  for (const text of sentences) {
    const signal = new AbortController().signal
    const context: CallContext = {
      callId: 'c',
      sampleRateHz: rateHz,
      language: 'en',
      prompt: '',
      greeting: '',
      signal,
      clock,
    }
    const session = await tts.open(context)
    const parts: Int16Array[] = []
    await new Promise<void>((resolve, reject) => {
      session.onEvent((event: TtsEvent) => {
        if (event.type === 'audio') parts.push(event.frame.samples.slice())
        if (event.type === 'spoken') resolve()
        if (event.type === 'fault') reject(new Error(event.message))
      })
      session.send({ type: 'speak', text })
    })
    await session.close()
    sounds.push(levelled(Int16Array.from(parts.flatMap((part) => [...part]))))
  }
  await tts.close()
  return sounds
}

function print(what: string, rates: Readonly<Record<string, number | string>>): void {
  const shown = Object.entries(rates).map(([name, rate]) => {
    if (typeof rate === 'string' || Number.isInteger(rate)) return `${name} ${rate}`
    return `${name} ${(100 * rate).toFixed(1)} %`
  })
  console.log(`echo: ${what}: ${shown.join(', ')}`)
}
