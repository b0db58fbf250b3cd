import * as v from 'valibot'
import type { FunctionCall } from '#agent/functions.ts'

/**
 * Functions that a model asks for come in pieces: id and name with the first, the arguments as text that is joined. Some
 * servers send each whole, leave out its place, or its id; pure.
 */
export const fragmentSchema = v.looseObject({
  index: v.nullish(v.number()),
  id: v.nullish(v.string()),
  function: v.nullish(v.looseObject({ name: v.nullish(v.string()), arguments: v.nullish(v.string()) })),
})
export type CallFragment = v.InferOutput<typeof fragmentSchema>

/** A model that asks for more at once has lost its way. */
const callsMax = 16
/** 64 KiB: no function of a telephone call has so much to be told. */
const argumentsMax = 65_536

interface Gathered {
  id: string
  name: string
  text: string
}

export class CallFragments {
  // keyed by: the place in the answer
  private readonly gathered = new Map<number, Gathered>()

  add(fragments: readonly CallFragment[]): void {
    for (const fragment of fragments) this.addOne(fragment)
  }

  /** In their order; what has no name cannot be run. */
  get calls(): readonly FunctionCall[] {
    return [...this.gathered]
      .sort(([left], [right]) => left - right)
      .filter(([, { name }]) => name !== '')
      .map(([place, { id, name, text }]) => ({ id: id === '' ? `call_${place}` : id, name, text }))
  }

  private addOne({ index, id, function: part }: CallFragment): void {
    const place = index ?? this.placeOf(id ?? '', part?.name ?? '')
    const call = this.gathered.get(place) ?? { id: '', name: '', text: '' }
    if (!this.gathered.has(place)) {
      if (this.gathered.size >= callsMax) return
      this.gathered.set(place, call)
    }
    if (call.id === '') call.id = id ?? ''
    if (call.name === '') call.name = part?.name ?? ''
    call.text = (call.text + (part?.arguments ?? '')).slice(0, argumentsMax)
  }

  /** Without a place: what has an id or a name begins another call, all else belongs to the newest. */
  private placeOf(id: string, name: string): number {
    const newest = this.gathered.size - 1
    const same = this.gathered.get(newest)
    const begins = same === undefined || (id !== '' && id !== same.id) || (id === '' && name !== '')
    return begins ? newest + 1 : newest
  }
}
