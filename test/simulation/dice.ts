import { type Random, seededRandom } from '#base/random.ts'

/** Chance of one seed, in the forms in which a scenario asks for it. */
export class Dice {
  private readonly random: Random

  constructor(seed: number) {
    this.random = seededRandom(seed)
  }

  /** A whole number, both ends included. */
  between(least: number, most: number): number {
    return least + Math.floor(this.random.next() * (most - least + 1))
  }

  chance(share: number): boolean {
    return this.random.next() < share
  }

  pick<const T>(values: readonly [T, ...T[]]): T {
    return values[this.between(0, values.length - 1)] ?? values[0]
  }

  /** A source of its own: what it is asked does not change what others are told. */
  split(): Dice {
    return new Dice(this.between(0, 0x7fff_ffff))
  }
}
