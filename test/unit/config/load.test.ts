import { describe, expect, test } from 'bun:test'
import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { loadConfiguration } from '#config/load.ts'
import { formatProblem } from '#config/problem.ts'
import type { Environment } from '#config/secrets.ts'
import { vendors } from './vendors.ts'

function load(text: string, env: Environment = { ASTERISK_ARI_PASSWORD: 'x' }) {
  return loadConfiguration({ file: 'a.yaml', text, env, vendors })
}

function good(text: string, env?: Environment) {
  const loaded = load(text, env)
  if (!loaded.ok) throw new Error(loaded.error.map(formatProblem).join('\n'))
  return loaded.value
}

function refused(text: string, env?: Environment): string {
  const loaded = load(text, env)
  if (loaded.ok) throw new Error('this configuration should have been refused')
  return loaded.error.map(formatProblem).join('\n')
}

describe('defaults', () => {
  // The figures are those of the issue and of the design, not of the schema.
  test('an empty file, only comments and an empty section give the documented defaults', () => {
    for (const text of ['', '# nothing\n', 'asterisk:\nvad:\n', '---\n', '\ufeff']) {
      const { configuration } = good(text, {})
      expect(configuration.asterisk).toMatchObject({
        host: '127.0.0.1',
        port: 8088,
        app_name: 'patchcord',
        password: '',
      })
      expect(configuration.audiosocket).toMatchObject({ host: '127.0.0.1', port: 8090, format: 'slin' })
      expect(configuration.health).toEqual({ host: '127.0.0.1', port: 15000, api: true, allowed_hosts: [] })
      expect(configuration.default_provider).toBe('local')
      expect(configuration.providers.loopback.delay_ms).toBe(500)
      expect(configuration.logging.transcripts).toBe(false)
    }
  })

  test('two loads share nothing, and what is loaded is frozen to the bottom', () => {
    const first = good('').configuration
    expect(good('').configuration.audiosocket.allow).not.toBe(first.audiosocket.allow)
    expect(() => first.audiosocket.allow.push('10.0.0.1')).toThrow()
    expect(() => {
      first.providers.local.llm.max_tokens = 1
    }).toThrow()
  })

  test('an engine without a password loads, with a warning that names the variable', () => {
    const { warnings } = good('', {})
    expect(warnings.map(({ key }) => key)).toEqual(['asterisk.password'])
    expect(warnings.map(formatProblem).join()).toContain('ASTERISK_ARI_PASSWORD')
    expect(good('', { ASTERISK_ARI_PASSWORD: 's' }).warnings).toEqual([])
  })
})

