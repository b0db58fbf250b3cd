import { describe, expect, test } from 'bun:test'
import {
  choices,
  chooseTransport,
  features,
  formatRows,
  formatsOf,
  modulesOf,
  parseAsteriskVersion,
  safeFormats,
  webSocketSaysWhose,
} from '#asterisk/transport-choice.ts'
import { type Transport, transports } from '#call/leg.ts'

const infinite = Number.POSITIVE_INFINITY
const all = Object.values(modulesOf).flat()
const modulesFor = (...names: Transport[]) => names.flatMap((name) => modulesOf[name])

describe('a version is read', () => {
  test.each([
    ['20.19.0', { branch: 20, release: 19 }],
    ['22.10.1~dfsg+~cs6.16.60671435-2', { branch: 22, release: 10 }],
    ['18.10.0~dfsg+~cs6.10.40431411-2', { branch: 18, release: 10 }],
    ['23.0.0-rc2', { branch: 23, release: 0 }],
    ['certified-22.8-cert3', { branch: 22, release: 8 }],
    ['certified/18.9-cert5', { branch: 18, release: 9 }],
    ['GIT-master-1a2b3c4', { branch: infinite, release: infinite }],
    ['GIT-22-1a2b3c4M', { branch: 22, release: infinite }],
    ['', null],
    ['unknown', null],
    ['SVN-trunk-r428688M', null],
    ['UNKNOWN__and_probably_unsupported', null],
    ['22', null],
    ['v22.1.0', null],
  ] as const)('%j', (text, version) => {
    expect(parseAsteriskVersion(text)).toEqual(version)
  })
})

