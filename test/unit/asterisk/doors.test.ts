import { describe, expect, test } from 'bun:test'
import { Doors } from '#asterisk/doors.ts'
import { silentLog } from '#base/log.ts'
import { type Transport, transports } from '#call/leg.ts'
import { FakeDoor } from '../../fakes/door.ts'

function setUp(configured: Transport | 'auto') {
  const said: Record<string, unknown>[] = []
  const entrances = {
    audiosocket: { door: new FakeDoor(), format: 'slin' },
    externalmedia: { door: new FakeDoor(), format: 'ulaw' },
    websocket: { door: new FakeDoor(), format: 'slin16' },
  } as const
  const log = { ...silentLog, info: (_message: string, fields = {}) => void said.push(fields) }
  return { doors: new Doors({ configured, entrances, log }), entrances, said }
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

test('closing closes each door', () => {
  const { doors, entrances } = setUp('auto')
  doors.close()
  expect(Object.values(entrances).map(({ door }) => door.closes)).toEqual([1, 1, 1])
})
