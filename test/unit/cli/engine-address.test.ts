import { afterEach, describe, expect, test } from 'bun:test'
import { engineAddress } from '#cli/engine-address.ts'
import { health } from '#cli/health.ts'
import { provider } from '#cli/provider.ts'
import { reload } from '#cli/reload.ts'
import { Listener } from '#http/listener.ts'

const secret = 'canary-4711'
let listener: Listener | null = null
afterEach(async () => {
  await listener?.close()
  listener = null
})

function io(env: Readonly<Record<string, string>> = {}) {
  const lines: string[] = []
  const say = (line: string) => void lines.push(line)
  return { stdout: say, stderr: say, env, cwd: '/nowhere', lines }
}

const commands = [
  ['reload', (argv: string[], on: ReturnType<typeof io>) => reload(argv, on)],
  ['provider list', (argv: string[], on: ReturnType<typeof io>) => provider(['list', ...argv], on)],
  ['provider switch', (argv: string[], on: ReturnType<typeof io>) => provider(['switch', 'local', ...argv], on)],
  ['health', (argv: string[], on: ReturnType<typeof io>) => health(argv, on)],
] as const

describe.each([...commands])('%s', (name, run) => {
  test('never prints the password of the address', async () => {
    for (const url of [`http://user:${secret}@127.0.0.1:1`, `https://user:${secret}@127.0.0.1:1/patchcord/`]) {
      const on = io()
      expect(await run(['--url', url], on)).toBe(1)
      expect(on.lines.join()).toContain('127.0.0.1:1')
      expect(on.lines.join()).not.toContain(secret)
    }
  })

  test('an address that is none is a wrong argument, and is not printed', async () => {
    for (const url of [`http://user:${secret}@`, `${secret}@host`, `user:${secret}@host`, `http://u:${secret}%@h`]) {
      const on = io()
      expect(await run(['--url', url], on)).toBe(2)
      expect(on.lines).toEqual(['--url: expected an address such as http://127.0.0.1:15000'])
    }
  })

  test('sends user and password to what is there, where there is no token', async () => {
    const seen: (string | null)[] = []
    listener = new Listener('127.0.0.1', 0)
    listener.attach((request) => {
      seen.push(request.headers.get('authorization'))
      return Response.json({ error: 'seen' })
    })
    const url = listener.url.replace('http://', 'http://user:p%40ss@')
    await run(['--url', url], io())
    await run(['--url', url], io({ PATCHCORD_API_TOKEN: 'token' }))
    const basic = `Basic ${Buffer.from('user:p@ss').toString('base64')}`
    expect(seen).toEqual([basic, name === 'health' ? basic : 'Bearer token'])
  })
})

test('a token with odd characters is told by its place, and not sent', async () => {
  const odd = ['can\nary', 'can ary', 'canary\u00e4', '\u6f22canary']
  for (const [, run] of commands.slice(0, 3)) {
    for (const token of odd) {
      const given = io()
      expect(await run(['--url', 'http://127.0.0.1:1', '--token', token], given)).toBe(2)
      expect(given.lines).toEqual([expect.stringContaining('the token in --token holds')])
      const inEnvironment = io({ PATCHCORD_API_TOKEN: token })
      expect(await run(['--url', 'http://127.0.0.1:1'], inEnvironment)).toBe(2)
      expect(inEnvironment.lines).toEqual([expect.stringContaining('the token in PATCHCORD_API_TOKEN holds')])
      expect([...given.lines, ...inEnvironment.lines].join()).not.toMatch(/ary/)
    }
  }
})

test('the address is without a slash at its end, and keeps the path of a proxy', () => {
  const of = (url: string) => {
    const address = engineAddress(io(), { url })
    return address.ok ? address.value.url : null
  }
  expect(of('http://127.0.0.1:15000/')).toBe('http://127.0.0.1:15000')
  expect(of('https://proxy.example/patchcord//')).toBe('https://proxy.example/patchcord')
  expect(of('http://[::1]:15000')).toBe('http://[::1]:15000')
  expect(of('127.0.0.1:15000')).toBeNull()
})
