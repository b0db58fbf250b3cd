import { describe, expect, test } from 'bun:test'
import { join } from 'node:path'

/**
 * A short run of `just bench provider`: that every call, frame and reply is there, and what it says. How fast it was is no
 * matter here.
 */
const root = join(import.meta.dir, '..', '..')

const fields = {
  provider: [],
  format: [],
  pace: [],
  door: [],
  calls: [],
  calls_held: [],
  frames_expected: [],
  frames_received: [],
  gap_ms: ['p50', 'p95', 'p99', 'p999', 'max'],
  lateness_ms: ['p50', 'p99', 'max'],
  late_frames: [],
  underruns: [],
  engine_cpu_ms_per_call_second: [],
  rss_bytes_per_call: [],
  loop_lag_ms: ['p50', 'p99', 'max'],
  calls_per_core: [],
  bytes_per_call: [],
  bytes_sent_per_call: [],
  bytes_received_per_call: [],
  append_delay_ms: ['p50', 'p95'],
  first_audio_delay_ms: ['p50', 'p95'],
  interruption_delay_ms: ['p50', 'p95'],
}
const texts = ['provider', 'format', 'door']

async function bench(...options: string[]) {
  const child = Bun.spawn([process.execPath, '--no-env-file', 'scripts/bench.ts', 'provider', ...options], {
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

describe('just bench provider', () => {
  const openai = 'openai_realtime'
  const runs: [string, string[], object][] = [
    ['µ-law', [openai, '--pace', '3'], { provider: openai, format: 'pcmu', pace: 3 }],
    ['PCM of 24 kHz', [openai, '--format', 'pcm24'], { format: 'pcm24', pace: 10 }],
    ['the floor', [openai, '--floor', '--format', 'pcm24'], { format: 'pcm24', pace: 10 }],
    ['Deepgram, µ-law', ['deepgram', '--pace', '3'], { provider: 'deepgram', format: 'mulaw', pace: 3 }],
  ]
  test.each(runs)(
    'no call, frame or reply is missing: %s',
    async (_what, options, expected) => {
      const few = ['--calls', '5', '--seconds', '6', '--json']
      const { code, trouble, lines } = await bench(...options, ...few)
      // A machine that stands still for more than 100 ms costs frames, which the engine says; nothing else may.
      const givenUp = Number(/frame times given up (\d+)/.exec(lines.join('\n'))?.[1])
      if (givenUp === 0) expect({ code, trouble }).toEqual({ code: 0, trouble: '' })
      const figures = JSON.parse(lines.at(-1) ?? '') as Record<string, unknown>
      expect(Object.keys(figures)).toEqual(Object.keys(fields))
      for (const [name, parts] of Object.entries(fields)) {
        const value = figures[name]
        if (texts.includes(name)) expect(value).toBeString()
        else if (parts.length === 0) expect(value).toBeNumber()
        else {
          expect(Object.keys(value as object)).toEqual(parts)
          for (const part of Object.values(value as object)) expect(part).toBeNumber()
        }
      }
      expect(figures).toMatchObject({ ...expected, calls: 5, calls_held: 5, frames_expected: 1500 })
      expect(Number(figures.frames_received)).toBeGreaterThanOrEqual(1500 - 5 * givenUp)
    },
    60_000,
  )

  test('a provider it does not know, and a format, are errors', async () => {
    for (const options of [['nobody'], [], [openai, '--format', 'pcm'], ['deepgram', '--format', 'pcmu']]) {
      const { code, trouble } = await bench(...options)
      expect(code).toBe(2)
      expect(trouble).toStartWith('Usage: just bench')
    }
  })
})
