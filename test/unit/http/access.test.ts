import { describe, expect, test } from 'bun:test'
import { failed, ok } from '#base/result.ts'
import { type AccessFacts, accessRefusal } from '#http/access.ts'
import { accessRules } from '../../fakes/control.ts'

const token = 'canary-token-4711'
const from = (facts: Partial<AccessFacts>): AccessFacts => ({
  host: '127.0.0.1:15000',
  origin: null,
  authorization: null,
  ...facts,
})
const open = accessRules()
const locked = accessRules({ boundHost: '0.0.0.0', token: ok(token) })

describe('the name in Host, with the token and without one', () => {
  const rules = { boundHost: 'pbx.example', names: ['this-machine', 'Proxy.Example.'] }
  const hosts: [string | null, boolean][] = [
    ['127.0.0.1:15000', true],
    ['127.0.0.1', true],
    ['127.8.9.1:1', true],
    ['localhost:15000', true],
    ['LOCALHOST.', true],
    ['[::1]:15000', true],
    ['10.0.0.5:15000', true],
    ['[fe80::1]:15000', true],
    ['PBX.example', true],
    ['this-machine:15000', true],
    ['proxy.example', true],
    ['evil.example', false],
    ['evil.example:15000', false],
    ['127.0.0.1.evil.example', false],
    ['localhost.evil.example', false],
    ['proxy.example.evil.example', false],
    ['127.1', false],
    ['2130706433', false],
    ['', false],
    [null, false],
    ['localhost:15000 evil', false],
    ['localhost@evil.example', false],
  ]
  test.each(hosts)('Host %p', (host, good) => {
    const authorization = `Bearer ${token}`
    const withToken = accessRefusal(from({ host, authorization }), { ...locked, ...rules })
    const without = accessRefusal(from({ host }), { ...locked, ...rules })
    expect([withToken?.status ?? null, without?.status]).toEqual(good ? [null, 401] : [421, 421])
    // Whether there is a token, and whether it was right, cannot be seen.
    if (!good) expect(withToken).toEqual(accessRefusal(from({ host }), { ...open, ...rules }))
  })

  test('the refusal names the key', () => {
    expect(accessRefusal(from({ host: 'evil.example' }), open)?.error).toContain('health.allowed_hosts')
  })
})

describe('without a token, on a loopback address', () => {
  test.each(['127.0.0.1:15000', 'localhost:1', '[::1]:15000', '10.0.0.5'])('Host %p', (host) => {
    expect(accessRefusal(from({ host }), open)).toBeNull()
  })

  test('the bound name itself is good', () => {
    expect(accessRefusal(from({ host: 'localhost:1' }), { ...open, boundHost: 'localhost' })).toBeNull()
  })

  const origins: [string, number | null][] = [
    ['http://127.0.0.1:15000', null],
    ['http://127.0.0.1:3000', 403],
    ['https://evil.example', 403],
    ['null', 403],
    ['', 403],
  ]
  test.each(origins)('a web page of %p', (origin, status) => {
    expect(accessRefusal(from({ origin }), open)?.status ?? null).toBe(status as never)
  })
})

describe('with a token, wherever the port is bound', () => {
  const cases: [string | null, number | null][] = [
    [`Bearer ${token}`, null],
    [`bearer  ${token} `, null],
    [null, 401],
    ['', 401],
    ['Bearer', 401],
    ['Bearer ', 401],
    [`Bearer ${token}x`, 401],
    [`Bearer ${token.slice(1)}`, 401],
    [`Basic ${token}`, 401],
    [token, 401],
  ]
  for (const boundHost of ['127.0.0.1', '0.0.0.0', '10.0.0.5']) {
    test.each(cases)(`on ${boundHost}: %p`, (authorization, status) => {
      expect(accessRefusal(from({ authorization }), { ...locked, boundHost })?.status ?? null).toBe(status as never)
    })
  }

  test('the page does not matter to the right one', () => {
    const facts = from({ origin: 'https://console.example', authorization: `Bearer ${token}` })
    expect(accessRefusal(facts, locked)).toBeNull()
  })
})

test('on another address without a token it is closed, and says how to open it', () => {
  for (const boundHost of ['0.0.0.0', '10.0.0.5', '::', 'pbx.example']) {
    const refusal = accessRefusal(from({ authorization: 'Bearer x' }), accessRules({ boundHost }))
    expect(refusal?.status).toBe(403)
    expect(refusal?.error).toContain('PATCHCORD_API_TOKEN')
    expect(refusal?.error).toContain('health.host')
  }
})

test('a token that cannot be told opens nothing', () => {
  const refusal = accessRefusal(from({ authorization: 'Bearer ' }), { ...open, token: failed('the file is empty') })
  expect(refusal).toEqual({ status: 403, error: 'the file is empty' })
})

test('no refusal holds the token', () => {
  const facts = [null, 'Bearer x', `Basic ${token}`].map((authorization) => from({ authorization }))
  expect(JSON.stringify(facts.map((each) => accessRefusal(each, locked)))).not.toContain(token)
})

test('closed, it is so to everybody, and says by what', () => {
  for (const host of ['127.0.0.1', 'evil.example']) {
    const facts = from({ host, authorization: `Bearer ${token}` })
    expect(accessRefusal(facts, { ...locked, open: false })).toEqual({
      status: 403,
      error: 'health.api is false: /api is closed',
    })
  }
})
