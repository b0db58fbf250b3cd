import { Doors } from '#asterisk/doors.ts'
import type { PlaybackFiles } from '#asterisk/playback-files.ts'
import { StasisApp } from '#asterisk/stasis-app.ts'
import { seededRandom } from '#base/random.ts'
import { ok } from '#base/result.ts'
import { Admission } from '#call/admission.ts'
import type { CallTerms } from '#call/call-plan.ts'
import { fakeAgent } from '../../fakes/agent.ts'
import { ariChannel, FakeAri } from '../../fakes/ari.ts'
import { fakeWorld } from '../../fakes/call-world.ts'
import { callSettings, calm, groundsOf } from '../../fakes/calls.ts'
import { FakeDoor } from '../../fakes/door.ts'
import { FakeLeg } from '../../fakes/leg.ts'
import { settle } from '../../fakes/manual-clock.ts'

/** A Stasis application between an Asterisk in memory and calls whose agent is a fake. */

export const caller = ariChannel({ id: 'caller-1' })

const files: PlaybackFiles = { publish: () => Promise.resolve(ok({ mediaUri: 'sound:file', remove: () => {} })) }

export function setUp(callsMax = 10, keys: CallTerms['keys'] = {}) {
  const ari = new FakeAri()
  ari.caller(caller.id)
  const world = fakeWorld()
  const agent = fakeAgent()
  const admission = new Admission(groundsOf(callSettings(agent, { callsMax, keys }), world), calm)
  const entrances = {
    audiosocket: { door: new FakeDoor(), format: 'slin' },
    externalmedia: { door: new FakeDoor(), format: 'ulaw' },
    websocket: { door: new FakeDoor(), format: 'slin16' },
  } as const
  const warnings: string[] = []
  const log = { ...world.log, warn: (_message: string, fields = {}) => void warnings.push(JSON.stringify(fields)) }
  const doors = new Doors({ configured: 'audiosocket', entrances, webSocketListens: false, filesByHttp: false, log })
  const app = new StasisApp({
    ari,
    store: world.store,
    admission,
    clock: world.clock,
    log,
    random: seededRandom(1),
    application: 'patchcord',
    variablesMaxMs: 1000,
    doors,
    files,
    repliesByFile: () => false,
  })
  const enter = (channel = caller, args: string[] = []) => app.event({ type: 'StasisStart', args, channel })
  const mediaChannel = () =>
    ariChannel({ id: ari.channelIds.find((id) => id.startsWith('patchcord-media-')) ?? '', name: 'AudioSocket/x' })
  return { ari, world, agent, admission, app, enter, mediaChannel, store: world.store, entrances, warnings }
}

/** A caller and their media channel are in, and the leg is there and has been heard. */
export async function bridged() {
  const bench = setUp()
  bench.enter()
  await settle()
  const media = bench.mediaChannel()
  bench.ari.enter(media.id)
  bench.enter(media)
  await settle()
  const [call] = bench.store.live
  const leg = new FakeLeg()
  call?.attachLeg(leg)
  leg.audio(new Int16Array(160))
  return { ...bench, media, call, leg }
}

export const causes = ({ world }: ReturnType<typeof setUp>) => world.observer.facts.map((facts) => facts.cause)
