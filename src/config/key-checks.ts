import { namesInUse } from './offer.ts'
import { vendorFacts } from './pipeline-schema.ts'
import type { PlacedProblem } from './provider-checks.ts'
import type { Configuration, VendorSchemas } from './schema.ts'
import { nearest } from './suggest.ts'
import type { Path } from './tree.ts'

/** What keys of the telephone are bound to: names that must exist, and keys that must fit their action. */
export function keyProblems(configuration: Configuration, vendors: VendorSchemas): PlacedProblem[] {
  const speechless = namesInUse(configuration).filter((name) => saysNothing(name, vendors))
  return Object.entries(configuration.dtmf.keys).flatMap(([key, binding]) => {
    const path = ['dtmf', 'keys', key]
    return [
      ...claimedTwice(path, key, configuration),
      ...wrongParts(path, binding, configuration),
      ...(binding.action === 'transfer' || binding.action === 'hang_up'
        ? []
        : speechless.map((name) => withoutEffect(path, binding.action, name))),
    ]
  })
}

type Binding = Configuration['dtmf']['keys'][string]

function saysNothing(name: string, vendors: VendorSchemas): boolean {
  const schema = vendors[name]
  return schema !== undefined && vendorFacts(schema).saysTexts === false
}

function claimedTwice(path: Path, key: string, { transfer }: Configuration): PlacedProblem[] {
  const owner = Object.entries(transfer.destinations).find(([, place]) => place.key === key)?.[0]
  if (owner === undefined) return []
  return [error(path, `transfer.destinations.${owner}.key is ${key} as well`, 'Take it out in one place.')]
}

function wrongParts(path: Path, { action, destination, text }: Binding, { transfer }: Configuration): PlacedProblem[] {
  const problems: PlacedProblem[] = []
  if (action === 'transfer') problems.push(...wrongDestination([...path, 'destination'], destination, transfer))
  else if (destination !== '')
    problems.push(error([...path, 'destination'], `${action} leads nowhere`, 'Take it out, or make action transfer.'))
  if (action === 'say' && (text ?? '') === '')
    problems.push(error([...path, 'text'], 'say needs a text', 'Write what is to be said.'))
  if (action !== 'say' && action !== 'hang_up' && text !== undefined)
    problems.push(error([...path, 'text'], `${action} says no text`, 'Take it out, or make action say or hang_up.'))
  return problems
}

function wrongDestination(path: Path, destination: string, { destinations }: Configuration['transfer']) {
  const names = Object.keys(destinations)
  if (names.includes(destination)) return []
  const known = names.length === 0 ? 'there are none' : `there are ${names.join(', ')}`
  const near = nearest(destination, names)
  const advice = near === undefined ? 'Write it there, or name another.' : `Did you mean ${near}?`
  return [error(path, `transfer needs a name under transfer.destinations; ${known}`, advice)]
}

function withoutEffect(path: Path, action: string, name: string): PlacedProblem {
  const message = `${name} says nothing that it is told to say: ${action} is without effect in its calls`
  return { path, severity: 'warning', message, advice: 'Bind it to transfer or hang_up, or let another answer.' }
}

function error(path: Path, message: string, advice: string): PlacedProblem {
  return { path, severity: 'error', message, advice }
}