describe('environment', () => {
  test('variables stand in for keys that the file leaves out, also in sections that it has', () => {
    const env = {
      ASTERISK_HOST: 'pbx',
      ASTERISK_ARI_PORT: '8089',
      ASTERISK_ARI_USERNAME: '1001',
      ASTERISK_ARI_PASSWORD: '0815',
    }
    for (const text of ['', 'asterisk:\n  app_name: other\n']) {
      const { asterisk } = good(text, env).configuration
      expect(asterisk).toMatchObject({ host: 'pbx', port: 8089, username: '1001', password: '0815' })
    }
  })

  test('the file wins over the variable', () => {
    expect(good('asterisk: { host: 10.1.1.1 }', { ASTERISK_HOST: 'pbx' }).configuration.asterisk.host).toBe('10.1.1.1')
  })

  test('an unusable variable is named, and its value is not shown', () => {
    const words = refused('', { ASTERISK_ARI_PORT: 'http-port-s3cret' })
    expect(words).toContain('ASTERISK_ARI_PORT')
    expect(words).toContain('asterisk.port')
    expect(words).not.toContain('s3cret')
  })

  test('no check of several values shows what came out of a variable', () => {
    const refusal = refused('default_provider: ${CANARY}', { CANARY: 'canary-4711' })
    expect(refusal).toContain('********')
    expect(refusal).not.toContain('canary-4711')
  })

  test('a value out of a variable is one value, whatever it holds', () => {
    const env = { EVIL: 'x\ndefault_provider: loopback # "\'' }
    const { configuration } = good(`llm:\n  prompt: \${EVIL}\n`, env)
    expect(configuration.llm.prompt).toBe(env.EVIL)
    expect(configuration.default_provider).toBe('local')
  })

  test.each([
    ['allowed_hosts: ["a" "b"]', /Missing a comma or a colon between flow sequence items\. Is a colon, a comma/],
    ['allowed_hosts: [a b: c d: e]', /Block collections are not allowed.*is a comma missing/],
  ])('a comma that is missing is named: %s', (line, said) => {
    expect(refused(`health:\n  ${line}\n`)).toMatch(said)
  })

  test('under names of the user, too, what is a text stays one', () => {
    const text = `agents:
  a:
    dids:
      - \${DID}
  b:
pipelines:
  p:
    llm:
      provider: openai_compatible
      base_url: http://127.0.0.1/v1
      model: \${MODEL}
dtmf:
  keys:
    "1":
      action: say
      text: \${WORDS}
prices:
  providers:
    local:
      per_call: \${PRICE}
    loopback:
`
    const env = { DID: '+431559', MODEL: '200', WORDS: 'true', PRICE: '0.5' }
    const { agents, pipelines, dtmf, prices } = good(text, env).configuration
    expect([agents.a?.dids, pipelines.p?.llm, dtmf.keys['1']?.text]).toMatchObject([
      ['+431559'],
      { model: '200' },
      'true',
    ])
    expect(agents.b?.dids).toEqual([])
    expect([prices.providers.local?.per_call, prices.providers.loopback?.per_call]).toEqual([0.5, 0])
  })

  test.each(['llm: { prompt: ${P} }\nlanguage: en\nvad: {}\n', 'health:\n  allowed_hosts: [${A}, ${B}]\n'])(
    'a reference between braces or brackets is told once where it stands: %j',
    (text) => {
      const told = refused(text).split('\n')
      expect(told.filter((each) => !each.includes('Put a text in quotes'))).toEqual([])
      expect(told.length).toBe(text.split('$').length - 1)
    },
  )

  test('types: a number for a number, a text for a text, true for a flag; quoted it stays a text', () => {
    const env = { N: '9001', T: 'true', ASTERISK_ARI_PASSWORD: 'x' }
    const text = `health:\n  port: \${N}\nasterisk:\n  username: \${N}\nlogging:\n  transcripts: \${T}\n`
    const { configuration } = good(text, env)
    expect(configuration.health.port).toBe(9001)
    expect(configuration.asterisk.username).toBe('9001')
    expect(configuration.logging.transcripts).toBe(true)
    expect(refused(`health:\n  port: "\${N}"\n`, env)).toContain('health.port')
  })

  test('defaults, escapes and several references in one text', () => {
    const greeting = (value: string, env: Environment = {}) =>
      good(`llm:\n  initial_greeting: "${value}"\n`, env).configuration.llm.initial_greeting
    expect(greeting(`\${A:-Hello} \${B:-}!`)).toBe('Hello !')
    expect(greeting(`\${A:-Hello} \${B}`, { A: '', B: 'Ann' })).toBe('Hello Ann')
    expect(greeting(`costs $5, $\${A}`)).toBe(`costs $5, \${A}`)
    // What a variable holds is not looked at again.
    expect(greeting(`\${A}`, { A: `\${B}` })).toBe(`\${B}`)
  })
})

describe('secrets', () => {
  const folder = mkdtempSync(join(tmpdir(), 'patchcord-secrets-'))
  const file = join(folder, 'password')
  writeFileSync(file, 'from the file\n')

  test('from a file that a variable names, without its last line break', () => {
    const env = { ASTERISK_ARI_PASSWORD_FILE: file }
    for (const text of [
      '',
      `asterisk:\n  password: \${ASTERISK_ARI_PASSWORD}\n`,
      `asterisk:\n  password: \${ASTERISK_ARI_PASSWORD:-}\n`,
    ]) {
      expect(good(text, env).configuration.asterisk.password).toBe('from the file')
    }
  })

  test('both ways at once, a missing file and an empty one are refused', () => {
    const empty = join(folder, 'empty')
    writeFileSync(empty, '\n')
    expect(refused('', { ASTERISK_ARI_PASSWORD: 'a', ASTERISK_ARI_PASSWORD_FILE: file })).toContain('keep one')
    expect(refused('', { ASTERISK_ARI_PASSWORD_FILE: join(folder, 'none') })).toContain('ASTERISK_ARI_PASSWORD_FILE')
    expect(refused('', { ASTERISK_ARI_PASSWORD_FILE: empty })).toContain('empty')
  })

  test('in the file only as a reference: a default is a literal too', () => {
    expect(good(`asterisk:\n  password: \${OTHER}\n`, { OTHER: '12345' }).configuration.asterisk.password).toBe('12345')
    for (const value of ['hunter2', '12345', `\${OTHER:-hunter2}`, `hunter\${OTHER}`, `[hunter2]`]) {
      const words = refused(`asterisk:\n  password: ${value}\n`, { OTHER: 'a' })
      expect(words).toContain('a.yaml:2:')
      expect(words).not.toContain('hunter')
      expect(words).not.toContain('12345')
    }
    expect(refused(`asterisk:\n  password: \${OTHER}\n`, {})).toContain('OTHER')
  })
})

