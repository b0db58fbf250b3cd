import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { type Asterisk, startAsterisk } from '../bed/asterisk.ts'
import { engineCallFrom } from '../bed/conversation.ts'
import { DeepgramBed } from '../bed/deepgram.ts'
import { type ReactiveCall, Telephones } from '../bed/reactive-caller.ts'
import { readSpeech, type Utterance } from '../bed/speech.ts'
import { toneShare } from '../bed/wav-analysis.ts'
import { readWav } from '../bed/wav-file.ts'
import type { Reply, StandinOptions } from '../standin/deepgram/options.ts'

// What a caller hears of Deepgram's agent in trouble, over SIP and the real Asterisk, and what the call's record says.

/** The tone of the place in the dialplan to which failed calls go. */
const elsewhereHz = 620
const quick = '    reply_timeout_ms: 1500\n    connect_timeout_ms: 1000\n'
const answer: Reply = { text: 'Here it is.', ms: 1200 }

let asterisk: Asterisk
let telephones: Telephones
let sentence: Int16Array
let worlds = 0

beforeAll(async () => {
  sentence = (await readWav(((await readSpeech())[0] as Utterance).path)).samples
  asterisk = await startAsterisk({
    configuration: {
      'extensions.conf': [
        '[agent]',
        'exten => _15X,1,Stasis(dgfaults${EXTEN:2})',
        ' same => n,Hangup()',
        '[elsewhere]',
        'exten => s,1,Playtones(620)',
        ' same => n,Wait(2)',
        ' same => n,Hangup()',
        '',
      ].join('\n'),
    },
  })
  telephones = new Telephones()
}, 300_000)

afterAll(async () => {
  telephones?.close()
  await asterisk?.stop()
})

interface World extends AsyncDisposable {
  readonly bed: DeepgramBed
  call(): Promise<{ readonly line: ReactiveCall; readonly id: string }>
}

async function world(standin: Partial<StandinOptions>, provider = quick): Promise<World> {
  const place = worlds
  worlds += 1
  const application = `dgfaults${place}`
  const bed = await DeepgramBed.start(asterisk.ari, application, { greeting: { ms: 900 }, ...standin }, provider)
  let calls = 0
  return {
    bed,
    async call() {
      calls += 1
      const number = `5550${place}0${calls}`
      const line = await telephones.call(asterisk, { extension: `15${place}`, callerId: number })
      return { line, id: await engineCallFrom(bed.engine, number) }
    },
    [Symbol.asyncDispose]: () => bed.stop(),
  }
}

/** Greeted; then a question. */
async function ask({ caller }: ReactiveCall): Promise<void> {
  await caller.waitForSpeech(5000)
  await caller.waitForQuiet(900)
  await caller.say(sentence)
}

const incidentsOf = (record: Record<string, unknown>) =>
  (record.incidents as readonly { readonly code: string }[]).map(({ code }) => code)

/** The last second that was heard is the tone of that place. */
function endedElsewhere({ caller }: ReactiveCall): boolean {
  const samples = Int16Array.from(caller.frames.slice(-60, -10).flatMap((frame) => [...frame]))
  return toneShare(samples, 8000, elsewhereHz) > 0.8
}

/** The longest silence between two sounds, in milliseconds. */
function longestGap(frames: readonly Int16Array[], from: number): number {
  let [longest, quiet, sounded] = [0, 0, false]
  for (const frame of frames.slice(from)) {
    if (frame.some((sample) => Math.abs(sample) > 300)) {
      if (sounded) longest = Math.max(longest, quiet * 20)
      quiet = 0
      sounded = true
    } else quiet += 1
  }
  return longest
}

