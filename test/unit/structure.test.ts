// biome-ignore-all lint/suspicious/noTemplateCurlyInString: some of the invented sources are templates.
import { describe, expect, test } from 'bun:test'
import { join } from 'node:path'
import { codeText } from '../../scripts/structure/code-text.ts'
import { checkStructure, importsOf, layerOf, repositoryFiles } from '../../scripts/structure.ts'

/** What is wrong with one invented file, as `rule:line`. */
function wrong(path: string, text: string): string[] {
  return checkStructure([{ path, text }]).map(({ rule, line }) => `${rule}:${line}`)
}

test('the repository keeps its law', () => {
  const files = repositoryFiles(join(import.meta.dir, '..', '..'))
  expect(files.length).toBeGreaterThan(150)
  const found = checkStructure(files)
  expect(found.map(({ path, line, rule, message }) => `${path}:${line} ${rule}: ${message}`)).toEqual([])
})

describe('imports point down', () => {
  const cases: [string, string, boolean][] = [
    ['src/call/call.ts', "import { ok } from '#base/result.ts'", true],
    ['src/call/call.ts', "import { Playout } from './playout.ts'", true],
    ['src/base/clock.ts', "import { Playout } from '#call/playout.ts'", false],
    ['src/base/clock.ts', "import type { Playout } from '#call/playout.ts'", false],
    ['src/audio/wav.ts', "export { Call } from '#call/call.ts'", false],
    ['src/audio/wav.ts', "export * from '#call/call.ts'", false],
    ['src/audio/wav.ts', "import * as call from '#call/call.ts'", false],
    ['src/audio/wav.ts', "const call = await import('#call/call.ts')", false],
    ['src/audio/wav.ts', "type C = import('#call/call.ts').Call", false],
    ['src/audio/wav.ts', "import {\n  Call,\n  type CallPlan,\n} from '#call/call.ts'", false],
    ['src/audio/wav.ts', "import '#call/call.ts'", false],
    ['src/asterisk/stasis-app.ts', "import { Call } from '#call/call.ts'", true],
    ['src/asterisk/stasis-app.ts', "import { Metrics } from '#telemetry/metrics.ts'", true],
    ['src/telemetry/metrics.ts', "import { AriClient } from '#asterisk/ari-client.ts'", false],
    ['src/http/api.ts', "import { createLog } from '#telemetry/log.ts'", true],
    ['src/app.ts', "import { createProviders } from '#providers/index.ts'", true],
    ['src/app.ts', "import { createApi } from '#http/api.ts'", true],
    ['src/cli/run.ts', "import { Engine } from '#app'", true],
    ['src/http/api.ts', "import { Engine } from '#app'", false],
    ['src/http/api.ts', "import { createProviders } from '#providers/index.ts'", false],
    // Siblings on one line do not know each other.
    ['src/speech/voice.ts', "import { Metrics } from '#telemetry/metrics.ts'", false],
    ['src/http/api.ts', "import { dialCall } from '#simulator/dial-call.ts'", false],
    ['src/http/api.ts', "import { createLoopback } from '#providers/loopback/agent.ts'", false],
    ['providers/local/agent.ts', "import { createLoopback } from '#providers/loopback/agent.ts'", false],
    ['providers/local/agent.ts', "import type { LoopbackOptions } from '#providers/loopback/agent.ts'", false],
    ['providers/local/agent.ts', "import { createStt } from './stt.ts'", true],
    ['providers/index.ts', "import { createLoopback } from './loopback/agent.ts'", true],
    ['providers/index.ts', "import { vendorSchemas } from './schemas.ts'", true],
    ['providers/loopback/agent.ts', "import { createProviders } from '#providers/index.ts'", false],
    // The heart shares types, and nothing that runs.
    ['src/call/call.ts', "import type { Provider } from '#agent/provider.ts'", true],
    ['src/call/call.ts', "import { type Provider, type Role } from '#agent/provider.ts'", true],
    ['src/call/call.ts', "import { type Provider, stageNames } from '#agent/provider.ts'", false],
    ['src/agent/cascade.ts', "import { Call } from '#call/call.ts'", false],
    // Across folders by alias, with the file's whole name.
    ['src/call/call.ts', "import { ok } from '../base/result.ts'", false],
    ['providers/local/agent.ts', "import { ok } from '../../src/base/result.ts'", false],
    ['src/call/call.ts', "import { ok } from '#base/result'", false],
    ['src/base/version.ts', "import json from '../../package.json' with { type: 'json' }", true],
    ['src/nowhere/x.ts', 'export const x = 1', false],
    ['src/call/call.ts', "import { x } from '#nowhere/x.ts'", false],
    // What only looks like an import is none.
    ['src/base/clock.ts', "// import { Call } from '#call/call.ts'", true],
    ['src/base/clock.ts', "/*\nimport { Call } from '#call/call.ts'\n*/", true],
    ['src/base/clock.ts', 'export const text = "import { Call } from \'#call/call.ts\'"', true],
    // Outside the product there are no layers.
    ['test/unit/x.test.ts', "import { Call } from '../../src/call/call.ts'", true],
  ]
  test.each(cases)('%s: %s → %p', (path, text, allowed) => {
    expect(wrong(path, text)).toEqual(allowed ? [] : ['imports:1'])
  })

  test('a violation names the line of the import', () => {
    expect(
      wrong('src/base/clock.ts', "// a comment\n\nexport const a = 1\nimport { Call } from '#call/call.ts'"),
    ).toEqual(['imports:4'])
  })

  test('every folder has its layer, vendors one each', () => {
    expect(layerOf('providers/local/agent.ts')?.name).toBe('providers/local/')
    expect(layerOf('src/app.ts')?.rank).toBe(layerOf('src/cli/run.ts')?.rank ?? -1)
    expect(layerOf('docs/architecture.md')).toBeNull()
  })
})

