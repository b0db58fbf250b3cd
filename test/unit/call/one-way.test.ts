import { describe, expect, test } from 'bun:test'
import { transports } from '#call/leg.ts'
import { type InboundFacts, judgeInbound, type OneWayKind, oneWayAdvice, oneWayKinds } from '#call/one-way.ts'

describe('judgeInbound', () => {
  const cases: [string, InboundFacts, OneWayKind | null][] = [
    ['nothing came', { frames: 0, peak: 0, kicked: false }, 'no_caller_audio'],
    ['nothing came, though Asterisk was made to send', { frames: 0, peak: 0, kicked: true }, 'no_caller_audio'],
    ['one frame of zeros', { frames: 1, peak: 0, kicked: false }, 'digital_silence'],
    ['a dead line in A-law, which has no zero', { frames: 100, peak: 8, kicked: false }, 'digital_silence'],
    ['a quiet room', { frames: 100, peak: 9, kicked: false }, null],
    ['a voice', { frames: 100, peak: 12_000, kicked: false }, null],
    ['the loudest there is', { frames: 1, peak: 32_768, kicked: false }, null],
    ['the silence that Asterisk was made to send', { frames: 5, peak: 0, kicked: true }, 'no_caller_audio'],
    ['that, however much of it', { frames: 80, peak: 8, kicked: true }, 'no_caller_audio'],
    ['a caller who began with a kick', { frames: 10, peak: 900, kicked: true }, null],
  ]
  test.each(cases)('%s', (_name, facts, expected) => {
    expect(judgeInbound(facts)).toBe(expected)
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
