import { describe, expect, test } from 'bun:test'
import { settings } from '#providers/deepgram/client-wire.ts'
import { readServerMessage } from '#providers/deepgram/wire.ts'
import { deepgramOptionsOf } from '../../../fakes/deepgram-standin.ts'
import { agentSettings } from '../../../standin/deepgram/agent-settings.ts'
import { readClientMessage } from '../../../standin/deepgram/client-message.ts'

const secrets = { OWN_KEY: 'sk-own', AWS_ACCESS_KEY_ID: 'id', AWS_SECRET_ACCESS_KEY: 'secret' }

function made(options: Readonly<Record<string, unknown>>, more: object = {}) {
  return settings({
    options: deepgramOptionsOf(options),
    audio: { encoding: 'mulaw', sampleRateHz: 8000 },
    prompt: 'Be brief.',
    language: 'de-AT',
    tools: [],
    greeting: '',
    history: [],
    results: [],
    secrets,
    ...more,
  })
}

describe('Settings', () => {
  const wishes: [string, Readonly<Record<string, unknown>>, object][] = [
    [
      'nova',
      { listen: { keyterms: ['Schrauber'], smart_format: true } },
      {
        listen: {
          provider: {
            type: 'deepgram',
            version: 'v1',
            model: 'nova-3',
            language: 'de-AT',
            keyterms: ['Schrauber'],
            smart_format: true,
          },
        },
      },
    ],
    [
      'Flux',
      { listen: { model: 'flux-general-multi', eot_threshold: 0.8, eager_eot_threshold: 0.5, eot_timeout_ms: 3000 } },
      {
        listen: {
          provider: {
            type: 'deepgram',
            version: 'v2',
            model: 'flux-general-multi',
            eot_threshold: 0.8,
            eager_eot_threshold: 0.5,
            eot_timeout_ms: 3000,
            language_hints: ['de'],
          },
        },
      },
    ],
    [
      'a model of somebody’s own',
      {
        think: {
          model: 'mine',
          endpoint_url: 'https://models.example/v1/chat/completions',
          endpoint_headers: ['authorization: Bearer $OWN_KEY', 'x-tenant: pbx'],
          context_length: 4000,
          reasoning_mode: 'low',
          temperature: 0.2,
        },
      },
      {
        think: {
          provider: { type: 'open_ai', model: 'mine', temperature: 0.2, reasoning_mode: 'low' },
          prompt: 'Be brief.',
          endpoint: {
            url: 'https://models.example/v1/chat/completions',
            headers: { authorization: 'Bearer sk-own', 'x-tenant': 'pbx' },
          },
          context_length: 4000,
        },
      },
    ],
    [
      'anthropic',
      { think: { provider: 'anthropic', model: 'claude-sonnet-4-5' } },
      { think: { provider: { type: 'anthropic', model: 'claude-sonnet-4-5', temperature: 0.7 }, prompt: 'Be brief.' } },
    ],
    [
      'google',
      { think: { provider: 'google', model: 'gemini-2.5-flash' } },
      { think: { provider: { type: 'google', model: 'gemini-2.5-flash', temperature: 0.7 }, prompt: 'Be brief.' } },
    ],
    [
      'groq',
      { think: { provider: 'groq', model: 'openai/gpt-oss-20b' } },
      { think: { provider: { type: 'groq', model: 'openai/gpt-oss-20b', temperature: 0.7 }, prompt: 'Be brief.' } },
    ],
    [
      'aws_bedrock',
      { think: { provider: 'aws_bedrock', model: 'm', aws_region: 'eu-central-1' } },
      {
        think: {
          provider: {
            type: 'aws_bedrock',
            model: 'm',
            temperature: 0.7,
            credentials: { type: 'iam', region: 'eu-central-1', access_key_id: 'id', secret_access_key: 'secret' },
          },
          prompt: 'Be brief.',
        },
      },
    ],
    [
      'a voice of openai',
      {
        speak: {
          provider: 'open_ai',
          model: 'tts-1',
          voice: 'alloy',
          endpoint_url: 'https://api.openai.com/v1/audio/speech',
          endpoint_headers: ['authorization: Bearer $OWN_KEY'],
        },
      },
      {
        speak: {
          provider: { type: 'open_ai', model: 'tts-1', voice: 'alloy' },
          endpoint: { url: 'https://api.openai.com/v1/audio/speech', headers: { authorization: 'Bearer sk-own' } },
        },
      },
    ],
    [
      'eleven_labs',
      { speak: { provider: 'eleven_labs', model: 'eleven_turbo_v2_5', endpoint_url: 'wss://voice.example/stream' } },
      {
        speak: {
          provider: { type: 'eleven_labs', model_id: 'eleven_turbo_v2_5', language: 'de-AT' },
          endpoint: { url: 'wss://voice.example/stream', headers: {} },
        },
      },
    ],
    [
      'cartesia',
      {
        speak: {
          provider: 'cartesia',
          model: 'sonic-2',
          voice: 'v1',
          language: 'de',
          endpoint_url: 'https://voice.example',
        },
      },
      {
        speak: {
          provider: { type: 'cartesia', model_id: 'sonic-2', voice: { mode: 'id', id: 'v1' }, language: 'de' },
          endpoint: { url: 'https://voice.example', headers: {} },
        },
      },
    ],
    [
      'aws_polly',
      { speak: { provider: 'aws_polly', model: 'neural', voice: 'Vicki', aws_region: 'eu-central-1' } },
      {
        speak: {
          provider: {
            type: 'aws_polly',
            voice: 'Vicki',
            language: 'de-AT',
            engine: 'neural',
            credentials: { type: 'iam', region: 'eu-central-1', access_key_id: 'id', secret_access_key: 'secret' },
          },
        },
      },
    ],
    [
      'a faster Aura',
      { speak: { model: 'aura-2-luna-en', speed: 1.2 } },
      { speak: { provider: { type: 'deepgram', model: 'aura-2-luna-en', speed: 1.2 } } },
    ],
  ]
  for (const [name, options, agent] of wishes) {
    test(`hold ${name}, and the server takes them`, () => {
      const message = made(options)
      expect(message.agent).toMatchObject(agent)
      const text = JSON.stringify(message)
      const read = readClientMessage('agent', text)
      expect(read.ok ? '' : read.why).toBe('')
      expect(typeof agentSettings(JSON.parse(text))).toBe('object')
    })
  }

  test('hold labels, functions, and what was said before', () => {
    const tools = [{ name: 'look', description: 'Looks.', parameters: { type: 'object' as const, properties: {} } }]
    const history = [
      { role: 'system' as const, content: 'x' },
      { role: 'user' as const, content: 'Hello.' },
      { role: 'assistant' as const, content: 'Hello to you.' },
    ]
    const message = made({ tags: ['pbx'], mip_opt_out: true }, { tools, history, greeting: 'Hi.' })
    expect(message).toMatchObject({
      tags: ['pbx'],
      mip_opt_out: true,
      agent: {
        greeting: 'Hi.',
        context: {
          messages: [
            { type: 'History', role: 'user', content: 'Hello.' },
            { type: 'History', role: 'assistant', content: 'Hello to you.' },
          ],
        },
        think: { functions: tools },
      },
    })
    expect(typeof agentSettings(JSON.parse(JSON.stringify(message)))).toBe('object')
  })
})

