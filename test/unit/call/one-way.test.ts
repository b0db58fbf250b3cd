import { describe, expect, test } from 'bun:test'
import { transports } from '#call/leg.ts'
import { judgeInbound, oneWayAdvice, oneWayKinds } from '#call/one-way.ts'

describe('judgeInbound', () => {
  const cases: [string, number, number, string | null][] = [
    ['nothing came', 0, 0, 'no_caller_audio'],
    ['one frame of zeros', 1, 0, 'digital_silence'],
    ['a dead line in A-law, which has no zero', 100, 8, 'digital_silence'],
    ['a quiet room', 100, 9, null],
    ['a voice', 100, 12_000, null],
    ['the loudest there is', 1, 32_768, null],
  ]
  test.each(cases)('%s', (_name, frames, peak, expected) => {
    expect(judgeInbound({ frames, peak })).toBe(expected as never)
  })
})

describe('oneWayAdvice', () => {
  const all = oneWayKinds.flatMap((kind) => transports.map((transport) => ({ kind, transport })))

  test.each(all)('$kind by $transport has a cause and a cure', (row) => {
    const { cause, cure } = oneWayAdvice(row.kind, row.transport)
    expect([cause.length > 20, cure.length > 20, cause === cure]).toEqual([true, true, false])
  })

  test('RTP that does not arrive is our address or the firewall; by the others the connection is there already', () => {
    const cure = (transport: (typeof transports)[number]) => oneWayAdvice('no_caller_audio', transport).cure
    expect(cure('externalmedia')).toContain('external_media.advertise_host')
    for (const transport of ['audiosocket', 'websocket'] as const) {
      expect(cure(transport)).toContain('external_media_address')
      expect(cure(transport)).not.toContain('advertise_host')
    }
  })
})
