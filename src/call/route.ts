/**
 * Which agent a call goes to, by what is known of it: who calls, which number was called, where in the dialplan it came from.
 * The rules are asked in their order; within one, an exact value wins over a pattern, and a longer pattern over a shorter.
 */

/** In their order: the first that knows an agent decides. docs/pipelines.md has them for people. */
export const routeRules = ['argument', 'variable', 'caller', 'did', 'extension', 'context', 'default'] as const
export type RouteRule = (typeof routeRules)[number]

/** What is known of a call; empty where it is not. */
export interface RouteFacts {
  readonly caller: string
  /** The number that was called from outside. */
  readonly did: string
  readonly extension: string
  readonly context: string
}

/** What leads to an agent: whole values, or their beginnings with `*` at the end. */
export interface RoutePatterns {
  readonly callers: readonly string[]
  readonly dids: readonly string[]
  readonly extensions: readonly string[]
  readonly contexts: readonly string[]
}

/** Why a call went where it went. */
export interface Route {
  readonly rule: RouteRule
  /** What the rule looked at: the number, the extension, the name that was asked for; empty by default. */
  readonly value: string
  /** What stands in the configuration and fits it; null where nobody had to write it down. */
  readonly pattern: string | null
}

export const defaultRoute: Route = { rule: 'default', value: '', pattern: null }

export const noFacts: RouteFacts = { caller: '', did: '', extension: '', context: '' }

/** The rules that look at a fact of the call, and where an agent says what it takes. */
export const factRules = [
  { rule: 'caller', patterns: 'callers' },
  { rule: 'did', patterns: 'dids' },
  { rule: 'extension', patterns: 'extensions' },
  { rule: 'context', patterns: 'contexts' },
] as const satisfies readonly { rule: RouteRule & keyof RouteFacts; patterns: keyof RoutePatterns }[]

/** @return `agent`: null where no agent claims the call, which then has what is said for all */
export function routeOf(
  facts: RouteFacts,
  agents: Readonly<Record<string, RoutePatterns>>,
): { readonly agent: string | null; readonly route: Route } {
  for (const { rule, patterns } of factRules) {
    const value = facts[rule]
    const found = bestFit(
      value,
      Object.entries(agents).flatMap(([agent, claims]) => claims[patterns].map((pattern) => ({ agent, pattern }))),
    )
    if (found !== null) return { agent: found.agent, route: { rule, value, pattern: found.pattern } }
  }
  return { agent: null, route: defaultRoute }
}

interface Claim {
  readonly agent: string
  readonly pattern: string
}

/** Of equally good ones the first; a configuration has no two that are the same. */
function bestFit(value: string, claims: readonly Claim[]): Claim | null {
  if (value === '') return null
  let best: Claim | null = null
  for (const claim of claims) {
    if (claim.pattern === value) return claim
    if (fits(value, claim.pattern) && claim.pattern.length > (best?.pattern.length ?? 0)) best = claim
  }
  return best
}

function fits(value: string, pattern: string): boolean {
  return pattern.endsWith('*') && value.startsWith(pattern.slice(0, -1))
}
