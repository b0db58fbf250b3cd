import { describe, expect, test } from 'bun:test'
import type { Seen } from '../standin-client.ts'
import { open, silence, speak } from './deepgram-client.ts'

const words = 'one two three four five six seven eight nine ten eleven twelve'
const said = (message: Seen) => message.channel.alternatives[0].transcript
const marks = ({ is_final, speech_final, from_finalize }: Seen) => [is_final, speech_final, from_finalize ?? false]

describe('/v1/listen', () => {
  test('tells interims, and a final when the speech has ended', async () => {
    await using world = await open('listen', { callerTranscripts: ['one two three four'] }, '&interim_results=true')
    const { client } = world
    speak(client, 1200)
    silence(client, 200)
    await world.settled()
    const results = client.of('Results')
    expect(results.map(said)).toEqual(['one two three', 'one two three four'])
    expect(results.map(marks)).toEqual([
      [false, false, false],
      [true, true, false],
    ])
    expect(results[1].channel.alternatives[0].words).toHaveLength(4)
    expect(results[1].start + results[1].duration).toBeWithin(1.1, 1.4)
  })

  test('has finals in the midst of long speech, which have to be joined', async () => {
    await using world = await open('listen', { callerTranscripts: [`${words} ${words}`] }, '&endpointing=300')
    speak(world.client, 6000)
    silence(world.client, 400)
    await world.settled()
    const results = world.client.of('Results')
    expect(results.map(marks)).toEqual([
      [true, false, false],
      [true, true, false],
    ])
    expect(results.map(said).join(' ')).toBe(`${words} ${words}`)
  })

  test('finalizes what it has, and answers nothing where it has nothing', async () => {
    await using world = await open('listen', { callerTranscripts: ['one two'] })
    const { client } = world
    client.send({ type: 'Finalize' })
    speak(client, 400)
    client.send({ type: 'Finalize' })
    await world.settled()
    expect(client.of('Results').map(said)).toEqual(['one two'])
    expect(client.of('Results').map(marks)).toEqual([[true, true, true]])
  })

  test('tells the start of speech and the end of an utterance, where it was asked to', async () => {
    const query = '&interim_results=true&vad_events=true&utterance_end_ms=1000&endpointing=false'
    await using world = await open('listen', {}, query)
    speak(world.client, 400)
    silence(world.client, 1200)
    await world.settled()
    world.clock.advance(1000)
    await world.client.next('UtteranceEnd')
    expect(world.client.types).toEqual(['SpeechStarted', 'Results', 'Results', 'UtteranceEnd'])
    expect(world.client.of('Results').map(marks)).toEqual([
      [false, false, false],
      [true, false, false],
    ])
  })

  test('ends with its metadata, by CloseStream or an empty message', async () => {
    for (const end of ['close', 'empty']) {
      await using world = await open('listen')
      silence(world.client, 100)
      if (end === 'close') world.client.send({ type: 'CloseStream' })
      else world.client.sendRaw(new Uint8Array(0))
      expect((await world.client.next('Metadata')).duration).toBeCloseTo(0.1)
      expect((await world.client.closed).code).toBe(1000)
    }
  })

  test('ends without audio and KeepAlive, and on what it does not know', async () => {
    await using world = await open('listen')
    world.clock.advance(9000)
    world.client.send({ type: 'KeepAlive' })
    await world.settled()
    world.clock.advance(9000)
    world.clock.advance(1000)
    expect(await world.client.closed).toMatchObject({ code: 1011, reason: 'NET-0001' })
    await using wrong = await open('listen')
    wrong.client.send({ type: 'Configure' })
    expect(await wrong.client.closed).toMatchObject({ code: 1008, reason: 'DATA-0000' })
  })
})

describe('Flux', () => {
  const events = (messages: Seen[]) => messages.map(({ event }) => event).filter((event) => event !== 'Update')

  test('tells the turn: start, words so far, end', async () => {
    await using world = await open('flux', { callerTranscripts: ['one two three', 'four'] })
    const { client } = world
    speak(client, 1200)
    silence(client, 600)
    speak(client, 400)
    silence(client, 600)
    await world.settled()
    const turns = client.of('TurnInfo')
    expect(events(turns)).toEqual(['StartOfTurn', 'EndOfTurn', 'StartOfTurn', 'EndOfTurn'])
    expect(turns.filter(({ event }) => event === 'EndOfTurn')).toMatchObject([
      { transcript: 'one two three', turn_index: 0, trigger: 'model' },
      { transcript: 'four', turn_index: 1 },
    ])
    const updates = turns.filter(({ event, turn_index }) => event === 'Update' && turn_index === 0)
    expect(updates.length).toBeGreaterThan(3)
    expect('one two three'.startsWith(updates[1].transcript)).toBeTrue()
    const ids = client.messages.map(({ sequence_id }) => sequence_id)
    expect(ids).toEqual(ids.map((_, index) => index))
  })

  test('thinks early that a turn is over, where it was asked to, and takes it back', async () => {
    await using world = await open('flux', {}, '&eager_eot_threshold=0.4')
    const { client } = world
    speak(client, 400)
    silence(client, 300)
    speak(client, 400)
    silence(client, 600)
    await world.settled()
    expect(events(client.of('TurnInfo'))).toEqual([
      'StartOfTurn',
      'EagerEndOfTurn',
      'TurnResumed',
      'EagerEndOfTurn',
      'EndOfTurn',
    ])
  })

  test('can be configured anew, and refuses what it does not know', async () => {
    await using world = await open('flux')
    const { client } = world
    client.send({ type: 'Configure', thresholds: { eot_threshold: 0.8 }, keyterms: ['patchcord'] })
    expect(await client.next('ConfigureSuccess')).toMatchObject({ keyterms: ['patchcord'] })
    client.send({ type: 'Configure', thresholds: { eot_threshold: 0.1 } })
    await client.next('ConfigureFailure')
    client.send({ type: 'KeepAlive' })
    expect((await client.next('Error')).code).toBe('UNPARSABLE_CLIENT_MESSAGE')
    await client.closed
  })

  test('ends when it is told to', async () => {
    await using world = await open('flux')
    world.client.send({ type: 'CloseStream' })
    expect((await world.client.closed).code).toBe(1000)
  })
})
