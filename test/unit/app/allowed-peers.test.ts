import { expect, test } from 'bun:test'
import { silentLog } from '#base/log.ts'
import { loadConfiguration } from '#config/load.ts'
import { formatProblem } from '#config/problem.ts'
import { vendorSchemas } from '#providers/schemas.ts'
import { allowedPeers, lookAgain } from '../../../src/app/allowed-peers.ts'

const asteriskAt = (host: string) => {
  const text = `asterisk: { host: "${host}" }\naudiosocket: { allow: [asterisk] }\n`
  const loaded = loadConfiguration({ file: 'a.yaml', text, env: {}, vendors: vendorSchemas })
  if (!loaded.ok) throw new Error(loaded.error.map(formatProblem).join('\n'))
  return loaded.value.configuration
}

test('a name that does not resolve at the start is looked up when Asterisk has been reached, and kept from then on', async () => {
  const nowhere = asteriskAt('asterisk.invalid')
  const warnings: string[] = []
  const log = { ...silentLog, warn: (message: string) => void warnings.push(message) }
  const generation = { configuration: nowhere, allow: await allowedPeers(nowhere, log) }
  const allows = () => generation.allow.audiosocket.allows('127.0.0.1')
  expect([allows(), warnings.length]).toEqual([false, 1])
  generation.configuration = asteriskAt('127.0.0.1')
  await lookAgain(() => generation, log)
  expect(allows()).toBe(true)
  generation.configuration = nowhere
  await lookAgain(() => generation, log)
  expect([allows(), warnings.length]).toEqual([true, 1])
})

test('what is in force when the name has been looked up gets it, also where that has changed meanwhile', async () => {
  const here = asteriskAt('127.0.0.1')
  const nothing = await allowedPeers(asteriskAt('asterisk.invalid'), silentLog)
  const generations = [
    { configuration: here, allow: nothing },
    { configuration: here, allow: nothing },
  ]
  let current = generations[0] as (typeof generations)[number]
  const looking = lookAgain(() => current, silentLog)
  current = generations[1] as (typeof generations)[number]
  await looking
  expect(current.allow.audiosocket.allows('127.0.0.1')).toBe(true)
})
