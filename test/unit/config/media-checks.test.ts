import { describe, expect, test } from 'bun:test'
import { loadConfiguration } from '#config/load.ts'
import { playbackUrl } from '#config/media-checks.ts'
import { formatProblem } from '#config/problem.ts'
import { vendors } from './vendors.ts'

function load(text: string) {
  return loadConfiguration({ text, env: { ASTERISK_ARI_PASSWORD: 'x', PATCHCORD_API_TOKEN: 'x' }, vendors })
}

/** What is said, each as `error` or `warning`, its key, and all its words. */
function said(text: string) {
  const loaded = load(text)
  const problems = loaded.ok ? loaded.value.warnings : loaded.error
  const severity = loaded.ok ? 'warning' : 'error'
  return problems.map((problem) => ({ severity, key: problem.key, words: formatProblem(problem) }))
}

type Row = [text: string, key: string, words: readonly string[]]

const elsewhere = 'asterisk: { host: pbx.example }'
const reachable = 'audiosocket: { host: 0.0.0.0, advertise_host: 10.0.0.5 }'

describe('what is impossible together is an error that names the keys and the sum', () => {
  const rows: Row[] = [
    ['audiosocket: { port: 15000 }', 'audiosocket.port', ['health.port', '15000']],
    ['audiosocket: { port: 15000, host: 0.0.0.0 }', 'audiosocket.port', ['health.port', '15000']],
    ['audiosocket: { port: 15000, host: localhost }', 'audiosocket.port', ['health.port', '15000']],
    [
      'media_websocket: { direction: listen, port: 15000 }',
      'media_websocket.port',
      ['media_websocket.port and health.port', '15000'],
    ],
    [
      'media_websocket: { direction: listen, port: 8090, host: "::" }',
      'media_websocket.port',
      ['media_websocket.port and audiosocket.port', '8090'],
    ],
    [
      'audio_transport: audiosocket\nlimits: { calls: 101 }',
      'audiosocket.max_connections',
      ['(100)', 'limits.calls (101)', 'Raise audiosocket.max_connections'],
    ],
    [
      'audio_transport: websocket\nmedia_websocket: { max_connections: 9 }\nlimits: { calls: 10 }',
      'media_websocket.max_connections',
      ['(9)', 'limits.calls (10)', 'Raise media_websocket.max_connections'],
    ],
    ['audiosocket: { advertise_host: "0.0.0.0" }', 'audiosocket.advertise_host', ['0.0.0.0']],
    ['external_media: { advertise_host: "::" }', 'external_media.advertise_host', ['::', 'RTP']],
    // 18080 to 18089 are ten ports.
    [
      'audio_transport: externalmedia\nexternal_media: { port_max: 18089 }\nlimits: { calls: 11 }',
      'external_media.port_max',
      ['18080 to 18089', '10 ports', 'limits.calls (11)'],
    ],
    [
      'audio_transport: externalmedia\nexternal_media: { port_min: 20000, port_max: 19000 }',
      'external_media.port_max',
      ['20000 to 19000', '0 ports'],
    ],
    [
      'streaming: { jitter_buffer_ms: 99, min_start_ms: 100 }',
      'streaming.jitter_buffer_ms',
      ['(99)', 'streaming.min_start_ms (100)', 'streaming.greeting_min_start_ms (40)'],
    ],
    [
      'streaming: { jitter_buffer_ms: 99, greeting_min_start_ms: 100 }',
      'streaming.jitter_buffer_ms',
      ['(99)', 'streaming.greeting_min_start_ms (100)'],
    ],
    [
      'streaming: { low_watermark_ms: 401 }',
      'streaming.low_watermark_ms',
      ['(401)', 'streaming.jitter_buffer_ms (400)'],
    ],
    [
      'streaming: { fallback_timeout_ms: 400 }',
      'streaming.fallback_timeout_ms',
      ['(400)', 'streaming.jitter_buffer_ms (400)'],
    ],
    [
      'streaming: { provider_grace_ms: 2000 }',
      'streaming.provider_grace_ms',
      ['(2000)', 'streaming.fallback_timeout_ms (2000)'],
    ],
    [
      `downstream_mode: file\n${elsewhere}\n${reachable}`,
      'file_playback.advertise_url',
      ['pbx.example', 'health.host (127.0.0.1)', 'file_playback.folder'],
    ],
  ]
  test.each(rows)('%s', (text, key, words) => {
    const problems = said(text)
    expect(problems.map((problem) => [problem.severity, problem.key])).toEqual([['error', key]])
    for (const word of words) expect(problems[0]?.words).toContain(word)
  })
})

