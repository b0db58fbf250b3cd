import { describe, expect, test } from 'bun:test'
import { failed, ok } from '#base/result.ts'
import { type AccessFacts, type AccessRules, accessRefusal } from '#http/access.ts'

const token = 'canary-token-4711'
const from = (facts: Partial<AccessFacts>): AccessFacts => ({
  host: '127.0.0.1:15000',
  origin: null,
  authorization: null,
  ...facts,
})
const open: AccessRules = { boundHost: '127.0.0.1', token: ok(undefined) }
const locked: AccessRules = { boundHost: '0.0.0.0', token: ok(token) }

describe('without a token, on a loopback address', () => {
  const hosts: [string | null, number | null][] = [
    ['127.0.0.1:15000', null],
    ['127.0.0.1', null],
    ['127.8.9.1:1', null],
    ['localhost:15000', null],
    ['LOCALHOST.', null],
    ['[::1]:15000', null],
    ['evil.example', 403],
    ['evil.example:15000', 403],
    ['127.0.0.1.evil.example', 403],
    ['localhost.evil.example', 403],
    ['10.0.0.5:15000', 403],
    ['[fe80::1]:15000', 403],
    ['0.0.0.0:15000', 403],
    ['', 403],
    [null, 403],
    ['localhost:15000 evil', 403],
    ['localhost@evil.example', 403],
  ]
  test.each(hosts)('Host %p', (host, status) => {
    expect(accessRefusal(from({ host }), open)?.status ?? null).toBe(status as never)
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

  test('the name by which the engine was reached, and the page, do not matter to the right one', () => {
    const facts = from({ host: 'proxy.example', origin: 'https://console.example', authorization: `Bearer ${token}` })
    expect(accessRefusal(facts, locked)).toBeNull()
  })
})

test('on another address without a token it is closed, and says how to open it', () => {
  for (const boundHost of ['0.0.0.0', '10.0.0.5', '::', 'pbx.example']) {
    const refusal = accessRefusal(from({ authorization: 'Bearer x' }), { boundHost, token: ok(undefined) })
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
