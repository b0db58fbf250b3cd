import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { AriClient, bracketed, goneOrDone } from '#asterisk/ari-client.ts'
import { failed, ok } from '#base/result.ts'
import { ariError } from '../../fakes/ari.ts'

/** An HTTP server that answers as the test says, and keeps what it was asked. */
let answer: (request: Request) => Response | Promise<Response> = () => new Response(null, { status: 204 })
const asked: { method: string; url: string; authorization: string | null }[] = []
let server: Bun.Server<undefined>

beforeAll(() => {
  server = Bun.serve({
    hostname: '127.0.0.1',
    port: 0,
    fetch(request) {
      asked.push({ method: request.method, url: request.url, authorization: request.headers.get('authorization') })
      return answer(request)
    },
  })
})
afterAll(() => server.stop(true))

function client(requestTimeoutMs = 2000, port = server.port ?? 0): AriClient {
  asked.length = 0
  answer = () => new Response(null, { status: 204 })
  return new AriClient({ host: '127.0.0.1', port, username: 'patchcord', password: 'p:ä ß', requestTimeoutMs })
}

/** Enough turns of the event loop for a request that is under way to arrive. */
async function turns(): Promise<void> {
  for (let turn = 0; turn < 50; turn += 1) await new Promise<void>((resolve) => setImmediate(resolve))
}

/** Method, path and query of the only request, as they went over the wire. */
function theRequest(): string {
  expect(asked).toHaveLength(1)
  const { method = '', url = '' } = asked[0] ?? {}
  return `${method} ${url.replace(/^http:\/\/[^/]+/, '')}`
}

describe('AriClient asks', () => {
  const requests: [string, (ari: AriClient) => Promise<unknown>, string][] = [
    ['answer', (ari) => ari.answer('1.2'), 'POST /ari/channels/1.2/answer'],
    ['hangup', (ari) => ari.hangup('1.2'), 'DELETE /ari/channels/1.2?reason=normal'],
    ['continue', (ari) => ari.continueInDialplan('1.2'), 'POST /ari/channels/1.2/continue'],
    [
      'continue elsewhere',
      (ari) => ari.continueInDialplan('1.2', { context: 'sales', extension: '200', priority: 3 }),
      'POST /ari/channels/1.2/continue?context=sales&extension=200&priority=3',
    ],
    [
      'setVariable',
      (ari) => ari.setVariable('1.2', 'PATCHCORD_RESULT', 'a b&c=d/ü'),
      'POST /ari/channels/1.2/variable?variable=PATCHCORD_RESULT&value=a+b%26c%3Dd%2F%C3%BC',
    ],
    [
      'createBridge',
      (ari) => ari.createBridge('b-1'),
      'POST /ari/bridges/b-1?type=mixing%2Cdtmf_events%2Cproxy_media&name=b-1',
    ],
    ['addToBridge', (ari) => ari.addToBridge('b-1', '1.2'), 'POST /ari/bridges/b-1/addChannel?channel=1.2'],
    [
      'createBridge, to send always',
      (ari) => ari.createBridge('b-1', true),
      'POST /ari/bridges/b-1?type=mixing%2Cdtmf_events%2Cproxy_media%2Cvideo_sfu&name=b-1',
    ],
    [
      'playOnChannel',
      (ari) => ari.playOnChannel('1.2', 'p-1', 'sound:/a b/c'),
      'POST /ari/channels/1.2/play?media=sound%3A%2Fa+b%2Fc&playbackId=p-1',
    ],
    ['stopPlayback', (ari) => ari.stopPlayback('p-1'), 'DELETE /ari/playbacks/p-1'],
    [
      'whisperTo',
      (ari) => ari.whisperTo('1.2', 'w-1', 'patchcord'),
      'POST /ari/channels/1.2/snoop?app=patchcord&whisper=out&snoopId=w-1',
    ],
    [
      'playOnBridge',
      (ari) => ari.playOnBridge('b-1', 'p-1', 'sound:silence/1'),
      'POST /ari/bridges/b-1/play?media=sound%3Asilence%2F1&playbackId=p-1',
    ],
    ['destroyBridge', (ari) => ari.destroyBridge('b-1'), 'DELETE /ari/bridges/b-1'],
    [
      'an id with signs of its own',
      (ari) => ari.answer('a/b?c=d;1 ü'),
      'POST /ari/channels/a%2Fb%3Fc%3Dd%3B1%20%C3%BC/answer',
    ],
  ]
  test.each(requests)('%s', async (_name, ask, expected) => {
    expect(await ask(client())).toEqual({ ok: true, value: undefined })
    expect(theRequest()).toBe(expected)
  })

  test('externalMedia, with what the door asks for, and reads the variables of the new channel', async () => {
    const ari = client()
    const channelvars = { UNICASTRTP_LOCAL_PORT: '12042', UNICASTRTP_LOCAL_ADDRESS: '10.0.0.7' }
    answer = () => Response.json({ id: 'm-1', channelvars })
    const made = await ari.externalMedia({
      channelId: 'm-1',
      app: 'patchcord',
      media: { external_host: '127.0.0.1:8090', encapsulation: 'audiosocket', format: 'slin', data: 'u-1' },
    })
    expect(theRequest()).toBe(
      'POST /ari/channels/externalMedia?channelId=m-1&app=patchcord&external_host=127.0.0.1%3A8090&encapsulation=audiosocket&format=slin&data=u-1',
    )
    expect(made).toEqual({ ok: true, value: channelvars })
    answer = () => Response.json({ id: 'm-1' })
    expect(await ari.externalMedia({ channelId: 'm-1', app: 'patchcord', media: {} })).toEqual({ ok: true, value: {} })
  })

  test('getVariable, and a variable that is not set is empty', async () => {
    const ari = client()
    answer = () => Response.json({ value: '(ulaw)' })
    expect(await ari.getVariable('1.2', 'CHANNEL(audionativeformat)')).toEqual({ ok: true, value: '(ulaw)' })
    expect(theRequest()).toBe('GET /ari/channels/1.2/variable?variable=CHANNEL%28audionativeformat%29')
    answer = () => Response.json({})
    expect(await ari.getVariable('1.2', 'X')).toEqual({ ok: true, value: '' })
  })

  test('modules: those that run', async () => {
    const ari = client()
    answer = () =>
      Response.json([
        { name: 'chan_rtp.so', status: 'Running' },
        { name: 'chan_websocket.so', status: 'Not Running' },
      ])
    expect(await ari.modules()).toEqual({ ok: true, value: ['chan_rtp.so'] })
    expect(theRequest()).toBe('GET /ari/asterisk/modules')
  })

  test('with its credentials in a header, in UTF-8, and never in the URL', async () => {
    await client().answer('1')
    expect(asked[0]?.authorization).toBe(`Basic ${Buffer.from('patchcord:p:ä ß').toString('base64')}`)
    expect(asked[0]?.url).not.toContain('p%3A')
  })

  test('reads what is there', async () => {
    const ari = client()
    answer = () => Response.json([{ id: '1', name: 'PJSIP/a' }])
    expect(await ari.channels()).toMatchObject({ ok: true, value: [{ id: '1' }] })
    answer = () => Response.json({ system: { version: '22.5.1', entity_id: 'x' } })
    expect(await ari.asteriskVersion()).toEqual({ ok: true, value: '22.5.1' })
    expect(asked.at(-1)?.url).toEndWith('/ari/asterisk/info?only=system')
    answer = () => Response.json({ id: 'p/1', state: 'queued' })
    expect(await ari.playback('p/1')).toEqual({ ok: true, value: { state: 'queued' } })
    expect(asked.at(-1)?.url).toEndWith('/ari/playbacks/p%2F1')
    answer = () => Response.json({})
    expect(await ari.playback('p/1')).toEqual({ ok: true, value: { state: 'unknown' } })
    expect(await ari.asteriskVersion()).toEqual({ ok: true, value: 'unknown' })
  })

  test('at most six requests at once, the others in their turn', async () => {
    const ari = client()
    let open = 0
    let most = 0
    const order: string[] = []
    const six = Promise.withResolvers<void>()
    answer = async (request) => {
      open += 1
      most = Math.max(most, open)
      order.push(new URL(request.url).pathname)
      // Held for a while, so that a seventh would be seen if it came.
      if (open === 6) void turns().then(six.resolve)
      await six.promise
      open -= 1
      return new Response(null, { status: 204 })
    }
    const results = await Promise.all(Array.from({ length: 40 }, (_, index) => ari.answer(`c${index}`)))
    expect([results.every((result) => result.ok), most, order.length]).toEqual([true, 6, 40])
  })
})

