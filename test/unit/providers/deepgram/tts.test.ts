import { describe, expect, test } from 'bun:test'
import type { TtsEvent } from '#agent/provider.ts'
import { SystemClock } from '#base/clock.ts'
import { silentLog } from '#base/log.ts'
import { seededRandom } from '#base/random.ts'
import { createDeepgramTts } from '#providers/deepgram/tts.ts'
import { callContext } from '../../../fakes/context.ts'
import { PartBench, type PartBenchOptions } from '../../../fakes/deepgram-parts.ts'
import { deepgramOptionsOf } from '../../../fakes/deepgram-standin.ts'
import { ManualClock, settle } from '../../../fakes/manual-clock.ts'
import { soundOf } from '../../../standin/deepgram/reply-audio.ts'
import { startStandin } from '../../../standin/deepgram/server.ts'

async function opened(options: PartBenchOptions = {}) {
  const bench = await new PartBench('tts', options).open()
  const say = (...texts: string[]) => texts.map((text) => bench.session?.send({ type: 'speak', text }))
  const cancel = () => bench.session?.send({ type: 'cancel' })
  return Object.assign(bench, { say, cancel, socket: () => bench.server.last('speak') })
}

/** `~` for a run of audio, else the text that has been spoken, or the fault's code. */
function story(events: readonly TtsEvent[]): string[] {
  const told = events.map((event) =>
    event.type === 'audio'
      ? '~'
      : event.type === 'spoken'
        ? event.text
        : event.type === 'fault'
          ? event.code
          : 'closed',
  )
  return told.filter((each, index) => each !== '~' || told[index - 1] !== '~')
}

function samplesOf(events: readonly TtsEvent[]): Int16Array {
  const all = events.flatMap((event) => (event.type === 'audio' ? [...event.frame.samples] : []))
  return Int16Array.from(all)
}

