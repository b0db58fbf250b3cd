import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Engine } from '#app'
import { failed, ok, type Result } from '#base/result.ts'
import { choose, noWish } from '#call/choice.ts'
import { asNode, entriesOf, type KeyInfo, listKeys, namedEntryOf, schemaAt, schemaFacts } from '#config/describe.ts'
import { loadConfiguration } from '#config/load.ts'
import { formatProblem } from '#config/problem.ts'
import type { ReloadAnswer } from '#config/reload.ts'
import { configurationSchema } from '#config/schema.ts'
import { emptyMap } from '#config/tree.ts'
import { vendorSchemas } from '#providers/schemas.ts'
import { createLog } from '#telemetry/log.ts'
import { viewOf } from '../../fakes/engine-view.ts'
import { ManualClock } from '../../fakes/manual-clock.ts'

// No key is ignored: each one of the schema is changed in a running engine, and either what the next call and the next
// connection find is another, or the reload names the key and asks for a restart.

const schema = configurationSchema(vendorSchemas)
const keys = listKeys(asNode(schema)).filter(({ isSection }) => !isSection)
const folder = mkdtempSync(join(tmpdir(), 'patchcord-keys-'))
const logged: string[] = []
const clock = new ManualClock()
let engine: Engine
let text = ''
let env: Readonly<Record<string, string>> = {}

type Tree = { [name: string]: unknown }

/** No key and no models: a provider that is never ready, so that nothing is waited for, and none that starts much. */
const base: Tree = {
  default_provider: 'deepgram',
  audiosocket: { port: 0 },
  health: { port: 0 },
  records: { file: join(folder, 'calls.jsonl') },
  models: { dir: join(folder, 'models') },
  // Without these, other keys of their sections have no effect.
  media_websocket: { direction: 'listen', port: 0 },
  on_failure: { context: 'c', extension: 'e' },
  limits: { provider_minutes_per_day: 100 },
  prices: { providers: { deepgram: { per_call: 1 } } },
  // A vendor of parts only is heard of where a pipeline has them.
  pipelines: { front: { stt: 'openai_compatible', llm: 'openai_compatible', tts: 'openai_compatible' } },
}
/** What must be otherwise for a key to be changed at all. */
const around: Readonly<Record<string, Tree>> = {
  'providers.deepgram.enabled': { default_provider: 'openai_realtime' },
}

/** The base with a value at a path, as JSON, which is YAML. */
function withValue({ key, path }: KeyInfo, value: unknown): string {
  const tree = structuredClone({ ...base, ...around[key] })
  let section = tree
  for (const name of path.slice(0, -1)) {
    section[name] ??= {}
    section = section[name] as Tree
  }
  section[path.at(-1) ?? ''] = value
  return JSON.stringify(tree)
}

const texts = [
  'another',
  'de',
  '10.9.9.9',
  'ANOTHER_KEY',
  'https://a.example',
  'https://a.example/v1',
  'wss://a.example',
  'localhost',
]
const lists = [['greeting'], ['another'], ['10.0.0.0/8'], ['de'], ['transfer_call'], ['x-a: b'], []]

/** Values that the key may take, or not: the schema and the checks across keys judge them. */
function candidates({ path }: KeyInfo): unknown[] {
  const node = schemaAt(asNode(schema), path, emptyMap())
  if (node === undefined) return []
  const { type, options = [], limits, fallback } = schemaFacts(node)
  switch (type) {
    case 'boolean':
      return [fallback !== true]
    case 'picklist':
      return [...options]
    case 'number': {
      const number = Number(fallback)
      return [number + 1, number - 1, number + 0.1, number - 0.1, 0.5, limits.min_value, limits.max_value]
    }
    case 'array':
      return lists
    case 'record':
      return [
        { another: { context: 'c', extension: '1', key: '7' } },
        { another: {} },
        { deepgram: { per_call: 2 } },
        { '7': { action: 'repeat' } },
      ]
    default:
      return [...texts, 'openai_realtime', 'front', 'CHF']
  }
}

function read(): Result<ReturnType<typeof loaded>, readonly string[]> {
  const found = loadConfiguration({ file: 'a.yaml', text, env, vendors: vendorSchemas })
  return found.ok ? ok(loaded(found.value)) : failed(found.error.map(formatProblem))
}

const loaded = <Value extends object>(value: Value) => ({ loaded: { ...value, env: {} }, warnings: [] }) as never

