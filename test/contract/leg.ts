import { afterEach, describe, expect, test } from 'bun:test'
import { type AudioFrame, samplesPerFrame } from '#audio/format.ts'
import { decodeALaw, decodeMuLaw, encodeALaw, encodeMuLaw } from '#audio/g711.ts'
import { seededRandom } from '#base/random.ts'
import type { Leg, LegEvent } from '#call/leg.ts'

/**
 * What every leg promises, whichever door it came through. A door's own test hands in how to open one; the far side is
 * a real peer on a real transport, and cuts what it sends at awkward places.
 */
export interface LegUnderTest {
  readonly leg: Leg
  readonly far: FarSide
  /** Takes down what is left. */
  dispose(): void
}

export interface FarSide {
  speak(samples: Int16Array): Promise<void>
  digit(digit: string): Promise<void>
  hangUp(): void
  /** From now on it takes nothing from its socket. */
  stopReading(): void
  /** All samples that came from the leg so far. */
  readonly heard: readonly number[]
  /** Resolves when the leg's side has closed. */
  readonly gone: Promise<void>
}

/** What a door's wire cannot do. Without a word it can do everything, and the whole suite runs as strictly as it can. */
export interface LegTraits {
  /** `g711`: samples arrive as the law of the leg's own wire format leaves them; still compared one by one. */
  readonly wire?: 'exact' | 'g711'
  /** False: the wire has no hang-up (RTP). */
  readonly farHangsUp?: boolean
  /** False: what is written is gone, read or not, and no write is ever `full` (datagrams). */
  readonly backPressure?: boolean
  /** False: digits take another way (ARI). */
  readonly digits?: boolean
  /** The leg plays by its own clock, and makes frames up where a stall of the machine leaves some out. */
  readonly clocked?: boolean
  /** Milliseconds between two frames: a PBX in between plays them by the clock, and has no use for bursts. */
  readonly paceMs?: number
}

/** A part of the suite that a wire cannot have is not there, rather than skipped. */
const where = (has: boolean): typeof test => (has ? test : ((() => {}) as unknown as typeof test))

/** Lets the event loop turn until this holds; the test's own time limit is the only bound. */
async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise<void>((resolve) => setImmediate(resolve))
}

/** A few turns of the event loop: enough for anything that was already under way to arrive. */
async function turns(count = 20): Promise<void> {
  for (let turn = 0; turn < count; turn += 1) await new Promise<void>((resolve) => setImmediate(resolve))
}

class Ear {
  readonly samples: number[] = []
  readonly frames: number[] = []
  /** Everything but audio. */
  readonly events: LegEvent[] = []
  audioAfterEnded = 0

  constructor(leg: Leg) {
    leg.onEvent((event) => {
      if (event.type !== 'audio') {
        this.events.push(event)
        return
      }
      if (this.ended) this.audioAfterEnded += 1
      this.frames.push(event.frame.samples.length)
      this.samples.push(...event.frame.samples)
    })
  }

  get ended(): boolean {
    return this.events.some((event) => event.type === 'ended')
  }
}

/** The samples as they are behind the leg's wire. */
function behindWire(leg: Leg, traits: LegTraits, samples: readonly number[]): number[] {
  if (traits.wire !== 'g711') return [...samples]
  const codes = new Uint8Array(samples.length)
  const decoded = new Int16Array(samples.length)
  const isALaw = leg.format.wire === 'alaw'
  const encode = isALaw ? encodeALaw : encodeMuLaw
  const decode = isALaw ? decodeALaw : decodeMuLaw
  encode(Int16Array.from(samples), codes)
  decode(codes, decoded)
  return [...decoded]
}

/** How many of the expected frames are in what was heard, whole and in their order. */
function framesFound(heard: readonly number[], expected: readonly number[], count: number): number {
  let found = 0
  let from = 0
  for (let at = 0; at < expected.length; at += count) {
    const frame = expected.slice(at, at + count)
    let place = from
    while (place + count <= heard.length && !frame.every((sample, index) => heard[place + index] === sample)) place += 1
    if (place + count > heard.length) continue
    found += 1
    from = place + count
  }
  return found
}

