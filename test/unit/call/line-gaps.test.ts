import { expect, test } from 'bun:test'
import { LineGaps } from '#call/line-gaps.ts'

/** Frame times with a frame in each. */
function run(line: LineGaps, ticks: number): number {
  let due = 0
  for (let tick = 0; tick < ticks; tick += 1) {
    line.frame()
    due += line.tick()
  }
  return due
}

/** It has brought its first frame. */
function begun(): LineGaps {
  const line = new LineGaps()
  run(line, 1)
  return line
}

/** Frame times without one, and how much silence each of them brings. */
const gap = (line: LineGaps, ticks: number) => Array.from({ length: ticks }, () => line.tick())
const sum = (values: readonly number[]) => values.reduce((total, value) => total + value, 0)
const burst = (line: LineGaps, frames: number) => {
  for (let frame = 0; frame < frames; frame += 1) line.frame()
  return line.tick()
}

/** In a gap of this long nothing is put in where a line is not known to leave anything out. */
const hangs = (line: LineGaps) => sum(gap(line, 70)) === 0

test('a line that has never left anything out is silent after a second and a half', () => {
  const line = new LineGaps()
  expect(run(line, 100)).toBe(0)
  expect(sum(gap(line, 75))).toBe(0)
  expect(gap(line, 3)).toEqual([1, 1, 1])
  expect(run(line, 1)).toBe(0)
})

test('one that has left out a second is silent after 200 ms, from its last frame on', () => {
  const line = new LineGaps()
  run(line, 100)
  expect(sum(gap(line, 60))).toBe(0)
  run(line, 20)
  expect(gap(line, 13)).toEqual([...Array(10).fill(0), 11, 1, 1])
})

test('a second is left out in parts as well', () => {
  const line = begun()
  for (let part = 0; part < 5; part += 1) {
    expect(sum(gap(line, 10))).toBe(0)
    run(line, 20)
  }
  expect(sum(gap(line, 20))).toBe(20)
})

test('what was late is not left out, whether it comes at once or in pieces', () => {
  const line = new LineGaps()
  run(line, 100)
  for (let hang = 0; hang < 5; hang += 1) {
    gap(line, 60)
    expect(burst(line, 61)).toBe(0)
    run(line, 100)
  }
  gap(line, 60)
  burst(line, 4)
  // It hangs once more before all of it has come.
  expect(sum(gap(line, 12))).toBe(0)
  burst(line, 70)
  run(line, 100)
  expect(hangs(line)).toBe(true)
})

test('what comes later than that is still made up for', () => {
  const line = begun()
  gap(line, 60)
  run(line, 20)
  burst(line, 61)
  run(line, 100)
  expect(hangs(line)).toBe(true)
})

test('a line that begins late has left out nothing', () => {
  const line = new LineGaps()
  gap(line, 70)
  run(line, 100)
  expect(hangs(line)).toBe(true)
})

test('single frames that were lost are no pauses, however many', () => {
  const line = begun()
  for (let loss = 0; loss < 100; loss += 1) {
    gap(line, 3)
    run(line, 20)
  }
  expect(hangs(line)).toBe(true)
})

test('jitter is none either', () => {
  const line = begun()
  for (let pair = 0; pair < 500; pair += 1) {
    line.tick()
    burst(line, 2)
  }
  expect(hangs(line)).toBe(true)
})

test('after half a minute without a gap, and on another line, nothing is known of pauses', () => {
  const line = begun()
  gap(line, 60)
  run(line, 1499)
  expect(sum(gap(line, 11))).toBe(11)
  run(line, 1500)
  expect(hangs(line)).toBe(true)
  const other = begun()
  gap(other, 60)
  run(other, 20)
  other.reset()
  run(other, 1)
  expect(hangs(other)).toBe(true)
})
