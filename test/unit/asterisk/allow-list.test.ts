import { describe, expect, test } from 'bun:test'
import { AllowList } from '#asterisk/allow-list.ts'

function listOf(...entries: string[]): AllowList {
  const list = AllowList.parse(entries)
  if (!list.ok) throw new Error(list.error)
  return list.value
}

describe('AllowList', () => {
  const cases: [string, string, boolean][] = [
    ['127.0.0.1', '127.0.0.1', true],
    ['127.0.0.1', '127.0.0.2', false],
    ['10.0.0.0/8', '10.255.255.255', true],
    ['10.0.0.0/8', '11.0.0.0', false],
    ['10.0.0.0/8', '9.255.255.255', false],
    ['192.168.4.128/25', '192.168.4.128', true],
    ['192.168.4.128/25', '192.168.4.127', false],
    // A range is what its prefix says, whatever stands behind it.
    ['192.168.4.77/24', '192.168.4.1', true],
    ['0.0.0.0/0', '203.0.113.9', true],
    ['0.0.0.0/0', '2001:db8::1', false],
    ['203.0.113.9/32', '203.0.113.9', true],
    ['203.0.113.9/32', '203.0.113.8', false],
    ['127.0.0.1', '::ffff:127.0.0.1', true],
    ['::ffff:127.0.0.1', '127.0.0.1', true],
    ['127.0.0.1', '::FFFF:127.0.0.1', true],
    ['10.0.0.0/8', '::ffff:11.0.0.1', false],
    ['::1', '::1', true],
    ['::1', '0:0:0:0:0:0:0:1', true],
    ['::1', '::2', false],
    ['::1', '127.0.0.1', false],
    ['2001:db8::/32', '2001:db8:ffff:ffff:ffff:ffff:ffff:ffff', true],
    ['2001:db8::/32', '2001:db9::', false],
    ['2001:DB8::1', '2001:db8::1', true],
    ['fe80::1', 'fe80::1%eth0', true],
    ['::/0', '2001:db8::1', true],
    ['::/0', '10.0.0.1', false],
    ['10.0.0.0/8', '', false],
    ['10.0.0.0/8', 'localhost', false],
    ['10.0.0.0/8', '10.0.0', false],
    ['::/0', '1:2:3:4:5:6:7:8:9', false],
    ['::/0', '1::2::3', false],
    ['::/0', '12345::', false],
  ]
  test.each(cases)('%s and a peer at %s: %p', (entry, peer, allowed) => {
    expect(listOf(entry).allows(peer)).toBe(allowed)
  })

  test('any of several entries is enough, and an empty list allows nobody', () => {
    const list = listOf('10.0.0.0/8', '::1')
    expect([list.allows('10.1.2.3'), list.allows('::1'), list.allows('192.0.2.1')]).toEqual([true, true, false])
    expect(listOf().allows('127.0.0.1')).toBe(false)
  })

  test.each([
    'localhost',
    '',
    '10.0.0.256',
    '10.0.0',
    '10.0.0.0.0',
    '10.0.0.0/33',
    '10.0.0.0/-1',
    '10.0.0.0/',
    '10.0.0.0/8/8',
    '10.0.0.0/8.5',
    ' 10.0.0.1',
    '::1/129',
    '1:2:3:4:5:6:7',
    '1::2::3',
    'g::1',
    ':::',
  ])('"%s" is refused by name', (entry) => {
    const list = AllowList.parse(['127.0.0.1', entry])
    expect(list.ok ? '' : list.error).toContain(`"${entry}"`)
  })
})
