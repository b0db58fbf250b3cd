import type { Tree } from '../../../fakes/key-world.ts'
import type { AgentSession } from '../../../standin/deepgram/agent-session.ts'
import type { Reply, ReplyScript } from '../../../standin/deepgram/options.ts'
import type { Probes } from './probe.ts'
import { chosen, sharedProbes, type VendorCall, type VendorOptions, vendorProbe } from './vendor-call.ts'

/** Deepgram's Voice Agent: what its server is told of a call, and when. */

const place = 'providers.deepgram'
const silence: Reply = { fault: { kind: 'silence' } }

const vendor: VendorOptions<AgentSession, ReplyScript> = {
  name: 'deepgram',
  server: ({ outside }) => outside.deepgram,
  session: ({ outside }) => outside.deepgram.last('agent'),
  renew: ({ outside }, replies) => outside.renew({}, replies === undefined ? {} : { replies }),
  greetedMs: 2500,
  turns: ({ record }) => record.turns.length,
  fillerMaxMs: 20_000,
  mute: () => silence,
}
type Look = (call: VendorCall<AgentSession>) => unknown

const agent = vendorProbe(vendor)

/** What the session was agreed upon with, at this place of it; undefined: nothing is said there. */
const told =
  (path: string): Look =>
  ({ session }) => {
    const settings = session.record.received.find(({ message }) => message.type === 'Settings')?.message
    return path.split('.').reduce<unknown>((value, name) => (value as Tree | undefined)?.[name], settings)
  }
const listen = 'agent.listen.provider'
const think = 'agent.think'
const speak = 'agent.speak'
const flux = (more: Tree = {}) => ({ options: { listen: { model: 'flux-general-multi', ...more } } })
const openAiVoice = { provider: 'open_ai', endpoint_url: 'https://v.example', voice: 'alloy' }
const ownModel = { endpoint_url: 'https://m.example' }
const polly = { provider: 'aws_polly' }

export const deepgramProbes: Probes = {
  ...sharedProbes(vendor),
  [`${place}.ws_url`]: agent(
    ['wss://a.example/v1/agent/converse', 'wss://b.example/v1/agent/converse'],
    ({ url }) => url,
  ),
  [`${place}.base_url`]: {
    values: ['https://a.example', 'https://b.example'],
    around: chosen('deepgram'),
    seen: 'wire',
    // The look at the key, as soon as it is in force: of a call that has been up before there is nothing to see.
    atOnce: true,
    begin: (world) => () => world.outside.requests.findLast(({ url }) => url.endsWith('/token'))?.url.slice(0, 17),
  },
  [`${place}.api_key_env`]: agent(['DEEPGRAM_API_KEY', 'OTHER_KEY'], ({ headers }) => headers.authorization, {
    shows: ['Token dg-one', 'Token key-two'],
  }),
  [`${place}.encoding`]: agent(['linear16', 'mulaw'], told('audio.input.encoding')),
  [`${place}.chunk_ms`]: agent([40, 100], async ({ up, session }) => {
    const { binaryMessages, binaryMs } = session.record
    await up.pass(2000)
    return Math.round((session.record.binaryMs - binaryMs) / (session.record.binaryMessages - binaryMessages))
  }),
  [`${place}.listen.model`]: agent(['nova-3', 'nova-2'], told(`${listen}.model`)),
  [`${place}.listen.language`]: agent(['de', 'fr'], told(`${listen}.language`)),
  [`${place}.listen.language_hints`]: agent([['de'], ['fr']], told(`${listen}.language_hints`), flux()),
  [`${place}.listen.keyterms`]: agent([['Graz'], ['Wien']], told(`${listen}.keyterms`)),
  [`${place}.listen.smart_format`]: agent([false, true], told(`${listen}.smart_format`), { shows: [undefined, true] }),
  [`${place}.listen.eot_threshold`]: agent([0.7, 0.8], told(`${listen}.eot_threshold`), flux()),
  [`${place}.listen.eager_eot_threshold`]: agent([0.4, 0.5], told(`${listen}.eager_eot_threshold`), flux()),
  [`${place}.listen.eot_timeout_ms`]: agent([5000, 6000], told(`${listen}.eot_timeout_ms`), flux()),
  [`${place}.think.provider`]: agent(['open_ai', 'google'], told(`${think}.provider.type`)),
  [`${place}.think.model`]: agent(['gpt-4o-mini', 'gpt-4o'], told(`${think}.provider.model`)),
  [`${place}.think.temperature`]: agent([0.7, 0.9], told(`${think}.provider.temperature`)),
  [`${place}.think.reasoning_mode`]: agent(['low', 'high'], told(`${think}.provider.reasoning_mode`)),
  [`${place}.think.endpoint_url`]: agent(['https://a.example', 'https://b.example'], told(`${think}.endpoint.url`)),
  [`${place}.think.endpoint_headers`]: agent(
    [['x-a: one'], ['x-a: $OTHER_KEY']],
    told(`${think}.endpoint.headers.x-a`),
    {
      options: { think: ownModel },
      shows: ['one', 'key-two'],
    },
  ),
  [`${place}.think.context_length`]: agent([1000, 2000], told(`${think}.context_length`), {
    options: { think: ownModel },
  }),
  [`${place}.think.aws_region`]: agent(['eu-central-1', 'us-east-1'], told(`${think}.provider.credentials.region`), {
    options: { think: { provider: 'aws_bedrock' } },
  }),
  [`${place}.speak.provider`]: agent(['deepgram', 'aws_polly'], told(`${speak}.provider.type`), {
    options: { speak: { voice: 'Joanna' } },
  }),
  [`${place}.speak.model`]: agent(['aura-2-thalia-en', 'aura-2-apollo-en'], told(`${speak}.provider.model`)),
  [`${place}.speak.speed`]: agent([1.1, 1.2], told(`${speak}.provider.speed`)),
  [`${place}.speak.voice`]: agent(['alloy', 'coral'], told(`${speak}.provider.voice`), {
    options: { speak: openAiVoice },
  }),
  [`${place}.speak.language`]: agent(['de', 'fr'], told(`${speak}.provider.language`), { options: { speak: polly } }),
  [`${place}.speak.endpoint_url`]: agent(['https://a.example', 'https://b.example'], told(`${speak}.endpoint.url`), {
    options: { speak: openAiVoice },
  }),
  [`${place}.speak.endpoint_headers`]: agent([['x-a: one'], ['x-a: two']], told(`${speak}.endpoint.headers.x-a`), {
    options: { speak: openAiVoice },
    shows: ['one', 'two'],
  }),
  [`${place}.speak.aws_region`]: agent(['eu-central-1', 'us-east-1'], told(`${speak}.provider.credentials.region`), {
    options: { speak: polly },
  }),
  [`${place}.tags`]: agent([['one'], ['two']], told('tags')),
  [`${place}.mip_opt_out`]: agent([false, true], told('mip_opt_out'), { shows: [undefined, true] }),
  [`${place}.tools`]: agent([[], ['terminate_call']], told(`${think}.functions.0.name`), {
    shows: [undefined, 'terminate_call'],
  }),
  [`${place}.greeting_audio`]: agent(['agent', 'cached'], ({ session }) => session.record.replies > 0, {
    shows: [true, false],
  }),
}
