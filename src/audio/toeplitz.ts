/**
 * Solves T h = b, T the symmetric matrix of an autocorrelation (T[i][j] = r[|i − j|]), by Levinson's recursion: the
 * answer for n unknowns is made out of the one for n − 1, so that all of it costs 2 n² multiplications and no matrix.
 */
export class ToeplitzSolver {
  private readonly predictor: Float64Array

  constructor(unknownsMax: number) {
    this.predictor = new Float64Array(unknownsMax)
  }

  /** Fills `answer`, as many unknowns as it is long. False: r is no autocorrelation, and `answer` holds nothing. */
  solve(r: Float64Array, b: Float64Array, answer: Float64Array): boolean {
    const { predictor } = this
    const unknowns = answer.length
    let error = r[0] as number
    if (!(error > 0)) return false
    predictor.fill(0)
    answer.fill(0)
    predictor[0] = 1
    answer[0] = (b[0] as number) / error
    for (let n = 1; n < unknowns; n += 1) {
      // Two sums each, side by side: an addition would else wait for the one before it.
      let ahead0 = 0
      let ahead1 = 0
      let known0 = 0
      let known1 = 0
      let index = 0
      for (; index + 1 < n; index += 2) {
        const near = r[n - index] as number
        const far = r[n - index - 1] as number
        ahead0 += (predictor[index] as number) * near
        ahead1 += (predictor[index + 1] as number) * far
        known0 += (answer[index] as number) * near
        known1 += (answer[index + 1] as number) * far
      }
      if (index < n) {
        const near = r[n - index] as number
        ahead0 += (predictor[index] as number) * near
        known0 += (answer[index] as number) * near
      }
      const reflection = -(ahead0 + ahead1) / error
      error *= 1 - reflection * reflection
      if (!(error > 0)) return false
      const step = ((b[n] as number) - known0 - known1) / error
      // The new predictor, reversed, is the direction in which the answer still fails; it is made from both ends.
      for (let low = 0, high = n; low < high; low += 1, high -= 1) {
        const first = predictor[low] as number
        const last = predictor[high] as number
        const newFirst = first + reflection * last
        const newLast = last + reflection * first
        predictor[low] = newFirst
        predictor[high] = newLast
        answer[low] = (answer[low] as number) + step * newLast
        answer[high] = (answer[high] as number) + step * newFirst
      }
      if ((n & 1) === 0) {
        const middle = n / 2
        const value = (predictor[middle] as number) * (1 + reflection)
        predictor[middle] = value
        answer[middle] = (answer[middle] as number) + step * value
      }
    }
    return true
  }
}