describe('AriClient fails with a value', () => {
  test.each([
    ['Asterisk’s message', 404, JSON.stringify({ message: 'Channel not found' }), 'Channel not found'],
    ['Asterisk’s other word for it', 500, JSON.stringify({ error: 'Internal error' }), 'Internal error'],
    ['no JSON', 502, 'Bad gateway', 'Bad gateway'],
    ['nothing', 422, '', ''],
  ])('an answer that is an error, with %s', async (_name, status, body, words) => {
    const ari = client()
    answer = () => new Response(body, { status })
    const result = await ari.answer('1.2')
    expect(result).toEqual({
      ok: false,
      error: { kind: 'http', status, message: `POST /channels/1.2/answer: ${status} ${words}` },
    })
  })

  test('no answer within the deadline, and no retry: the request may have worked', async () => {
    const ari = client(60)
    answer = () => new Promise<Response>(() => {})
    const result = await ari.hangup('1.2')
    expect(result).toEqual({
      ok: false,
      error: { kind: 'timeout', status: null, message: 'DELETE /channels/1.2: no answer within 60 ms' },
    })
    expect(asked).toHaveLength(1)
  })

  test('nobody there', async () => {
    const free = Bun.serve({ hostname: '127.0.0.1', port: 0, fetch: () => new Response() })
    const port = free.port ?? 0
    await free.stop(true)
    const result = await client(2000, port).answer('1.2')
    expect(result).toMatchObject({ ok: false, error: { kind: 'unreachable', status: null } })
    expect(JSON.stringify(result)).not.toContain('p:ä')
  })

  test('an answer that is no JSON', async () => {
    const ari = client()
    answer = () => new Response('<html>')
    expect((await ari.channels()).ok).toBe(false)
  })

  test('a failed request frees its place', async () => {
    const ari = client(30)
    answer = () => new Promise<Response>(() => {})
    await Promise.all(Array.from({ length: 6 }, () => ari.answer('x')))
    answer = () => new Response(null, { status: 204 })
    expect((await ari.answer('y')).ok).toBe(true)
  })
})

test('what is gone need not be taken down: 404 is success, everything else is not', () => {
  expect(goneOrDone(ok(undefined))).toBe(true)
  expect(goneOrDone(failed(ariError(404)))).toBe(true)
  expect(goneOrDone(failed(ariError(500)))).toBe(false)
  expect(goneOrDone(failed(ariError(null)))).toBe(false)
})

test('an IPv6 host stands in brackets, once', () => {
  expect([bracketed('::1'), bracketed('[::1]'), bracketed('127.0.0.1'), bracketed('pbx.example')]).toEqual([
    '[::1]',
    '[::1]',
    '127.0.0.1',
    'pbx.example',
  ])
})
