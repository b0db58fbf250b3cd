import { describe, expect, test } from 'bun:test'
import * as v from 'valibot'
import { createTerminateCall } from '#tools/terminate-call.ts'
import type { Tool } from '#tools/tool.ts'
import { createTransferCall } from '#tools/transfer-call.ts'
import { RealtimeBench, type RealtimeBenchOptions } from '../../../fakes/realtime-standin.ts'
import type { FunctionCall, Reply } from '../../../standin/openai-realtime/options.ts'

const transfer = createTransferCall({
  sales: { context: 'internal', extension: '200', priority: 1, description: 'the sales desk' },
})
const ran: string[] = []
const clock: Tool = {
  name: 'opening_hours',
  description: 'When the shop is open.',
  parameters: v.object({ day: v.string() }),
  deadlineMs: 1000,
  run: ({ day }) => {
    ran.push(String(day))
    return { output: { open: '9 to 6' } }
  },
}

/** A turn whose answer asks for these functions; what comes then is the rest of the replies. */
async function asked(calls: readonly FunctionCall[], rest: readonly Reply[], options: RealtimeBenchOptions = {}) {
  ran.length = 0
  const { text, ...others } = { text: 'Let me see.', ...options.standin }
  const first: Reply = text === '' ? { ms: 0, calls } : { text, ms: 600, calls }
  const bench = await new RealtimeBench({
    tools: [clock, createTerminateCall(), transfer],
    context: { canTransfer: true },
    ...options,
    standin: { replies: [first, ...rest], ...others },
  }).open()
  await bench.pass(600, 'hum')
  await bench.pass(520, 'quiet')
  await bench.pass(200)
  return bench
}
const call = (name: string, args: object, callId = 'call_1'): FunctionCall => ({ name, arguments: { ...args }, callId })
const silent = { standin: { text: '' } as Partial<{ text: string }> } as unknown as RealtimeBenchOptions

describe('functions', () => {
  test('are told to the model in full', async () => {
    const bench = await new RealtimeBench({ tools: [transfer] }).open()
    expect(bench.server.last.record.received[0]?.event).toMatchObject({
      session: {
        tool_choice: 'auto',
        tools: [
          {
            type: 'function',
            name: 'transfer_call',
            parameters: {
              type: 'object',
              properties: { destination: { type: 'string', enum: ['sales'] } },
              required: ['destination'],
              additionalProperties: false,
            },
          },
        ],
      },
    })
  })

  test('one is run once, its result follows the end of the reply, and then the next is asked for', async () => {
    const bench = await asked([call('opening_hours', { day: 'monday' })], [{ text: 'We open at nine.', ms: 500 }])
    await bench.pass(500)
    expect(ran).toEqual(['monday'])
    const { received, sent } = bench.server.last.record
    const output = received.find(({ event }) => event.type === 'conversation.item.create')
    expect(output?.event).toMatchObject({
      item: { type: 'function_call_output', call_id: 'call_1', output: '{"open":"9 to 6"}' },
    })
    const firstDone = sent.findIndex(({ event }) => event.type === 'response.done')
    expect(sent[firstDone]?.atMs).toBeLessThanOrEqual(output?.atMs ?? 0)
    expect(bench.received().slice(1)).toEqual(['conversation.item.create', 'response.create'])
    expect([bench.audioMs, bench.server.errors]).toEqual([1100, []])
    expect(bench.of('tool').map(({ running }) => running)).toEqual([true, false])
  })

  test('several in one reply: all results, then one request', async () => {
    const bench = await asked(
      [call('opening_hours', { day: 'monday' }, 'call_1'), call('opening_hours', { day: 'sunday' }, 'call_2')],
      [{ text: 'Nine to six.', ms: 500 }],
    )
    await bench.pass(500)
    expect(ran).toEqual(['monday', 'sunday'])
    expect(bench.received().slice(1)).toEqual([
      'conversation.item.create',
      'conversation.item.create',
      'response.create',
    ])
  })

  test('the same invocation again is not run again', async () => {
    const bench = await asked(
      [call('opening_hours', { day: 'monday' })],
      [{ text: 'Nine.', ms: 300, calls: [call('opening_hours', { day: 'monday' })] }],
    )
    await bench.pass(500)
    expect(ran).toEqual(['monday'])
  })

  test('arguments that make no sense: the model is told, and nobody else', async () => {
    const bench = await asked([call('opening_hours', { hour: 3 })], [{ text: 'Sorry.', ms: 300 }])
    await bench.pass(300)
    expect(JSON.stringify(bench.server.last.record.received)).toContain('\\"ok\\":false')
    expect(bench.of('fault')).toEqual([])
    expect(bench.provider.events?.().tool_bad_arguments).toBe(1)
  })

  test('a reply without words that only asks: no reply is announced', async () => {
    const bench = await asked([call('opening_hours', { day: 'monday' })], [{ text: 'Nine.', ms: 500 }], silent)
    expect(
      bench
        .taken()
        .filter((type) => type.startsWith('reply') || type === 'tool')
        .slice(0, 2),
    ).toEqual(['tool', 'tool'])
    await bench.pass(400)
    expect(bench.server.errors).toEqual([])
  })
})