describe('what is possible', () => {
  test.each([
    ['audiosocket: { port: 0 }\nhealth: { port: 0 }'],
    ['audiosocket: { port: 15000, host: 10.0.0.5 }'],
    // It does not listen: its port is nobody’s.
    ['media_websocket: { direction: connect, port: 15000 }'],
    ['media_websocket: { direction: listen }'],
    ['media_websocket: { direction: listen, port: 8090, host: 10.0.0.5 }'],
    ['limits: { calls: 100 }'],
    ['audio_transport: websocket\nmedia_websocket: { max_connections: 10 }\nlimits: { calls: 10 }'],
    ['audio_transport: audiosocket\nmedia_websocket: { max_connections: 9 }\nlimits: { calls: 10 }'],
    ['audio_transport: audiosocket\nexternal_media: { port_max: 18080 }'],
    ['audio_transport: externalmedia\nexternal_media: { port_max: 18089 }\nlimits: { calls: 10 }'],
    ['audio_transport: externalmedia\nexternal_media: { port_max: 18080, ports: shared }'],
    ['audio_transport: auto\nexternal_media: { port_max: 18089 }\nlimits: { calls: 10 }'],
    ['audio_transport: auto\nexternal_media: { port_max: 18080, ports: shared }'],
    ['audio_transport: auto\nmedia_websocket: { max_connections: 10 }\nlimits: { calls: 10 }'],
    // Any free port each time: there is no range to run out of.
    ['audio_transport: externalmedia\nexternal_media: { port_min: 0, port_max: 0 }'],
    ['streaming: { jitter_buffer_ms: 100, min_start_ms: 100, greeting_min_start_ms: 100 }'],
    ['streaming: { low_watermark_ms: 400 }'],
    ['streaming: { fallback_timeout_ms: 401, provider_grace_ms: 400 }'],
    ['downstream_mode: file'],
    [`downstream_mode: file\n${elsewhere}\n${reachable}\nfile_playback: { folder: /srv/audio }`],
    [`downstream_mode: file\n${elsewhere}\n${reachable}\nfile_playback: { advertise_url: "http://10.0.0.5:15000" }`],
    [`downstream_mode: file\n${elsewhere}\n${reachable}\nhealth: { host: 0.0.0.0 }`],
  ])('%s', (text) => {
    expect(said(text)).toEqual([])
  })
})

describe('auto, which may take a door that lacks room, is a warning', () => {
  test.each([
    [
      'external_media: { port_max: 18089 }\nlimits: { calls: 11 }',
      'external_media.port_max',
      ['10 ports', 'limits.calls (11)', 'audio_transport: auto'],
    ],
    [
      'media_websocket: { max_connections: 9 }\nlimits: { calls: 10 }',
      'media_websocket.max_connections',
      ['(9)', 'limits.calls (10)', 'audio_transport: auto'],
    ],
  ] as const)('%s', (text, key, words) => {
    for (const transport of ['', 'audio_transport: auto\n']) {
      const warnings = said(`${transport}${text}`)
      expect(warnings.map((each) => [each.severity, each.key])).toEqual([['warning', key]])
      for (const word of words) expect(warnings[0]?.words).toContain(word)
    }
  })

  test('beside an error, the error alone is what stops the start', () => {
    const problems = said('limits: { calls: 101 }')
    expect(problems.map(({ severity, key }) => [severity, key])).toEqual([['error', 'audiosocket.max_connections']])
  })
})

describe('an Asterisk elsewhere that is told of loopback is a warning', () => {
  const rows: [text: string, keys: string[]][] = [
    [elsewhere, ['audiosocket.advertise_host']],
    [`${elsewhere}\naudio_transport: audiosocket`, ['audiosocket.advertise_host']],
    [`${elsewhere}\naudio_transport: externalmedia`, ['external_media.advertise_host']],
    [`${elsewhere}\naudio_transport: websocket`, []],
    [`${elsewhere}\n${reachable}`, []],
    [`${elsewhere}\naudio_transport: externalmedia\nexternal_media: { host: 0.0.0.0, advertise_host: 10.0.0.5 }`, []],
    ['asterisk: { host: localhost }\naudio_transport: externalmedia', []],
  ]
  test.each(rows)('%s', (text, keys) => {
    expect(said(text).map(({ severity, key }) => [severity, key])).toEqual(keys.map((key) => ['warning', key]))
  })

  test('that names both addresses', () => {
    const [warning] = said(`${elsewhere}\naudio_transport: externalmedia`)
    for (const word of ['127.0.0.1', 'pbx.example', 'external_media.host']) expect(warning?.words).toContain(word)
  })
})

describe('where Asterisk fetches files from', () => {
  const url = (text: string) => {
    const loaded = load(text)
    return loaded.ok ? playbackUrl(loaded.value.configuration) : 'refused'
  }
  const rows: [text: string, expected: string | null][] = [
    ['language: en', 'http://127.0.0.1:15000'],
    ['health: { port: 1234 }', 'http://127.0.0.1:1234'],
    [elsewhere, null],
    [`${elsewhere}\nhealth: { host: 10.0.0.5 }`, 'http://10.0.0.5:15000'],
    [`${elsewhere}\nhealth: { host: "fd00::5" }`, 'http://[fd00::5]:15000'],
    // All addresses are none that can be told: the one that Asterisk is told for audio is.
    [`${elsewhere}\n${reachable}\nhealth: { host: 0.0.0.0 }`, 'http://10.0.0.5:15000'],
    [`${elsewhere}\nhealth: { host: 0.0.0.0 }`, null],
    [`${elsewhere}\nfile_playback: { advertise_url: "https://engine.example" }`, 'https://engine.example'],
  ]
  test.each(rows)('%s', (text, expected) => {
    expect(url(text)).toBe(expected)
  })
})
