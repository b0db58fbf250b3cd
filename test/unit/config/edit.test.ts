import { describe, expect, test } from 'bun:test'
import { setTopValue } from '#config/edit.ts'

const key = 'default_provider'

function edited(text: string, value = 'deepgram'): string {
  const result = setTopValue('engine.yaml', text, key, value)
  if (!result.ok) throw new Error(result.error)
  return result.value.text
}

function refusal(text: string): string {
  const result = setTopValue('engine.yaml', text, key, 'deepgram')
  return result.ok ? 'taken' : result.error
}

describe('one value of a file', () => {
  test.each([
    ['plain', 'default_provider: local\n', 'default_provider: deepgram\n'],
    ['without a line end', 'default_provider: local', 'default_provider: deepgram'],
    ['in double quotes', 'default_provider: "local"   # why\n', 'default_provider: "deepgram"   # why\n'],
    ['in single quotes', "default_provider:   'local'\n", "default_provider:   'deepgram'\n"],
    ['with a quoted key', '"default_provider" : local\n', '"default_provider" : deepgram\n'],
    ['with an anchor that nobody uses', 'default_provider: &p local # p\n', 'default_provider: &p deepgram # p\n'],
    ['that is an alias', 'x: &p local\ndefault_provider: *p\n', 'x: &p local\ndefault_provider: deepgram\n'],
    ['that is missing behind its key', 'default_provider:\nb: 1\n', 'default_provider: deepgram\nb: 1\n'],
    ['on the next line', 'default_provider:\n  local\nb: 1\n', 'default_provider:\n  deepgram\nb: 1\n'],
    ['as a block', 'default_provider: |-\n  local\nb: 1\n', 'default_provider: deepgram\nb: 1\n'],
    ['in a map of one line', '{ b: 1, default_provider: local }\n', '{ b: 1, default_provider: deepgram }\n'],
    [
      'with the line ends of Windows',
      '# a\r\ndefault_provider: local\r\nb: 1\r\n',
      '# a\r\ndefault_provider: deepgram\r\nb: 1\r\n',
    ],
    ['behind a byte order mark', '\ufeffdefault_provider: local\n', '\ufeffdefault_provider: deepgram\n'],
    ['with tabs before a comment', 'default_provider: local\t\t# c\n', 'default_provider: deepgram\t\t# c\n'],
  ])('%s: is replaced, and nothing else', (_what, before, after) => {
    expect(edited(before)).toBe(after)
  })

  test.each([
    [
      'before the first key, behind the head of the file',
      '# head\n\nb: 1 # one\n',
      '# head\n\ndefault_provider: deepgram\nb: 1 # one\n',
    ],
    ['of a map of one line', '{ b: 1 }\n', '{default_provider: deepgram,  b: 1 }\n'],
    ['of a file of comments', '# nothing yet\n', '# nothing yet\ndefault_provider: deepgram\n'],
    ['of an empty file', '', 'default_provider: deepgram\n'],
    ['with the line ends of Windows', 'b: 1\r\n', 'default_provider: deepgram\r\nb: 1\r\n'],
    [
      'where all keys are indented',
      '# a\n---\n  # b\n  b: 1\n  c: 2\n',
      '# a\n---\n  # b\n  default_provider: deepgram\n  b: 1\n  c: 2\n',
    ],
    ['before an anchor of the first key', '  &x b: 1\n', '  default_provider: deepgram\n  &x b: 1\n'],
    ['behind an anchor of the whole', '--- &r\nb: 1\n', '--- &r\ndefault_provider: deepgram\nb: 1\n'],
  ])('that is not there is put in: %s', (_what, before, after) => {
    expect(edited(before)).toBe(after)
  })

  test('keeps every other byte of a file full of comments, anchors and odd spacing', () => {
    const rest = [
      '%YAML 1.2',
      '---   # the head',
      '',
      'llm:    {initial_greeting:   "Hello: #1"}',
      'on_failure:',
      '   notice: >-',
      '       folded   text # no comment',
      '#default_provider: not this one',
      'defaults: &shared',
      '    enabled :   true      # spaces before the colon',
      '',
      'providers:',
      '  loopback :  *shared',
    ]
    const [before, after] = ['local', 'loopback'].map((name) =>
      [...rest.slice(0, 8), `default_provider   :     ${name}   # which answers`, ...rest.slice(8)].join('\n'),
    ) as [string, string]
    expect(edited(before, 'loopback')).toBe(after)
  })

  test('in quotes where the name would read as something else', () => {
    expect(edited('default_provider: local\n', 'true')).toBe('default_provider: "true"\n')
    expect(edited('default_provider: local\n', '12')).toBe('default_provider: "12"\n')
  })

  test.each([
    [
      'another key takes it by an alias',
      'default_provider: &p local\nlanguage: *p\n',
      'engine.yaml:1:1: default_provider: language takes its value from here, by an alias. Write its value out there, in place of the alias.',
    ],
    ...['&p', '&p # none', '!!str'].map((mark): [string, string, string] => [
      `${mark} stands in the place of a value`,
      `default_provider: ${mark}\nb: 1\n`,
      'engine.yaml:1:1: default_provider: an anchor or a tag stands there, and no value. Remove it, or write a name behind it.',
    ]),
    [
      'others take what is empty, and has an anchor',
      'default_provider: &p\nlanguage: *p\n',
      'engine.yaml:1:1: default_provider: an anchor or a tag stands there, and no value. Remove it, or write a name behind it.',
    ],
    [
      'it comes from the environment',
      'a: 1\ndefault_provider: ${P:-local}\n',
      'engine.yaml:2:1: default_provider: its value comes from a variable of the environment. Change the variable, or write a name there.',
    ],
    [
      'it is a section',
      'default_provider:\n  a: 1\n',
      'engine.yaml:1:1: default_provider: expected one value. Write a name there.',
    ],
    [
      'the file is no YAML',
      'a: [\n',
      'engine.yaml:2:1: default_provider: the file is not YAML. Repair it first: patchcord check says how.',
    ],
    [
      'the file is a list',
      '- a\n',
      'engine.yaml:1:1: default_provider: the file holds no keys at its top. Is this the right file?',
    ],
  ])('is refused where %s', (_what, text, message) => {
    expect(refusal(text)).toBe(message)
  })
})
