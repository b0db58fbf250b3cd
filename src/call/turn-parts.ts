import type { SampleRateHz } from '#audio/format.ts'
import type { Milliseconds } from '#base/clock.ts'
import { judgesSound, type OverlapVerdict } from './barge-in.ts'
import { CallerVoice } from './caller-voice.ts'
import type { CoordinatorDeps } from './coordinator-deps.ts'
import type { TurnEnder } from './endpointing.ts'
import { Gate } from './gate.ts'
import type { Leaving } from './leaving.ts'
import { LookBack } from './look-back.ts'
import { Overlap } from './overlap.ts'
import { OverlapLog } from './overlap-log.ts'
import { OverlookedVoice } from './overlooked-voice.ts'
import { Replies } from './replies.ts'
import type { SpeechEvent } from './speech-detector.ts'
import { TurnLog } from './turn-log.ts'
import { TurnPause } from './turn-pause.ts'
import { Waiting } from './waiting.ts'

/** What one call's turns are made of: each part has one thing to know, and none of them knows another. */
export interface TurnParts {
  readonly gate: Gate
  readonly lookBack: LookBack
  /** Null where nobody is looked for, or nobody could tell a voice from a noise. */
  readonly overlooked: OverlookedVoice | null
  readonly voice: CallerVoice
  readonly overlap: Overlap
  readonly pause: TurnPause
  readonly waiting: Waiting
  readonly replies: Replies
  readonly turns: TurnLog
  readonly overlaps: OverlapLog
  /** What counts as a row of turns that repeat: what the agent began with, and since when. */
  readonly talk: { greeting: string; sinceMs: Milliseconds }
  /** The agent says its last words: how the call ends behind them. */
  leaving: Leaving | null
  /** Who says that the turn which is about to be committed is over. */
  endedBy: TurnEnder
}

export interface TurnDecisions {
  overlooked(event: SpeechEvent): void
  overlap(verdict: OverlapVerdict): void
  turnOver(by: TurnEnder): void
}

/** What the end-of-turn model looks at, and a little more; without it, what a look-back needs. */
const lookBackForModelMs = 8400
const lookBackMs = 4000

export function createTurnParts(
  deps: CoordinatorDeps,
  sampleRateHz: SampleRateHz,
  decisions: TurnDecisions,
): TurnParts {
  const { clock, settings, guarded, detection, echo, playout, language, wordsIn } = deps
  const { turnEndModel: model, overlapModel } = deps
  const past = (durationMs: Milliseconds) => lookBack.newest(durationMs)
  const listener = overlapModel?.open(sampleRateHz) ?? null
  // The two never listen at once: what is overlooked is no overlap yet.
  const overlooked =
    listener === null || detection === null || !settings.overlookedVoices
      ? null
      : new OverlookedVoice({
          sampleRateHz,
          listener,
          past,
          soundOf: (newestMs) => echo?.soundOf(newestMs) ?? 'other',
          event: (event) => decisions.overlooked(event),
        })
  const quietMs = () => overlooked?.quietMs ?? detection?.quietMs() ?? 0
  const over = (by: TurnEnder) => decisions.turnOver(by)
  const pause = new TurnPause({ clock, settings: settings.endpointing, sampleRateHz, language, model, over, guarded })
  const lookBack = new LookBack(clock, sampleRateHz, pause.asksModel ? lookBackForModelMs : lookBackMs)
  const talk = { greeting: '', sinceMs: 0 }
  return {
    gate: new Gate(clock, {
      changed: deps.gateChanged,
      expired: (reason) => deps.observer.gateExpired(deps.callId, reason),
    }),
    lookBack,
    voice: new CallerVoice({ clock, echo, quietMs }),
    overlooked,
    overlap: new Overlap({
      clock,
      settings: settings.bargeIn,
      language,
      hold: (hold) => playout.hold(hold),
      sampleRateHz,
      past,
      quietMs,
      unjudgedMs: () => detection?.unjudgedMs() ?? 0,
      listener: judgesSound(settings.bargeIn) ? listener : null,
      wordsIn,
      echo,
      decided: (verdict) => decisions.overlap(verdict),
      guarded,
    }),
    pause,
    waiting: new Waiting({
      clock,
      settings: settings.noInput,
      say: (text) => {
        talk.sinceMs = clock.now() - deps.callStartedMs
        return deps.session.send({ type: 'say', text }) === 'sent'
      },
      hangUp: () => deps.hangUp('no_input'),
      guarded,
    }),
    replies: new Replies(),
    turns: new TurnLog(deps.callStartedMs),
    overlaps: new OverlapLog(),
    talk,
    leaving: null,
    endedBy: 'limit',
  }
}
