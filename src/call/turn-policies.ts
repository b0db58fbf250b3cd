/**
 * The small policies that a configuration chooses from: what makes speech over the agent an interruption, what ends the
 * caller's turn, and when the caller is not listened to. What each does stands in `barge-in.ts`, `endpointing.ts` and
 * `gate.ts`.
 */
export const startPolicies = ['model', 'vad', 'transcript', 'min_words'] as const
export type StartPolicy = (typeof startPolicies)[number]

export const stopPolicies = ['model', 'silence', 'provider'] as const
export type StopPolicy = (typeof stopPolicies)[number]

export const mutePolicies = ['greeting', 'tool', 'reply'] as const
export type MutePolicy = (typeof mutePolicies)[number]