/** Time passes while it is waited for. */
async function passing<Value>(promise: Promise<Value>): Promise<Value> {
  let done = false
  void promise.finally(() => {
    done = true
  })
  while (!done) {
    await new Promise<void>((resolve) => setImmediate(resolve))
    clock.advance(50)
  }
  return await promise
}

async function reloaded(next: string): Promise<ReloadAnswer> {
  text = next
  return await passing(engine.reload('api'))
}

beforeAll(async () => {
  text = JSON.stringify(base)
  const found = loadConfiguration({ text, env: {}, vendors: vendorSchemas })
  if (!found.ok) throw new Error(found.error.map(formatProblem).join('\n'))
  engine = await Engine.start({
    ...found.value,
    env: {},
    read: () => Promise.resolve(read()),
    log: createLog({ level: 'debug', format: 'json', clock, write: (line) => void logged.push(line) }),
    clock,
    ari: false,
  })
})

afterAll(async () => {
  await passing(engine.stop(0))
  rmSync(folder, { recursive: true, force: true })
})

describe('every key that is changed while the engine runs', () => {
  for (const info of keys) {
    test(info.key, async () => {
      const unchanged = JSON.stringify({ ...base, ...around[info.key] })
      await reloaded(unchanged)
      const before = viewOf(engine, logged)
      const seen: string[] = []
      for (const value of candidates(info)) {
        // A secret stands in the environment alone.
        env = info.facts.secret === true ? { [info.facts.env ?? '']: String(value) } : {}
        const answer = await reloaded(info.facts.secret === true ? unchanged : withValue(info, value))
        env = {}
        const problems = answer.outcome === 'refused' ? answer.problems.join('\n') : ''
        if (answer.outcome === 'unchanged') continue
        if (info.restart) {
          // One that is wrong is refused before.
          if (!problems.startsWith('a.yaml')) seen.push(problems)
          if (seen.length > 0) break
          continue
        }
        const another = answer.outcome === 'changed' && viewOf(engine, logged) !== before
        await reloaded(unchanged)
        // In force as well: what would need the former value is refused for this key.
        if (another || problems.includes(`${info.key} is ${value}`)) return
        seen.push(`${JSON.stringify(value)}: ${answer.outcome} ${problems}`)
      }
      if (info.restart) expect(seen.join()).toMatch(new RegExp(`^${info.key}: takes effect only at a restart`))
      else throw new Error(`ignored, with ${seen.join('; ')}`)
    })
  }
})

/** Of an agent, each with a value that it does not have without; a name by itself changes nothing. */
const ofAgent: Readonly<Record<string, unknown>> = {
  greeting: 'another',
  prompt: 'another',
  voice: 'another',
  language: 'de',
  provider: 'loopback',
  pipeline: 'front',
  tools: ['terminate_call'],
  dids: ['1'],
  extensions: ['1'],
  contexts: ['1'],
  callers: ['1'],
}

describe('every key of an agent', () => {
  const entry = namedEntryOf(schemaAt(asNode(schema), ['agents'], emptyMap()) ?? asNode(schema))
  const agentKeys = Object.keys(entriesOf(entry ?? asNode(schema)) ?? {})

  test('is walked', () => {
    expect(Object.keys(ofAgent)).toEqual(agentKeys)
  })

  for (const key of agentKeys) {
    test(`agents.another.${key}`, async () => {
      // A voice and tools are a pipeline's; anything else is the agent's own.
      const speaker = ['voice', 'tools'].includes(key) ? { pipeline: 'front' } : {}
      const text = (agent: Tree) => JSON.stringify({ ...base, agents: { another: { ...speaker, ...agent } } })
      await reloaded(text({}))
      const before = choiceFor('another')
      expect(await reloaded(text({ [key]: ofAgent[key] }))).toMatchObject({ outcome: 'changed' })
      const isRule = Array.isArray(ofAgent[key]) && key !== 'tools'
      // What leads to it leads a call there that asks for nobody; what it says is what a call of it is given.
      if (isRule) expect(choiceFor('')).toMatchObject({ ok: true, value: { facts: { agent: 'another' } } })
      else expect(choiceFor('another')).not.toEqual(before)
    })
  }
})

/** What a call from, to and at 1 would be given now. */
function choiceFor(agent: string) {
  return choose(
    {
      argument: { ...noWish, agent },
      variable: noWish,
      facts: { caller: '1', did: '1', extension: '1', context: '1' },
    },
    engine.generation.settings.offer,
  )
}