describe('trouble', () => {
  test.concurrent('a key that is refused: something is heard, and the caller goes on in the dialplan', async () => {
    await using it = await world({})
    it.bed.standin.refusal = { kind: 'bad_key' }
    const { line, id } = await it.call()
    const record = await it.bed.record(id)
    expect([record.cause, incidentsOf(record)]).toEqual(['provider_failed', ['bad_key']])
    await line.call.ended
    expect(endedElsewhere(line)).toBeTrue()
    await it.bed.engine.until('not ready', 10_000, async () => {
      return (await it.bed.engine.health()).providers?.deepgram?.ready === false
    })
  }, 60_000)

  test.concurrent('an error in place of the settings: no hope, and no waiting', async () => {
    await using it = await world({ settingsError: { code: 'INVALID_SETTINGS' } })
    const askedMs = performance.now()
    const { line, id } = await it.call()
    const record = await it.bed.record(id)
    expect(performance.now() - askedMs).toBeLessThan(8000)
    expect([record.cause, incidentsOf(record)]).toEqual(['provider_failed', ['session_refused']])
    await line.call.ended
    expect(endedElsewhere(line)).toBeTrue()
  }, 60_000)

  test.concurrent('mute after the settings were applied: fillers, another session, the notice, and the dialplan', async () => {
    await using it = await world({ muteAfterSettings: true })
    const { line, id } = await it.call()
    await line.caller.waitForSpeech(5000)
    const record = await it.bed.record(id)
    expect([record.cause, incidentsOf(record)]).toEqual(['provider_failed', ['reply_timeout', 'timeout']])
    await line.call.ended
    expect(endedElsewhere(line)).toBeTrue()
    expect(it.bed.standin.agents).toHaveLength(2)
    expect(longestGap(line.caller.frames, 0)).toBeLessThan(2000)
  }, 60_000)

  test.concurrent('a connection that breaks in mid-reply: the rest of the words comes over another one', async () => {
    let broken = 0
    const cut = (): Reply => {
      broken += 1
      return broken > 1
        ? answer
        : {
            text: 'A long answer that is cut in the middle of its words.',
            ms: 4000,
            fault: { kind: 'cut', afterMs: 1500 },
          }
    }
    await using it = await world({ replies: cut, injected: { ms: 1200 } })
    const { line, id } = await it.call()
    await ask(line)
    await line.caller.waitForSpeech(5000)
    await line.caller.waitForQuiet(1500)
    await line.caller.hangUp(100)
    const record = await it.bed.record(id)
    expect([record.cause, incidentsOf(record)]).toEqual(['caller', ['connection_lost']])
    const [, second] = it.bed.standin.agents
    expect(second?.record.received.map(({ message }) => message.type)).toEqual(['Settings', 'InjectAgentMessage'])
    expect(second?.settings?.context.map(({ role, content }) => [role, content])).toEqual([
      ['assistant', 'Hello.'],
      ['user', 'caller turn 1'],
      ['assistant', expect.stringMatching(/^A long answer/)],
    ])
  }, 60_000)

  test.concurrent('a model that is slow, and says so: fillers, and in the end its answer', async () => {
    // The server says so after five seconds, whatever our deadlines are.
    await using it = await world(
      { replies: [{ ...answer, fault: { kind: 'slow_think', ms: 9000 } }] },
      '    reply_timeout_ms: 4000\n',
    )
    const { line, id } = await it.call()
    await ask(line)
    const from = line.caller.frames.length
    await line.caller.waitForSpeech(6000)
    await line.caller.waitForQuiet(1000)
    await line.caller.waitForSpeech(6000)
    await line.caller.waitForQuiet(4500)
    await line.caller.hangUp(100)
    const record = await it.bed.record(id)
    expect([record.cause, incidentsOf(record)]).toEqual(['caller', ['reply_timeout']])
    expect((record.turns as readonly { agent_text: string }[]).map(({ agent_text: text }) => text)).toEqual([
      'Here it is.',
    ])
    expect(it.bed.standin.agents).toHaveLength(1)
    expect(longestGap(line.caller.frames, from)).toBeLessThan(4600)
  }, 60_000)
})
