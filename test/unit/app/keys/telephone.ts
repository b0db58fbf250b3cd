import type { KeyCall } from '../../../fakes/key-call.ts'
import { placeWith } from './calls.ts'
import { call, type Probes } from './probe.ts'

/** What the keys of the caller's telephone do, and where they lead to. */

/** A key that is pressed once the greeting has been heard. */
async function press(up: KeyCall, digit: string): Promise<KeyCall> {
  await up.greeted()
  up.leg.emit({ type: 'dtmf', digit })
  await up.pass(40)
  return up
}

/** Where a caller comes to who presses this key. */
const pressed = (digit: string) => async (up: KeyCall) => (await press(up, digit)).place
const places = { one: { context: 'a', extension: 'b' }, two: { context: 'c', extension: 'd' } }
const withPlace = { around: { transfer: { destinations: { one: { ...places.one, key: '7' } } } } }
/** What the key 7 is bound to, whatever the probe says of it. */
const bound = (to: object) => ({
  name: '7',
  around: { transfer: { destinations: places }, dtmf: { keys: { '7': to } } },
})

export const telephoneProbes: Probes = {
  'transfer.destinations.*.context': call(['here', 'there'], pressed('7'), {
    ...withPlace,
    shows: [placeWith({ context: 'here' }), placeWith({ context: 'there' })],
  }),
  'transfer.destinations.*.extension': call(['100', '200'], pressed('7'), {
    ...withPlace,
    shows: [placeWith({ extension: '100' }), placeWith({ extension: '200' })],
  }),
  'transfer.destinations.*.priority': call([2, 3], pressed('7'), {
    ...withPlace,
    shows: [placeWith({ priority: '2' }), placeWith({ priority: '3' })],
  }),
  'transfer.destinations.*.key': call(['7', '8'], pressed('7'), { ...withPlace, shows: [placeWith({}), null] }),

  'dtmf.keys.*.action': call(
    ['say', 'hang_up'],
    async (up) => {
      const { said } = await press(up, '7')
      up.reply(200)
      await up.pass(1000)
      return [said, up.isOver]
    },
    {
      ...bound({ text: 'We close now.' }),
      shows: [
        ['We close now.', false],
        ['We close now.', true],
      ],
    },
  ),
  'dtmf.keys.*.destination': call(['one', 'two'], pressed('7'), {
    ...bound({ action: 'transfer' }),
    shows: [placeWith({}), placeWith(places.two)],
  }),
  'dtmf.keys.*.text': call(
    ['We open at nine.', 'We open at ten.'],
    async (up) => (await press(up, '7')).said,
    bound({ action: 'say' }),
  ),
}
