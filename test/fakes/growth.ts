const triesEach = 7

/** By how much longer a piece of work takes that is larger: the best of several tries of each, whatever the machine does. */
export function growth(prepare: (size: number) => () => void, small: number, large: number): number {
  const [few, many] = [prepare(small), prepare(large)]
  const tries = Array.from({ length: triesEach }, () => [timeOf(few), timeOf(many)] as const)
  return Math.min(...tries.map(([, ofMany]) => ofMany)) / Math.min(...tries.map(([ofFew]) => ofFew))
}

function timeOf(run: () => void): number {
  const begun = performance.now()
  run()
  return performance.now() - begun
}
