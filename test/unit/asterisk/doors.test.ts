import { describe, expect, test } from 'bun:test'
import { Doors } from '#asterisk/doors.ts'
import type { WireFormat } from '#audio/format.ts'
import { silentLog } from '#base/log.ts'
import { type Transport, transports } from '#call/leg.ts'
import { FakeDoor } from '../../fakes/door.ts'

interface Setting {
  readonly webSocketListens?: boolean
  readonly filesByHttp?: boolean
  readonly formats?: Partial<Record<Transport, WireFormat>>
}

function setUp(configured: Transport | 'auto', { webSocketListens, filesByHttp, formats = {} }: Setting = {}) {
  const said: Record<string, unknown>[] = []
  const entrances = {
    audiosocket: { door: new FakeDoor(), format: formats.audiosocket ?? 'slin' },
    externalmedia: { door: new FakeDoor(), format: formats.externalmedia ?? 'ulaw' },
    websocket: { door: new FakeDoor(), format: formats.websocket ?? 'slin16' },
  } as const
  const warned: Record<string, unknown>[] = []
  const log = {
    ...silentLog,
    info: (_message: string, fields = {}) => void said.push(fields),
    warn: (message: string, fields = {}) => void warned.push({ message, ...fields }),
  }
  const doors = new Doors({
    configured,
    entrances,
    webSocketListens: webSocketListens ?? false,
    filesByHttp: filesByHttp ?? false,
    log,
  })
  return { doors, entrances, said, warned }
}

/** Releases whose best way is known from the table of releases: AudioSocket is whole since 22.7, and was not in 22.5. */
const whole = '22.8.0'
const older = '22.5.0'

describe('a call', () => {
  test.each([...transports])('that names %s takes that door, whatever is configured, with its format', (named) => {
    for (const configured of [...transports, 'auto'] as const) {
      const { doors, entrances } = setUp(configured)
      expect(doors.entrance(named)).toEqual({ ok: true, value: { transport: named, ...entrances[named] } })
    }
  })

  test.each([...transports])('that names none takes the configured one: %s', (configured) => {
    const { doors, entrances } = setUp(configured)
    expect(doors.entrance(null)).toEqual({ ok: true, value: { transport: configured, ...entrances[configured] } })
    expect(doors.entrance('auto')).toEqual(doors.entrance(null))
  })

  test.each(['pigeon', 'AudioSocket', '', 'toString', '__proto__'])('that names %p is told what there is', (named) => {
    const { doors } = setUp('audiosocket')
    const entrance = doors.entrance(named)
    expect(entrance.ok).toBe(false)
    const words = entrance.ok ? '' : entrance.error
    for (const word of [`audio_transport=${named}`, ...transports, 'auto']) expect(words).toContain(word)
  })
})

describe('auto', () => {
  test('is AudioSocket until an Asterisk was asked', () => {
    const { doors, said } = setUp('auto')
    expect([doors.auto, doors.transport, said]).toEqual([true, 'audiosocket', []])
  })

  test.each([
    [whole, null, 'audiosocket'],
    [older, null, 'externalmedia'],
    [whole, ['chan_rtp.so', 'res_rtp_asterisk.so'], 'externalmedia'],
  ] as const)('for Asterisk %s with modules %p is %s, and the log says why', (version, modules, transport) => {
    const { doors, entrances, said } = setUp('auto')
    doors.found(version, modules)
    expect(doors.transport).toBe(transport)
    expect(doors.entrance(null)).toEqual({ ok: true, value: { transport, ...entrances[transport] } })
    expect(said).toMatchObject([{ transport, asterisk: version, why: expect.stringMatching(/\w+ \w+/) }])
  })

  test('is chosen anew when another Asterisk answers', () => {
    const { doors } = setUp('auto')
    doors.found(older, null)
    doors.found(whole, null)
    expect(doors.transport).toBe('audiosocket')
  })

  test('that is not configured leaves what is', () => {
    const { doors, said } = setUp('websocket')
    doors.found(older, null)
    expect([doors.auto, doors.transport, said]).toEqual([false, 'websocket', []])
  })
})