describe('a library has one owner', () => {
  test.each([
    ['src/config/schema.ts', 'valibot', true],
    ['src/tools/hang-up.ts', 'valibot', true],
    ['providers/local/options.ts', 'valibot', true],
    ['providers/openai-compatible/wire.ts', 'valibot', true],
    ['providers/local/llm-wire.ts', 'valibot', true],
    ['providers/local/agent.ts', 'valibot', false],
    ['src/call/call.ts', 'valibot', false],
    ['src/http/api.ts', 'hono', true],
    ['src/http/api.ts', 'hono/cors', true],
    ['src/app.ts', 'hono', false],
    ['src/telemetry/metric-registry.ts', 'prom-client', true],
    ['src/telemetry/metrics.ts', 'prom-client', false],
    ['src/telemetry/log.ts', 'prom-client', false],
    ['src/speech/onnx.ts', 'onnxruntime-node', true],
    ['src/speech/silero.ts', 'onnxruntime-node', false],
    ['src/config/load.ts', 'yaml', true],
    ['src/config/schema.ts', 'yaml', false],
    ['src/call/call.ts', 'left-pad', false],
    ['src/call/call.ts', '@scope/thing/part', false],
    ['src/call/call.ts', 'node:path', true],
    ['src/call/call.ts', 'bun', true],
    ['src/call/call.ts', 'bun:ffi', true],
  ] as const)('%s imports %s → %p', (path, library, allowed) => {
    expect(wrong(path, `import { x } from '${library}'`)).toEqual(allowed ? [] : ['libraries:1'])
  })
})

