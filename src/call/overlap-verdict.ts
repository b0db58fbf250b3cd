import type { OverlapScore } from './overlap-model.ts'

export type OverlapJudgement = 'interruption' | 'backchannel' | 'noise' | 'undecided'

export function overlapVerdict(
  evidence: {
    readonly sinceOnsetMs: number
    readonly voicedMs: number
    readonly ended: boolean
    readonly score: OverlapScore | null
    readonly words: string | null
    readonly language: string
  },
  _backchannels: readonly string[],
): OverlapJudgement {
  const { score } = evidence
  if (score === null) return 'undecided'
  if (score.interruption > 0.7) return 'interruption'
  if (score.backchannel > 0.7) return 'backchannel'
  if (score.noise > 0.7) return 'noise'
  return 'undecided'
}
