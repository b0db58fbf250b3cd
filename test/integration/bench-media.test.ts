import { describe, expect, test } from 'bun:test'
import { join } from 'node:path'

/** A short run of `just bench media`: that every call and frame is there, and what it says. How fast it was is no matter here. */
const root = join(import.meta.dir, '..', '..')

const fields = {
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
}

async function bench(...options: string[]) {
  const child = Bun.spawn([process.execPath, '--no-env-file', 'scripts/bench.ts', 'media', '--json', ...options], {
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

describe('just bench media', () => {
  const runs: [string, string[]][] = [
    ['AudioSocket, speech detection on every call, short calls beside', ['--vad', '--churn', '10']],
    ['external media', ['--door', 'externalmedia']],
    ['media WebSocket', ['--door', 'websocket', '--admission']],
    ['the floor', ['--echo']],
  ]
  test.each(runs)(
    'no call and no frame is missing: %s',
    async (_what, options) => {
      const { code, trouble, lines } = await bench('--calls', '20', '--seconds', '1', ...options)
      // A machine that stands still for more than 100 ms costs frames, which the engine says; nothing else may.
      const givenUp = Number(/frame times given up (\d+)/.exec(lines.join('\n'))?.[1])
      if (givenUp === 0) expect({ code, trouble }).toEqual({ code: 0, trouble: '' })
      const figures = JSON.parse(lines.at(-1) ?? '') as Record<string, unknown>
      expect(Object.keys(figures)).toEqual(Object.keys(fields))
      for (const [name, parts] of Object.entries(fields)) {
        const value = figures[name]
        if (name === 'door') expect(value).toBe(options[0] === '--door' ? options[1] : 'audiosocket')
        else if (parts.length === 0) expect(value).toBeNumber()
        else expect(Object.keys(value as object)).toEqual(parts)
      }
      expect(figures).toMatchObject({ calls: 20, calls_held: 20, frames_expected: 1000 })
      expect(Number(figures.frames_received)).toBeGreaterThanOrEqual(1000 - 20 * givenUp)
    },
    30_000,
  )

  test('an option it does not know is an error, not a default', async () => {
    const { code, trouble } = await bench('--call', '20')
    expect(code).toBe(2)
    expect(trouble).toStartWith('Usage: just bench')
  })
})