describe('the voice over a socket', () => {
  test('speaks sentences in order, each with its end', async () => {
    const bench = await opened()
    bench.say('Hello there.', 'How are you?')
    expect(bench.events).toEqual([])
    await bench.pass(40)
    expect(story(bench.events)).toEqual(['~', 'Hello there.', '~', 'How are you?'])
    expect(samplesOf(bench.events).subarray(0, 12 * 480)).toEqual(soundOf({}, 0, 8000, 'Hello there.'))
    expect(bench.server.urls).toEqual([
      'wss://api.deepgram.com/v1/speak?model=aura-2-thalia-en&encoding=linear16&sample_rate=8000',
    ])
    await bench.close()
    expect(story(bench.events).at(-1)).toBe('closed')
    expect(bench.server.errors).toEqual([])
  })

  test('has the voice of its call', async () => {
    const bench = await opened({ context: { voice: 'aura-2-viktoria-de' } })
    expect(bench.server.urls[0]).toContain('model=aura-2-viktoria-de&')
    await bench.close()
  })

  test('is told what the wire has', async () => {
    const bench = await opened({ context: { wire: 'ulaw' }, options: { speak: { speed: 1.2 } } })
    expect(bench.server.urls[0]).toContain('encoding=mulaw&sample_rate=8000&speed=1.2')
    bench.say('Hello.')
    await bench.pass(40)
    expect(samplesOf(bench.events)).toHaveLength(6 * 480)
    await bench.close()
  })

  test('an interruption clears: nothing of before is heard, and what comes after is', async () => {
    const bench = await opened({ standin: { pace: 1, lateChunks: 3 } })
    bench.say('A long sentence that goes on.', 'Another one.')
    await bench.pass(400)
    bench.taken()
    bench.cancel()
    bench.say('Now this.')
    await bench.pass(2000)
    expect(story(bench.taken())).toEqual(['~', 'Now this.'])
    expect(bench.socket().record.counts).toMatchObject({ Clear: 1, Flush: 3 })
    expect(bench.provider.events?.().late_audio).toBeGreaterThanOrEqual(3)
    await bench.close()
  })

  test('a clear that is never answered costs a connection, and no sentence', async () => {
    const bench = await opened({ standin: { pace: 1 } })
    bench.say('A long sentence that goes on.')
    await bench.pass(300)
    bench.server.loses = (data) => typeof data === 'string' && data.includes('Clear')
    bench.cancel()
    await bench.pass(2100)
    expect(bench.server.sessions).toHaveLength(2)
    bench.taken()
    bench.say('Now this.')
    await bench.pass(2000)
    expect(story(bench.taken())).toEqual(['~', 'Now this.'])
    await bench.close()
  })

  test('nor the one that was sent behind such a clear', async () => {
    const bench = await opened({ standin: { pace: 1 } })
    bench.say('A long sentence that goes on.')
    await bench.pass(300)
    bench.server.loses = () => true
    bench.cancel()
    await bench.pass(1000)
    bench.taken()
    bench.say('Now this.')
    await bench.pass(900)
    bench.server.loses = () => false
    await bench.pass(2500)
    expect([story(bench.taken()), bench.server.sessions.length]).toEqual([['~', 'Now this.'], 2])
    await bench.close()
  })

  test('what comes between the answers to two clears was cancelled, too', async () => {
    const bench = await opened({ standin: { pace: 1 } })
    const { wire } = bench.socket()
    bench.server.loses = () => true
    for (const text of ['One.', 'Two.', 'Three.']) {
      bench.say(text)
      await settle(20)
      if (text !== 'Three.') bench.cancel()
    }
    const sound = (value: number) => wire.send(new Uint8Array(new Int16Array(800).fill(value).buffer))
    wire.send(JSON.stringify({ type: 'Cleared', sequence_id: 1 }))
    sound(222)
    wire.send(JSON.stringify({ type: 'Flushed', sequence_id: 2 }))
    wire.send(JSON.stringify({ type: 'Cleared', sequence_id: 3 }))
    await settle(40)
    expect(bench.taken()).toEqual([])
    sound(333)
    wire.send(JSON.stringify({ type: 'Flushed', sequence_id: 4 }))
    await settle(40)
    const told = bench.taken()
    expect([story(told), samplesOf(told)[0]]).toEqual([['~', 'Three.'], 333])
    await bench.close()
  })

  test('cancelling silence sends nothing', async () => {
    const bench = await opened()
    bench.cancel()
    bench.say('Hello.')
    bench.cancel()
    await bench.pass(100)
    expect([bench.events, bench.socket().record.counts]).toEqual([[], {}])
    await bench.close()
  })

  test('sentences share flushes where the limit comes near, and none is refused', async () => {
    const bench = await opened({ standin: { pace: 20 } })
    const texts = Array.from({ length: 50 }, (_, index) => `Sentence number ${index}.`)
    for (const text of texts) {
      bench.say(text)
      await bench.pass(100)
    }
    await bench.pass(60_000)
    expect(story(bench.events).filter((each) => each !== '~')).toEqual(texts)
    expect(bench.server.errors).toEqual([])
    expect(bench.provider.events?.().sentences_joined).toBeGreaterThan(20)
    expect(bench.socket().texts.join(' ')).toBe(texts.join(' '))
    await bench.pass(60_000)
    bench.taken()
    bench.say('Alone again.')
    await bench.pass(200)
    expect(story(bench.events)).toEqual(['~', 'Alone again.'])
    await bench.close()
  })

  test('of sentences that share a flush, each is told about when it has been spoken', async () => {
    const bench = await opened({ standin: { pace: 1 } })
    for (let index = 0; index < 14; index += 1) {
      bench.say('Hm.')
      await bench.pass(300)
    }
    bench.taken()
    bench.say('First of three.', 'Second of three.', 'Third of three.')
    await bench.pass(4000)
    const told = bench.taken()
    expect(story(told)).toEqual(['~', 'First of three.', '~', 'Second of three.', '~', 'Third of three.'])
    const firstMs =
      samplesOf(
        told.slice(
          0,
          told.findIndex(({ type }) => type === 'spoken'),
        ),
      ).length / 8
    expect(firstMs).toBeWithin(700, 1200)
    await bench.close()
  })

  test('a voice that hangs is a fault, and another connection is made', async () => {
    const bench = await opened({ standin: { replies: [{ fault: { kind: 'stall', afterMs: 700 } }] } })
    bench.say('A long sentence.', 'Another one.')
    await bench.pass(4200)
    // The rest of it is asked for, and hangs as well.
    expect([story(bench.taken()), bench.socket().texts]).toEqual([['~'], ['sentence.']])
    bench.taken()
    await bench.pass(4200)
    expect(story(bench.taken())).toEqual(['timeout'])
    await bench.pass(500)
    bench.say('I am sorry.')
    await bench.pass(200)
    expect(bench.server.sessions).toHaveLength(3)
    await bench.close()
  })

  test('a connection that breaks: what nobody has heard is said again, and the rest of what was begun', async () => {
    const bench = await opened({ standin: { pace: 1, firstChunkAfterMs: 200 } })
    bench.say('Hello there.')
    await bench.pass(100)
    bench.socket().cut()
    await bench.pass(1500)
    expect(story(bench.taken())).toEqual(['~', 'Hello there.'])
    bench.say('A long sentence that goes on.')
    await bench.pass(1000)
    bench.socket().cut()
    await bench.pass(3000)
    expect(story(bench.taken())).toEqual(['~', 'A long sentence that goes on.'])
    const [rest = ''] = bench.socket().texts
    expect('A long sentence that goes on.').toEndWith(rest)
    expect(rest.length).toBeWithin(5, 28)
    await bench.close()
  })

  test('no connection is one fault, not one for each sentence, and no throw', async () => {
    const bench = await opened({ secrets: {} })
    expect(bench.provider.readiness()).toMatchObject({ ready: false })
    bench.say('Hello.', 'How are you?')
    await bench.pass(100)
    expect(story(bench.events)).toEqual(['no_key'])
    await bench.close()
    const mute = await opened({ standin: { silentFromStart: true } })
    mute.say('Hello.')
    await mute.pass(4100)
    expect(story(mute.events)).toEqual(['timeout'])
    await mute.close()
  })

  test('a runaway model finds the queue full', async () => {
    const bench = await opened({ standin: { silentFromStart: true } })
    const answers = Array.from({ length: 70 }, () => bench.say('Again.')[0])
    expect(answers.filter((answer) => answer === 'full').length).toBe(6)
    await bench.close()
    expect(bench.clock.pending).toBe(0)
  })

  test('closing ends everything', async () => {
    const bench = await opened({ standin: { pace: 1 } })
    bench.say('Hello.')
    await bench.pass(200)
    await bench.session?.close()
    const { length } = bench.events
    expect(bench.say('More.')).toEqual(['closed'])
    await bench.pass(3000)
    expect([bench.events.length, bench.clock.pending]).toEqual([length, 0])
  })
})