describe('terminate_call', () => {
  test('with a goodbye: the call is left behind it', async () => {
    const bench = await asked([call('terminate_call', {})], [])
    expect(bench.taken().filter((type) => /reply|leave/.test(type))).toEqual(['reply_started', 'reply_done', 'leave'])
    expect(bench.received().slice(1)).toEqual(['conversation.item.create'])
  })

  test('without one: one sentence is asked for, and the call is left behind that', async () => {
    const bench = await asked([call('terminate_call', { reason: 'done' })], [{ text: 'Goodbye.', ms: 700 }], silent)
    await bench.pass(400)
    expect(bench.taken().filter((type) => /reply|leave/.test(type))).toEqual(['reply_started', 'reply_done', 'leave'])
    const create = bench.server.last.record.received.findLast(({ event }) => event.type === 'response.create')?.event
    expect(create).toMatchObject({
      response: { instructions: expect.stringMatching(/Be brief[\s\S]*goodbye/), tool_choice: 'none' },
    })
  })

  test('the goodbye does not come: the call is left all the same', async () => {
    const bench = await asked([call('terminate_call', {})], [{ fault: { kind: 'silence' } }], silent)
    await bench.pass(4000)
    expect(bench.taken().filter((type) => /reply|leave|fault/.test(type))).toEqual(['leave'])
  })

  test('the caller speaks before it: the call goes on', async () => {
    const bench = await asked(
      [call('terminate_call', {})],
      [
        { text: 'Goodbye.', ms: 700 },
        { text: 'Yes?', ms: 300 },
      ],
      {
        ...silent,
        standin: { ...silent.standin, firstDeltaAfterMs: 500 },
      },
    )
    await bench.pass(300)
    await bench.pass(600, 'hum')
    await bench.pass(520, 'quiet')
    await bench.pass(1000)
    expect(bench.of('leave')).toEqual([])
    expect([bench.audioMs, bench.server.errors]).toEqual([300, []])
  })
})

describe('transfer_call', () => {
  test('to a place that the configuration names', async () => {
    const bench = await asked([call('transfer_call', { destination: 'sales' })], [])
    expect(bench.of('leave')).toEqual([
      { type: 'leave', how: { kind: 'transfer', to: { context: 'internal', extension: '200', priority: 1 } } },
    ])
  })

  test.each([
    ['to another', { destination: 'the president' }, true],
    ['on a line that cannot be transferred', { destination: 'sales' }, false],
  ])('%s: the model is told that it cannot be', async (_what, args, canTransfer) => {
    const bench = await asked([call('transfer_call', args)], [{ text: 'I cannot.', ms: 300 }], {
      context: { canTransfer },
    })
    await bench.pass(300)
    expect(bench.of('leave')).toEqual([])
    expect(bench.received().slice(1)).toEqual(['conversation.item.create', 'response.create'])
  })
})
