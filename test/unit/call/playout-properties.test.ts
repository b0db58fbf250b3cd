import { describe, expect, test } from 'bun:test'
import type { AudioFrame } from '#audio/format.ts'
import { type Random, seededRandom } from '#base/random.ts'
import type { FilePlayback, FilePlaybackEvent, FilePlayer, FileWay } from '#call/file-player.ts'
import type { Sent } from '#call/leg.ts'
import { Playout } from '#call/playout.ts'
import type { PlayoutSettings } from '#call/playout-contract.ts'
import { WarmUp } from '#call/warm-up.ts'
import { FakeLeg } from '../../fakes/leg.ts'
import { frameSamples } from './playout-bench.ts'

/**
 * Replies in a world where everything goes wrong that may: what the caller has heard is what the provider has pushed,
 * in order, with nothing lost and nothing twice; and each reply ends once.
 */
class Caller {
  /** All samples that were not silence, whichever way they came. */
  readonly heard: number[] = []

  hears(samples: Int16Array): void {
    for (const sample of samples) if (sample !== 0) this.heard.push(sample)
  }
}

class UnreliableLeg extends FakeLeg {
  private readonly caller: Caller
  private readonly takes: () => Sent

  constructor(caller: Caller, takes: () => Sent) {
    super(8000)
    this.caller = caller
    this.takes = takes
  }

  override write(frame: AudioFrame): Sent {
    const sent = this.takes()
    if (sent === 'sent') this.caller.hears(frame.samples)
    return sent
  }
}

/** Plays 20 ms of a file in each frame time, from its start to its end or to where it breaks. */
class UnreliablePlayer implements FilePlayer {
  /** Whether the next file breaks; a caller without any other way cannot be served then. */
  mayFail = true
  orders = 0
  private readonly caller: Caller
  private readonly random: Random
  private current: { samples: Int16Array; waits: number; breaksAt: number; at: number; stopped: boolean } | null = null
  private listener: (event: FilePlaybackEvent) => void = () => {}

  constructor(caller: Caller, random: Random) {
    this.caller = caller
    this.random = random
  }

  play(
    samples: Int16Array,
    _rateHz: number,
    _way: FileWay,
    listener: (event: FilePlaybackEvent) => void,
  ): FilePlayback {
    this.orders += 1
    const fails = this.mayFail && this.random.next() < 0.4
    const breaksAt = fails ? Math.floor((this.random.next() * samples.length) / frameSamples) : Number.POSITIVE_INFINITY
    const file = {
      samples: samples.slice(),
      waits: 1 + Math.floor(this.random.next() * 10),
      breaksAt,
      at: 0,
      stopped: false,
    }
    this.listener = listener
    this.current = file
    return {
      stop: () => {
        file.stopped = true
      },
      pause: () => {},
    }
  }

  /** One frame time. */
  tick(): void {
    const file = this.current
    if (file === null || file.stopped) return
    file.waits -= 1
    if (file.waits > 0) return
    if (file.waits === 0) {
      if (file.breaksAt > 0) return this.listener('started')
      return this.over('failed')
    }
    this.caller.hears(file.samples.subarray(file.at * frameSamples, (file.at + 1) * frameSamples))
    file.at += 1
    if (file.at >= file.breaksAt) this.over('failed')
    else if (file.at * frameSamples >= file.samples.length) this.over('finished')
  }

  private over(event: 'finished' | 'failed'): void {
    this.current = null
    this.listener(event)
  }
}

/** How much of the reply comes in this frame time. */
const paces: Record<string, (random: Random) => number> = {
  'all at once': () => 1_000_000,
  'in bursts': (random) => (random.next() < 0.1 ? Math.floor(random.next() * 8000) : 0),
  'a little too slow': () => 144,
  'in real time, in odd pieces': (random) => Math.floor(random.next() * 2 * frameSamples),
  'with long pauses': (random) => (random.next() < 0.02 ? 4000 : 0),
}

const modes = ['stream', 'file'] as const

class World {
  readonly caller = new Caller()
  readonly events: string[] = []
  readonly random: Random
  readonly player: UnreliablePlayer
  readonly playout: Playout
  private readonly unreliable: boolean
  private refusing = 0
  private away = 0
  private next = 0

  constructor(seed: number, unreliable: boolean, files: boolean) {
    this.random = seededRandom(seed)
    this.unreliable = unreliable
    this.player = new UnreliablePlayer(this.caller, this.random)
    const settings: PlayoutSettings = {
      mode: modes[Math.floor(this.random.next() * 4)] ?? 'stream',
      lowWatermarkMs: Math.floor(this.random.next() * 100),
      graceMs: Math.floor(this.random.next() * 200),
      fallbackMs: 201 + Math.floor(this.random.next() * 1500),
      duckGain: 0.25,
    }
    this.playout = new Playout(
      8000,
      {
        replyStarted: () => this.events.push('started'),
        replyDone: () => this.events.push('done'),
        stuck: () => {},
        fellBack: () => {},
      },
      settings,
      new WarmUp(300),
      files ? this.player : null,
    )
    this.newLeg()
  }

