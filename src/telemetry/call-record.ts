import type { Log } from '#base/log.ts'
import { messageOf } from '#base/result.ts'
import type { AudioFacts, CallFacts, TurnRecord } from '#call/observer.ts'
import { appendLines } from './line-file.ts'

/**
 * One JSON line per finished call: who, when, each turn with its stage times, how it ended. Milliseconds are whole; the
 * caller's and the agent's words are in it only where `logging.transcripts` is on. What the call has cost is in it where
 * the provider has prices.
 */
export function callRecord(facts: CallFacts, withWords: boolean, cost: CallCost | null = null): string {
  return JSON.stringify({
    call_id: facts.callId,
    started_at: new Date(facts.startedWallMs).toISOString(),
    duration_ms: whole(facts.durationMs),
    session_ms: whole(facts.sessionMs),
    caller_number: facts.caller.number,
    caller_name: facts.caller.name,
    dialled: facts.caller.dialled,
    agent: facts.choice.agent,
    route: facts.choice.route,
    provider: facts.provider,
    chosen_by: facts.choice.origins,
    origin: facts.origin,
    transport: facts.transport,
    cause: facts.cause,
    ...(cost ?? {}),
    tokens_known: tokensKnown(facts),
    usage: facts.usage.map(({ provider, audioMs, characters, tokens, untold }) => ({
      provider,
      audio_ms: whole(audioMs),
      characters,
      tokens,
      answers_untold: untold,
    })),
    steps_ms: Object.fromEntries(Object.entries(facts.steps).map(([step, ms]) => [step, whole(ms)])),
    turns: facts.turns.map((turn) => turnRecord(turn, withWords)),
    turns_dropped: facts.turnsDropped,
    spoken_characters: facts.spokenCharacters,
    barge_ins: facts.overlapCounts.interruption,
    false_interruptions: falseInterruptions(facts),
    overlaps: facts.overlaps.map(({ startedMs, durationMs, pausedMs, verdict }) => ({
      started_ms: whole(startedMs),
      duration_ms: whole(durationMs),
      paused_ms: whole(pausedMs),
      verdict,
    })),
    faults: facts.faults,
    incidents: facts.incidents.map(({ atMs, code }) => ({ at_ms: whole(atMs), code })),
    dtmf_digits: facts.digits,
    one_way: facts.oneWay,
    audio: streamFacts(facts.audio),
  })
}

/** An estimate, by the prices that were in force when the call began. */
export interface CallCost {
  readonly cost: number
  readonly currency: string
}

/** Of every answer of a model, and of one at least. */
function tokensKnown({ usage }: CallFacts): boolean {
  return usage.some(({ tokens }) => tokens !== null) && usage.every(({ untold }) => untold === 0)
}

/** Speech over the agent's that was taken for no interruption. */
function falseInterruptions({ overlapCounts }: CallFacts): number {
  return overlapCounts.backchannel + overlapCounts.noise + overlapCounts.echo
}

/** The stream of a call as its record and its summary line have it. */
export function streamFacts(audio: AudioFacts): Record<string, number> {
  return {
    frames_in: audio.framesIn,
    frames_out: audio.framesOut,
    frames_refused: audio.framesRefused,
    underruns: audio.underruns,
    overruns: audio.overruns,
    fallbacks: audio.fallbacks,
    files_failed: audio.filesFailed,
    restarts: audio.restarts,
    low_frames: audio.lowFrames,
    depth_max_ms: whole(audio.depthMaxMs),
    drift_ms: whole(audio.driftMs),
    lost: audio.lost,
    late: audio.late,
    duplicates: audio.duplicates,
    reordered: audio.reordered,
    concealed: audio.concealed,
    detector_full: audio.detectorFull,
  }
}

function turnRecord(turn: TurnRecord, withWords: boolean): Record<string, unknown> {
  return {
    started_ms: whole(turn.startedMs),
    speech_ms: wholeOrNull(turn.speechMs),
    endpointing_ms: wholeOrNull(turn.endpointingMs),
    ended_by: turn.endedBy,
    ...Object.fromEntries(Object.entries(turn.stages).map(([stage, ms]) => [`${stage}_ms`, whole(ms)])),
    response_ms: wholeOrNull(turn.responseMs),
    engine_ms: wholeOrNull(turn.engineMs),
    heard_ms: wholeOrNull(turn.heardMs),
    outcome: turn.outcome,
    ...(withWords ? { caller_text: turn.callerText, agent_text: turn.agentText } : {}),
  }
}

const whole = (ms: number) => Math.round(ms)
const wholeOrNull = (ms: number | null) => (ms === null ? null : Math.round(ms))

/** Lines that may wait for a slow disk; beyond, records are dropped and counted. */
const waitingMax = 1000

/** Appends records to a file, one after the other and off the audio path. A disk that fails costs records, not calls. */
export class CallRecordFile {
  written = 0
  lost = 0
  readonly path: string
  private readonly log: Log
  private waiting = 0
  private chain: Promise<void> = Promise.resolve()
  /** Nothing has been written, or the last write has failed. */
  private begins = true

  constructor(path: string, log: Log) {
    this.path = path
    this.log = log
  }

  append(line: string): void {
    if (this.waiting >= waitingMax) {
      this.lost += 1
      return
    }
    this.waiting += 1
    this.chain = this.chain.then(() => this.write(line))
  }

  /** Resolves when everything appended so far is written or lost. */
  flushed(): Promise<void> {
    return this.chain
  }

  private async write(line: string): Promise<void> {
    try {
      await appendLines(this.path, `${line}\n`, this.begins)
      this.begins = false
      this.written += 1
    } catch (thrown) {
      this.begins = true
      this.lost += 1
      if (this.lost === 1) this.log.error('call records cannot be written', { file: this.path, why: messageOf(thrown) })
    } finally {
      this.waiting -= 1
    }
  }
}
