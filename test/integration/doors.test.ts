import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { join } from 'node:path'
import { type Asterisk, startAsterisk } from '../bed/asterisk.ts'
import { engineCallFrom } from '../bed/conversation.ts'
import { BedEngine } from '../bed/engine.ts'
import { freeTcpPort } from '../bed/ports.ts'
import { audibleStretches, toneShare } from '../bed/wav-analysis.ts'
import { readWav, writeWav } from '../bed/wav-file.ts'

// Each door by a call over SIP with 16 kHz telephones: what the wire's rate lets through comes back from the engine's
// echo, and nothing above it.

const rateHz = 16_000
const toneMs = 800
const lowHz = 1000
const highHz = 6000

/** Both tones at once: the high one tells the band, the low one that there is audio at all. */
function tones(): Int16Array {
  return Int16Array.from({ length: (toneMs * rateHz) / 1000 }, (_, index) => {
    const angle = (2 * Math.PI * index) / rateHz
    return Math.round(6000 * Math.sin(angle * lowHz) + 6000 * Math.sin(angle * highHz))
  })
}

describe('every door, through a real Asterisk', () => {
  let asterisk: Asterisk
  let wav = ''
  let caller = 0
  let mediaPort = 0

  beforeAll(async () => {
    mediaPort = await freeTcpPort()
    asterisk = await startAsterisk({
      codec: 'slin16',
      stasisArguments: '',
      configuration: {
        'extensions.conf':
          '[people]\nexten => 300,1,Playtones(620)\n same => n,Wait(1)\n same => n,Hangup()\nexten => 301,1,Stasis(patchcord)\n same => n,Hangup()\n',
        'websocket_client.conf': `[patchcord]\ntype = websocket_client\nconnection_type = per_call_config\nuri = ws://127.0.0.1:${mediaPort}/media\nprotocols = media\n`,
      },
    })
    wav = join(asterisk.folder, 'tones.wav')
    await writeWav(wav, { sampleRateHz: rateHz, samples: tones() })
  }, 300_000)

  afterAll(async () => {
    await asterisk?.stop()
  })

  /** What came back: the share of each tone in what the caller heard, and what the engine says of the call. */
  async function visit(yaml: string, audioSocketYaml = '') {
    const engine = await BedEngine.start({ asterisk: asterisk.ari, provider: 'loopback', yaml, audioSocketYaml })
    try {
      caller += 1
      const number = `5550${caller}`
      const call = await asterisk.call({
        extension: '100',
        callerId: number,
        wav,
        waitBeforeMs: 300,
        waitAfterMs: 1000,
      })
      const id = await engineCallFrom(engine, number)
      await call.ended
      await engine.untilIdle()
      await asterisk.untilQuiet()
      const { samples } = await readWav(await call.heard())
      const loudest = audibleStretches(samples, { sampleRateHz: rateHz }).sort(
        (a, b) => b.endMs - b.startMs - (a.endMs - a.startMs),
      )[0]
      if (loudest === undefined) throw new Error(`nothing came back:\n${engine.output.slice(-2000)}`)
      const middle = samples.subarray((loudest.startMs + 150) * 16, (loudest.endMs - 150) * 16)
      const [record] = engine.records()
      return {
        lengthMs: loudest.endMs - loudest.startMs,
        low: toneShare(middle, rateHz, lowHz),
        high: toneShare(middle, rateHz, highHz),
        record,
        engine: { log: engine.log, id },
        open: {
          rtp: await engine.metric('ai_agent_rtp_ports'),
          webSocket: await engine.metric('ai_agent_media_websocket_connections'),
          audioSocket: await engine.metric('ai_agent_audiosocket_connections'),
        },
      }
    } finally {
      await engine.stop()
    }
  }

  const digits: [string, string][] = [
    ['RTP, whose media bring none', 'externalmedia'],
    ['AudioSocket', 'audiosocket'],
    ['media WebSocket', 'websocket'],
  ]
  test.each(digits)(
    '%s: the caller’s digits are counted, each once; the key that leads to a person sends them there',
    async (_name, transport) => {
      const yaml = `audio_transport: ${transport}\ntransfer:\n  destinations:\n    person: { context: people, extension: "300", key: "0" }\n`
      const engine = await BedEngine.start({ asterisk: asterisk.ari, provider: 'loopback', yaml })
      try {
        caller += 1
        const steps = [{ waitMs: 800 }, { digits: '12#' }, { waitMs: 800 }, { digits: '0' }, { waitMs: 3000 }]
        const call = await asterisk.call({ extension: '100', callerId: `5550${caller}`, steps })
        await call.ended
        await engine.untilIdle()
        await asterisk.untilQuiet()
        expect(engine.records()).toMatchObject([{ transport, cause: 'transferred', dtmf_digits: 4 }])
        // What they hear in the end is what that place plays, and nobody else does.
        const { samples } = await readWav(await call.heard())
        const [there] = audibleStretches(samples, { sampleRateHz: rateHz }).slice(-1)
        const last = samples.subarray((there?.startMs ?? 0) * 16, (there?.endMs ?? 0) * 16)
        expect([last.length >= rateHz / 2, toneShare(last, rateHz, 620) > 0.8]).toEqual([true, true])
      } finally {
        await engine.stop()
      }
    },
    60_000,
  )

  test('who is sent to a place that leads back into the application is a call again, and goes on from there', async () => {
    const destinations =
      '    agent: { context: people, extension: "301", key: "9" }\n    person: { context: people, extension: "300", key: "0" }\n'
    const yaml = `audio_transport: websocket\ntransfer:\n  destinations:\n${destinations}`
    const engine = await BedEngine.start({ asterisk: asterisk.ari, provider: 'loopback', yaml })
    try {
      const steps = [{ waitMs: 800 }, { digits: '9' }, { waitMs: 1500 }, { digits: '0' }, { waitMs: 3000 }]
      const calls = await Promise.all(
        [1, 2, 3].map((each) => asterisk.call({ extension: '100', callerId: `55590${each}`, steps })),
      )
      await Promise.all(calls.map((call) => call.ended))
      await engine.untilIdle()
      await asterisk.untilQuiet()
      expect(engine.records().map(({ cause }) => cause)).toEqual(Array(6).fill('transferred'))
    } finally {
      await engine.stop()
    }
  }, 60_000)

  const shutAll = { rtp: 0, webSocket: 0, audioSocket: 0 }
  const wide: [string, string, string, string][] = [
    ['AudioSocket, slin16', 'audiosocket', 'audio_transport: audiosocket', '  format: slin16'],
    ['media WebSocket, slin16', 'websocket', 'audio_transport: websocket\nmedia_websocket:\n  format: slin16', ''],
  ]
  test.each(wide)(
    '%s: 6 kHz survives',
    async (_name, transport, yaml, audioSocketYaml) => {
      const heard = await visit(yaml, audioSocketYaml)
      // Two tones of one level: half of the energy each.
      expect(heard.low).toBeGreaterThan(0.4)
      expect(heard.high).toBeGreaterThan(0.4)
      expect(heard.lengthMs).toBeGreaterThan(toneMs - 60)
      expect(heard.record).toMatchObject({ transport, cause: 'caller', one_way: [] })
      expect(heard.open).toEqual(shutAll)
    },
    60_000,
  )

  test('media WebSocket that Asterisk opens, slin16: 6 kHz survives', async () => {
    const heard = await visit(
      `audio_transport: websocket\nmedia_websocket:\n  direction: listen\n  port: ${mediaPort}\n  format: slin16`,
    )
    expect(heard.low).toBeGreaterThan(0.4)
    expect(heard.high).toBeGreaterThan(0.4)
    expect(heard.record).toMatchObject({ transport: 'websocket', cause: 'caller', one_way: [] })
    expect(heard.open).toEqual(shutAll)
  }, 60_000)

  const narrow: [string, string, string][] = [
    ['RTP, µ-law', 'externalmedia', 'audio_transport: externalmedia'],
    [
      'RTP, A-law, on one shared port',
      'externalmedia',
      'audio_transport: externalmedia\nexternal_media:\n  format: alaw\n  ports: shared',
    ],
    ['what auto takes', 'audiosocket', 'audio_transport: auto'],
  ]
  test.each(narrow)(
    '%s: the telephone band, and nothing above it',
    async (_name, transport, yaml) => {
      const heard = await visit(yaml)
      expect(heard.low).toBeGreaterThan(0.95)
      expect(heard.high).toBeLessThan(0.001)
      expect(heard.lengthMs).toBeGreaterThan(toneMs - 60)
      expect(heard.record).toMatchObject({ transport, cause: 'caller', one_way: [] })
      expect(heard.open).toEqual({ ...shutAll, rtp: yaml.includes('shared') ? 1 : 0 })
      // A 16 kHz telephone behind an 8 kHz wire: no conversion to spare for an echo, which works at any rate.
      const paths = heard.engine.log.filter((line) => line.message === 'audio path' && line.call === heard.engine.id)
      expect(paths.map((line) => line.conversions_to_spare)).toEqual([0])
      if (yaml.includes('auto')) {
        expect(heard.engine.log.filter((line) => line.message === 'audio transport chosen')).toHaveLength(1)
      }
    },
    60_000,
  )
})
