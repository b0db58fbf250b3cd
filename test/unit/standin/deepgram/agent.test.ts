import { describe, expect, test } from 'bun:test'
import type { StandinOptions } from '../../../standin/deepgram/options.ts'
import { soundOf } from '../../../standin/deepgram/reply-audio.ts'
import { encodeAudio } from '../../../standin/deepgram/wire-audio.ts'
import { type DeepgramClient, linear8, open, settings, silence, speak } from './deepgram-client.ts'

async function started(options: Partial<StandinOptions> = {}, agent: object = {}, more: object = {}) {
  const world = await open('agent', options)
  world.client.send(settings(agent, more))
  await world.client.next('SettingsApplied')
  return world
}

/** One turn of the caller's, and the silence that ends it. */
function turn(client: DeepgramClient): void {
  speak(client, 400)
  silence(client, 600)
}

describe('the order of a session', () => {
  test('is Welcome, Settings, SettingsApplied, and then audio', async () => {
    await using world = await open('agent')
    const { client, session } = world
    expect((await client.next('Welcome')).request_id).toBe(session.id)
    client.send(settings())
    await client.next('SettingsApplied')
    silence(client, 100)
    await world.settled()
    expect(session.record).toMatchObject({ binaryMessages: 5, binaryMs: 100, errors: [] })
  })

  const early: [string, (client: DeepgramClient) => void, string][] = [
    ['audio', (client) => silence(client, 20), 'BINARY_MESSAGE_BEFORE_SETTINGS'],
    ['KeepAlive', (client) => client.send({ type: 'KeepAlive' }), 'NON_SETTINGS_MESSAGE_BEFORE_SETTINGS'],
    ['no JSON', (client) => client.sendRaw('{'), 'UNPARSABLE_CLIENT_MESSAGE'],
    ['a message there is not', (client) => client.send({ type: 'Sing' }), 'UNPARSABLE_CLIENT_MESSAGE'],
  ]
  for (const [name, act, code] of early) {
    test(`refuses ${name} before the settings, and ends`, async () => {
      await using world = await open('agent')
      act(world.client)
      expect((await world.client.next('Error')).code).toBe(code)
      expect((await world.client.closed).code).not.toBe(1000)
      expect(world.session.record.errors).toMatchObject([{ code }])
    })
  }

  test('refuses a second Settings', async () => {
    await using world = await started()
    world.client.send(settings())
    expect((await world.client.next('Error')).code).toBe('SETTINGS_ALREADY_APPLIED')
    await world.client.closed
  })

  test('ends where neither audio nor KeepAlive comes', async () => {
    await using world = await started()
    world.clock.advance(8000)
    world.client.send({ type: 'KeepAlive' })
    await world.settled()
    world.clock.advance(8000)
    expect(world.client.of('Error')).toEqual([])
    world.clock.advance(2000)
    expect((await world.client.next('Error')).code).toBe('CLIENT_MESSAGE_TIMEOUT')
  })
})

