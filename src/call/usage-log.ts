import type { TokenCounts, TokenKind, Usage } from '#agent/usage.ts'
import type { Milliseconds } from '#base/clock.ts'

/** What one provider was used for in one call. */
export interface UsageRecord {
  readonly provider: string
  readonly audioMs: Milliseconds
  readonly characters: number
  /** Null: its vendor has told of none. */
  readonly tokens: TokenCounts | null
  /** Answers of a model whose tokens its vendor has not told. */
  readonly untold: number
}

/** The usage of one call, by provider. */
export class UsageLog {
  // keyed by: name of a provider
  private readonly records = new Map<string, UsageRecord>()

  /** @param agent who answers: what is told without a name is theirs */
  add({ provider, audioMs = 0, characters = 0, tokens }: Usage, agent: string): void {
    const name = provider ?? agent
    const before = this.records.get(name) ?? { audioMs: 0, characters: 0, tokens: null, untold: 0 }
    this.records.set(name, {
      provider: name,
      audioMs: before.audioMs + audioMs,
      characters: before.characters + characters,
      tokens: tokens ? sumOf(before.tokens, tokens) : before.tokens,
      untold: before.untold + (tokens === null ? 1 : 0),
    })
  }

  get all(): readonly UsageRecord[] {
    return [...this.records.values()]
  }
}

function sumOf(before: TokenCounts | null, tokens: TokenCounts): TokenCounts {
  const kinds = Object.entries(tokens) as [TokenKind, number][]
  return Object.fromEntries(kinds.map(([kind, count]) => [kind, count + (before?.[kind] ?? 0)])) as typeof tokens
}
