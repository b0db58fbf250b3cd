import { describe, expect, test } from 'bun:test'
import { heardSteps, stepMs, stepsMax, toneSteps } from '../../bed/tone-steps.ts'

const frameSamples = 160
const framesPerStep = stepMs / 20

const framesOf = (samples: Int16Array): Int16Array[] =>
  Array.from({ length: samples.length / frameSamples }, (_, index) =>
    samples.slice(index * frameSamples, (index + 1) * frameSamples),
  )

const silence = (frames: number) => Array.from({ length: frames }, () => new Int16Array(frameSamples))

describe('a sound whose parts can be told apart', () => {
  const whole = framesOf(toneSteps(stepsMax))

  test('heard whole, each tone is there once and in order', () => {
    expect(heardSteps([...silence(5), ...whole, ...silence(5)])).toEqual({
      order: Array.from({ length: stepsMax }, (_, step) => step),
      frames: stepsMax * framesPerStep,
      gaps: 0,
      gapFrames: 0,
    })
  })

  test('a lost and a doubled frame are counted', () => {
    expect(heardSteps(whole.toSpliced(100, 1)).frames).toBe(whole.length - 1)
    expect(heardSteps(whole.toSpliced(100, 0, ...whole.slice(100, 101))).frames).toBe(whole.length + 1)
  })

  test('a tone that is missing, and two that have changed places, are seen in the order', () => {
    const step = (at: number) => whole.slice(at * framesPerStep, (at + 1) * framesPerStep)
    expect(heardSteps([...step(0), ...step(2)]).order).toEqual([0, 2])
    expect(heardSteps([...step(1), ...step(0), ...step(1)]).order).toEqual([1, 0, 1])
  })

  test('silence between is a gap, silence around is none', () => {
    const cutAt = 3 * framesPerStep + 7
    const torn = [...silence(9), ...whole.slice(0, cutAt), ...silence(4), ...whole.slice(cutAt), ...silence(9)]
    expect(heardSteps(torn)).toMatchObject({ gaps: 1, gapFrames: 4, frames: whole.length })
  })
})
