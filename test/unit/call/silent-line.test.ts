import { describe, expect, test } from 'bun:test'
import { fakeAgent } from '../../fakes/agent.ts'
import { ringingCall, type TestCall } from '../../fakes/calls.ts'
import { FakeLeg } from '../../fakes/leg.ts'
import { settle } from '../../fakes/manual-clock.ts'

const frame = () => new Int16Array(160).fill(1000)

/** A call whose agent finds the turns itself and hears all that comes of the line; greeted, nothing said yet. */
async function listening(): Promise<TestCall> {
  const made = ringingCall({ agent: fakeAgent('provider'), plan: { greeting: '' } })
  await settle()
  made.call.answered()
  made.call.attachLeg(made.leg)
  made.call.bridged()
  return made
}

function speak({ leg, world }: TestCall, durationMs: number): void {
  for (let passed = 0; passed < durationMs; passed += 20) {
    world.clock.advance(20)
    leg.audio(frame())
  }
}

const heard = ({ agent }: TestCall) => agent.session.audio.map((samples) => (samples.every((one) => one === 0) ? 0 : 1))
const silent = (made: TestCall) => heard(made).filter((one) => one === 0).length

describe('a line that brings nothing', () => {
  test('before its first frame is no silence: nobody knows yet that it is open', async () => {
    const made = await listening()
    made.world.clock.advance(5000)
    expect(heard(made)).toEqual([])
  })

  test('for a second and a half is silent from then on, and what comes next is heard', async () => {
    const made = await listening()
    speak(made, 400)
    made.world.clock.advance(1520)
    expect(heard(made)).toEqual(Array(20).fill(1))
    made.world.clock.advance(500)
    expect(silent(made)).toBe(25)
    expect(made.world.detector.pushed).toBe(45)
    speak(made, 40)
    expect(heard(made).slice(-3)).toEqual([0, 1, 1])
  })

  test('for less, and brings it late, has lost nothing and gets nothing', async () => {
    const made = await listening()
    speak(made, 400)
    for (let hang = 0; hang < 5; hang += 1) {
      made.world.clock.advance(1000)
      for (let late = 0; late < 50; late += 1) made.leg.audio(frame())
      speak(made, 200)
    }
    expect([silent(made), heard(made).length]).toEqual([0, 20 + 5 * 60])
  })

  test('and has left out a second before, leaves its pauses out: each is there whole after 200 ms', async () => {
    const made = await listening()
    speak(made, 400)
    made.world.clock.advance(1200)
    speak(made, 400)
    expect(silent(made)).toBe(0)
    made.world.clock.advance(220)
    expect(silent(made)).toBe(0)
    made.world.clock.advance(20)
    expect(silent(made)).toBe(11)
    made.world.clock.advance(280)
    expect(silent(made)).toBe(25)
    speak(made, 100)
    expect(heard(made).slice(-6)).toEqual([0, 1, 1, 1, 1, 1])
  })

  test('while this process stood still is not silent for that', async () => {
    const made = await listening()
    speak(made, 400)
    made.world.clock.stall(3000)
    made.world.clock.advance(20)
    expect(silent(made)).toBe(0)
  })

  test('since it is lost brings no silence: the next one will speak for itself', async () => {
    const made = await listening()
    speak(made, 400)
    made.world.clock.advance(1200)
    speak(made, 400)
    const next = new FakeLeg()
    made.pbx.reopen = () => new Promise(() => {})
    made.leg.end('media_lost')
    await settle()
    made.world.clock.advance(1000)
    expect(silent(made)).toBe(0)
    expect(made.call.attachLeg(next)).not.toBe('refused')
    made.world.clock.advance(1000)
    expect([silent(made), made.call.ended]).toEqual([0, false])
    next.audio(frame())
    expect(heard(made).at(-1)).toBe(1)
  })

  test('is told of by nothing that counts frames', async () => {
    const made = await listening()
    speak(made, 400)
    made.world.clock.advance(3000)
    await made.call.end('caller')
    await settle()
    expect(made.world.observer.facts[0]?.audio.framesIn).toBe(20)
  })
})