describe('a format that this Asterisk cannot carry', () => {
  const cases: [Transport, WireFormat, string, WireFormat, string][] = [
    ['audiosocket', 'slin16', '22.6.0', 'slin', 'audiosocket.format'],
    ['audiosocket', 'slin48', '18.26.4', 'slin', 'audiosocket.format'],
    ['externalmedia', 'slin', '20.5.2', 'ulaw', 'external_media.format'],
    ['externalmedia', 'slin16', '22.10.1', 'ulaw', 'external_media.format'],
  ]
  test.each(cases)(
    'over %s, %s with %s, gives way to %s, and the log says so once',
    (transport, format, version, instead, key) => {
      const { doors, entrances, warned } = setUp(transport, { formats: { [transport]: format } })
      expect(doors.formatOf(transport)).toBe(format)
      doors.found(version, null)
      doors.found(version, null)
      for (const named of [null, transport]) {
        const { door } = entrances[transport]
        expect(doors.entrance(named)).toEqual({ ok: true, value: { transport, door, format: instead } })
      }
      expect(doors.formatOf(transport)).toBe(instead)
      expect(warned).toMatchObject([{ transport, format, instead, asterisk: version }])
      expect(String(warned[0]?.cure)).toContain(key)
    },
  )

  test('is taken again with an Asterisk that can, and said again with the next that cannot', () => {
    const { doors, warned } = setUp('audiosocket', { formats: { audiosocket: 'slin16' } })
    doors.found('22.6.0', null)
    doors.found('22.10.1', null)
    expect([doors.formatOf('audiosocket'), warned.length]).toEqual(['slin16', 1])
    doors.found('22.6.0', null)
    expect([doors.formatOf('audiosocket'), warned.length]).toEqual(['slin', 2])
  })

  test.each([
    ['a version that cannot be read', 'hand made'],
    ['one without the door', '20.15.0'],
  ])('is not known of %s', (_name, version) => {
    const { doors, warned } = setUp('websocket', { formats: { websocket: 'slin48' } })
    doors.found(version, null)
    expect([doors.formatOf('websocket'), warned]).toEqual(['slin48', []])
  })
})

describe('what this Asterisk lacks is said once', () => {
  test.each([
    ['20.16.0', 1],
    ['21.12.0', 1],
    ['22.7.0', 0],
    ['hand made', 0],
    // It has no media WebSocket at all.
    ['20.15.0', 0],
  ])('with %s, which opens media WebSockets: %p warnings', (version, count) => {
    const { doors, warned } = setUp('websocket', { webSocketListens: true })
    doors.found(version, null)
    doors.found(version, null)
    expect(warned).toHaveLength(count)
    for (const { cure } of warned) expect(String(cure)).toContain('media_websocket.direction')
    const connecting = setUp('websocket')
    connecting.doors.found(version, null)
    expect(connecting.warned).toEqual([])
  })

  const fetching = ['res_http_media_cache.so', 'res_curl.so']
  test.each([
    [fetching, ''],
    [null, ''],
    [[], 'res_http_media_cache.so, res_curl.so'],
    [fetching.slice(0, 1), 'res_curl.so'],
  ])('with modules %p, which is to fetch files', (modules, missing) => {
    const { doors, warned } = setUp('audiosocket', { filesByHttp: true })
    expect(doors.asksForModules).toBe(true)
    doors.found(whole, modules)
    doors.found(whole, modules)
    expect(warned.map((each) => each.missing)).toEqual(missing === '' ? [] : [missing])
    const byFolder = setUp('audiosocket')
    byFolder.doors.found(whole, modules)
    expect([byFolder.doors.asksForModules, byFolder.warned]).toEqual([false, []])
  })
})

test('closing closes each door', () => {
  const { doors, entrances } = setUp('auto')
  doors.close()
  expect(Object.values(entrances).map(({ door }) => door.closes)).toEqual([1, 1, 1])
})