describe('calls are kept in the session store only', () => {
  const cases: [string, string, boolean][] = [
    ['src/speech/a.ts', 'class A {\n  private readonly jobs = new Map<number, Job>()\n}', false],
    [
      'src/speech/a.ts',
      'class A {\n  // keyed by: job number\n  private readonly jobs = new Map<number, Job>()\n}',
      true,
    ],
    ['src/speech/a.ts', 'class A {\n  private jobs = new Map<number, Job>() // keyed by: job number\n}', true],
    [
      'src/speech/a.ts',
      'class A {\n  // keyed by: call id\n  private readonly jobs = new Map<string, Job>()\n}',
      false,
    ],
    ['src/speech/a.ts', 'class A {\n  // keyed by: channel id\n  private readonly jobs = new Set<string>()\n}', false],
    ['src/speech/a.ts', '// keyed by: media UUID\nconst legs = new WeakMap<Id, Leg>()', false],
    ['src/speech/a.ts', '// keyed by: the bridge\nconst seen = new WeakSet<Bridge>()', false],
    ['src/speech/a.ts', '// keyed by: playback\nconst seen = new Set<string>()', false],
    ['src/speech/a.ts', 'const phonemes = new Map([[1, 2]])', false],
    ['src/speech/a.ts', '// keyed by: phoneme\nconst phonemes = new Map([[1, 2]])', true],
    ['src/speech/a.ts', 'function f() {\n  const seen = new Set<string>()\n}', true],
    ['src/speech/a.ts', 'function f() {\n  return [...new Set(words)]\n}', true],
    // A local name that says what it holds must not hide a store behind a closure.
    ['src/speech/a.ts', 'function f() {\n  const byChannel = new Map<string, Leg>()\n}', false],
    ['src/speech/a.ts', 'function f() {\n  const callsById = new Map<string, Leg>()\n}', false],
    ['src/speech/a.ts', 'class A {\n  private readonly legs: Record<string, Leg> = {}\n}', false],
    ['src/speech/a.ts', 'class A {\n  // keyed by: voice\n  private readonly legs: Record<string, Leg> = {}\n}', true],
    ['src/speech/a.ts', 'class A {\n  readonly refused: Partial<Record<Result, number>> = {}\n}', true],
    [
      'src/call/session-store.ts',
      'class S {\n  // keyed by: call id\n  private readonly calls = new Map<string, Call>()\n}',
      true,
    ],
    ['src/call/session-store.ts', 'class S {\n  private readonly calls = new Map<string, Call>()\n}', false],
    ['src/speech/a.ts', '// a new Map is made elsewhere', true],
    [
      'providers/local/a.ts',
      'class A {\n  // keyed by: call\n  private readonly jobs = new Map<string, Job>()\n}',
      false,
    ],
    ['test/fakes/a.ts', 'class A {\n  private readonly calls = new Map<string, Call>()\n}', true],
  ]
  test.each(cases)('%s: %j → %p', (path, text, allowed) => {
    expect(wrong(path, text).map((each) => each.split(':')[0])).toEqual(allowed ? [] : ['collections'])
  })
})

describe('time and chance come from base', () => {
  test.each([
    'Date.now()',
    'performance.now()',
    'setTimeout(f, 5)',
    'setInterval(f, 5)',
    'Math.random()',
    'crypto.randomUUID()',
    'randomUUID()',
    'await Bun.sleep(5)',
    'new Date()',
    'new SystemClock()',
    '`at ${Date.now()} ms`',
  ])('%s', (code) => {
    const text = `export const x = 1\nconst y = ${code}`
    expect(wrong('src/call/call.ts', text)).toEqual(['time_and_chance:2'])
    expect(wrong('providers/local/stt.ts', text)).toEqual(['time_and_chance:2'])
    expect(wrong('src/base/clock.ts', text)).toEqual([])
    expect(wrong('test/unit/x.test.ts', text)).toEqual([])
  })

  test('in words it is no call', () => {
    expect(wrong('src/call/call.ts', '// Date.now() jumps\n/** setTimeout( */\nconst x = "Math.random()"')).toEqual([])
    expect(wrong('src/call/call.ts', 'const day = new Date(clock.wallNow())')).toEqual([])
  })

  test('the program’s edges make the clock', () => {
    for (const path of [
      'src/app.ts',
      'src/cli/run.ts',
      'src/speech/detection-worker.ts',
      'providers/local/llm-child.ts',
    ]) {
      expect(wrong(path, 'const clock = new SystemClock()')).toEqual([])
    }
  })
})

