import { expect, test } from 'bun:test'
import { type AgentKeyAction, KeyPad } from '#call/key-pad.ts'

const place = { context: 'internal', extension: '200', priority: 1 }

function pad() {
  const done: unknown[] = []
  const keys = new KeyPad({
    actions: { '0': { do: 'transfer', place }, '1': { do: 'say', text: 'one' }, '2': { do: 'repeat' } },
    transfer: (to) => void done.push(to),
  })
  return { keys, done, ready: () => keys.ready((action: AgentKeyAction) => void done.push(action.do)) }
}

test('a transfer needs no agent; anything else waits for it, in its order', () => {
  const { keys, done, ready } = pad()
  for (const key of ['2', '9', '1', '0']) keys.press(key)
  expect(done).toEqual([place])
  ready()
  expect(done).toEqual([place, 'repeat', 'say'])
  keys.press('2')
  expect([done.length, keys.pressed]).toEqual([4, 5])
})

test('only so many wait', () => {
  const { keys, done, ready } = pad()
  for (let press = 0; press < 100; press += 1) keys.press('1')
  ready()
  expect([done.length, keys.pressed]).toEqual([16, 100])
})
