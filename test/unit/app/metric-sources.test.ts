import { expect, test } from 'bun:test'
import { DetectionCounts } from '../../../src/app/metric-sources.ts'

test('what a detection has counted stays counted when another takes its place; what it has open does not', () => {
  const counts = new DetectionCounts()
  const before = { stats: { open: 3, windows: 1000, droppedWindows: 2, restarts: 1 } }
  const after = { stats: { open: 1, windows: 10, droppedWindows: 0, restarts: 0 } }
  expect(counts.with([before])).toEqual(before.stats)
  counts.keep(before)
  expect(counts.with([after])).toEqual({ open: 1, windows: 1010, droppedWindows: 2, restarts: 1 })
})