describe('files have one shape', () => {
  test('at most 400 lines', () => {
    expect(wrong('src/call/a.ts', '// x\n'.repeat(400))).toEqual([])
    expect(wrong('src/call/a.ts', '// x\n'.repeat(401))).toEqual(['shape:401'])
    expect(wrong('test/unit/a.test.ts', '// x\n'.repeat(401))).toEqual(['shape:401'])
    expect(wrong('docs/a.md', 'x\n'.repeat(1000))).toEqual([])
  })

  test('no utils.ts', () => {
    expect(wrong('src/call/utils.ts', '')).toEqual(['shape:1'])
    expect(wrong('scripts/util.ts', '')).toEqual(['shape:1'])
    expect(wrong('src/call/futils.ts', '')).toEqual([])
  })

  test('named exports only', () => {
    expect(wrong('src/call/a.ts', 'const a = 1\nexport default a')).toEqual(['shape:2'])
    expect(wrong('src/call/a.ts', 'const a = 1\nexport { a as default }')).toEqual(['shape:2'])
    expect(wrong('src/call/a.ts', 'switch (x) {\n  default:\n}\n// export default')).toEqual([])
    expect(wrong('src/speech/assets.d.ts', 'export default path')).toEqual([])
  })
})

describe('no name of one machine', () => {
  // Put together here, so that this file does not break the law it tests.
  const slash = '/'
  test.each([
    `cd ${slash}work/main`,
    `"${slash}home/ada/patchcord"`,
    `(${slash}root/.cache)`,
    `${slash}Users/ada`,
    `${slash}mnt/disk`,
    `file:${slash}${slash}${slash}work/x`,
    `C:${'\\'}Users`,
    `https:${slash}${slash}registry.${'npm' + 'js'}.org`,
    `files.${'python' + 'hosted'}.org/packages`,
    `https:${slash}${slash}npm.${'art' + 'ifactory'}.corp.example/x`,
  ])('%s', (text) => {
    expect(wrong('docs/a.md', `fine\n${text}`)).toEqual(['machine_names:2'])
  })

  test.each([
    'src/work/main',
    `./root/x`,
    `${slash}$bunfs${slash}root/src/speech`,
    `https:${slash}${slash}example.com${slash}home/page`,
    'models/registry.json',
    "type: 'pypi'",
    `${slash}etc/asterisk`,
    `~${slash}work${slash}x`,
  ])('%s is fine', (text) => {
    expect(wrong('docs/a.md', text)).toEqual([])
  })
})

describe('what is code and what is not', () => {
  test.each([
    ["const a = 'x // y' // z", "const a = 'x // y'     ", "const a = '      '     "],
    ['a /* b */ c', 'a         c', 'a         c'],
    ['const r = /[\'"]/g; "x"', 'const r = /[\'"]/g; "x"', 'const r = /    /g; " "'],
    ['a / b / c // d', 'a / b / c     ', 'a / b / c     '],
    ['`a ${f("b")} c` + d', '`a ${f("b")} c` + d', '`  ${f(" ")}  ` + d'],
    ['`a ${`b ${c} d`} e`', '`a ${`b ${c} d`} e`', '`  ${`  ${c}  `}  `'],
    ['`{ ${ { a: 1 } } }`', '`{ ${ { a: 1 } } }`', '`  ${ { a: 1 } }  `'],
    ["'it\\'s' + b", "'it\\'s' + b", "'     ' + b"],
    ['/* never closed', '               ', '               '],
  ])('%s', (text, code, bare) => {
    expect(codeText(text)).toEqual({ code, bare })
  })

  test('imports of all forms are found, with their lines', () => {
    const text = [
      "import type { A } from './a.ts'",
      "import B, { type C } from './b.ts'",
      'import {',
      '  type D,',
      "} from './d.ts'",
      "export { e } from './e.ts'",
      "const f = () => import('./f.ts')",
    ].join('\n')
    expect(importsOf(text).sort((a, b) => a.line - b.line)).toEqual([
      { specifier: './a.ts', typeOnly: true, line: 1 },
      { specifier: './b.ts', typeOnly: false, line: 2 },
      { specifier: './d.ts', typeOnly: true, line: 3 },
      { specifier: './e.ts', typeOnly: false, line: 6 },
      { specifier: './f.ts', typeOnly: false, line: 7 },
    ])
  })
})
