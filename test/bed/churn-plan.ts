// What the callers of a churn do, all of it out of one seed.

import type { Random } from '#base/random.ts'

export const moments = ['invite', 'set_up', 'opening', 'speech', 'thinking', 'reply', 'after'] as const
/** The state of a call in which its caller hangs up. */
export type Moment = (typeof moments)[number]

export const doors = { audiosocket: '101', externalmedia: '102', websocket: '103' } as const
export type DoorName = keyof typeof doors

/** The extensions that send their callers through one door each. */
export const doorExtensions = `[agent]
${Object.entries(doors)
  .map(
    ([transport, extension]) => `exten => ${extension},1,Stasis(patchcord,audio_transport=${transport})
 same => n,GotoIf($["\${STASISSTATUS}" = "FAILED"]?bed-after,engine-away,1)
 same => n,GotoIf($["\${PATCHCORD_RESULT}" != ""]?bed-after,result,1)
 same => n,Hangup()
`,
  )
  .join('')}`

export interface PlannedCall {
  readonly door: DoorName
  readonly moment: Moment
  /** 0 to 1: how far into the moment the caller hangs up. */
  readonly within: number
}

/** One in three hangs up right after the INVITE; the others' moments, and the doors, are spread evenly. */
export function planCalls(random: Random, count: number): PlannedCall[] {
  const later = moments.slice(1)
  const doorNames = Object.keys(doors) as DoorName[]
  const planned = Array.from({ length: count }, (_, index): PlannedCall => {
    const third = Math.floor(index / 3)
    const within = random.next()
    if (index % 3 === 0) return { moment: 'invite', door: doorNames[third % doorNames.length] ?? 'audiosocket', within }
    // Of the others every moment comes at one door, then at the next.
    const other = third * 2 + (index % 3) - 1
    const door = doorNames[Math.floor(other / later.length) % doorNames.length] ?? 'audiosocket'
    return { moment: later[other % later.length] ?? 'after', door, within }
  })
  return shuffled(random, planned)
}

function shuffled<Item>(random: Random, items: readonly Item[]): Item[] {
  return items
    .map((item) => ({ item, key: random.next() }))
    .sort((a, b) => a.key - b.key)
    .map(({ item }) => item)
}

/** From the order to place the call: the window in which an INVITE is on its way, rings and is answered. */
export const afterInviteMs = { from: 10, to: 50 } as const
export const setUpMs = { from: 50, to: 300 } as const

/** Where the agent is an echo that comes back after half a second, and the caller speaks 0.6 s after the answer. */
export const echoMomentsMs: Readonly<Record<Moment, { readonly from: number; readonly to: number }>> = {
  invite: afterInviteMs,
  set_up: setUpMs,
  opening: { from: 300, to: 900 },
  speech: { from: 900, to: 1400 },
  thinking: { from: 1400, to: 1900 },
  reply: { from: 1900, to: 3000 },
  after: { from: 4000, to: 5000 },
}

export function msWithin({ from, to }: { readonly from: number; readonly to: number }, share: number): number {
  return from + (to - from) * share
}