describe('Settings', () => {
  const flux = { type: 'deepgram', version: 'v2', model: 'flux-general-en' }
  const wrong: [string, object, string, RegExp][] = [
    ['a field there is not', settings({ voice: 'x' }), 'UNPARSABLE_CLIENT_MESSAGE', /agent\.voice/],
    [
      'a field of an older schema',
      settings({ speak: { model: 'aura-2-thalia-en' } }),
      'UNPARSABLE_CLIENT_MESSAGE',
      /agent\.speak\.provider/,
    ],
    ['no agent', { type: 'Settings', audio: {} }, 'UNPARSABLE_CLIENT_MESSAGE', /agent/],
    [
      'another vendor’s voice without its address',
      settings({ speak: { provider: { type: 'open_ai', model: 'tts-1', voice: 'alloy' } } }),
      'INVALID_SETTINGS',
      /endpoint/,
    ],
    [
      'a language beside Flux',
      settings({ listen: { provider: flux }, language: 'en' }),
      'INVALID_SETTINGS',
      /agent\.language/,
    ],
    [
      'an eager threshold above the other',
      settings({ listen: { provider: { ...flux, eot_threshold: 0.6, eager_eot_threshold: 0.7 } } }),
      'INVALID_SETTINGS',
      /eager_eot_threshold/,
    ],
    [
      'a context length without an endpoint of one’s own',
      settings({ think: { provider: { type: 'open_ai', model: 'gpt-4o' }, context_length: 100 } }),
      'INVALID_SETTINGS',
      /context_length/,
    ],
    [
      'a temperature out of bounds',
      settings({ think: { provider: { type: 'anthropic', model: 'c', temperature: 1.5 } } }),
      'INVALID_SETTINGS',
      /temperature/,
    ],
    [
      'a container',
      settings({}, { audio: { output: { encoding: 'linear16', sample_rate: 8000, container: 'wav' } } }),
      'INVALID_SETTINGS',
      /container/,
    ],
  ]
  for (const [name, message, code, why] of wrong) {
    test(`are refused: ${name}`, async () => {
      await using world = await open('agent')
      world.client.send(message)
      const error = await world.client.next('Error')
      expect(error.code).toBe(code)
      expect(error.description).toMatch(why)
      await world.client.closed
    })
  }

  test('are taken with all that they can have', async () => {
    const think = [
      {
        provider: { type: 'open_ai', model: 'mine', temperature: 0.3, reasoning_mode: 'low' },
        endpoint: { url: 'https://models.example/v1/chat/completions', headers: { authorization: 'Bearer x' } },
        functions: [{ name: 'transfer_call', description: 'x', parameters: { type: 'object', properties: {} } }],
        prompt: 'x'.repeat(30_000),
        context_length: 'max',
      },
      { provider: { type: 'google', model: 'gemini' } },
    ]
    const messages = [
      { type: 'History', role: 'user', content: 'Hello.' },
      { type: 'History', role: 'assistant', content: 'Hello to you.' },
      {
        type: 'History',
        function_calls: [{ id: '1', name: 'f', client_side: true, arguments: '{}', response: '{}' }],
      },
    ]
    const listen = {
      provider: { type: 'deepgram', version: 'v2', model: 'flux-general-multi', language_hints: ['de'] },
    }
    const more = { tags: ['a'], mip_opt_out: true, flags: { history: false } }
    await using world = await started({}, { think, listen, context: { messages } }, more)
    expect(world.session.settings?.context).toHaveLength(3)
    expect(world.client.of('Warning')).toEqual([])
  })

  test('with a long prompt draw a warning', async () => {
    const think = { provider: { type: 'open_ai', model: 'gpt-4o' }, prompt: 'x'.repeat(25_001) }
    await using world = await started({}, { think })
    expect((await world.client.next('Warning')).code).toBe('PROMPT_TOO_LONG')
  })

  test('can be made to fail, or to be followed by nothing', async () => {
    await using world = await open('agent', { settingsError: { code: 'FAILED_TO_START_LISTENING' } })
    world.client.send(settings())
    expect((await world.client.next('Error')).code).toBe('FAILED_TO_START_LISTENING')
    await using mute = await started({ muteAfterSettings: true }, { greeting: 'Hello.' })
    turn(mute.client)
    await mute.settled()
    expect(mute.client.types).toEqual(['Welcome', 'SettingsApplied'])
    expect(mute.session.record.turns).toHaveLength(1)
  })
})

