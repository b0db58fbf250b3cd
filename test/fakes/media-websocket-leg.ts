import { MediaWebSocketLeg, noMediaLegCounters } from '#asterisk/media-websocket-leg.ts'
import { samplesPerFrame, type WireFormat, wireRatesHz } from '#audio/format.ts'
import { silentLog } from '#base/log.ts'
import type { LegEvent } from '#call/leg.ts'
import { ManualClock } from './manual-clock.ts'
import { FakeMediaChannel, type FakeMediaOptions } from './media-websocket-asterisk.ts'
import { FakeMediaSocket } from './media-websocket-socket.ts'

interface MediaLegSetUp extends Partial<FakeMediaOptions> {
  readonly started?: boolean
}

/** A leg and an Asterisk without a network between them; time passes as the test says. */
export function mediaLeg({ started = true, ...channelOptions }: MediaLegSetUp = {}) {
  const format: WireFormat = channelOptions.format ?? 'slin16'
  const clock = new ManualClock()
  const socket = new FakeMediaSocket()
  const counters = noMediaLegCounters()
  const owned: string[] = []
  const logged: unknown[] = []
  const events: LegEvent[] = []
  const heard: number[] = []
  const leg = new MediaWebSocketLeg({
    socket,
    format,
    counters,
    clock,
    log: { ...silentLog, warn: (message, fields) => logged.push({ message, ...fields }) },
    owner: {
      began: (_leg, failing) => owned.push(failing ? 'failing' : 'began'),
      gone: () => owned.push('gone'),
    },
  })
  leg.onEvent((event) => {
    if (event.type === 'audio') heard.push(...event.frame.samples)
    else events.push(event)
  })
  const asterisk = new FakeMediaChannel(
    { format, form: 'json', channelId: 'm1', connectionId: 'c', ...channelOptions },
    (text) => leg.receiveText(text),
    () => leg.socketClosed(true),
  )
  socket.onBinary = (bytes) => asterisk.receiveBinary(bytes)
  socket.onText = (text) => asterisk.receiveText(text)
  const count = samplesPerFrame(wireRatesHz[format])
  const frame = (value: number) => ({ sampleRateHz: wireRatesHz[format], samples: new Int16Array(count).fill(value) })
  /** So many ticks of 20 ms, on which the engine writes and Asterisk plays. */
  const run = (ticks: number, value: number | null, asteriskPlays = () => true): string[] => {
    const answers: string[] = []
    for (let tick = 0; tick < ticks; tick += 1) {
      clock.advance(20)
      if (value !== null) answers.push(leg.write(frame(value)))
      if (asteriskPlays()) asterisk.tick()
    }
    return answers
  }
  if (started) asterisk.start()
  return { leg, asterisk, clock, socket, counters, owned, logged, events, heard, frame, run }
}

/** A sample that can be heard. */
export const loud = 1000