describe('the voice over HTTP', () => {
  async function overHttp(standin: object = {}, options: object = {}) {
    const clock = new SystemClock()
    const server = startStandin({ clock, random: seededRandom(1), pace: 0, key: 'dg-test', ...standin })
    const provider = createDeepgramTts(
      'deepgram',
      deepgramOptionsOf({ base_url: server.baseUrl, ...options, speak: { transport: 'rest' } }),
      { clock, random: seededRandom(2), log: silentLog, secrets: { DEEPGRAM_API_KEY: 'dg-test' } },
    )
    const session = await provider.open(callContext(clock))
    const events: TtsEvent[] = []
    session.onEvent((event) => events.push(event))
    const until = async (count: number) => {
      for (let tries = 0; tries < 200 && story(events).length < count; tries += 1) await Bun.sleep(10)
      return story(events)
    }
    return {
      server,
      session,
      events,
      until,
      async [Symbol.asyncDispose]() {
        await session.close()
        await provider.close()
        await server.close()
      },
    }
  }

  test('speaks sentences in order, without a click', async () => {
    await using world = await overHttp()
    world.session.send({ type: 'speak', text: 'Hello there.' })
    world.session.send({ type: 'speak', text: 'How are you?' })
    expect(await world.until(4)).toEqual(['~', 'Hello there.', '~', 'How are you?'])
    const first = soundOf({}, 0, 8000, 'Hello there.')
    expect(samplesOf(world.events).subarray(0, first.length)).toEqual(first)
    expect(world.server.spokenTexts).toEqual(['Hello there.', 'How are you?'])
  })

  test('cancelling ends a request, and what comes after is spoken', async () => {
    await using world = await overHttp({ pace: 1 })
    world.session.send({ type: 'speak', text: 'A long sentence that goes on and on.' })
    world.session.send({ type: 'speak', text: 'Another.' })
    await world.until(1)
    world.session.send({ type: 'cancel' })
    const { length } = world.events
    await Bun.sleep(150)
    expect(world.events.length).toBe(length)
    world.session.send({ type: 'speak', text: 'Now.' })
    for (let tries = 0; tries < 100 && story(world.events).at(-1) !== 'Now.'; tries += 1) await Bun.sleep(10)
    expect(story(world.events)).toEqual(['~', 'Now.'])
  })

  test('a refusal is a fault, and tells why', async () => {
    await using world = await overHttp({ key: 'another' })
    world.session.send({ type: 'speak', text: 'Hello.' })
    world.session.send({ type: 'speak', text: 'Again.' })
    expect(await world.until(1)).toEqual(['bad_key'])
    expect(world.events[0]).toMatchObject({ type: 'fault', retryable: false })
  })

  test('a refusal that no later sentence can do without is told to whoever asks for calls; one that passes is waited for', async () => {
    const clock = new ManualClock()
    const answers = [429, 200, 402]
    const provider = createDeepgramTts('deepgram', deepgramOptionsOf({ speak: { transport: 'rest' } }), {
      clock,
      random: seededRandom(2),
      log: silentLog,
      secrets: { DEEPGRAM_API_KEY: 'dg-test' },
      fetch: (url) => {
        const status = url.includes('/auth/') ? 200 : (answers.shift() ?? 500)
        return Promise.resolve(new Response(new Uint8Array(320), { status, headers: { 'retry-after': '1' } }))
      },
    })
    provider.start()
    await settle(20)
    const session = await provider.open(callContext(clock))
    const events: TtsEvent[] = []
    session.onEvent((event) => events.push(event))
    session.send({ type: 'speak', text: 'Hello.' })
    await settle(20)
    expect(events).toEqual([])
    clock.advance(1000)
    await settle(20)
    expect(story(events)).toEqual(['~', 'Hello.'])
    session.send({ type: 'speak', text: 'Again.' })
    await settle(20)
    expect(events.at(-1)).toMatchObject({ type: 'fault', code: 'no_quota', retryable: false })
    expect(provider.readiness().ready).toBeFalse()
    await session.close()
    await provider.close()
  })

  test('a server that says nothing is a fault', async () => {
    await using world = await overHttp({ firstChunkAfterMs: 5000 }, { reply_timeout_ms: 500 })
    world.session.send({ type: 'speak', text: 'Hello.' })
    expect(await world.until(1)).toEqual(['timeout'])
  })
})

test('a voice and an ear say whether they can be had', async () => {
  const bench = new PartBench('tts')
  expect(bench.provider.readiness()).toMatchObject({ ready: false })
  bench.provider.start()
  bench.provider.start()
  await settle(20)
  expect(bench.provider.readiness()).toEqual({ ready: true })
  bench.token.status = 401
  bench.token.body = '{"err_code":"INVALID_AUTH","err_msg":"Invalid credentials."}'
  bench.clock.advance(61_000)
  await settle(20)
  expect(bench.provider.readiness()).toEqual({
    ready: false,
    reason: 'Deepgram answered 401 (INVALID_AUTH): is the API key right?',
  })
  await bench.close()
  await expect(bench.provider.open(callContext(bench.clock))).rejects.toThrow('closed')
})
