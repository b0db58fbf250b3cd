import { afterAll, describe, expect, test } from 'bun:test'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { explain } from '../../../src/cli/explain.ts'

const folder = mkdtempSync(join(tmpdir(), 'patchcord-explain-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))
writeFileSync(
  join(folder, 'a.yaml'),
  `language: \${SPOKEN}
llm:
  prompt: Be brief.
pipelines: { front: {}, french: { options: { language: fr }, tools: [terminate_call] } }
agents:
  sales:
    greeting: ${'Sales, how can I help? '.repeat(5)}
    pipeline: front
    dids: ["+431", "+4315550*"]
  echo: { provider: loopback }
`,
)

function explained(...argv: string[]) {
  const out: string[] = []
  const said: string[] = []
  const io = {
    cwd: folder,
    env: { SPOKEN: 'de' },
    stdout: (line: string) => void out.push(line.replace(/ {2,}/g, ' | ')),
    stderr: (line: string) => void said.push(line),
  }
  const code = explain(argv.includes('--config') ? argv : [...argv, '--config', 'a.yaml'], io)
  return { code, out, said: said.join('\n') }
}

describe('patchcord explain', () => {
  test('names agent and route, and the line of each value', () => {
    expect(explained('--did', '+4315550199', '--exten', '100')).toEqual({
      code: 0,
      out: [
        'agent | sales | did +4315550199 fits +4315550*: agents.sales.dids[2], a.yaml:9',
        'provider | front | agents.sales.pipeline, a.yaml:8',
        'greeting | Sales, how can I help? Sales, how can I help? Sales, how ca… | agents.sales.greeting, a.yaml:7',
        'prompt | Be brief. | llm.prompt, a.yaml:3',
        // What a variable holds is shown nowhere.
        'language | ******** | language, out of the environment, a.yaml:1',
        'voice | its own | as front has it',
        'tools | none | pipelines.front.tools, by default',
      ],
      said: '',
    })
  })

  test('what the dialplan says has the last word', () => {
    expect(explained('--did', '+431', '--agent', 'echo', '--greeting', 'Hi.').out.slice(0, 3)).toEqual([
      'agent | echo | an argument of Stasis()',
      'provider | loopback | agents.echo.provider, a.yaml:10',
      'greeting | Hi. | an argument of Stasis()',
    ])
  })

  test('what a pipeline says for all of its calls stands over what is said beside it', () => {
    const { out } = explained('--pipeline', 'french')
    expect(out.slice(4)).toEqual([
      'language | fr | pipelines.french.options.language, a.yaml:4',
      'voice | its own | as french has it',
      'tools | terminate_call | pipelines.french.tools, a.yaml:4',
    ])
  })

  test('the variables of the engine may lie in a file', () => {
    writeFileSync(join(folder, 'engine.env'), 'GREETING=Hi.\n')
    writeFileSync(join(folder, 'b.yaml'), `llm: { initial_greeting: "\${GREETING}" }\n`)
    expect(explained('--config', 'b.yaml')).toMatchObject({ code: 1, said: expect.stringContaining('GREETING is not') })
    expect(explained('--config', 'b.yaml', '--env-file', 'engine.env')).toMatchObject({ code: 0, said: '' })
    expect(explained('--env-file', 'none.env')).toMatchObject({ code: 1, said: expect.stringContaining('none.env') })
  })

  test('a call that nobody claims', () => {
    const { out } = explained()
    expect(out[0]).toBe('agent | none | no agent claims this call')
    expect(out[1]).toBe('provider | local | default_provider, by default')
  })

  test('a name that there is not', () => {
    expect(explained('--pipeline', 'back')).toEqual({
      code: 1,
      out: [],
      said: 'back: no such pipeline; there are front, french. The call goes back to the dialplan with PATCHCORD_RESULT=unknown_pipeline.',
    })
  })

  test('a wrong command line', () => {
    expect(explained('--dad', '1').code).toBe(2)
  })
})
