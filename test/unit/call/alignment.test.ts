import { describe, expect, test } from 'bun:test'
import { formatRows } from '#asterisk/transport-choice.ts'
import { type WireFormat, wireFormats } from '#audio/format.ts'
import { type AlignmentFacts, align } from '#call/alignment.ts'
import { transports } from '#call/leg.ts'

const facts = (overrides: Partial<AlignmentFacts> = {}): AlignmentFacts => ({
  transport: 'audiosocket',
  wire: 'slin',
  callerCodec: 'ulaw',
  providerName: 'local',
  providerInputHz: 8000,
  providerOutputHz: 8000,
  ...overrides,
})

describe('the path of the audio', () => {
  test('names each stage both ways, and no conversion where there is none', () => {
    expect(align(facts({ callerCodec: 'slin' })).path).toBe(
      'in: caller slin → wire slin → local 8000 Hz; out: local 8000 Hz → wire slin → caller slin',
    )
  })

  test('names each conversion where it is made, with its rates', () => {
    expect(align(facts({ providerInputHz: 16_000, providerOutputHz: 22_050 })).path).toBe(
      'in: caller ulaw → wire slin (converted by Asterisk) → local 16000 Hz (resampled 8000 → 16000 Hz); ' +
        'out: local 22050 Hz → wire slin (resampled 22050 → 8000 Hz) → caller ulaw (converted by Asterisk)',
    )
  })

  test('says so where the codec is not known', () => {
    expect(align(facts({ callerCodec: null })).path).toContain('caller unknown codec → wire slin')
  })
})

describe('conversions that could be spared', () => {
  const none: [string, Partial<AlignmentFacts>][] = [
    ['narrow all the way', {}],
    ['a codec that is not known', { callerCodec: null, wire: 'slin16' }],
    ['a codec that has no row', { callerCodec: 'testlaw', wire: 'slin16' }],
    ['the caller’s own law', { transport: 'externalmedia', wire: 'ulaw' }],
    [
      'a wide wire for a wide provider: Asterisk widens, and the provider need not',
      {
        wire: 'slin16',
        providerInputHz: 16_000,
        providerOutputHz: 16_000,
      },
    ],
    ['wide all the way', { callerCodec: 'g722', wire: 'slin16', providerInputHz: 16_000, providerOutputHz: 24_000 }],
    ['a wide caller for a narrow provider', { callerCodec: 'opus' }],
    // 20 ms of slin48 are no packet of RTP: slin24 is the widest there.
  ]
  test.each(none)('none: %s', (_name, overrides) => {
    expect(align(facts(overrides)).needless).toEqual([])
  })

  const some: [string, Partial<AlignmentFacts>, RegExp][] = [
    [
      'one law for another',
      { transport: 'externalmedia', wire: 'ulaw', callerCodec: 'alaw' },
      /caller speaks alaw and the wire ulaw: external_media\.format: alaw spares/,
    ],
    [
      'one law for another, by WebSocket',
      { transport: 'websocket', wire: 'alaw', callerCodec: 'ulaw' },
      /media_websocket\.format: ulaw spares/,
    ],
    [
      'a wide wire between narrow ends',
      { wire: 'slin16' },
      /wire has 16000 Hz between a caller and a provider of at most 8000: audiosocket\.format: slin spares two/,
    ],
    [
      'a very wide wire between wide ends keeps their width',
      { wire: 'slin48', callerCodec: 'g722', providerInputHz: 16_000, providerOutputHz: 16_000 },
      /audiosocket\.format: slin16 spares two/,
    ],
    [
      'a narrow wire between wide ends',
      { callerCodec: 'g722', providerInputHz: 16_000, providerOutputHz: 24_000 },
      /telephone has 16000 Hz and the provider 24000, but the wire only 8000: audiosocket\.format: slin16 keeps .* 4 kHz/,
    ],
    [
      'a law between wide ends, by RTP',
      {
        transport: 'externalmedia',
        wire: 'ulaw',
        callerCodec: 'opus',
        providerInputHz: 16_000,
        providerOutputHz: 16_000,
      },
      /but the wire only 8000: RTP carries no more: audio_transport: audiosocket \(or websocket\) with audiosocket\.format: slin16 keeps .* 4 kHz/,
    ],
    [
      'a wide wire between wider ends: not the format that it has',
      { wire: 'slin16', callerCodec: 'opus', providerInputHz: 24_000, providerOutputHz: 24_000 },
      /audiosocket\.format: slin24 keeps what is above 8 kHz/,
    ],
  ]
  test.each(some)('%s', (_name, overrides, advice) => {
    const { needless } = align(facts(overrides))
    expect(needless).toHaveLength(1)
    expect(needless[0]).toMatch(advice)
  })

  test('each advice names formats that its door can carry', () => {
    const doors = { audiosocket: 'audiosocket', external_media: 'externalmedia', media_websocket: 'websocket' } as const
    let named = 0
    for (const { transport, formats } of formatRows)
      for (const wire of formats)
        for (const callerCodec of ['ulaw', 'alaw', 'g722', 'slin24', 'opus'])
          for (const providerHz of [8000, 16_000, 24_000, 48_000]) {
            const rates = { providerInputHz: providerHz, providerOutputHz: providerHz }
            const advice = align(facts({ transport, wire, callerCodec, ...rates })).needless.join(' ')
            for (const [, section = '', format = ''] of advice.matchAll(/(\w+)\.format: (\w+)/g)) {
              named += 1
              const door = doors[section as keyof typeof doors]
              expect([
                advice,
                formatRows.some((row) => row.transport === door && row.formats.includes(format as WireFormat)),
              ]).toEqual([advice, true])
            }
          }
    expect(named).toBeGreaterThan(20)
  })

  test('no advice ever names the format that the wire has', () => {
    const codecs = ['ulaw', 'alaw', 'g722', 'slin24', 'siren14', 'opus']
    let advices = 0
    for (const transport of transports)
      for (const wire of wireFormats)
        for (const callerCodec of codecs)
          for (const providerHz of [8000, 16_000, 24_000, 48_000]) {
            const row = facts({ transport, wire, callerCodec, providerInputHz: providerHz, providerOutputHz: 16_000 })
            for (const advice of align(row).needless) {
              advices += 1
              expect(advice).not.toMatch(new RegExp(`format: ${wire} `))
            }
          }
    expect(advices).toBeGreaterThan(20)
  })
})