describe('a conversation', () => {
  test('begins with the greeting, whose sound can be recognised', async () => {
    await using world = await started({}, { greeting: 'Good morning.' })
    await world.client.next('AgentAudioDone')
    expect(world.client.of('ConversationText')).toMatchObject([{ role: 'assistant', content: 'Good morning.' }])
    const sent = encodeAudio(soundOf({}, 39, 8000, 'Good morning.'), linear8)
    expect(Buffer.concat(world.client.audio).equals(Buffer.from(sent))).toBeTrue()
  })

  test('goes on turn by turn: words, thinking, words, sound', async () => {
    const replies = [{ text: 'One. Two.', ms: 300, thinking: 'Hm.' }]
    await using world = await started({ replies, callerTranscripts: ['Hello there.'] }, {}, { experimental: true })
    turn(world.client)
    await world.client.next('AgentAudioDone')
    expect(world.client.types.filter((type) => type !== 'History' && type !== 'LatencyReport')).toEqual([
      'Welcome',
      'SettingsApplied',
      'UserStartedSpeaking',
      'ConversationText',
      'AgentThinking',
      'AgentStartedSpeaking',
      'ConversationText',
      'ConversationText',
      'AgentAudioDone',
    ])
    expect(world.client.of('ConversationText').map(({ role, content }) => [role, content])).toEqual([
      ['user', 'Hello there.'],
      ['assistant', 'One.'],
      ['assistant', 'Two.'],
    ])
    expect(world.client.audioBytes).toBe(4800)
  })

  test('is told in µ-law where that was agreed', async () => {
    const audio = {
      input: { encoding: 'mulaw', sample_rate: 8000 },
      output: { encoding: 'mulaw', sample_rate: 8000, container: 'none' },
    }
    await using world = await started({ replies: [{ ms: 100 }] }, {}, { audio })
    const mulaw = { encoding: 'mulaw', sampleRateHz: 8000 } as const
    speak(world.client, 400, mulaw)
    silence(world.client, 600, mulaw)
    await world.client.next('AgentAudioDone')
    expect(world.client.audioBytes).toBe(800)
    expect(world.session.record.binaryMs).toBe(1000)
  })

  test('is interrupted: no more of the reply comes, and nothing says that it is done', async () => {
    await using world = await started({ replies: [{ ms: 2000 }, { ms: 100 }], pace: 1, lateChunks: 2 })
    turn(world.client)
    await world.client.next('LatencyReport')
    await world.settled()
    world.clock.advance(500)
    speak(world.client, 100)
    await world.settled()
    expect(world.client.of('UserStartedSpeaking')).toHaveLength(2)
    expect(world.session.record.chunks.filter(({ late }) => late)).toHaveLength(2)
    const { length } = world.session.record.chunks
    world.clock.advance(3000)
    expect(world.session.record.chunks).toHaveLength(length)
    expect(world.client.of('AgentAudioDone')).toEqual([])
  })

  test('hears nothing where the script has no words', async () => {
    await using world = await started({ callerTranscripts: [''] })
    turn(world.client)
    await world.settled()
    expect(world.client.types.slice(2)).toEqual(['UserStartedSpeaking'])
  })
})

describe('functions', () => {
  test('are asked for, and answered before the reply that follows', async () => {
    const calls = [
      { name: 'a', arguments: { x: 1 } },
      { name: 'b', arguments: '{}' },
    ]
    const asked: boolean[] = []
    await using world = await started({
      replies: ({ index, afterFunctionResponse }) => {
        asked.push(afterFunctionResponse)
        return index === 0 ? { text: 'Just a moment.', ms: 60, calls } : { text: 'Done.', ms: 60 }
      },
    })
    turn(world.client)
    const { functions } = await world.client.next('FunctionCallRequest')
    expect(functions).toMatchObject([
      { name: 'a', arguments: '{"x":1}', client_side: true },
      { name: 'b', client_side: true },
    ])
    world.client.send({ type: 'FunctionCallResponse', id: functions[0].id, name: 'a', content: '{}' })
    await world.settled()
    expect(asked).toEqual([false])
    world.client.send({ type: 'FunctionCallResponse', id: functions[1].id, name: 'b', content: '{}' })
    await world.client.next('AgentAudioDone')
    expect(asked).toEqual([false, true])
    world.client.send({ type: 'FunctionCallResponse', id: 'nobody', name: 'b', content: '{}' })
    expect((await world.client.next('Warning')).code).toBe('FUNCTION_CALL_FAILED')
  })

  test('of the server itself are only told of', async () => {
    const calls = [{ name: 'weather', arguments: {}, clientSide: false }]
    await using world = await started({ replies: ({ index }) => (index === 0 ? { calls } : { ms: 40 }) })
    turn(world.client)
    expect((await world.client.next('FunctionCallRequest')).functions).toMatchObject([{ client_side: false }])
    await world.client.next('FunctionCallResponse')
    await world.client.next('AgentAudioDone')
  })
})

