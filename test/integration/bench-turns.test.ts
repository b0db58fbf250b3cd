import { describe, expect, test } from 'bun:test'
import { join } from 'node:path'

/** A short run of `just bench turns`: that its callers are served, and what it says. How well they fared is no matter here. */
const root = join(import.meta.dir, '..', '..')

const spreads = [
  'response_ms',
  'endpoint_delay_ms',
  'engine_added_ms',
  'barge_in_reaction_ms',
  'overlap_silence_ms',
] as const
const rates = [
  'false_cutoff_rate',
  'unanswered_turn_rate',
  'missed_interruption_rate',
  'backchannel_false_stop_rate',
  'noise_false_stop_rate',
  'lost_reply_rate',
  'overruled_interruption_rate',
]
const counts = ['echo_self_answer_count', 'echo_broken_off_count', 'echo_unanswered_count'] as const

async function bench(...options: string[]) {
  const child = Bun.spawn([process.execPath, '--no-env-file', 'scripts/bench.ts', 'turns', '--json', ...options], {
    cwd: root,
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const [out, trouble, code] = await Promise.all([
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
    child.exited,
  ])
  return { code, trouble, lines: out.trimEnd().split('\n') }
}

describe('just bench turns', () => {
  test('calls are made, turns are answered, and the last line has every figure', async () => {
    const { code, trouble, lines } = await bench('--only', 'calls', '--few', '--scale', '0.05')
    expect({ code, trouble: code === 0 ? '' : trouble }).toEqual({ code: 0, trouble: '' })
    const figures = JSON.parse(lines.at(-1) ?? '') as Record<string, Record<string, number>>
    for (const name of spreads) {
      expect(Object.keys(figures[name] ?? {})).toEqual(['n', 'p50', 'p95'])
      expect(figures[name]?.n).toBeGreaterThan(0)
    }
    for (const name of rates) {
      expect(Number(figures[name])).toBeGreaterThanOrEqual(0)
      expect(Number(figures[name])).toBeLessThanOrEqual(1)
    }
    for (const name of counts) expect(figures[name]).toBeNumber()
    expect(figures.played).toMatchObject({
      turns: 8,
      interruption_words: 8,
      interruption_phrases: 4,
      backchannels: 10,
      noises: 6,
    })
  }, 150_000)

  test.each([
    ['--split', 'both'],
    ['--scale', '0'],
    ['--only', 'nothing'],
  ] as const)('%s %s is an error', async (option, value) => {
    const { code, trouble } = await bench(option, value)
    expect([code, trouble]).toEqual([2, expect.stringContaining('--help')])
  })
})
