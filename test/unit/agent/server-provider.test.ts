import { expect, test } from 'bun:test'
import { accountReady, accountRefused } from '#agent/account-watch.ts'
import { SentenceQueue } from '#agent/sentence-queue.ts'
import { serverProvider } from '#agent/server-provider.ts'
import { Tally } from '#agent/tally.ts'
import { callContext } from '../../fakes/context.ts'
import { ManualClock } from '../../fakes/manual-clock.ts'

function setUp() {
  const done: string[] = []
  const account = {
    state: accountReady,
    start: () => void done.push('account starts'),
    close: async () => void done.push('account ends'),
  }
  const tally = new Tally()
  const provider = serverProvider({
    name: 'vendor',
    role: 'tts',
    what: 'voice',
    turnDetection: 'none',
    audioRates: (legHz) => ({ inputHz: legHz, outputHz: 24_000 }),
    account,
    tally,
    beside: { start: () => void done.push('phrases start'), close: async () => void done.push('phrases end') },
    open: (context) => new SentenceQueue(context, { say: () => Promise.resolve(null) }),
  })
  return { provider, account, tally, done, context: callContext(new ManualClock()) }
}

test('it is what its account and its tally say, and has the optional parts that it was given', () => {
  const { provider, account, tally } = setUp()
  expect([provider.name, provider.role, provider.turnDetection]).toEqual(['vendor', 'tts', 'none'])
  expect(provider.audioRates?.(8000)).toEqual({ inputHz: 8000, outputHz: 24_000 })
  expect([provider.readiness(), 'wordsIn' in provider]).toEqual([{ ready: true }, false])
  account.state = accountRefused({ code: 'bad_key', reason: 'is the API key right?', hopeless: true })
  expect(provider.readiness()).toEqual({ ready: false, reason: 'is the API key right?' })
  tally.count('session')
  expect(provider.events?.()).toEqual({ session: 1 })
})

test('what lies beside it starts and ends with it; then nothing is opened any more', async () => {
  const { provider, done, context } = setUp()
  provider.start()
  const session = await provider.open(context)
  await session.close()
  await provider.close()
  expect(done).toEqual(['account starts', 'phrases start', 'account ends', 'phrases end'])
  await expect(provider.open(context)).rejects.toThrow('the voice is closed')
})