describe('each feature', () => {
  // What a transport can do is told from outside: by its formats, or by the choice when it alone is loaded.
  const transportOf: Readonly<Record<keyof typeof features, Transport>> = {
    rtp: 'externalmedia',
    rtpSlin8: 'externalmedia',
    audioSocket: 'audiosocket',
    audioSocketWhole: 'audiosocket',
    audioSocketWideband: 'audiosocket',
    webSocket: 'websocket',
    webSocketChannelId: 'websocket',
    webSocketWhole: 'websocket',
  }
  const seen = (name: string, transport: Transport, version: string) =>
    name === 'webSocketChannelId'
      ? String(webSocketSaysWhose(version))
      : JSON.stringify([formatsOf(transport, version), chooseTransport({ version, modules: modulesOf[transport] }).why])

  for (const [name, { releases, source }] of Object.entries(features)) {
    const transport = transportOf[name as keyof typeof features]
    test(`${name} has a source, and changes what ${transport} is taken for`, () => {
      expect(source).toMatch(/#\d+|release tags|ChangeLog/)
      for (const [branch, release] of releases) {
        if (release === 0) continue
        expect(seen(name, transport, `${branch}.${release}.0`)).not.toBe(
          seen(name, transport, `${branch}.${release - 1}.0`),
        )
        expect(seen(name, transport, `${branch}.${release + 1}.0`)).toBe(
          seen(name, transport, `${branch}.${release}.0`),
        )
      }
      const newest = releases.at(-1)?.[0] ?? 0
      expect(releases.map(([branch]) => branch)).toEqual(releases.map(([branch]) => branch).sort((a, b) => a - b))
      expect(seen(name, transport, 'GIT-master-1')).toBe(seen(name, transport, `${newest + 20}.0.0`))
    })
  }
})

describe('the transport', () => {
  test.each([
    // AudioSocket where it is whole.
    ['20.17.0', all, 'audiosocket'],
    ['22.10.1~dfsg', all, 'audiosocket'],
    ['23.1.0', all, 'audiosocket'],
    ['24.0.0', all, 'audiosocket'],
    ['certified-22.8-cert3', all, 'audiosocket'],
    ['GIT-master-abc', all, 'audiosocket'],
    ['22.10.1', null, 'audiosocket'],
    // chan_websocket where AudioSocket is not loaded.
    ['22.10.1', modulesFor('websocket', 'externalmedia'), 'websocket'],
    ['20.18.0', modulesFor('websocket'), 'websocket'],
    // RTP where both are younger than their cures; 21 got neither.
    ['16.30.0', all, 'externalmedia'],
    ['18.26.4', all, 'externalmedia'],
    ['20.16.0', all, 'externalmedia'],
    ['21.12.3', all, 'externalmedia'],
    ['22.6.0', all, 'externalmedia'],
    ['23.0.0', all, 'externalmedia'],
    ['certified-20.7-cert8', all, 'externalmedia'],
    ['22.7.0', modulesFor('websocket', 'externalmedia'), 'externalmedia'],
    // What is left.
    ['20.5.0', modulesFor('audiosocket'), 'audiosocket'],
    ['21.12.0', modulesFor('websocket'), 'websocket'],
    // Nobody knows.
    ['hand made', all, 'audiosocket'],
    ['hand made', null, 'audiosocket'],
    ['hand made', modulesFor('externalmedia', 'websocket'), 'externalmedia'],
    ['hand made', modulesFor('websocket'), 'websocket'],
  ] as const)('for %s', (version, modules, transport) => {
    expect(chooseTransport({ version, modules })).toMatchObject({ transport, missing: [] })
  })

  test('every row of the table is taken by some Asterisk', () => {
    const versions = ['16.30.0', '18.26.4', '20.5.0', '20.16.0', '20.18.0', '21.12.3', '22.10.1', '23.1.0', 'hand made']
    const loaded = [
      all,
      ...transports.map((name) => modulesFor(name)),
      modulesFor('websocket', 'externalmedia'),
      modulesFor('audiosocket', 'websocket'),
    ]
    const taken = new Set(
      versions.flatMap((version) => loaded.map((modules) => chooseTransport({ version, modules }).why)),
    )
    for (const { why } of choices) expect(taken).toContain(why)
  })

  test('every row has a source: its feature’s, or its own', () => {
    for (const { needs, source } of choices) {
      expect(needs === null ? source : features[needs].source).toMatch(/#\d+|release tags|ChangeLog/)
    }
  })

  test('a module that is missing rules its transport out, each of them', () => {
    for (const transport of transports) {
      for (const module of modulesOf[transport]) {
        const choice = chooseTransport({
          version: '22.10.1',
          modules: modulesOf[transport].filter((name) => name !== module),
        })
        expect(choice.missing.length).toBeGreaterThan(0)
        expect(choice.why).toContain('no way for audio is loaded')
      }
    }
  })

  test('an Asterisk that is too old for all of it is told so', () => {
    expect(chooseTransport({ version: '16.5.0', modules: all }).why).toContain('older than every way')
  })
})

describe('formats', () => {
  test.each([
    ['audiosocket', '22.10.1', ['slin', 'slin16', 'slin24', 'slin48']],
    ['audiosocket', '22.6.0', ['slin']],
    ['audiosocket', '21.11.0', ['slin']],
    ['audiosocket', '21.12.0', ['slin', 'slin16', 'slin24', 'slin48']],
    ['audiosocket', '23.0.0', ['slin']],
    ['audiosocket', 'hand made', null],
    ['externalmedia', '20.5.2', ['ulaw', 'alaw']],
    ['externalmedia', '20.6.0', ['ulaw', 'alaw', 'slin']],
    ['externalmedia', '22.0.0', ['ulaw', 'alaw', 'slin']],
    ['externalmedia', '19.8.1', ['ulaw', 'alaw']],
    ['websocket', '20.15.0', []],
    ['websocket', '22.8.0', ['slin', 'slin16', 'slin24', 'slin48', 'ulaw', 'alaw']],
  ] as const)('over %s with %s', (transport, version, formats) => {
    expect(formatsOf(transport, version)).toEqual(formats === null ? null : [...formats])
  })

  test('the safe one is carried by every Asterisk that has the transport', () => {
    for (const transport of transports) {
      for (const version of ['16.6.0', '18.0.0', '19.0.0', '20.0.0', '20.16.0', '21.12.0', '22.10.1', '23.0.0']) {
        const formats = formatsOf(transport, version) ?? []
        if (formats.length > 0) expect(formats).toContain(safeFormats[transport])
      }
    }
  })

  test('no format stands in two rows of a transport', () => {
    for (const transport of transports) {
      const formats = formatRows.filter((row) => row.transport === transport).flatMap((row) => row.formats)
      expect(new Set(formats).size).toBe(formats.length)
    }
  })
})