describe('what a client may do in mid-session', () => {
  test('put words into either mouth, unless somebody has the turn', async () => {
    await using world = await started({ replies: [{ text: 'Yes.', ms: 1000 }], pace: 1 })
    const { client, clock } = world
    client.send({ type: 'InjectAgentMessage', message: 'Are you still there?' })
    await client.next('ConversationText')
    client.send({ type: 'InjectAgentMessage', message: 'Hello?' })
    await client.next('InjectionRefused')
    client.send({ type: 'InjectUserMessage', content: 'Go on.' })
    await client.next('InjectionRefused')
    clock.advance(5000)
    await client.next('AgentAudioDone')
    client.send({ type: 'InjectUserMessage', content: 'Go on.' })
    expect(await client.next('ConversationText')).toMatchObject({ role: 'user', content: 'Go on.' })
    await world.settled()
    client.send({ type: 'InjectAgentMessage', message: 'Stop.', behavior: 'interrupt' })
    client.send({ type: 'InjectAgentMessage', message: 'Later.', behavior: 'queue' })
    await world.settled()
    clock.advance(3000)
    await client.next('AgentAudioDone')
    await client.next('AgentAudioDone')
    expect(client.of('ConversationText').map(({ content }) => content)).toEqual([
      'Are you still there?',
      'Go on.',
      'Yes.',
      'Stop.',
      'Later.',
    ])
  })

  test('change prompt, voice, model and ears', async () => {
    await using world = await started()
    const { client } = world
    const speakTo = { provider: { type: 'deepgram', model: 'aura-2-luna-en' } }
    client.send({ type: 'UpdatePrompt', prompt: 'Be kind.' })
    await client.next('PromptUpdated')
    client.send({ type: 'UpdateSpeak', speak: speakTo })
    await client.next('SpeakUpdated')
    client.send({ type: 'UpdateThink', think: { provider: { type: 'groq', model: 'openai/gpt-oss-20b' } } })
    await client.next('ThinkUpdated')
    client.send({ type: 'UpdateListen', listen: { provider: { type: 'deepgram', model: 'nova-3', version: 'v1' } } })
    await client.next('ListenUpdated')
    expect(world.session.settings?.prompt).toContain('Be kind.')
    client.send({ type: 'UpdateSpeak', model: 'aura-2-luna-en' })
    expect((await client.next('Error')).code).toBe('UNPARSABLE_CLIENT_MESSAGE')
  })
})

describe('faults', () => {
  test('a model that is slow, silent, failing, or warned of', async () => {
    const replies = [
      { text: 'At last.', ms: 40, fault: { kind: 'slow_think', ms: 11_000 } },
      { fault: { kind: 'silence' } },
      { fault: { kind: 'warning' } },
      { fault: { kind: 'error' } },
    ] as const
    await using world = await started({ replies: [...replies], idleMaxMs: 60_000 })
    const { client, clock } = world
    turn(client)
    await world.settled()
    clock.advance(11_000)
    await client.next('AgentAudioDone')
    expect(client.of('Warning').map(({ code }) => code)).toEqual(['SLOW_THINK_REQUEST', 'SLOW_THINK_REQUEST'])
    turn(client)
    await world.settled()
    turn(client)
    await client.next('Warning')
    turn(client)
    expect((await client.next('Error')).code).toBe('FAILED_TO_THINK')
    await client.closed
  })

  test('a reply that stops, and a connection that breaks', async () => {
    const replies = [{ ms: 1000, fault: { kind: 'stall', afterMs: 300 } as const }]
    await using stalled = await started({ replies })
    turn(stalled.client)
    await stalled.settled()
    expect(stalled.session.record.chunks).toHaveLength(3)
    expect(stalled.client.of('AgentAudioDone')).toEqual([])
    await using cut = await started({ replies: [{ ms: 1000, fault: { kind: 'cut', afterMs: 300 } }] })
    turn(cut.client)
    expect((await cut.client.closed).code).toBe(1006)
  })
})
