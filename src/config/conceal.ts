import { mask } from './secrets.ts'

/** Keeps what came out of variables out of messages that were made of a configuration. */

/**
 * A text without what these paths hold.
 * @param paths dotted, places in lists counted from 1: `audiosocket.allow[2]`
 */
export function concealing(configuration: unknown, paths: readonly string[]): (text: string) => string {
  const hidden = paths
    .map((path) => partsOf(path).reduce(inside, configuration))
    .filter((value): value is string => typeof value === 'string' && value !== '')
    .map(wholeWord)
  return (text) => hidden.reduce((shown, each) => shown.replace(each, mask), text)
}

/** A copy for messages: no text in it came out of a variable. */
export function withoutVariables<Given>(configuration: Given, paths: readonly string[]): Given {
  const copy = structuredClone(configuration)
  for (const path of paths) {
    const parts = partsOf(path)
    const last = parts.pop() ?? ''
    const holder = parts.reduce(inside, copy as unknown)
    if (typeof inside(holder, last) === 'string') (holder as Record<string | number, unknown>)[last] = mask
  }
  return copy
}

function partsOf(path: string): (string | number)[] {
  return path.split('.').flatMap((name) => {
    const [key = '', ...places] = name.split(/[[\]]+/).filter((each) => each !== '')
    return [key, ...places.map((place) => Number(place) - 1)]
  })
}

function inside(value: unknown, part: string | number): unknown {
  if (typeof value !== 'object' || value === null || !Object.hasOwn(value, part)) return undefined
  return (value as Readonly<Record<string | number, unknown>>)[part]
}

/** It, and not a part of a longer word. */
function wholeWord(text: string): RegExp {
  const literal = text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')
  return new RegExp(`(?<![\\p{L}\\p{N}_])${literal}(?![\\p{L}\\p{N}_])`, 'gu')
}
