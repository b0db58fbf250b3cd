// One call that the bed placed: what its caller does, and what the caller heard.

import { existsSync } from 'node:fs'
import type { BedAri } from './bed-ari.ts'
import type { CallEnd, CallNews } from './call-watch.ts'
import { isWavFinished } from './wav-file.ts'

/** MixMonitor closes its files a moment after the channel is gone. */
const RECORDING_TIMEOUT_MS = 3_000
const RECORDING_POLL_MS = 20

/** One thing that a caller does, in order. */
export type CallerStep =
  | { readonly play: string }
  /** Silence that is sent, as a telephone does all the time. */
  | { readonly waitMs: number }
  /** Nothing is sent at all, like a telephone with silence suppression, or one on hold. */
  | { readonly muteMs: number }
  | { readonly digits: string }
  /** The test is the telephone: an AudioSocket server at `host:port`, which knows the call by this UUID. */
  | { readonly line: { readonly uuid: string; readonly address: string } }

export interface CallOptions {
  /** The extension called, such as '100'. */
  readonly extension: string
  /** 'sip' is a real SIP and RTP leg, 'local' goes without RTP. Default 'sip'. */
  readonly via?: 'sip' | 'local'
  /** Speech of the caller: any sound file that sox reads. */
  readonly wav?: string
  /** Silence before and after the speech and the digits. Defaults 500 and 1000. */
  readonly waitBeforeMs?: number
  readonly waitAfterMs?: number
  /** Digits sent after the speech: 0-9, A-D, * and #. */
  readonly digits?: string
  /** What the caller does, instead of the four above. The caller hangs up after the last step. */
  readonly steps?: readonly CallerStep[]
  /** "5551234" or '"Ada" <5551234>'. */
  readonly callerId?: string
  /** Variables of the called channel, set before the engine sees it. */
  readonly variables?: Readonly<Record<string, string>>
  /** How long it may ring. Default 30 s. */
  readonly answerTimeoutMs?: number
}

/** The steps that the short form of `CallOptions` stands for. */
export function callerSteps(options: CallOptions): readonly CallerStep[] {
  if (options.steps !== undefined) return options.steps
  const steps: CallerStep[] = [{ waitMs: options.waitBeforeMs ?? 500 }]
  if (options.wav !== undefined) steps.push({ play: options.wav })
  if (options.digits !== undefined) steps.push({ digits: options.digits })
  steps.push({ waitMs: options.waitAfterMs ?? 1000 })
  return steps
}

/** A silence longer than this is several: sound files of hours help nobody. */
const SILENCE_MS_MAX = 60_000

/**
 * The dialplan's form of the steps. Silence is a sound file: Wait() would send nothing, and with Asterisk's
 * `transmit_silence` it runs a generator, under which a Local channel drops the tones and hold music of its other half.
 */
export async function encodeSteps(
  steps: readonly CallerStep[],
  sounds: Pick<CallCarrier, 'sound' | 'silence'>,
): Promise<string> {
  const parts: string[] = []
  for (const step of steps) {
    if ('play' in step) {
      parts.push(`play:${await sounds.sound(step.play)}`)
    } else if ('waitMs' in step) {
      for (let leftMs = step.waitMs; leftMs > 0; leftMs -= SILENCE_MS_MAX) {
        parts.push(`play:${await sounds.silence(Math.min(leftMs, SILENCE_MS_MAX))}`)
      }
    } else if ('muteMs' in step) {
      parts.push(`wait:${step.muteMs / 1000}`)
    } else if ('line' in step) {
      parts.push(`line:${step.line.uuid},${step.line.address}`)
    } else if (/^[0-9A-D*#w]+$/.test(step.digits)) {
      parts.push(`digits:${step.digits}`)
    } else {
      throw new Error(`"${step.digits}" can't be sent as digits`)
    }
  }
  return parts.join('~')
}

/**
 * Variables for the request that places the call. A Local channel hands its variables to its other half; over SIP
 * they travel as headers, which `pjsip` adds to the INVITE and the bed's dialplan reads.
 */
export function calledVariables(
  via: 'sip' | 'local',
  variables: Readonly<Record<string, string>>,
): Record<string, string> {
  if (via === 'local') return { ...variables }
  const headers: Record<string, string> = {}
  Object.entries(variables).forEach(([name, value], i) => {
    headers[`PJSIP_HEADER(add,X-Patchcord-Set-${i + 1})`] = `${name}=${encodeURIComponent(value)}`
  })
  return headers
}

/** What a `PlacedCall` needs of the Asterisk that carries it. */
export interface CallCarrier {
  readonly client: BedAri
  cli(command: string): Promise<string>
  sound(path: string): Promise<string>
  silence(ms: number): Promise<string>
}

export class PlacedCall {
  readonly channelId: string
  /** Resolves true when the called side answers, false when the call ends without. */
  readonly answered: Promise<boolean>
  /** Resolves when the caller's channel is gone, whoever hung up. Never rejects. */
  readonly ended: Promise<CallEnd>
  readonly #carrier: CallCarrier
  readonly #heardPath: string
  readonly #saidPath: string

  constructor(
    channelId: string,
    news: CallNews,
    carrier: CallCarrier,
    recordings: { readonly heard: string; readonly said: string },
  ) {
    this.channelId = channelId
    this.answered = news.answered
    this.ended = news.ended
    this.#carrier = carrier
    this.#heardPath = recordings.heard
    this.#saidPath = recordings.said
  }

  /** The caller hangs up. Does nothing when the call is over. */
  async hangup(): Promise<void> {
    await this.#carrier.client.request('DELETE', `/channels/${encodeURIComponent(this.channelId)}`)
  }

  /**
   * Makes the caller drop what it does and do these steps instead, from now: for a caller who reacts. Takes some
   * 50 ms. Throws when the call is over.
   */
  async turnTo(steps: readonly CallerStep[]): Promise<void> {
    const encoded = await encodeSteps(steps, this.#carrier)
    const channel = await this.#carrier.client.channel(this.channelId)
    if (channel === undefined) throw new Error('the call is over')
    await this.#carrier.cli(`dialplan set chanvar ${channel.name} BED_STEPS ${encoded}`)
    await this.#carrier.cli(`channel redirect ${channel.name} caller,steps,1`)
  }

  /** Path of the WAV of what the caller heard, from the answer to the end. Waits for the end. */
  async heard(): Promise<string> {
    return await this.#recording(this.#heardPath)
  }

  /** Path of the WAV of what the caller said, on the same clock as `heard`. Waits for the end. */
  async said(): Promise<string> {
    return await this.#recording(this.#saidPath)
  }

  async #recording(path: string): Promise<string> {
    const end = await this.ended
    const deadline = performance.now() + RECORDING_TIMEOUT_MS
    while (performance.now() < deadline) {
      if (await isWavFinished(path)) return path
      // A call that was never answered has no recording to wait for.
      if (!end.answered) break
      await Bun.sleep(RECORDING_POLL_MS)
    }
    if (existsSync(path)) return path
    throw new Error(
      `no recording of ${this.channelId}: ${end.answered ? 'Asterisk made none' : 'it was never answered'}`,
    )
  }
}
