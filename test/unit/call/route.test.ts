import { describe, expect, test } from 'bun:test'
import { noFacts, type RouteFacts, type RoutePatterns, routeOf } from '#call/route.ts'

const claims = (patterns: Partial<RoutePatterns>): RoutePatterns => ({
  callers: [],
  dids: [],
  extensions: [],
  contexts: [],
  ...patterns,
})

const agents = {
  known: claims({ callers: ['+431', '+4366*'] }),
  sales: claims({ dids: ['+4315550101', '+43155502*'], extensions: ['100'] }),
  care: claims({ dids: ['+4315550*'], extensions: ['10*'], contexts: ['lobby'] }),
}

describe('routeOf', () => {
  const cases: [string, Partial<RouteFacts>, string | null, string, string | null][] = [
    ['nothing is known', {}, null, 'default', null],
    ['nobody claims it', { did: '+49', extension: '7', context: 'x', caller: '4' }, null, 'default', null],
    ['the caller', { caller: '+431' }, 'known', 'caller', '+431'],
    ['the beginning of the caller', { caller: '+43664711' }, 'known', 'caller', '+4366*'],
    ['no pattern without its star', { caller: '+4312' }, null, 'default', null],
    ['the number called', { did: '+4315550101' }, 'sales', 'did', '+4315550101'],
    ['a longer pattern before a shorter', { did: '+4315550299' }, 'sales', 'did', '+43155502*'],
    ['the shorter where the longer does not fit', { did: '+4315550399' }, 'care', 'did', '+4315550*'],
    ['a pattern and nothing behind it', { did: '+4315550' }, 'care', 'did', '+4315550*'],
    ['a whole value before a pattern', { extension: '100' }, 'sales', 'extension', '100'],
    ['the extension', { extension: '101' }, 'care', 'extension', '10*'],
    ['the context', { context: 'lobby' }, 'care', 'context', 'lobby'],
    ['the caller before the number', { caller: '+431', did: '+4315550101' }, 'known', 'caller', '+431'],
    ['the number before the extension', { did: '+4315550399', extension: '100' }, 'care', 'did', '+4315550*'],
    ['the extension before the context', { extension: '100', context: 'lobby' }, 'sales', 'extension', '100'],
    [
      'the next rule where one knows nobody',
      { caller: '+49', did: '+49', context: 'lobby' },
      'care',
      'context',
      'lobby',
    ],
  ]
  test.each(cases)('%s', (_name, facts, agent, rule, pattern) => {
    const found = routeOf({ ...noFacts, ...facts }, agents)
    expect(found.agent).toBe(agent)
    expect(found.route).toMatchObject({ rule, pattern })
  })
})