describe('what is wrong in the file', () => {
  const wrong: [Readonly<Record<string, unknown>>, string][] = [
    [{ listen: { eager_eot_threshold: 0.8 } }, 'eager_eot_threshold must be 0 (off), or from 0.3 up to eot_threshold'],
    [{ think: { provider: 'anthropic', temperature: 1.5 } }, 'with anthropic, temperature must not be greater than 1'],
    [
      { speak: { provider: 'open_ai' } },
      'endpoint_url is missing: with open_ai, eleven_labs and cartesia it must be given',
    ],
    [{ ws_url: 'https://agent.deepgram.com' }, 'a ws or wss URL'],
    [{ ws_url: 'wss://key@agent.deepgram.com/v1' }, 'without user name'],
    [{ base_url: 'wss://api.deepgram.com' }, 'an http or https URL'],
    [{ listen: { language_hints: ['the german one'] } }, 'a language such as de'],
  ]
  for (const [options, why] of wrong) {
    test(`is told: ${JSON.stringify(options)}`, () => expect(() => deepgramOptionsOf(options)).toThrow(why))
  }
})

describe('messages of the server', () => {
  const read: [object, object | string][] = [
    [
      { type: 'Welcome', request_id: 'r1' },
      { type: 'welcome', requestId: 'r1' },
    ],
    [{ type: 'Welcome' }, { type: 'welcome', requestId: '' }],
    [
      { type: 'ConversationText', role: 'user', content: ' Hello. ' },
      { type: 'words', side: 'caller', text: 'Hello.' },
    ],
    [
      { type: 'ConversationText', role: 'assistant', content: 'Yes.', languages: ['en'] },
      { type: 'words', side: 'agent', text: 'Yes.' },
    ],
    [{ type: 'ConversationText', role: 'user' }, 'malformed'],
    [
      {
        type: 'FunctionCallRequest',
        functions: [
          { id: '1', name: 'a', arguments: '{}', client_side: true },
          { id: '2', name: 'b', arguments: '{}', client_side: false },
        ],
      },
      { type: 'calls', calls: [{ id: '1', name: 'a', text: '{}' }] },
    ],
    [
      { type: 'FunctionCallCancelled', functions: [{ id: '1', name: 'a' }] },
      { type: 'calls_cancelled', ids: ['1'] },
    ],
    [
      { type: 'LatencyReport', ttt_text_latency: 0.35, total_latency: 0.6 },
      { type: 'latency', sttMs: null, llmMs: 350 },
    ],
    [
      { type: 'Error', code: 'FAILED_TO_THINK', description: 'about a caller’s words' },
      { type: 'error', code: 'FAILED_TO_THINK' },
    ],
    [
      { type: 'Warning', code: 'about a caller’s words' },
      { type: 'warning', code: 'unnamed' },
    ],
    [{ type: 'SpeakUpdated' }, { type: 'acknowledged', what: 'SpeakUpdated' }],
    [{ type: 'WeatherReport' }, 'unknown'],
    [{ kind: 'Welcome' }, 'malformed'],
  ]
  for (const [message, event] of read) {
    test(`${JSON.stringify(message).slice(0, 70)}`, () =>
      expect(readServerMessage(JSON.stringify(message))).toEqual(event as never))
  }
  test('no JSON', () => expect(readServerMessage('{')).toBe('malformed'))
})
