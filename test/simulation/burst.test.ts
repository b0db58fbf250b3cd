import { expect, test } from 'bun:test'
import { fakeWorld } from '../fakes/call-world.ts'
import { playoutSettings, ringingCall } from '../fakes/calls.ts'
import { settle } from '../fakes/manual-clock.ts'
import { createScriptedAgent, pacedReply } from '../fakes/scripted-agent.ts'
import { Ear } from './ear.ts'
import { markerSound } from './markers.ts'
import { SimulatedLeg } from './simulated-leg.ts'

// The dice bring bursts of some seconds; this one is always here: 60 s of a reply within 200 ms.

const replyMs = 60_000

test.each([
  ['in chunks of a second', 1000],
  ['in chunks of 20 ms', 20],
  ['in one piece', replyMs],
])('a reply of 60 s that comes within 200 ms, %s: each sample is heard once, in its time', async (_name, chunkMs) => {
  const sampleRateHz = 8000
  const world = fakeWorld()
  const { clock } = world
  const found: string[] = []
  const ear = new Ear((kind, what) => found.push(`${kind}: ${what}`))
  const burst = pacedReply({ replyMs, sampleRateHz, chunkMs, speed: replyMs / 200 })
  const made = ringingCall({
    world,
    plan: {
      provider: createScriptedAgent({
        name: 'scripted',
        turnDetection: 'engine',
        clock,
        script: () => burst,
        sound: (reply, from, count) => markerSound(reply, from, count),
      }),
      playout: playoutSettings,
    },
  })
  const leg = new SimulatedLeg({
    clock,
    sampleRateHz,
    closingMs: 0,
    channel: { joined: true },
    hear: (samples) => ear.hear(samples, clock.now(), 'leg'),
  })
  await settle()
  made.call.answered()
  made.call.attachLeg(leg)
  made.call.bridged()
  await settle()
  const startMs = clock.now()
  for (let passedMs = 0; passedMs < replyMs + 1000; passedMs += 20) {
    leg.audio(new Int16Array(160).fill(40))
    clock.advance(20)
    if (passedMs % 1000 === 0) await settle()
  }
  void made.call.end('caller')
  clock.advance(5000)
  await settle()

  expect(found).toEqual([])
  let next = 0
  for (const run of ear.heard) {
    expect([run.reply, run.from]).toEqual([1, next])
    next += run.count
  }
  expect(next).toBe((replyMs * sampleRateHz) / 1000)
  expect((ear.heard.at(-1)?.atMs ?? 0) - (ear.heard[0]?.atMs ?? 0)).toBe(replyMs - 20)
  expect((ear.heard[0]?.atMs ?? 0) - startMs).toBeLessThanOrEqual(220)
  expect(world.observer.facts[0]?.audio).toMatchObject({ underruns: 0, overruns: 0, fallbacks: 0, framesRefused: 0 })
  expect(world.observer.facts[0]?.audio.depthMaxMs).toBeGreaterThan(replyMs - 1000)
})
