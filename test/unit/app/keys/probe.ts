import type { KeyCall } from '../../../fakes/key-call.ts'
import type { KeyWorld, Tree } from '../../../fakes/key-world.ts'

/** How a change of one key is seen. */
export interface Probe {
  /** The key's value before, and after. */
  readonly values: readonly [unknown, unknown]
  /** Of the group that the key stands in, where the user chooses it. */
  readonly name?: string
  /** What must be otherwise for the key to matter. */
  readonly around?: Tree
  /** What is seen with each of them; the values themselves where nothing is said. */
  readonly shows?: readonly [unknown, unknown]
  /** Begins what has the configuration in force: a call, mostly. What it returns looks at it, some time later. */
  readonly begin: Begin
  /** At once for whoever comes, or for the whole engine: no call that is up keeps the former. */
  readonly atOnce?: boolean
  /** Where the effect is seen: in what leaves the engine, in what a call does, or at the place nearest to it. */
  readonly seen: 'wire' | 'call' | 'nearest'
}

export type Begin = (world: KeyWorld) => Promise<Look> | Look
export type Look = () => unknown

/** By the key, with `*` for a name that the user chooses. */
export type Probes = Readonly<Record<string, Probe>>

/** A key that a call shows. @param look at a call of the stage that has been up since before */
export function call(
  values: readonly [unknown, unknown],
  look: (call: KeyCall, world: KeyWorld) => unknown,
  rest: Partial<Probe> = {},
): Probe {
  return {
    values,
    seen: 'call',
    begin: async (world) => {
      const up = await world.call()
      return () => look(up, world)
    },
    ...rest,
  }
}
