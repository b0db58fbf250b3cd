import type { DialplanPlace } from './dialplan-place.ts'

/**
 * What the keys of the caller's telephone do. A key may be pressed before there is an agent to do it: a transfer needs
 * none, anything else is done once it is there.
 */
export const keyActionNames = ['transfer', 'hang_up', 'repeat', 'interrupt', 'say'] as const

/** What the agent of the call does. */
export type AgentKeyAction =
  /** Says this, where it is not empty, and ends the call. */
  | { readonly do: 'hang_up'; readonly say: string }
  /** Says its last reply again. */
  | { readonly do: 'repeat' }
  /** Falls silent and listens. */
  | { readonly do: 'interrupt' }
  | { readonly do: 'say'; readonly text: string }

export type KeyAction = AgentKeyAction | { readonly do: 'transfer'; readonly place: DialplanPlace }

export interface KeyPadDeps {
  /** By key: `0` to `9`, `*`, `#`, `A` to `D`. */
  readonly actions: Readonly<Record<string, KeyAction>>
  /** Nothing happens where there is no dialplan to go on in: only ARI leads there. */
  readonly transfer: (place: DialplanPlace) => void
}

/** Nobody means more than that by keys before they have heard a word. */
const waitingMax = 16

export class KeyPad {
  pressed = 0
  private readonly deps: KeyPadDeps
  /** Null: there is no agent yet. */
  private act: ((action: AgentKeyAction) => void) | null = null
  private readonly waiting: AgentKeyAction[] = []

  constructor(deps: KeyPadDeps) {
    this.deps = deps
  }

  press(key: string): void {
    this.pressed += 1
    const action = this.deps.actions[key]
    if (action === undefined) return
    if (action.do === 'transfer') this.deps.transfer(action.place)
    else if (this.act !== null) this.act(action)
    else if (this.waiting.length < waitingMax) this.waiting.push(action)
  }

  /** The agent is there; what was pressed before is done now, in its order. */
  ready(act: (action: AgentKeyAction) => void): void {
    this.act = act
    for (const action of this.waiting.splice(0)) act(action)
  }
}