export function legContract(name: string, open: () => Promise<LegUnderTest>, traits: LegTraits = {}): void {
  const { farHangsUp = true, backPressure = true, digits = true, paceMs = 0, clocked = false } = traits
  describe(`${name} keeps the contract of a leg`, () => {
    const opened: LegUnderTest[] = []
    afterEach(() => {
      for (const each of opened.splice(0)) each.dispose()
    })

    async function setUp() {
      const under = await open()
      opened.push(under)
      const { leg, far } = under
      const count = samplesPerFrame(leg.format.sampleRateHz)
      const frame = (value: number): AudioFrame => ({
        sampleRateHz: leg.format.sampleRateHz,
        samples: new Int16Array(count).fill(value),
      })
      return { leg, far, ear: new Ear(leg), frame, count }
    }

    test('what the far side says arrives whole, in frames of 20 ms', async () => {
      const { leg, far, ear, count } = await setUp()
      const random = seededRandom(1)
      const said = Int16Array.from({ length: count * 50 }, () => Math.floor(random.next() * 65_536) - 32_768)
      await far.speak(said)
      // By its own clock it may also have left a frame out: then nothing more comes.
      if (clocked) await Bun.sleep(500)
      else await until(() => ear.samples.length >= said.length)
      const expected = behindWire(leg, traits, [...said])
      if (clocked) expect(framesFound(ear.samples, expected, count)).toBeGreaterThanOrEqual(45)
      else expect(ear.samples).toEqual(expected)
      expect(new Set(ear.frames)).toEqual(new Set([count]))
    })

    where(digits)('digits arrive, in their order', async () => {
      const { far, ear } = await setUp()
      for (const digit of '12*#') await far.digit(digit)
      await until(() => ear.events.length === 4)
      expect(ear.events).toEqual([...'12*#'].map((digit) => ({ type: 'dtmf', digit })))
    })

    test('what is written arrives at the far side bit for bit', async () => {
      const { leg, far, frame, count } = await setUp()
      const written: number[] = []
      const frames = paceMs > 0 ? 50 : 200
      for (let value = -frames / 2; value < frames / 2; value += 1) {
        await until(() => leg.write(frame(value)) === 'sent')
        for (let sample = 0; sample < count; sample += 1) written.push(value)
        // Nothing but its own pace keeps a writer of datagrams from overrunning the far side.
        if (paceMs > 0) await Bun.sleep(paceMs)
        else if (!backPressure) await turns(1)
      }
      await until(() => far.heard.length === written.length)
      expect([...far.heard]).toEqual(behindWire(leg, traits, written))
    })

    test('the frame may be reused as soon as write has returned', async () => {
      const { leg, far, frame, count } = await setUp()
      const reused = frame(1000)
      leg.write(reused)
      reused.samples.fill(2000)
      leg.write(reused)
      reused.samples.fill(3000)
      await until(() => far.heard.length === 2 * count)
      expect([far.heard[0] ?? 0, far.heard.at(-1) ?? 0]).toEqual(behindWire(leg, traits, [1000, 2000]))
    })

    where(backPressure)('a far side that does not read: full, sooner or later, and never a throw', async () => {
      const { leg, far, frame, ear } = await setUp()
      far.stopReading()
      const answers: string[] = []
      for (let writes = 0; writes < 200_000 && answers.at(-1) !== 'full'; writes += 1) answers.push(leg.write(frame(1)))
      expect(answers.at(-1)).toBe('full')
      expect(leg.write(frame(1))).toBe('full')
      expect(ear.ended).toBe(false)
    })

    where(farHangsUp)('the far side hangs up: one ended, the last event, and then closed', async () => {
      const { leg, far, ear, frame, count } = await setUp()
      await far.speak(new Int16Array(count))
      await until(() => ear.frames.length === 1)
      far.hangUp()
      await until(() => ear.ended)
      await turns()
      expect(ear.events.map((event) => event.type)).toEqual(['ended'])
      expect(leg.write(frame(1))).toBe('closed')
      await leg.close('caller')
      expect(leg.write(frame(1))).toBe('closed')
      await turns()
      expect([ear.events.length, ear.audioAfterEnded]).toEqual([1, 0])
    })

    test('closing: the far side sees the end, there is one ended, and it may be asked for twice', async () => {
      const { leg, far, ear, frame } = await setUp()
      leg.write(frame(1))
      const first = leg.close('agent')
      const second = leg.close('caller')
      expect(leg.write(frame(1))).toBe('closed')
      await Promise.all([first, second, far.gone])
      await turns()
      expect(ear.events.map((event) => event.type)).toEqual(['ended'])
      await leg.close('agent')
    })

    where(farHangsUp)('both hang up at once: still one ended', async () => {
      const { leg, far, ear } = await setUp()
      far.hangUp()
      await leg.close('agent')
      await until(() => ear.ended)
      await turns()
      expect(ear.events.map((event) => event.type)).toEqual(['ended'])
    })

    where(backPressure)('closing a leg whose far side does not read is done all the same', async () => {
      const { leg, far, ear, frame } = await setUp()
      far.stopReading()
      for (let writes = 0; writes < 200_000 && leg.write(frame(1)) !== 'full'; writes += 1);
      await leg.close('agent')
      await until(() => ear.ended)
      expect(leg.write(frame(1))).toBe('closed')
    })

    test('what the far side still says after the end is not heard', async () => {
      const { leg, far, ear, count } = await setUp()
      const closing = leg.close('agent')
      void far.speak(new Int16Array(count * 5).fill(9))
      await closing
      await until(() => ear.ended)
      await turns()
      expect([ear.events.at(-1)?.type, ear.audioAfterEnded]).toEqual(['ended', 0])
    })
  })
}
