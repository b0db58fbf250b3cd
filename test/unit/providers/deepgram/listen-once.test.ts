import { describe, expect, test } from 'bun:test'
import { SystemClock } from '#base/clock.ts'
import { silentLog } from '#base/log.ts'
import { seededRandom } from '#base/random.ts'
import { createDeepgramStt } from '#providers/deepgram/stt.ts'
import { deepgramOptionsOf } from '../../../fakes/deepgram-standin.ts'
import { ManualClock, settle } from '../../../fakes/manual-clock.ts'
import { startStandin } from '../../../standin/deepgram/server.ts'

const loud = new Int16Array(4000).fill(8000)
const wished = { listen: { judge_overlaps: true } }
const never = new AbortController().signal

/** Words by a server that answers as it is told. */
function asked(answer: (url: string, init: RequestInit) => Promise<Response>, options: object = wished) {
  const clock = new ManualClock()
  const requests: [string, RequestInit][] = []
  const provider = createDeepgramStt('deepgram', deepgramOptionsOf({ ...options }), {
    clock,
    random: seededRandom(2),
    log: silentLog,
    secrets: { DEEPGRAM_API_KEY: 'dg-test' },
    fetch(url, init) {
      requests.push([url, init])
      return answer(url, init)
    },
  })
  return { clock, requests, provider }
}

const answered = (transcript: string) => () =>
  Promise.resolve(Response.json({ results: { channels: [{ alternatives: [{ transcript }] }] } }))

describe('the words in a stretch of audio', () => {
  test('cost money, and are asked for only where that is wished', () => {
    expect(asked(answered(''), {}).provider.wordsIn).toBeUndefined()
  })

  test('come from the stand-in, which hears a sound and a silence', async () => {
    const clock = new SystemClock()
    const server = startStandin({ clock, random: seededRandom(1), key: 'dg-test', callerTranscripts: ['no, wait'] })
    const provider = createDeepgramStt('deepgram', deepgramOptionsOf({ base_url: server.baseUrl, ...wished }), {
      clock,
      random: seededRandom(2),
      log: silentLog,
      secrets: { DEEPGRAM_API_KEY: 'dg-test' },
    })
    expect(await provider.wordsIn?.(loud, 8000, never)).toBe('no, wait')
    expect(await provider.wordsIn?.(new Int16Array(4000), 8000, never)).toBe('')
    server.refusal = { kind: 'insufficient_quota' }
    expect(await provider.wordsIn?.(loud, 8000, never)).toBeNull()
    await provider.close()
    await server.close()
  })

  test('are asked for by name of a model that takes files, and in the language that is told', async () => {
    const { provider, requests } = asked(answered('yes'), {
      listen: { judge_overlaps: true, model: 'flux-general-en', language: 'de' },
      mip_opt_out: true,
    })
    expect(await provider.wordsIn?.(loud, 16_000, never)).toBe('yes')
    expect(requests[0]?.[0]).toBe('https://api.deepgram.com/v1/listen?model=nova-3&language=de&mip_opt_out=true')
    expect(requests[0]?.[1].headers).toEqual({ authorization: 'Token dg-test', 'content-type': 'audio/wav' })
  })

  test('are not waited for longer than they are of use, nor when nobody wants them any more', async () => {
    const hangs = (_: string, { signal }: RequestInit) =>
      new Promise<Response>((_, reject) => signal?.addEventListener('abort', () => reject(new Error('aborted'))))
    const { provider, clock } = asked(hangs)
    const late = provider.wordsIn?.(loud, 8000, never)
    await settle(5)
    clock.advance(800)
    expect(await late).toBeNull()
    const abort = new AbortController()
    const unwanted = provider.wordsIn?.(loud, 8000, abort.signal)
    abort.abort()
    expect(await unwanted).toBeNull()
    expect([clock.pending, provider.events?.()]).toEqual([0, { words_late: 1 }])
  })

  test('a server that refuses is left alone for as long as it asks', async () => {
    const refusal = () => Promise.resolve(new Response('{}', { status: 429, headers: { 'retry-after': '5' } }))
    const { provider, clock, requests } = asked(refusal)
    expect(await provider.wordsIn?.(loud, 8000, never)).toBeNull()
    clock.advance(4900)
    await provider.wordsIn?.(loud, 8000, never)
    expect(requests).toHaveLength(1)
    clock.advance(200)
    await provider.wordsIn?.(loud, 8000, never)
    expect(requests).toHaveLength(2)
    expect(provider.events?.()).toEqual({ words_refused_429: 2 })
  })
})
