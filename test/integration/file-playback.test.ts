import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { mkdirSync, readdirSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { AriClient } from '#asterisk/ari-client.ts'
import { type AriEvent, AriEvents } from '#asterisk/ari-events.ts'
import { AsteriskFilePlayer } from '#asterisk/file-playback.ts'
import { FolderFiles, HttpFiles, type PlaybackFiles } from '#asterisk/playback-files.ts'
import { type SampleRateHz, sampleRatesHz } from '#audio/format.ts'
import { SystemClock } from '#base/clock.ts'
import { silentLog } from '#base/log.ts'
import { systemRandom } from '#base/random.ts'
import { ok } from '#base/result.ts'
import { createApi } from '#http/api.ts'
import { type Asterisk, startAsterisk } from '../bed/asterisk.ts'
import { MediaPeer, type Sending } from '../bed/media-peer.ts'
import type { PlacedCall } from '../bed/placed-call.ts'
import { audibleStretches, levelDbfs, toneShare } from '../bed/wav-analysis.ts'
import { readWav, writeWav } from '../bed/wav-file.ts'
import { ManualClock } from '../fakes/manual-clock.ts'

// Files played to a caller in a bridge with a media channel, on a real Asterisk: our call's shape.

const application = 'patchcord'
const clock = new SystemClock()
const callerHz = 700
/** When the file sounds, the caller is speaking; nothing else does. */
const callerMs = 4000

/** A sweep: no part of it is like another, so what is missing, doubled or late shows. */
function sweep(sampleRateHz: number, ms = 1200): Int16Array {
  const [fromHz, toHz] = [900, 3000]
  return Int16Array.from({ length: (ms * sampleRateHz) / 1000 }, (_, index) => {
    const t = index / sampleRateHz
    const cycles = fromHz * t + ((toHz - fromHz) * t * t) / (2 * (ms / 1000))
    return Math.round(8000 * Math.sin(2 * Math.PI * cycles))
  })
}

const tone = (hz: number, ms: number, sampleRateHz = 8000) =>
  Int16Array.from({ length: (ms * sampleRateHz) / 1000 }, (_, index) =>
    Math.round(8000 * Math.sin((2 * Math.PI * hz * index) / sampleRateHz)),
  )

/** How alike two sounds are where they fit best, within 12 ms: 1 is the same. */
function likeness(heard: Int16Array, signal: Int16Array): number {
  const lags = Array.from({ length: 200 }, (_, index) => index - 100)
  return Math.max(
    ...lags.map((lag) => {
      let [product, a, b] = [0, 0, 0]
      for (const [index, sample] of signal.entries()) {
        const other = heard[index + lag] ?? 0
        product += sample * other
        a += sample * sample
        b += other * other
      }
      return product / Math.sqrt(a * b)
    }),
  )
}

/** What lies between the first sound and the last, less the frames of silence in it. */
function withoutGaps(heard: Int16Array): { readonly sounding: Int16Array; readonly gaps: number } {
  const frame = 160
  const quiet = (sample: number) => Math.abs(sample) <= 24
  const from = heard.findIndex((sample) => !quiet(sample))
  const to = heard.findLastIndex((sample) => !quiet(sample)) + 1
  const kept: number[] = []
  let [silent, gaps] = [0, 0]
  for (const sample of heard.subarray(Math.max(0, from), to)) {
    kept.push(sample)
    silent = quiet(sample) ? silent + 1 : 0
    if (silent < frame) continue
    kept.splice(-frame)
    gaps += 1
    silent = 0
  }
  return { sounding: Int16Array.from(kept), gaps }
}

describe('files played to a caller', () => {
  let asterisk: Asterisk
  let ari: AriClient
  let events: AriEvents
  let voice = ''
  let listeners: ((event: AriEvent) => void)[] = []
  let folder = ''
  let asteriskFolder = ''

  beforeAll(async () => {
    asterisk = await startAsterisk()
    const options = { ...asterisk.ari, requestTimeoutMs: 5000 }
    ari = new AriClient(options)
    const connected = Promise.withResolvers<void>()
    events = new AriEvents(
      { ...options, application, pingIntervalMs: 10_000, pingTimeoutMs: 5000, reconnectMaxMs: 5000 },
      {
        event: (event) => {
          for (const listener of listeners) listener(event)
        },
        connected: () => connected.resolve(),
        disconnected: () => {},
        applicationTaken: () => Promise.resolve(false),
      },
      clock,
      silentLog,
      systemRandom,
    )
    events.start()
    await connected.promise
    asteriskFolder = join(dirname(await asterisk.silence(20)), 'agent')
    folder = join(asterisk.folder, 'sounds', 'agent')
    mkdirSync(folder)
    voice = join(asterisk.folder, 'voice.wav')
    await writeWav(voice, { sampleRateHz: 8000, samples: tone(callerHz, callerMs) })
  }, 300_000)

  afterAll(async () => {
    events?.stop()
    await asterisk?.stop()
  })

  const folderFiles = () =>
    new FolderFiles({ folder, asteriskFolder, application, random: systemRandom, log: silentLog })

  function httpFiles(fileClock = new ManualClock()) {
    const status = () => {
      throw new Error('not asked for')
    }
    const scrape = () => Promise.reject(new Error('not asked for'))
    let asked = 0
    const server = Bun.serve({
      hostname: '127.0.0.1',
      port: 0,
      fetch: (request) => {
        asked += 1
        return createApi({ status, scrape, mediaFiles: files }).fetch(request)
      },
    })
    const baseUrl = `http://127.0.0.1:${server.port}`
    const files = new HttpFiles({ baseUrl, clock: fileClock, random: systemRandom })
    return { files, baseUrl, asked: () => asked, close: () => server.stop(true) }
  }

  interface Line {
    readonly call: PlacedCall
    readonly peer: MediaPeer
    readonly player: AsteriskFilePlayer
    /** Resolves with what became of it, and when it started. */
    play(samples: Int16Array, sampleRateHz: SampleRateHz): Promise<{ readonly words: string[]; startedMs: number }>
    hangup(): Promise<Int16Array>
  }

  /** A caller who speaks, in one bridge with a media channel. */
  async function line(files: PlaybackFiles, sending: Sending, sendsAlways: boolean): Promise<Line> {
    const peer = new MediaPeer(sending)
    const uuid = systemRandom.uuid()
    const [mediaId, bridgeId] = [`${application}-media-${uuid}`, `${application}-bridge-${uuid}`]
    const entered = { caller: Promise.withResolvers<string>(), media: Promise.withResolvers<void>() }
    const playbacks: string[] = []
    const listener = (event: AriEvent) => {
      if (event.type === 'StasisStart') {
        if (event.channel.id === mediaId) entered.media.resolve()
        else if (event.channel.caller.number === number) entered.caller.resolve(event.channel.id)
      }
      if (event.type !== 'PlaybackStarted' && event.type !== 'PlaybackFinished') return
      const { id, state } = event.playback
      if (!playbacks.includes(id)) return
      player.event(id, event.type === 'PlaybackStarted' ? 'started' : state === 'failed' ? 'failed' : 'finished')
    }
    listeners = [...listeners, listener]
    const number = `555${String(Math.floor(systemRandom.next() * 10_000)).padStart(4, '0')}`
    const call = await asterisk.call({
      extension: '100',
      callerId: number,
      steps: [{ waitMs: 200 }, { play: voice }, { waitMs: 10_000 }],
    })
    const channelId = await entered.caller.promise
    const player = new AsteriskFilePlayer({
      ari,
      clock,
      log: silentLog,
      random: systemRandom,
      application,
      channelId,
      files,
      bind: (id) => playbacks.push(id),
      bindChannel: () => {},
    })
    const media = {
      external_host: `127.0.0.1:${peer.port}`,
      encapsulation: 'audiosocket',
      transport: 'tcp',
      format: 'slin',
      data: uuid,
    }
    const made = await Promise.all([
      ari.answer(channelId),
      ari.createBridge(bridgeId, sendsAlways),
      ari.externalMedia({ channelId: mediaId, app: application, media }),
    ])
    await entered.media.promise
    const joined = await Promise.all([ari.addToBridge(bridgeId, channelId), ari.addToBridge(bridgeId, mediaId)])
    expect([...made, ...joined].filter((result) => !result.ok)).toEqual([])
    // The caller speaks by now, and is heard.
    while (levelDbfs(peer.heardSince(Math.max(0, peer.frames - 5))) < -30) await Bun.sleep(10)
    return {
      call,
      peer,
      player,
      play: (samples, sampleRateHz) =>
        new Promise((resolve) => {
          const words: string[] = []
          let startedMs = 0
          player.play(samples, sampleRateHz, 'beside', (event) => {
            words.push(event)
            if (event === 'started') startedMs = clock.now()
            else resolve({ words, startedMs })
          })
        }),
      async hangup() {
        await player.release()
        await call.hangup()
        await call.ended
        await Promise.all([ari.hangup(mediaId), ari.destroyBridge(bridgeId)])
        listeners = listeners.filter((each) => each !== listener)
        peer.close()
        await asterisk.untilQuiet()
        return (await readWav(await call.heard())).samples
      },
    }
  }

  /**
   * The signal was heard once, from its first sample to its last, and nothing else was. Asterisk's two clocks, the file's
   * and the bridge's, may part it by a frame of silence on a busy machine.
   */
  function expectWhole(heard: Int16Array, signal: Int16Array): void {
    const { sounding, gaps } = withoutGaps(heard)
    expect(gaps).toBeLessThan(4)
    // Some samples of a resampler's before and after.
    expect(sounding.length / 8).toBeWithin(signal.length / 8 - 2, signal.length / 8 + 12)
    expect(likeness(sounding, signal)).toBeGreaterThan(0.98)
  }

  /** The agent's side hears the caller, all the time and alone. */
  function expectCallerAlone(heard: Int16Array, ms: number): void {
    expect(heard.length / 8).toBeWithin(ms - 100, ms + 150)
    expect(toneShare(heard, 8000, callerHz)).toBeGreaterThan(0.98)
    // A bridge with a clock of its own leaves a frame out when the caller's packets are late.
    const quiet = Array.from({ length: heard.length / 160 }, (_, at) =>
      levelDbfs(heard.subarray(at * 160, (at + 1) * 160)),
    ).flatMap((level, at) => (level < -30 ? [at] : []))
    expect(quiet.length).toBeLessThan(4)
  }

  const ways: ['folder' | 'http', SampleRateHz, Sending, boolean][] = [
    // A plain bridge: good as long as the engine's frames come on time.
    ['folder', 8000, 'on_time', false],
    // A bridge with a clock of its own: whatever the engine sends, or does not.
    ['folder', 24_000, 'nothing', true],
    ['http', 16_000, 'bursts', true],
    ['http', 48_000, 'on_time', true],
  ]
  test.each(ways)(
    'from %s at %i Hz, the engine sending %s: heard whole and once, by the caller alone, who is heard meanwhile',
    async (from, sampleRateHz, sending, sendsAlways) => {
      const http = httpFiles()
      const { play, peer, hangup } = await line(from === 'http' ? http.files : folderFiles(), sending, sendsAlways)
      const before = peer.frames
      const { words } = await play(sweep(sampleRateHz), sampleRateHz)
      const meanwhile = peer.heardSince(before)
      expect(words).toEqual(['started', 'finished'])
      await Bun.sleep(100)
      expect([http.asked(), http.files.held.files, readdirSync(folder)]).toEqual([from === 'http' ? 1 : 0, 0, []])
      expectWhole(await hangup(), sweep(8000))
      expectCallerAlone(meanwhile, 1200)
      await http.close()
    },
    10_000,
  )

  test('a media channel that has gone, or goes meanwhile, takes nothing from it', async () => {
    const { play, peer, hangup } = await line(folderFiles(), 'on_time', true)
    const playing = play(sweep(8000), 8000)
    await Bun.sleep(400)
    peer.close()
    expect((await playing).words).toEqual(['started', 'finished'])
    expectWhole(await hangup(), sweep(8000))
  }, 10_000)

  test('stopped in the middle, it ends within 60 ms, and the next one is heard whole', async () => {
    const { player, play, hangup } = await line(folderFiles(), 'on_time', false)
    const words: string[] = []
    const started = Promise.withResolvers<number>()
    const playback = player.play(sweep(8000, 3000), 8000, 'beside', (event) => {
      words.push(event)
      if (event === 'started') started.resolve(clock.now())
    })
    const startedMs = await started.promise
    await Bun.sleep(500)
    const soundedMs = clock.now() - startedMs
    playback.stop()
    await Bun.sleep(300)
    const next = await play(sweep(8000, 600), 8000)
    expect([words, next.words]).toEqual([['started'], ['started', 'finished']])
    const heard = await hangup()
    const [first, second, ...more] = audibleStretches(heard, { sampleRateHz: 8000, joinGapMs: 50 })
    expect(more).toEqual([])
    expect((first?.endMs ?? 0) - (first?.startMs ?? 0)).toBeWithin(soundedMs - 60, soundedMs + 60)
    expectWhole(heard.subarray((second?.startMs ?? 0) * 8 - 400), sweep(8000, 600))
  }, 10_000)

  test('stopped before Asterisk has answered, nothing is heard and nothing is said', async () => {
    const { player, hangup } = await line(folderFiles(), 'on_time', true)
    const words: string[] = []
    const say = (event: string) => words.push(event)
    player.play(sweep(8000), 8000, 'beside', say).stop()
    const later = player.play(sweep(8000), 8000, 'beside', say)
    await Promise.resolve()
    later.stop()
    await Bun.sleep(400)
    expect([words, readdirSync(folder)]).toEqual([[], []])
    expect(audibleStretches(await hangup(), { sampleRateHz: 8000 })).toEqual([])
  }, 10_000)

  test('a file that is not there fails at once, from a folder and over HTTP', async () => {
    const http = httpFiles()
    let mediaUri = ''
    const missing: PlaybackFiles = { publish: () => Promise.resolve(ok({ mediaUri, remove: () => {} })) }
    const { play, hangup } = await line(missing, 'on_time', true)
    for (const uri of [`sound:${asteriskFolder}/none`, `sound:${http.baseUrl}/media/none.sln`]) {
      mediaUri = uri
      const { words } = await play(sweep(8000), 8000)
      expect(words).toEqual(['started', 'failed'])
    }
    await hangup()
    await http.close()
  }, 10_000)

  test('a name that is used again brings its new sound, and Asterisk keeps one copy', async () => {
    const fileClock = new ManualClock()
    const http = httpFiles(fileClock)
    const { play, hangup } = await line(http.files, 'on_time', true)
    await play(tone(1500, 300), 8000)
    fileClock.advance(120_000)
    await play(tone(2200, 300), 8000)
    const cached = (await asterisk.cli('media cache show all')).split(http.baseUrl).length - 1
    expect([http.asked(), cached]).toEqual([2, 1])
    const { sounding } = withoutGaps(await hangup())
    expect(toneShare(sounding.subarray(0, 1200), 8000, 1500)).toBeGreaterThan(0.9)
    expect(toneShare(sounding.subarray(-1200), 8000, 2200)).toBeGreaterThan(0.9)
    await http.close()
  }, 10_000)

  test('every rate has a name that Asterisk knows', async () => {
    const formats = await asterisk.cli('core show file formats')
    const http = httpFiles()
    for (const rate of sampleRatesHz) {
      const published = await http.files.publish(new Int16Array(160), rate)
      const extension = (published.ok ? published.value.mediaUri : '').split('.').at(-1) ?? ''
      expect(formats).toMatch(new RegExp(`\\b${extension}\\b`))
    }
    await http.close()
  })
})
