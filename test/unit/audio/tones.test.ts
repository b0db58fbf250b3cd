import { expect, test } from 'bun:test'
import { failureSound, momentSound } from '#audio/tones.ts'

/** How much of a tone is in some samples: Goertzel's power, by the samples. */
function share(samples: Int16Array, hz: number, rateHz: number): number {
  let [a, b] = [0, 0]
  for (const sample of samples) [a, b] = [sample + 2 * Math.cos((2 * Math.PI * hz) / rateHz) * a - b, a]
  return (a * a + b * b - 2 * Math.cos((2 * Math.PI * hz) / rateHz) * a * b) / samples.length ** 2
}

test.each([8000, 16_000] as const)('at %i Hz: the three tones of a call that cannot go on, and no click', (rateHz) => {
  const sound = failureSound(rateHz)
  expect(sound.length).toBe((rateHz * 1080) / 1000)
  const third = sound.length / 3
  for (const [index, hz] of [950, 1400, 1800].entries()) {
    const part = sound.subarray(index * third, (index + 1) * third)
    const others = [950, 1400, 1800].filter((other) => other !== hz)
    for (const other of others) expect(share(part, hz, rateHz)).toBeGreaterThan(50 * share(part, other, rateHz))
    expect([part[0], part.at(-1)]).toEqual([0, 0])
  }
  expect(Math.max(...sound)).toBeLessThan(6000)
})

test('the sign to wait is soft and short', () => {
  const sound = momentSound(8000)
  expect(sound.length).toBe(3520)
  expect(Math.max(...sound)).toBeLessThan(3000)
})