describe('odd files', () => {
  test('aliases are taken for what they stand for', () => {
    const { configuration } = good('limits:\n  calls: &n 7\naudiosocket:\n  max_connections: *n\n')
    expect(configuration.audiosocket.max_connections).toBe(7)
  })

  test.each([
    ['an alias without anchor', 'limits: { calls: *gone }', 1],
    ['a tag', 'limits:\n  calls: !secret 5', 2],
    ['a merge key', 'vad: &v\n  threshold: 0.5\nbarge_in:\n  <<: *v', 4],
    ['deep nesting', `llm: ${'['.repeat(5000)}${']'.repeat(5000)}`, 1],
    ['a cycle', 'audiosocket:\n  allow: &a [*a]', 2],
    ['a zero byte', 'language: en\n\0', 2],
    ['a text at the top', 'just some words', 1],
    ['a prototype key', '__proto__:\n  enabled: true', 1],
    ['a constructor key', 'vad:\n  constructor: 1', 2],
    ['an unclosed flow', 'audiosocket: { port: 8090', 1],
  ])('%s is refused', (_, text, line) => {
    expect(refused(text)).toContain(`a.yaml:${line}:`)
  })

  // The parser would be busy with it for many seconds, and complain of its own stack or of each bracket.
  test.each([
    ['brackets', `vad:\n  threshold: ${'['.repeat(200_000)}`, 'a.yaml:2:46'],
    ['braces with keys', `vad:\n  threshold: ${'{a: '.repeat(50_000)}`, 'a.yaml:2:142'],
    ['brackets over lines', `vad:\r\n${'[\r\n'.repeat(1000)}`, 'a.yaml:34:1'],
    ['dashes', `vad:\n  ${'- '.repeat(1000)}`, 'a.yaml:2:67'],
    ['question marks', '? '.repeat(1000), 'a.yaml:1:65'],
  ])('%s beyond all measure are refused where they pass it', (_, text, place) => {
    expect(refused(text)).toBe(`${place}: more than 32 levels of nesting. Is a bracket or a brace not closed?`)
  })

  test('brackets and dashes in a text, or one after the other, nest nothing', () => {
    const signs = '[{- ? '.repeat(50)
    const { configuration } = good(
      `agents:\n  a:\n    prompt: |\n      ${signs}\n      ${signs}\n  b: { prompt: "${signs}" } # ${signs}\n  c: { prompt: x${signs.replace(/[[{?]/g, '')} }\n`,
    )
    expect(configuration.agents.a?.prompt).toStartWith(signs)
    expect(configuration.agents.b?.prompt).toBe(signs)
    const empty = Array.from({ length: 100 }, (_, index) => `  d${index}: {}\n`).join('')
    expect(Object.keys(good(`agents:\n${empty}`).configuration.agents)).toHaveLength(100)
  })

  test('Windows line ends count as one line', () => {
    expect(refused('language: en\r\nvad:\r\n  threshold: high\r\n')).toStartWith('a.yaml:3:14: vad.threshold:')
  })

  test('every unknown key of a section is named, not only the first', () => {
    expect(refused('vad:\n  one: 1\n  two: 2\n  three: 3\n').split('\n')).toHaveLength(3)
  })

  test('a million characters are refused or read quickly', () => {
    expect(refused(`language: en\nnoise: ${'x'.repeat(1_000_000)}\n`)).toContain('noise')
    expect(refused(`${Array.from({ length: 20_000 }, (_, n) => `k${n}: 1`).join('\n')}\n`)).toContain('10000 values')
  })
})

describe('values that may be a secret in the wrong place', () => {
  test.each([
    ['api_key_env: sk-proj-topsecret!', 'topsecret'],
    ['base_url: https://joe:hunter2@llm.example.com/v1?key=topsecret', 'hunter2'],
  ])('%s is refused without being shown', (line, secret) => {
    const message = refused(`providers:\n  local:\n    llm:\n      ${line}\n`)
    expect(message).toContain('a.yaml:4:')
    expect(message).toContain('not shown')
    expect(message).not.toContain(secret)
  })
})