  private newLeg(): void {
    this.playout.setLeg(new UnreliableLeg(this.caller, () => (this.refusing > 0 ? 'full' : 'sent')))
  }

  /** Samples that tell their own place, and are never silence. */
  samples(count: number): Int16Array {
    return Int16Array.from({ length: count }, () => {
      this.next = (this.next % 30_000) + 1
      return this.next
    })
  }

  tick(): void {
    this.refusing -= 1
    this.away -= 1
    if (this.unreliable && this.random.next() < 0.02) this.refusing = Math.floor(this.random.next() * 60)
    if (this.unreliable && this.random.next() < 0.01 && this.away < 0) {
      this.away = 1 + Math.floor(this.random.next() * 100)
      this.playout.setLeg(null)
    }
    if (this.away === 0) this.newLeg()
    this.playout.writeFrames(1)
    this.player.tick()
  }

  /** Says a whole reply; `each` runs in each frame time and tells whether to go on. Returns what was pushed. */
  say(count: number, pace: (random: Random) => number, each: (pushed: number) => boolean = () => true): number[] {
    const reply = this.samples(count)
    const endsEarly = this.random.next() < 0.3 ? Math.floor(count * 0.9) : count
    let pushed = 0
    let pause = 0
    // A reply of its own, however soon it comes.
    this.playout.announce()
    this.playout.begin(this.random.next() * 200)
    for (let ticks = 0; this.playout.active && ticks < 100_000; ticks += 1) {
      pause += 1
      // A reply begins with audio, and no pause in it is as long as the 5 s after which it is over.
      const due = pushed === 0 || pause > 150 ? Math.max(200, pace(this.random)) : pace(this.random)
      const size = Math.min(count - pushed, due)
      if (size > 0) pause = 0
      if (size > 0) this.playout.push(reply.subarray(pushed, pushed + size))
      if (size > 0 && pushed + size >= endsEarly) this.playout.end()
      pushed += Math.max(0, size)
      this.tick()
      if (!each(pushed)) break
    }
    return [...reply.subarray(0, pushed)]
  }
}

const seeds = Array.from({ length: 60 }, (_, index) => index + 1)
const worlds: [string, boolean, boolean][] = [
  ['a leg that takes all', false, false],
  ['a leg that takes all, and files that fail', false, true],
  ['a leg that refuses and is lost', true, false],
  ['a leg that refuses and is lost, and files that fail', true, true],
]

for (const [name, unreliable, files] of worlds) {
  describe(name, () => {
    test.each(Object.keys(paces))('a reply that comes %s is heard once and whole', (pace) => {
      let orders = 0
      for (const seed of seeds) {
        const world = new World(seed, unreliable, files)
        for (let reply = 0; reply < 3; reply += 1) {
          world.caller.heard.length = 0
          world.events.length = 0
          const count = 1 + Math.floor(world.random.next() * 24_000)
          const pushed = world.say(count, paces[pace] ?? (() => 0))
          expect({ seed, reply, heard: world.caller.heard }).toEqual({ seed, reply, heard: pushed })
          expect({ seed, reply, events: world.events }).toEqual({ seed, reply, events: ['started', 'done'] })
          expect(world.playout.heardMs).toBeCloseTo(pushed.length / 8)
        }
        orders += world.player.orders
      }
      // What is said of files is said of files that were played.
      expect(orders > 0).toBe(files)
    })

    test('a reply that is cut off at any moment: what was heard is its beginning, and it never goes on', () => {
      for (const seed of seeds) {
        const world = new World(seed, unreliable, files)
        const cut = Math.floor(world.random.next() * 150)
        let ticks = 0
        const pushed = world.say(16_000, paces['in bursts'] ?? (() => 0), () => {
          ticks += 1
          return ticks <= cut
        })
        const done = !world.playout.active
        const heardMs = world.playout.flush()
        const heard = [...world.caller.heard]
        expect({ seed, heard }).toEqual({ seed, heard: pushed.slice(0, heard.length) })
        expect({ seed, heardMs }).toEqual({ seed, heardMs: heard.length / 8 })
        // Late audio of what was cut off belongs to nothing.
        world.playout.push(world.samples(4000))
        world.playout.end()
        for (let tick = 0; tick < 400; tick += 1) world.tick()
        expect(world.caller.heard).toEqual(heard)
        expect(world.events.filter((event) => event === 'done')).toHaveLength(done ? 1 : 0)
      }
    })
  })
}

test('a leg that is gone for good in the middle of a reply: the file brings the rest, and nothing twice', () => {
  for (const seed of seeds) {
    const world = new World(seed, false, true)
    world.player.mayFail = false
    const lostAt = 1 + Math.floor(world.random.next() * 100)
    let ticks = 0
    let took = false
    const pushed = world.say(
      16_000,
      () => 400,
      () => {
        ticks += 1
        if (ticks === lostAt) {
          world.playout.setLeg(null)
          took = world.playout.takeTheFilePath()
        }
        return true
      },
    )
    expect({ seed, took }).toEqual({ seed, took: ticks > lostAt })
    expect({ seed, heard: world.caller.heard }).toEqual({ seed, heard: pushed })
    expect(world.events).toEqual(['started', 'done'])
  }
})
