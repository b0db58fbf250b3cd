import { expect, test } from 'bun:test'
import { join } from 'node:path'

/** A short run of `just bench reload`: that no call and no reload is other than it should be. How fast it was is no matter. */
const root = join(import.meta.dir, '..', '..')

test('just bench reload: no call is changed, and each reload is answered as it should be', async () => {
  const options = ['--calls', '5', '--seconds', '1', '--runs', '1', '--reloads', '4', '--json']
  const child = Bun.spawn([process.execPath, '--no-env-file', 'scripts/bench.ts', 'reload', ...options], {
    cwd: root,
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const [out, trouble, code] = await Promise.all([
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
    child.exited,
  ])
  expect({ code, trouble }).toEqual({ code: 0, trouble: '' })
  const figures = JSON.parse(out.trimEnd().split('\n').at(-1) ?? '') as Record<string, unknown>
  // Four before the measured ones.
  expect(figures.reloads).toEqual({ changed: 4, refused: 4, wrong: 0 })
  expect(figures).toMatchObject({ calls_held: 10, calls_expected: 10, calls_changed: 0 })
}, 60_000)
