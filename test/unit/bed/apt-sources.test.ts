import { describe, expect, test } from 'bun:test'
import { parseDeb822, parseSourcesList, pickDebianMirror } from '../../bed/apt-sources.ts'

const DEB822 = `Types: deb
# a note
URIs: http://mirror.example/debian/
Suites: bookworm bookworm-updates
Components: main

Types: deb deb-src
URIs: http://mirror.example/debian-security
Suites: bookworm-security
Components: main

Enabled: no
Types: deb
URIs: http://off.example/debian
Suites: bookworm
`

describe('the apt sources of a machine', () => {
  test('deb822', () => {
    expect(parseDeb822(DEB822)).toEqual([
      { uri: 'http://mirror.example/debian/', suites: ['bookworm', 'bookworm-updates'] },
      { uri: 'http://mirror.example/debian-security', suites: ['bookworm-security'] },
    ])
  })

  test('deb822 with continued lines', () => {
    expect(parseDeb822('Types: deb\nURIs:\n http://a.example/debian\n http://b.example/debian\nSuites: sid\n')).toEqual(
      [
        { uri: 'http://a.example/debian', suites: ['sid'] },
        { uri: 'http://b.example/debian', suites: ['sid'] },
      ],
    )
  })

  test('the classic list', () => {
    const text =
      '# deb http://old.example/ bookworm main\ndeb [arch=amd64 signed-by=/k.gpg] http://m.example/debian bookworm main\n deb-src http://m.example/debian bookworm main'
    expect(parseSourcesList(text)).toEqual([{ uri: 'http://m.example/debian', suites: ['bookworm'] }])
  })

  test('the mirror is a whole suite, neither security nor a vendor', () => {
    expect(pickDebianMirror(parseDeb822(DEB822), 'bookworm')).toBe('http://mirror.example/debian')
    const vendor = { uri: 'http://vendor.example/linux/packages', suites: ['stable'] }
    expect(pickDebianMirror([vendor, ...parseDeb822(DEB822)], 'bookworm')).toBe('http://mirror.example/debian')
    expect(
      pickDebianMirror(parseSourcesList('deb http://m.example/debian-security bookworm-security main'), 'bookworm'),
    ).toBeUndefined()
  })
})
