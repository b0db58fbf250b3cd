import { afterEach, describe, expect, test } from 'bun:test'
import { seededRandom } from '#base/random.ts'
import { ManualClock } from '../../../fakes/manual-clock.ts'
import { soundOf } from '../../../standin/deepgram/reply-audio.ts'
import { type StandinServer, startStandin } from '../../../standin/deepgram/server.ts'
import { encodeAudio } from '../../../standin/deepgram/wire-audio.ts'
import { linear8, open } from './deepgram-client.ts'

describe('/v1/speak over a socket', () => {
  test('speaks what was sent when it is flushed, and says so', async () => {
    await using world = await open('speak')
    const { client, session } = world
    expect((await client.next('Metadata')).model_name).toBe('aura-2-thalia-en')
    client.send({ type: 'Speak', text: 'Good ' })
    client.send({ type: 'Speak', text: 'morning.' })
    await world.settled()
    expect(client.audio).toEqual([])
    client.send({ type: 'Flush' })
    expect((await client.next('Flushed')).sequence_id).toBe(0)
    const sent = encodeAudio(soundOf({}, 0, 8000, 'Good morning.'), linear8)
    expect(Buffer.concat(client.audio).equals(Buffer.from(sent))).toBeTrue()
    expect(session.texts).toEqual(['Good morning.'])
  })

  test('drops everything on Clear, but for what was under way', async () => {
    await using world = await open('speak', { pace: 1, lateChunks: 1 })
    const { client, clock } = world
    for (const text of ['First.', 'Second.']) {
      client.send({ type: 'Speak', text: text.repeat(20) })
      client.send({ type: 'Flush' })
    }
    await world.settled()
    clock.advance(250)
    client.send({ type: 'Clear' })
    await client.next('Cleared')
    const { length } = client.audio
    expect(world.session.record.chunks.map(({ late }) => late)).toEqual([false, false, false, true])
    clock.advance(20_000)
    client.send({ type: 'Speak', text: 'Third.' })
    client.send({ type: 'Flush' })
    await world.settled()
    clock.advance(5000)
    await client.next('Flushed')
    expect(client.audio.length).toBeGreaterThan(length)
    expect(world.session.texts.at(-1)).toBe('Third.')
  })

  test('takes 20 flushes a minute', async () => {
    await using world = await open('speak')
    for (let flush = 0; flush < 21; flush += 1) world.client.send({ type: 'Flush' })
    await world.client.next('Warning')
    expect(world.client.of('Flushed')).toHaveLength(20)
    world.clock.advance(60_001)
    world.client.send({ type: 'Flush' })
    await world.client.next('Flushed')
  })

  test('ends when it is told to, and on what it does not know', async () => {
    await using world = await open('speak')
    world.client.send({ type: 'Close' })
    expect((await world.client.closed).code).toBe(1000)
    await using wrong = await open('speak')
    wrong.client.send({ type: 'Speak', content: 'x' })
    expect(await wrong.client.closed).toMatchObject({ code: 1008 })
  })
})

describe('/v1/speak over HTTP', () => {
  let server: StandinServer
  afterEach(() => server.close())

  const speak = (query: string, body: object) => {
    server = startStandin({ clock: new ManualClock(), random: seededRandom(1), pace: 0 })
    return fetch(`${server.baseUrl}/v1/speak?${query}`, {
      method: 'POST',
      headers: { authorization: 'Token x', 'content-type': 'application/json' },
      body: JSON.stringify(body),
    })
  }
  const query = 'model=aura-2-thalia-en&encoding=linear16&sample_rate=8000'

  test('answers with the speech, and with a header where none was asked away', async () => {
    const bare = await speak(`${query}&container=none`, { text: 'Hello.' })
    expect(bare.headers.get('dg-char-count')).toBe('6')
    const bytes = await bare.bytes()
    expect(bytes).toEqual(new Uint8Array(encodeAudio(soundOf({}, 0, 8000, 'Hello.'), linear8)))
    await server.close()
    const wav = await (await speak(query, { text: 'Hello.' })).bytes()
    expect(wav.length).toBe(bytes.length + 44)
    expect(new TextDecoder().decode(wav.subarray(0, 4))).toBe('RIFF')
  })

  const wrong: [string, object, number][] = [
    [query, { content: 'x' }, 400],
    [query, { text: 'x', voice: 'y' }, 400],
    [query, { text: 'x'.repeat(2001) }, 413],
    ['encoding=mulaw&sample_rate=48000', { text: 'x' }, 400],
  ]
  for (const [params, body, status] of wrong) {
    test(`refuses ${params} ${JSON.stringify(body).slice(0, 40)}`, async () => {
      expect((await speak(params, body)).status).toBe(status)
      expect(server.spokenTexts).toEqual([])
    })
  }
})
