import { describe, expect, test } from 'bun:test'
import { join } from 'node:path'
import { directToThisMachine } from '#cli/direct.ts'

const root = join(import.meta.dir, '../../..')

describe('a proxy in the environment', () => {
  test('is not asked for addresses of this machine', () => {
    const here = 'localhost,127.0.0.1,::1,[::1]'
    expect(directToThisMachine({ NO_PROXY: 'a' })).toEqual({})
    const direct = (env: Record<string, string>) => directToThisMachine({ https_proxy: 'http://p:1', ...env })
    expect(direct({})).toEqual({ NO_PROXY: here, no_proxy: here })
    expect(direct({ NO_PROXY: 'a.example, localhost' })).toEqual({
      NO_PROXY: `a.example, localhost,${here}`,
      no_proxy: `a.example, localhost,${here}`,
    })
    expect(direct({ NO_PROXY: 'a', no_proxy: 'b' })).toEqual({
      NO_PROXY: `a,${here}`,
      no_proxy: `b,${here}`,
    })
    expect(direct({ no_proxy: '*' }).no_proxy).toBe('*')
  })

  test.each(['reload', 'provider list', 'health'])('does not get to see what patchcord %s sends', async (command) => {
    const seen: string[] = []
    const answering = (name: string) =>
      Bun.serve({
        port: 0,
        hostname: '127.0.0.1',
        fetch: (request) => {
          seen.push(`${name} ${request.headers.get('authorization') ?? ''}`.trim())
          return Response.json({ outcome: 'unchanged', providers: [] })
        },
      })
    using proxy = answering('proxy')
    using engine = answering('engine')
    const url = `http://127.0.0.1:${engine.port}`
    const argv = [process.execPath, '--no-env-file', join(root, 'src/main.ts'), ...command.split(' '), '--url', url]
    const child = Bun.spawn(argv, {
      env: { ...process.env, HTTP_PROXY: `http://127.0.0.1:${proxy.port}`, PATCHCORD_API_TOKEN: 'canary' },
      stdout: 'ignore',
      stderr: 'ignore',
    })
    await child.exited
    expect(seen).toEqual([command === 'health' ? 'engine' : 'engine Bearer canary'])
  })
})
