/**
 * A decoder that has lost the thread writes the same phrase again and again. People repeat themselves too ("no, no,
 * no", "zero zero zero zero"), so a short phrase has to come more often than a long one before it counts as a loop.
 *
 * @returns how many tokens at the end to drop so that one copy of the phrase stays; 0 when it is no loop
 */
export function repeatedTail(tokens: readonly number[]): number {
  for (let length = 1; length <= phraseLengthMax; length++) {
    const copies = copiesAtEnd(tokens, length)
    if (copies >= copiesThatAreALoop(length)) return (copies - 1) * length
  }
  return 0
}

const phraseLengthMax = 24

/** 10 times one token, 6 times two, 5 times three, 4 times anything longer: never fewer than 10 tokens in all. */
function copiesThatAreALoop(length: number): number {
  return Math.max(4, Math.ceil(8 / length) + 2)
}

function copiesAtEnd(tokens: readonly number[], length: number): number {
  let same = 0
  while (same + length < tokens.length) {
    const at = tokens.length - 1 - same
    if (tokens[at] !== tokens[at - length]) break
    same += 1
  }
  return same < length ? 1 : Math.floor(same / length) + 1
}
