import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { SystemClock } from '#base/clock.ts'
import { silentLog } from '#base/log.ts'
import { seededRandom } from '#base/random.ts'
import { callSteps } from '#call/observer.ts'
import { ModelStore, modelsFolder } from '#speech/model-store.ts'
import { Recognition } from '#speech/recognition.ts'
import { type Asterisk, startAsterisk } from '../bed/asterisk.ts'
import { between, type Visit, visit } from '../bed/conversation.ts'
import { BedEngine } from '../bed/engine.ts'
import { freeTcpPort } from '../bed/ports.ts'
import { digitStrings, readSpeech, synthetic, type Utterance } from '../bed/speech.ts'
import { audibleStretches } from '../bed/wav-analysis.ts'
import { totalErrors, wordErrors } from '../bed/word-error-rate.ts'
import { OpenAiCompatibleServer } from '../fakes/openai-compatible-server.ts'

// Callers over SIP and RTP talk with local models. What they hear is judged by their own recording.

const clock = new SystemClock()
const withModel = (baseUrl: string) => `providers:\n  local:\n    llm:\n      base_url: ${baseUrl}\n`

async function recogniser(): Promise<Recognition> {
  const store = new ModelStore({ folder: modelsFolder(process.env), clock, log: silentLog, env: process.env })
  const recognition = new Recognition({ clock, log: silentLog, folder: store.path('moonshine-tiny-en') })
  recognition.start()
  const deadline = performance.now() + 30_000
  while (!recognition.readiness.ready) {
    if (performance.now() > deadline) throw new Error(recognition.readiness.reason)
    await Bun.sleep(50)
  }
  return recognition
}

async function recognised(recognition: Recognition, samples: Int16Array): Promise<string> {
  const result = await recognition.transcribe(samples.slice(), 8000, new AbortController().signal)
  if (!result.ok) throw new Error(result.error.message)
  return result.value.text
}

async function tenUtterances(): Promise<Utterance[]> {
  const sentences = [
    'Where is the nearest railway station?',
    'Please tell me a story about a brown dog.',
    'What should I cook for dinner this evening?',
  ]
  return [
    ...(await readSpeech()).slice(0, 4),
    ...(await digitStrings(3, 42)),
    ...(await Promise.all(sentences.map((text) => synthetic(text)))),
  ]
}

/** The recording after the caller's last word, as far as something sounds in it. */
function reply({ heard, spokeUntilMs }: Visit): Int16Array {
  const after = between(heard, spokeUntilMs + 200, heard.length / 8)
  const stretches = audibleStretches(after, { sampleRateHz: 8000 })
  const [first, last] = [stretches.at(0), stretches.at(-1)]
  return first === undefined || last === undefined
    ? new Int16Array(0)
    : between(after, first.startMs - 100, last.endMs + 100)
}

describe('calls answered by local models through a real Asterisk', () => {
  let asterisk: Asterisk
  let engine: BedEngine
  let recognition: Recognition
  const visits: { readonly utterance: Utterance; readonly visit: Visit }[] = []

  beforeAll(async () => {
    const audioSocketPort = await freeTcpPort()
    asterisk = await startAsterisk({ engine: { audioSocketHost: '127.0.0.1', audioSocketPort } })
    engine = await BedEngine.start({ asterisk: asterisk.ari, audioSocketPort })
    recognition = await recogniser()
  }, 300_000)

  afterAll(async () => {
    await recognition?.close()
    await engine?.stop()
    await asterisk?.stop()
  })

  /** Two at a time; the callers' numbers end in their place. */
  async function visitsOf(
    utterances: readonly Utterance[],
    extension: string,
    numbers: string,
  ): Promise<typeof visits> {
    const all: typeof visits = []
    for (let first = 0; first < utterances.length; first += 2) {
      const pair = utterances.slice(first, first + 2)
      const done = await Promise.all(
        pair.map((utterance, index) =>
          visit(asterisk, engine, { extension, callerNumber: `${numbers}${first + index}0`, utterance }),
        ),
      )
      await engine.untilIdle(5000)
      await asterisk.untilQuiet()
      pair.forEach((utterance, index) => {
        all.push({ utterance, visit: done[index] as Visit })
      })
    }
    return all
  }

  test('ten callers with ten utterances are greeted and answered, and nothing of them is left', async () => {
    visits.push(...(await visitsOf(await tenUtterances(), '100', '55502')))
    expect(visits.length).toBe(10)
  }, 240_000)

  test('the greeting is in each caller’s recording, before the caller speaks', async () => {
    for (const { visit: one } of visits) {
      const words = await recognised(recognition, between(one.heard, 0, one.spokeFromMs))
      const errors = wordErrors('Hello! You are speaking with an automated assistant. How can I help you?', words)
      expect(errors.rate).toBeLessThan(0.4)
    }
  }, 60_000)

  test('the engine understood the callers: word error rate at most 15 %', () => {
    const errors = totalErrors(visits.map(({ utterance, visit: one }) => wordErrors(utterance.words, one.callerWords)))
    console.log(`word error rate of the engine's transcripts over ten calls: ${(errors.rate * 100).toFixed(1)} %`)
    expect(errors.rate).toBeLessThanOrEqual(0.15)
  })

  test('what sounds after the caller’s words is the reply: its words come back with at most 30 % errors', async () => {
    const each = []
    for (const { visit: one } of visits) {
      const audio = reply(one)
      expect(audio.length).toBeGreaterThan(2000)
      each.push(wordErrors(one.agentWords, await recognised(recognition, audio)))
    }
    const errors = totalErrors(each)
    console.log(`word error rate of the replies in the callers' recordings: ${(errors.rate * 100).toFixed(1)} %`)
    expect(errors.rate).toBeLessThanOrEqual(0.3)
  }, 60_000)

  test('different questions get different replies', () => {
    const replies = visits.map(({ visit: one }) => one.agentWords)
    expect(new Set(replies).size).toBeGreaterThanOrEqual(8)
  })

  test('each step of each call was logged, in the order of a call', () => {
    for (const { visit: one } of visits) {
      const steps = engine.steps(one.engineCallId)
      // The caller's first frame may come before or after the greeting's first: its place is not fixed, its presence is.
      const fixed = (list: readonly string[]) => list.filter((step) => step !== 'first_caller_audio')
      expect(fixed(steps)).toEqual(fixed(callSteps))
      expect(steps.indexOf('first_caller_audio')).toBeGreaterThan(steps.indexOf('media_open'))
    }
  })

  test('each call left one record with its turns and stage times', () => {
    const records = engine
      .records()
      .filter((record) => visits.some(({ visit: one }) => one.engineCallId === record.call_id))
    expect(records.length).toBe(10)
    for (const record of records) {
      expect(record.cause).toBe('caller')
      const turns = record.turns as Record<string, number | string | null>[]
      const answered = turns.find((turn) => turn.outcome === 'answered')
      for (const stage of [
        'speech_ms',
        'endpointing_ms',
        'stt_ms',
        'llm_first_token_ms',
        'tts_first_audio_ms',
        'response_ms',
        'heard_ms',
      ]) {
        expect(answered?.[stage]).toBeNumber()
      }
    }
  })

  test('the same through AudioSocket() in the dialplan', async () => {
    // A tiny model's reply of three words says little about how well it was heard: four of them together say more.
    const each = []
    const told: string[] = []
    for (const { utterance, visit: one } of await visitsOf(await digitStrings(4, 77), '200', '55503')) {
      expect(wordErrors(utterance.words, one.callerWords).rate).toBeLessThanOrEqual(0.3)
      expect(reply(one).length).toBeGreaterThan(2000)
      const heard = await recognised(recognition, reply(one))
      each.push(wordErrors(one.agentWords, heard))
      told.push(`said: ${one.agentWords}\nheard: ${heard}`)
    }
    const { rate } = totalErrors(each)
    if (rate > 0.3) console.log(told.join('\n'))
    expect(rate).toBeLessThanOrEqual(0.3)
  }, 120_000)
})

