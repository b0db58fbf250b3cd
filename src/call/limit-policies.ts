/** What becomes of a call that has lasted for as long as it may: a farewell and a hang-up, or the dialplan. */
export const limitPolicies = ['farewell', 'on_failure'] as const
export type LimitPolicy = (typeof limitPolicies)[number]
