import { AllowList } from '#asterisk/allow-list.ts'
import type { Acceptance } from '#asterisk/door.ts'
import { MediaWebSocketDoor, type MediaWebSocketDoorOptions } from '#asterisk/media-websocket-door.ts'
import { mediaPath } from '#asterisk/media-websocket-link.ts'
import { silentLog } from '#base/log.ts'
import type { Leg, LegEvent } from '#call/leg.ts'
import { ManualClock } from './manual-clock.ts'
import { FakeMediaChannel } from './media-websocket-asterisk.ts'
import { WebSocketWire } from './media-websocket-wire.ts'

export const uuid = '40325ec2-5efd-4bd3-805f-53576e581d13'
export const order = { uuid, channelId: 'media-1', format: 'slin16' } as const

export async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise<void>((resolve) => setImmediate(resolve))
}

export const toDispose: (() => void)[] = []

/** Takes down what a test has made: for `afterEach`. */
export function disposeAll(): void {
  for (const dispose of toDispose.splice(0)) dispose()
}

/** Who has taken which leg, and what became of it. */
export class Calls {
  readonly taken: { uuid: string; leg: Leg; peer: string; events: LegEvent[] }[] = []
  answer: Acceptance = 'accepted'

  readonly accept = (id: string, leg: Leg, peer: string): Acceptance => {
    if (this.answer !== 'accepted') return this.answer
    const events: LegEvent[] = []
    leg.onEvent((event) => {
      if (event.type === 'audio' && event.frame.samples[0] === 666) throw new Error('a bug of the owner')
      events.push(event)
    })
    this.taken.push({ uuid: id, leg, peer, events })
    return 'accepted'
  }

  get endings(): (string | undefined)[] {
    return this.taken.map(({ events }) => {
      const last = events.at(-1)
      return last?.type === 'ended' ? last.cause : undefined
    })
  }
}

export function makeDoor(
  connection: MediaWebSocketDoorOptions['connection'],
  options: Partial<MediaWebSocketDoorOptions> = {},
) {
  const clock = new ManualClock()
  const calls = new Calls()
  const logged: { message: string; [field: string]: unknown }[] = []
  const note = (message: string, fields: object = {}) => void logged.push({ message, ...fields })
  const door = new MediaWebSocketDoor({
    connection,
    startTimeoutMs: 3000,
    silentPeerTimeoutMs: 0,
    connectionsMax: 10,
    clock,
    log: { ...silentLog, warn: note, error: note },
    accept: calls.accept,
    ...options,
  })
  toDispose.push(() => door.close())
  return { door, clock, calls, logged }
}

export function listening(
  options: Partial<MediaWebSocketDoorOptions> = {},
  allow: readonly string[] = ['127.0.0.1'],
  credentials: { username: string; password: string } | null = null,
) {
  const allowList = AllowList.parse(allow)
  if (!allowList.ok) throw new Error(allowList.error)
  const made = makeDoor(
    { direction: 'listen', host: '127.0.0.1', port: 0, section: 'engine', allowList: allowList.value, credentials },
    options,
  )
  return { ...made, port: made.door.port ?? 0 }
}

interface AsteriskCall {
  readonly to?: string
  readonly headers?: Readonly<Record<string, string>>
  readonly startFormat?: string
  readonly channelId?: string
}

/** An Asterisk that connects; `outcome` is `open`, or the status of the refusal. */
export async function asteriskConnects(
  port: number,
  { to = mediaPath, headers = {}, startFormat = 'slin16', channelId = 'media-1' }: AsteriskCall = {},
) {
  const outcome = Promise.withResolvers<'open' | number>()
  const closed = Promise.withResolvers<number>()
  const wire: WebSocketWire = new WebSocketWire('client', {
    open: () => outcome.resolve('open'),
    refused: outcome.resolve,
    text: (text) => channel.receiveText(text),
    binary: (bytes) => channel.receiveBinary(bytes),
    closed: (code) => {
      outcome.resolve(0)
      closed.resolve(code)
    },
  })
  const channel = new FakeMediaChannel(
    { format: 'slin16', startFormat, form: 'plain_text', channelId, connectionId: 'engine' },
    (text) => wire.sendText(text),
    () => wire.close(1000),
  )
  toDispose.push(() => wire.terminate())
  await wire.connect(port, to, headers)
  return { wire, channel, outcome: await outcome.promise, closed: closed.promise }
}

export async function prepared(door: MediaWebSocketDoor, given: Parameters<MediaWebSocketDoor['prepare']>[0] = order) {
  const result = await door.prepare(given)
  if (!result.ok) throw new Error(result.error)
  return result.value
}
