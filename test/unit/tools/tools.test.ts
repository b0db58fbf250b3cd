import { describe, expect, test } from 'bun:test'
import * as v from 'valibot'
import { jsonSchemaOf } from '#tools/json-schema.ts'
import type { Tool, ToolContext } from '#tools/tool.ts'
import { ToolRunner } from '#tools/tool-runner.ts'
import { createTools, toolNames } from '#tools/tools.ts'
import { ManualClock, settle } from '../../fakes/manual-clock.ts'

const destinations = {
  sales: { context: 'internal', extension: '200', priority: 1, description: 'the sales desk' },
  night_line: { context: 'internal', extension: 'night', priority: 2, description: '' },
}
const context = (overrides: Partial<ToolContext> = {}): ToolContext => ({
  callId: 'call-1',
  canTransfer: true,
  signal: new AbortController().signal,
  ...overrides,
})

describe('every tool', () => {
  const tools = createTools(toolNames, { destinations })

  test('is in the list under its own name', () => {
    expect(tools.map(({ name }) => name)).toEqual([...toolNames])
  })

  test.each(tools.map((tool) => [tool.name, tool] as const))(
    '%s says what it is for, and what it takes',
    (_name, tool) => {
      expect(tool.name).toMatch(/^[a-z][a-z_]{2,40}$/)
      expect(tool.description).toMatch(/^[A-Z].*\.$/)
      expect(tool.deadlineMs).toBeGreaterThan(0)
      expect(jsonSchemaOf(tool.parameters)).toMatchObject({ type: 'object', additionalProperties: false })
    },
  )

  test('is switched on by its name alone; a transfer needs somewhere to go', () => {
    expect(createTools(['terminate_call'], { destinations }).map(({ name }) => name)).toEqual(['terminate_call'])
    expect(createTools(toolNames, { destinations: {} }).map(({ name }) => name)).toEqual(['terminate_call'])
    expect(createTools([], { destinations })).toEqual([])
  })
})

describe('a runner of tools', () => {
  const run = async (name: string, text: string, overrides: Partial<ToolContext> = {}) =>
    await new ToolRunner(createTools(toolNames, { destinations }), new ManualClock()).run(
      name,
      text,
      context(overrides),
    )

  test('ends the call', async () => {
    for (const text of ['', '{}', '{"reason":"done"}', '{"unknown":1}']) {
      expect(await run('terminate_call', text)).toEqual({
        output: '{"ok":true}',
        departure: { kind: 'hang_up' },
        failure: null,
      })
    }
  })

  test('transfers to a place that has a name', async () => {
    expect(await run('transfer_call', '{"destination":"night_line"}')).toEqual({
      output: '{"ok":true}',
      departure: { kind: 'transfer', to: { context: 'internal', extension: 'night', priority: 2 } },
      failure: null,
    })
  })

  test.each([
    ['transfer_call', '{"destination":"mars"}', 'bad_arguments'],
    ['transfer_call', '{}', 'bad_arguments'],
    ['transfer_call', 'not json', 'bad_arguments'],
    ['transfer_call', '[]', 'bad_arguments'],
    ['fly', '{}', 'unknown_tool'],
  ])('%s(%s): %s, as a word to the model', async (name, text, failure) => {
    const outcome = await run(name, text)
    expect([outcome.failure, outcome.departure, JSON.parse(outcome.output).ok]).toEqual([failure, null, false])
    expect(outcome.output).not.toContain('mars')
  })

  test('a caller who cannot be transferred is not', async () => {
    const outcome = await run('transfer_call', '{"destination":"sales"}', { canTransfer: false })
    expect([outcome.departure, JSON.parse(outcome.output).ok]).toEqual([null, false])
  })

  const odd = (action: Tool['run']): Tool => ({
    name: 'odd',
    description: 'Odd.',
    parameters: v.object({}),
    deadlineMs: 500,
    run: action,
  })

  test('a tool that throws has failed', async () => {
    for (const action of [
      () => Promise.reject(new Error('secret')),
      (): never => {
        throw new Error('secret')
      },
    ]) {
      const outcome = await new ToolRunner([odd(action)], new ManualClock()).run('odd', '{}', context())
      expect(outcome).toEqual({ output: '{"ok":false,"error":"the tool failed"}', departure: null, failure: 'failed' })
    }
  })

  test('one that takes too long is told to stop, and has failed; no timer is left', async () => {
    const clock = new ManualClock()
    let stopped = false
    const runner = new ToolRunner(
      [
        odd(
          (_input, { signal }) =>
            new Promise(() =>
              signal.addEventListener('abort', () => {
                stopped = true
              }),
            ),
        ),
      ],
      clock,
    )
    const outcome = runner.run('odd', '{}', context())
    clock.advance(500)
    expect((await outcome).failure).toBe('timeout')
    await settle()
    expect([stopped, clock.pending]).toEqual([true, 0])
  })
})

describe('parameters as JSON Schema', () => {
  test('each kind that tools use', () => {
    const parameters = v.object({
      name: v.pipe(v.string(), v.maxLength(20), v.description('Whose.')),
      count: v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(9)),
      share: v.number(),
      now: v.boolean(),
      how: v.optional(v.picklist(['slow', 'quick'])),
      tags: v.array(v.string()),
    })
    expect(jsonSchemaOf(parameters)).toEqual({
      type: 'object',
      properties: {
        name: { type: 'string', maxLength: 20, description: 'Whose.' },
        count: { type: 'integer', minimum: 1, maximum: 9 },
        share: { type: 'number' },
        now: { type: 'boolean' },
        how: { type: 'string', enum: ['slow', 'quick'] },
        tags: { type: 'array', items: { type: 'string' } },
      },
      required: ['name', 'count', 'share', 'now', 'tags'],
      additionalProperties: false,
    })
  })

  test('another kind is a bug', () => {
    expect(() => jsonSchemaOf(v.object({ at: v.date() }))).toThrow('bug')
  })
})
