import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { AllowList } from '#asterisk/allow-list.ts'
import { RtpDoor } from '#asterisk/rtp-door.ts'
import { samplesPerFrame, type WireFormat, wireRatesHz } from '#audio/format.ts'
import { resampleWhole } from '#audio/resample.ts'
import { SystemClock } from '#base/clock.ts'
import { silentLog } from '#base/log.ts'
import { systemRandom } from '#base/random.ts'
import type { Leg } from '#call/leg.ts'
import { Pacer } from '#call/pacer.ts'
import { type Asterisk, startAsterisk } from '../bed/asterisk.ts'
import { digitStrings } from '../bed/speech.ts'
import { locate } from '../bed/wav-analysis.ts'
import { readWav } from '../bed/wav-file.ts'

/** The door alone before a real Asterisk: what the leg says goes through UnicastRTP, a bridge and `Echo()`, and back. */
const app = 'rtp-door-test'

describe('external media of a real Asterisk', () => {
  let asterisk: Asterisk
  let events: WebSocket
  const entered: string[] = []

  beforeAll(async () => {
    asterisk = await startAsterisk({})
    const { host, port, username, password } = asterisk.ari
    events = new WebSocket(`ws://${host}:${port}/ari/events?app=${app}&api_key=${username}:${password}`)
    events.onmessage = ({ data }) => {
      const event = JSON.parse(String(data)) as { type: string; channel?: { id: string } }
      if (event.type === 'StasisStart' && event.channel !== undefined) entered.push(event.channel.id)
    }
    await new Promise<void>((resolve, reject) => {
      events.onopen = () => resolve()
      events.onerror = () => reject(new Error('no event socket'))
    })
  }, 300_000)

  afterAll(async () => {
    events?.close()
    await asterisk?.stop()
  })

  test.each(['ulaw', 'alaw', 'slin'] as const)(
    '%s: what is said comes back through Echo()',
    async (format: WireFormat) => {
      const allowList = AllowList.parse(['127.0.0.1'])
      if (!allowList.ok) throw new Error(allowList.error)
      const clock = new SystemClock()
      const pacer = new Pacer(clock)
      let taken: Leg | null = null
      const door = new RtpDoor({
        host: '127.0.0.1',
        advertiseHost: '127.0.0.1',
        portMin: 0,
        portMax: 0,
        ports: 'per_call',
        allowList: allowList.value,
        lockRemote: true,
        jitterBufferMaxMs: 200,
        silentPeerTimeoutMs: 0,
        clock,
        random: systemRandom,
        log: silentLog,
        pacer,
        accept: (_uuid, leg) => {
          taken = leg
          return 'accepted'
        },
      })
      const prepared = await door.prepare({ uuid: 'u', channelId: `media-${format}`, format })
      if (!prepared.ok) throw new Error(prepared.error)
      const ari = asterisk.client
      const query = new URLSearchParams({ ...prepared.value.request, channelId: `media-${format}`, app })
      const channel = (await ari.must('POST', `/channels/externalMedia?${query}`)) as {
        channelvars: Record<string, string>
      }
      prepared.value.made(channel.channelvars)
      if (taken === null) throw new Error('the door made no leg')
      const leg: Leg = taken
      const bridge = (await ari.must('POST', '/bridges?type=mixing')) as { id: string }
      await ari.must('POST', `/channels?endpoint=Local/900@in/n&formats=${format}&app=${app}&channelId=echo-${format}`)
      for (const id of [`media-${format}`, `echo-${format}`]) {
        while (!entered.includes(id)) await Bun.sleep(5)
        await ari.must('POST', `/bridges/${bridge.id}/addChannel?channel=${id}`)
      }

      const rateHz = wireRatesHz[format]
      const perFrame = samplesPerFrame(rateHz)
      const [utterance] = await digitStrings(1, 11)
      if (utterance === undefined) throw new Error('no utterance')
      const spoken = await readWav(utterance.path)
      const said = resampleWhole(spoken.samples, 8000, rateHz)
      const heard: number[] = []
      leg.onEvent((event) => {
        if (event.type === 'audio') heard.push(...event.frame.samples)
      })
      let at = 0
      const frame = new Int16Array(perFrame)
      const done = Promise.withResolvers<void>()
      const writing = pacer.add({
        writeFrames: (count) => {
          for (let each = 0; each < count; each += 1) {
            frame.fill(0)
            frame.set(said.subarray(at, at + perFrame))
            at += perFrame
            leg.write({ sampleRateHz: rateHz, samples: frame })
          }
          // A second of silence behind it, for the way back.
          if (at > said.length + rateHz) done.resolve()
        },
      })
      await done.promise
      writing[Symbol.dispose]()
      await leg.close('agent')
      for (const id of [`media-${format}`, `echo-${format}`]) await ari.request('DELETE', `/channels/${id}`)
      await ari.request('DELETE', `/bridges/${bridge.id}`)
      door.close()

      const back = resampleWhole(Int16Array.from(heard), rateHz, 8000)
      const found = locate(back, spoken.samples, 8000)
      expect(found.correlation).toBeGreaterThan(0.9)
      expect(door.counters.dropped).toEqual({})
      expect(leg.stats).toMatchObject({ lost: 0, duplicates: 0 })
      expect(door.openPorts).toBe(0)
    },
    30_000,
  )
})
