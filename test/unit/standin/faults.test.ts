import { expect, test } from 'bun:test'
import { ManualClock } from '../../fakes/manual-clock.ts'
import type { Reply, ReplyFault } from '../../standin/openai-realtime/options.ts'
import { open } from './realtime-client.ts'

const failing = (fault: ReplyFault): Reply[] => [
  { text: 'a b c d e f g h i j', ms: 1000, fault },
  { text: 'fine', ms: 100 },
]

test('silence after response.created', async () => {
  await using world = await open({ replies: failing({ kind: 'silence' }) })
  const { client, clock } = world
  client.send({ type: 'response.create' })
  await client.next('response.created')
  clock.advance(60_000)
  await client.settled()
  expect(client.types.at(-2)).toBe('response.created')
  // A client that loses patience cancels it, and asks again.
  client.send({ type: 'response.cancel' })
  expect((await client.next('response.done')).response).toMatchObject({ status: 'cancelled', output: [] })
  client.send({ type: 'response.create' })
  expect((await client.next('response.done')).response.status).toBe('completed')
})

test('a reply that stalls', async () => {
  await using world = await open({ replies: failing({ kind: 'stall', afterMs: 300 }), pace: 1 })
  const { client, clock, session } = world
  client.send({ type: 'response.create' })
  await client.next('response.created')
  clock.advance(60_000)
  await client.settled()
  expect(session.record.deltasSent).toBe(3)
  expect(client.of('response.done')).toEqual([])
  client.send({ type: 'response.cancel' })
  await client.next('response.done')
})

test('a connection that is gone in the middle of a reply', async () => {
  await using world = await open({ replies: failing({ kind: 'cut', afterMs: 300 }), pace: 1 })
  const { client, clock, session } = world
  client.send({ type: 'response.create' })
  await client.next('response.output_audio.delta')
  clock.advance(1000)
  expect((await client.closed).code).toBe(1006)
  expect(session.record.deltasSent).toBe(3)
})

test('a response that has failed, for want of money', async () => {
  const fault = { kind: 'failed', type: 'insufficient_quota', code: 'insufficient_quota', message: 'No more.' } as const
  await using world = await open({ replies: failing(fault) })
  world.client.send({ type: 'response.create' })
  const { response } = await world.client.next('response.done')
  const { kind: _, ...error } = fault
  expect(response).toMatchObject({ status: 'failed', status_details: { type: 'failed', error }, output: [] })
})

test('an error of the server in place of a response', async () => {
  await using world = await open({ replies: failing({ kind: 'error' }) })
  const { client } = world
  client.send({ type: 'response.create' })
  expect((await client.next('error')).error).toMatchObject({ type: 'server_error', event_id: null })
  client.send({ type: 'response.create' })
  expect((await client.next('response.done')).response.status).toBe('completed')
})

test('a response that ends early', async () => {
  await using world = await open({ replies: failing({ kind: 'incomplete', afterMs: 200 }) })
  world.client.send({ type: 'response.create' })
  expect((await world.client.next('response.done')).response).toMatchObject({
    status: 'incomplete',
    status_details: { type: 'incomplete', reason: 'max_output_tokens' },
    output: [{ status: 'incomplete' }],
  })
})

test('a session that expires', async () => {
  await using world = await open({ sessionMaxMs: 120_000 })
  const { client, clock } = world
  const { expires_at: expiresAt } = client.of('session.created')[0].session
  expect(expiresAt).toBe(Math.floor((new ManualClock().wallNow() + 120_000) / 1000))
  clock.advance(120_000)
  expect((await client.next('error')).error).toMatchObject({
    code: 'session_expired',
    message: 'Your session hit the maximum duration of 2 minutes.',
  })
  expect((await client.closed).code).toBe(1001)
})

test('silence from the start', async () => {
  await using world = await open({ silentFromStart: true })
  const { client, session } = world
  await client.opened
  client.send({ type: 'session.update', session: { type: 'realtime' } })
  while (session.record.received.length === 0) await Bun.sleep(1)
  expect(client.events).toEqual([])
})

test('a session that hangs for a while, speaks no JSON, and hangs up', async () => {
  await using world = await open({ unknownEvents: true })
  const { client, session } = world
  expect(client.types).toContain('session.created')
  session.mute = true
  client.send({ type: 'input_audio_buffer.clear' })
  while (session.record.counts['input_audio_buffer.clear'] === undefined) await Bun.sleep(1)
  session.mute = false
  session.sendRaw('{"type":')
  session.refuse({ type: 'server_error', code: null, message: 'Sorry.', param: null })
  await client.next('error')
  expect(client.types).toEqual(['session.created', 'session.weather.updated', 'error'])
  expect(client.raw).toContain('{"type":')
  session.hangUp(1011, 'maintenance')
  expect(await client.closed).toEqual({ code: 1011, reason: 'maintenance' })
  while (session.record.closed === null) await Bun.sleep(1)
})