describe('a caller who does not wait', () => {
  test('interrupts the greeting: the agent stops, hears the whole utterance, and answers it', async () => {
    const text = 'Thank you. I have written down the number and somebody will call you back tomorrow morning.'
    const server = new OpenAiCompatibleServer({ pieces: [text] })
    const asterisk = await startAsterisk()
    const engine = await BedEngine.start({ asterisk: asterisk.ari, yaml: withModel(server.baseUrl) })
    const recognition = await recogniser()
    try {
      const [utterance] = await digitStrings(1, 21)
      if (utterance === undefined) throw new Error('no utterance')
      const one = await visit(asterisk, engine, {
        extension: '100',
        callerNumber: '5550450',
        utterance,
        speakOn: 'greeting_started',
      })
      await engine.untilIdle()
      expect(await engine.metric('ai_agent_barge_in_events_total{verdict="interruption"}')).toBe(1)
      const greeting = audibleStretches(between(one.heard, 0, one.spokeFromMs + 2000), { sampleRateHz: 8000 })
      // Uninterrupted it sounds for more than three seconds. How soon it stops is for `just bench turns` to say.
      expect((greeting.at(-1)?.endMs ?? 0) - one.spokeFromMs).toBeLessThan(1500)
      expect(wordErrors(utterance.words, one.callerWords).rate).toBeLessThanOrEqual(0.2)
      expect(wordErrors(text, await recognised(recognition, reply(one))).rate).toBeLessThanOrEqual(0.3)
    } finally {
      await recognition.close()
      await engine.stop()
      await asterisk.stop()
      await server.close()
    }
  }, 90_000)
})

describe('calls answered by another language model', () => {
  test('random words of a server at base_url are heard by the caller', async () => {
    const random = seededRandom(Date.now())
    const stock = [
      'yellow',
      'mountain',
      'seven',
      'kitchen',
      'river',
      'window',
      'doctor',
      'morning',
      'paper',
      'garden',
      'winter',
      'silver',
      'bottle',
      'music',
      'teacher',
      'island',
    ]
    const words = stock.sort(() => random.next() - 0.5).slice(0, 8)
    const text = `${words.slice(0, 4).join(', ')}. ${words.slice(4).join(', ')}.`
    const server = new OpenAiCompatibleServer({ pieces: text.split(/(?<= )/) })
    const asterisk = await startAsterisk()
    const engine = await BedEngine.start({
      asterisk: asterisk.ari,
      yaml: withModel(server.baseUrl),
    })
    const recognition = await recogniser()
    try {
      const [utterance] = await digitStrings(1, 5)
      if (utterance === undefined) throw new Error('no utterance')
      const one = await visit(asterisk, engine, { extension: '100', callerNumber: '5550400', utterance })
      const heard = await recognised(recognition, reply(one))
      expect(one.agentWords).toBe(text)
      expect(wordErrors(words.join(' '), heard).rate).toBeLessThanOrEqual(0.3)
      await engine.untilIdle()
      await asterisk.untilQuiet()
    } finally {
      await recognition.close()
      await engine.stop()
      await asterisk.stop()
      await server.close()
    }
  }, 120_000)
})
