import { afterAll, afterEach, beforeAll, describe, expect, test } from 'bun:test'
import { KeyWorld, merged, type Tree } from '../../fakes/key-world.ts'
import type { Probe } from './keys/probe.ts'
import { probes } from './keys/probes.ts'
import { atStart } from './keys/restart.ts'
import { type SchemaKey, schemaKeys, withValue } from './keys/schema-keys.ts'

/**
 * No key is ignored: each one of the schema, also in groups under names and in parts that a pipeline defines in place, is
 * changed in the file of a running engine. Either what is then seen is what the new value demands, at a vendor's wire, on
 * the line of the next call, at the nearest place to its effect; or the reload names the key and asks for a restart. A call
 * that was there before goes on with what it has. Who adds a key has to say here how it is seen.
 */
const keys = schemaKeys()
/** Nothing in it is timed: on a machine that is busy with others it waits. */
const waitsMaxMs = 60_000
const places = { wire: 'in what leaves the engine', call: 'in what a call does', nearest: 'nearest to its effect' }
let world: KeyWorld

beforeAll(async () => {
  world = await new KeyWorld().start()
})
afterEach(() => world.hangUp())
afterAll(() => world.close())

describe('every key', () => {
  test('has a probe, or takes effect at a start alone; and each of these is a key', () => {
    const known = [...Object.keys(probes), ...Object.keys(atStart)]
    expect(known.toSorted()).toEqual(keys.map(({ key }) => key).toSorted())
    expect(Object.keys(atStart).toSorted()).toEqual(
      keys
        .filter(({ restart }) => restart)
        .map(({ key }) => key)
        .toSorted(),
    )
  })

  for (const key of keys) {
    const probe = probes[key.key]
    if (key.restart) test(`${key.key} is refused by name`, () => refusedByName(key), waitsMaxMs)
    else if (probe !== undefined)
      test(`${key.key} is in force, ${places[probe.seen]}`, () => inForce(key, probe), waitsMaxMs)
  }
})

async function refusedByName({ key, secret }: SchemaKey): Promise<void> {
  const { value, around = {} } = atStart[key] ?? { value: undefined }
  expect((await world.reload(world.base)).outcome).not.toBe('refused')
  const tree = merged(world.base, around)
  // A secret stands in the environment alone.
  const answer =
    secret === null
      ? await world.reload(merged(tree, withValue(key, value)))
      : await world.reload(tree, { [secret]: String(value) })
  expect(answer).toMatchObject({ outcome: 'refused' })
  const problems = answer.outcome === 'refused' ? answer.problems : []
  expect(problems).toContain(
    `${key}: takes effect only at a restart of the engine. Restart it, or take the change back.`,
  )
  expect(problems.filter((problem) => problem.startsWith('a.yaml'))).toEqual([])
}

async function inForce({ key }: SchemaKey, probe: Probe): Promise<void> {
  const { values, around = {}, shows = values, begin } = probe
  const [before, after] = shows
  // One that does not tell the two apart would see nothing.
  expect(Bun.deepEquals(before, after)).toBe(false)
  const tree = (value: unknown): Tree => merged(merged(world.base, around), withValue(key, value, probe.name))
  const reload = async (value: unknown): Promise<string> => {
    const answer = await world.reload(tree(value))
    return answer.outcome === 'refused' ? answer.problems.join('\n') : answer.outcome
  }
  world.outside.renew()
  expect(['changed', 'unchanged']).toContainEqual(await reload(values[0]))
  const earlier = await begin(world)
  if (probe.atOnce === true)
    expect({ seen: await earlier(), with: values[0] }).toEqual({ seen: before, with: values[0] })
  expect(await reload(values[1])).toBe('changed')
  if (probe.atOnce !== true) {
    expect({ earlier: await earlier(), with: values[0] }).toEqual({ earlier: before, with: values[0] })
    await world.hangUp()
  }
  const next = await begin(world)
  expect({ next: await next(), with: values[1] }).toEqual({ next: after, with: values[1] })
}
