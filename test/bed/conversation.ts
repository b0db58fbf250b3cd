// One caller's visit, told by what the engine does: speak when it listens, hang up when it has answered.

import type { Asterisk } from './asterisk.ts'
import type { BedEngine } from './engine.ts'
import type { PlacedCall } from './placed-call.ts'
import type { Utterance } from './speech.ts'
import { audibleStretches } from './wav-analysis.ts'
import { readWav } from './wav-file.ts'

export interface Visit {
  readonly engineCallId: string
  /** What the engine understood and what it said, joined. */
  readonly callerWords: string
  readonly agentWords: string
  /** 8 kHz recordings of the caller's side, on one clock. */
  readonly heard: Int16Array
  readonly said: Int16Array
  /** When the caller's speech began and ended, on that clock. */
  readonly spokeFromMs: number
  readonly spokeUntilMs: number
}

export interface VisitOptions {
  readonly extension: string
  readonly callerNumber: string
  readonly utterance: Utterance
  /** When to speak: after the greeting and its guard time (the default), or into the greeting. */
  readonly speakOn?: 'gate_opened' | 'greeting_started'
}

/** An hour: the caller says nothing until told to. */
const silence = { waitMs: 3_600_000 / 60 }

/** The engine's own id of the call from this number. */
export async function engineCallFrom(engine: BedEngine, number: string): Promise<string> {
  let id: string | undefined
  await engine.until(`call from ${number} admitted`, 10_000, () => {
    id = engine.log.find((line) => line.step === 'admitted' && String(line.detail).includes(`from ${number}`))?.call
    return id !== undefined
  })
  return id ?? ''
}

/** A call without ARI does not say who calls: it is the newest one, so such calls are placed one after the other. */
let placing: Promise<unknown> = Promise.resolve()

function placed(asterisk: Asterisk, engine: BedEngine, options: VisitOptions): Promise<[PlacedCall, string]> {
  const { extension, callerNumber } = options
  const admitted = () => engine.log.filter((line) => line.step === 'admitted')
  const next = placing.then(async (): Promise<[PlacedCall, string]> => {
    const before = admitted().length
    const call = await asterisk.call({ extension, callerId: callerNumber, steps: [silence] })
    if (extension !== '200') return [call, await engineCallFrom(engine, callerNumber)]
    await engine.until('admitted', 10_000, () => admitted().length > before)
    return [call, admitted().at(-1)?.call ?? '']
  })
  placing = next.catch(() => {})
  return next
}

export async function visit(asterisk: Asterisk, engine: BedEngine, options: VisitOptions): Promise<Visit> {
  const { utterance, speakOn = 'gate_opened' } = options
  const [call, id] = await placed(asterisk, engine, options)
  await engine.until(speakOn, 20_000, () => engine.steps(id).includes(speakOn))
  await Bun.sleep(speakOn === 'gate_opened' ? 200 : 600)
  const linesBefore = engine.log.length
  await call.turnTo([{ play: utterance.path }, silence])
  const turns = () => engine.log.filter((line) => line.call === id && line.message === 'turn finished')
  await engine.until(`answered (${utterance.name})`, 60_000, () => turns().some((line) => line.outcome === 'answered'))
  await Bun.sleep(400)
  return await finish(engine, call, id, linesBefore)
}

async function finish(engine: BedEngine, call: PlacedCall, id: string, linesBefore: number): Promise<Visit> {
  await call.hangup()
  await call.ended
  const heard = (await readWav(await call.heard())).samples
  const said = (await readWav(await call.said())).samples
  const stretches = audibleStretches(said, { sampleRateHz: 8000 })
  const words = (side: string) =>
    engine.log
      .slice(linesBefore)
      .filter((line) => line.call === id && line.message === 'transcript' && line.side === side)
      .map((line) => String(line.text))
      .join(' ')
  return {
    engineCallId: id,
    callerWords: words('caller'),
    agentWords: words('agent'),
    heard,
    said,
    spokeFromMs: stretches.at(0)?.startMs ?? 0,
    spokeUntilMs: stretches.at(-1)?.endMs ?? 0,
  }
}

/** The part of a recording at 8 kHz. */
export function between(samples: Int16Array, fromMs: number, untilMs: number): Int16Array {
  return samples.subarray(Math.max(0, fromMs * 8), Math.max(0, untilMs * 8))
}
