import { describe, expect, test } from 'bun:test'
import type { AriBridge, AriChannel, AriResult } from '#asterisk/ari-client.ts'
import { OrphanSweep } from '#asterisk/orphans.ts'
import { silentLog } from '#base/log.ts'
import { failed, ok } from '#base/result.ts'
import { SessionStore } from '#call/session-store.ts'
import { ariChannel, ariError, FakeAri } from '../../fakes/ari.ts'
import { ringingCall } from '../../fakes/calls.ts'
import { ManualClock } from '../../fakes/manual-clock.ts'

const uuids = ['40325ec2-5efd-4bd3-805f-53576e581d13', '40325ec2-5efd-4bd3-805f-53576e581d14']

/** An Asterisk whose lists a test writes. */
class ListedAri extends FakeAri {
  listedChannels: AriChannel[] = []
  listedBridges: AriBridge[] = []
  silent = false
  override channels(): Promise<AriResult<readonly AriChannel[]>> {
    return Promise.resolve(this.silent ? failed(ariError(null)) : ok([...this.listedChannels]))
  }
  override bridges(): Promise<AriResult<readonly AriBridge[]>> {
    return Promise.resolve(ok([...this.listedBridges]))
  }
}

const inStasis = (id: string, data = 'patchcord'): AriChannel => {
  const channel = ariChannel({ id })
  return { ...channel, dialplan: { ...channel.dialplan, app_name: 'Stasis', app_data: data } }
}

const settled = async () => {
  for (let turn = 0; turn < 30; turn += 1) await Promise.resolve()
}

function setUp() {
  const ari = new ListedAri()
  const clock = new ManualClock()
  const store = new SessionStore()
  const sweep = new OrphanSweep({ ari, clock, log: silentLog, store, application: 'patchcord' })
  /** A sweep with the time between its two looks; `meanwhile` happens in it. */
  const run = async (meanwhile: () => void = () => {}) => {
    const done = sweep.sweep()
    await settled()
    meanwhile()
    clock.advance(3000)
    await done
  }
  return { ari, clock, store, sweep, run }
}

describe('OrphanSweep', () => {
  test('what an engine that was killed left behind is removed: its callers go on in the dialplan', async () => {
    const { ari, sweep, run } = setUp()
    const [media = '', bridge = ''] = [`patchcord-media-${uuids[0]}`, `patchcord-bridge-${uuids[0]}`]
    ari.caller('caller-1')
    ari.caller(media)
    ari.bridgeIds.push(bridge)
    ari.listedChannels = [inStasis('caller-1'), ariChannel({ id: media, name: 'AudioSocket/127.0.0.1:8090-x' })]
    ari.listedBridges = [{ id: bridge, channels: [] }]
    await run()
    expect(sweep.removed).toEqual({ caller: 1, media: 1, bridge: 1 })
    expect(ari.requests).toContain('set caller-1 PATCHCORD_RESULT=internal_error')
    expect(ari.requests).toContain('continue caller-1')
    expect(ari.requests).toContain(`hangup ${media}`)
    expect(ari.requests).toContain(`destroy ${bridge}`)
  })

  test('what belongs to a call, to another application or to nobody of ours is left alone', async () => {
    const { ari, store, sweep, run } = setUp()
    const { call } = ringingCall()
    store.bindChannel('caller-1', call)
    store.bindMedia(uuids[0] ?? '', call)
    const dialling = {
      ...inStasis('dialling'),
      dialplan: { context: 'x', exten: '1', priority: 1, app_name: 'Dial', app_data: 'patchcord' },
    }
    ari.listedChannels = [
      inStasis('caller-1'),
      inStasis('theirs', 'patchcord-2'),
      dialling,
      ariChannel({ id: 'no-application' }),
    ]
    ari.listedBridges = [
      { id: `patchcord-bridge-${uuids[0]}`, channels: [] },
      { id: `patchcord-2-bridge-${uuids[1]}`, channels: [] },
      { id: 'conference', channels: [] },
    ]
    await run()
    expect([sweep.removed, ari.requests]).toEqual([{ caller: 0, media: 0, bridge: 0 }, []])
  })

  test('a caller who is expected, and is no call yet, is no orphan', async () => {
    const { ari, store, sweep, run } = setUp()
    ari.caller('caller-1')
    ari.listedChannels = [inStasis('caller-1')]
    store.expect('caller-1')
    await run()
    expect([sweep.removed.caller, ari.requests]).toEqual([0, []])
    store.left('caller-1')
  })

  test('a caller who has just come, and is announced between the two looks, is no orphan', async () => {
    const { ari, store, sweep, run } = setUp()
    ari.caller('caller-1')
    ari.listedChannels = [inStasis('caller-1', 'patchcord,sales')]
    const { call } = ringingCall()
    await run(() => store.bindChannel('caller-1', call))
    expect([sweep.removed.caller, ari.requests]).toEqual([0, []])
  })

  test('what a call that is ending may fail to remove is looked at until the call is gone', async () => {
    const { ari, clock, store, sweep } = setUp()
    const { call } = ringingCall()
    const uuid = uuids[0] ?? ''
    const bridge = `patchcord-bridge-${uuid}`
    store.bindMedia(uuid, call)
    ari.bridgeIds.push(bridge)
    ari.listedBridges = [{ id: bridge, channels: [] }]
    void call.end('caller')
    const done = sweep.sweep()
    await settled()
    clock.advance(3000)
    await settled()
    expect(ari.requests).not.toContain(`destroy ${bridge}`)
    store.remove(call)
    clock.advance(3000)
    await settled()
    clock.advance(3000)
    await done
    expect(ari.requests).toContain(`destroy ${bridge}`)
  })

  test('a sweep that is asked for while one runs sees what the first look of that one could not', async () => {
    const { ari, clock, sweep } = setUp()
    ari.caller('early')
    ari.listedChannels = [inStasis('early')]
    const done = sweep.sweep()
    await settled()
    ari.listedChannels = []
    const second = sweep.sweep()
    clock.advance(3000)
    ari.caller('late')
    ari.listedChannels = [inStasis('late')]
    await settled()
    clock.advance(3000)
    await settled()
    clock.advance(3000)
    await Promise.all([done, second])
    expect(ari.requests).toContain('continue late')
  })

  test('an Asterisk that does not answer has no orphans', async () => {
    const { ari, sweep, run } = setUp()
    ari.listedChannels = [inStasis('caller-1')]
    await run(() => {
      ari.silent = true
    })
    expect(sweep.removed.caller).toBe(0)
  })
})
