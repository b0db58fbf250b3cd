import { expect, test } from 'bun:test'
import { Orders } from '#agent/orders.ts'

function setUp() {
  const done: string[] = []
  const life = { over: false }
  const orders = new Orders(() => life.over)
  return { orders, life, done, leave: (what: string) => orders.later(() => done.push(what)) }
}

test('what an order leaves for later comes once it has returned, in order', async () => {
  const { orders, done, leave } = setUp()
  orders.given()
  leave('one')
  leave('two')
  expect(done).toEqual([])
  await Promise.resolve()
  expect(done).toEqual(['one', 'two'])
})

test('the next order makes it void', async () => {
  const { orders, done, leave } = setUp()
  leave('before')
  orders.given()
  leave('after')
  await Promise.resolve()
  expect(done).toEqual(['after'])
})

test('so does the end of the session', async () => {
  const { life, done, leave } = setUp()
  leave('one')
  life.over = true
  await Promise.resolve()
  expect(done).toEqual([])
})
