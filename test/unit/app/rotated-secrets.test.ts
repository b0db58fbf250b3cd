import { afterAll, beforeAll, expect, test } from 'bun:test'
import { KeyWorld } from '../../fakes/key-world.ts'

// A secret is no key of the file: a reload takes it from the environment, and says by name that it is another.

let world: KeyWorld
const vendors = { OPENAI_API_KEY: 'sk-one', DEEPGRAM_API_KEY: 'dg-one' }
const mask = '********'
const told = (variable: string) => ({ key: `${variable} (secret)`, from: mask, to: mask, restart: false })

beforeAll(async () => {
  world = await new KeyWorld().start()
})
afterAll(() => world.close())

test('the token of /api: the former opens nothing any more', async () => {
  const statuses = async () =>
    await Promise.all(
      ['none', 'one', 'two'].map(async (token) => {
        const headers = { authorization: `Bearer ${token}` }
        return (await world.outside.ask(`${world.engine.httpUrl}/api/providers`, { headers })).status
      }),
    )
  expect(await statuses()).toEqual([200, 200, 200])
  const rotated = async (token: string) => await world.reload(world.base, { ...vendors, PATCHCORD_API_TOKEN: token })
  expect(await rotated('one')).toMatchObject({ outcome: 'changed' })
  expect(await statuses()).toEqual([401, 200, 401])
  expect(await rotated('two')).toMatchObject({ outcome: 'changed', changes: [told('PATCHCORD_API_TOKEN')] })
  expect(await statuses()).toEqual([401, 401, 200])
})

test('the key of a vendor: the next call has it, the one that is up goes on', async () => {
  const tree = { ...world.base, active_pipeline: '', default_provider: 'openai_realtime' }
  const called = async () => {
    const call = await world.call()
    await world.turn()
    return { call, key: world.outside.realtime.headers.at(-1)?.authorization }
  }
  await world.reload(tree, vendors)
  const before = await called()
  expect(before.key).toBe('Bearer sk-one')
  expect(await world.reload(tree, { ...vendors, OPENAI_API_KEY: 'sk-two' })).toMatchObject({
    outcome: 'changed',
    changes: [told('OPENAI_API_KEY')],
  })
  await before.call.pass(1000)
  expect(before.call.isOver).toBe(false)
  expect((await called()).key).toBe('Bearer sk-two')
  await world.hangUp()
})
