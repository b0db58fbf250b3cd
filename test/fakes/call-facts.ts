import { defaultChoice } from '#call/choice.ts'
import type { CallFacts, TurnRecord } from '#call/observer.ts'

export function turnRecord(overrides: Partial<TurnRecord> = {}): TurnRecord {
  return {
    index: 0,
    startedMs: 1000.4,
    speechMs: 1500.6,
    endpointingMs: 600.2,
    endedBy: 'model',
    stages: { stt: 90.5, llm_first_token: 200 },
    responseMs: 850.4,
    engineMs: 12.3,
    heardMs: 1200,
    outcome: 'answered',
    callerText: 'my secret words',
    agentText: 'the answer to them',
    ...overrides,
  }
}

export function callFacts(overrides: Partial<CallFacts> = {}): CallFacts {
  return {
    callId: 'call-id-7f3a',
    caller: { number: '+4312345', name: 'Ada', dialled: '100' },
    choice: defaultChoice,
    provider: 'local',
    origin: 'ari',
    transport: 'audiosocket',
    startedWallMs: Date.UTC(2026, 0, 2, 3, 4, 5),
    durationMs: 61_000.7,
    sessionMs: 60_000.4,
    usage: [],
    cause: 'caller',
    steps: { admitted: 0, greeting_started: 120.4 },
    turns: [turnRecord()],
    turnsDropped: 0,
    spokenCharacters: 320,
    overlapCounts: { interruption: 1, backchannel: 2, noise: 3, echo: 4, ignored: 5 },
    overlaps: [{ startedMs: 4000.2, durationMs: 480.4, pausedMs: 119.6, verdict: 'backchannel' }],
    faults: 3,
    incidents: [{ atMs: 1200.4, code: 'timeout' }],
    digits: 4,
    oneWay: [],
    audio: {
      framesIn: 10,
      framesOut: 11,
      framesRefused: 2,
      underruns: 3,
      overruns: 4,
      fallbacks: 6,
      filesFailed: 7,
      restarts: 8,
      lowFrames: 9,
      depthMaxMs: 1234.5,
      driftMs: -40.2,
      lost: 12,
      late: 13,
      duplicates: 14,
      reordered: 15,
      concealed: 16,
      detectorFull: 5,
    },
    ...overrides,
  }
}
