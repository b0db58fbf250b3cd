import type { CallGrounds, CallSettings } from '#call/admission.ts'
import { Call } from '#call/call.ts'
import type { CallPlan, CallTerms, CallWorld } from '#call/call-plan.ts'
import { defaultChoice, type Offer } from '#call/choice.ts'
import type { PlayoutSettings } from '#call/playout-contract.ts'
import { WarmUp } from '#call/warm-up.ts'
import { type FakeAgent, fakeAgent } from './agent.ts'
import { FakePbx, type FakeWorld, fakeWorld, turnSettings } from './call-world.ts'
import { FakeLeg } from './leg.ts'

/** A machine that keeps up. */
export const calm = { overloaded: false }

export const playoutSettings: PlayoutSettings = {
  mode: 'stream',
  lowWatermarkMs: 20,
  graceMs: 200,
  fallbackMs: 1000,
  duckGain: 0.25,
}

/** What all calls are given, and at once what a call of it has that asks for nothing. */
export type TestSettings = CallSettings & CallTerms

export function callSettings(provider: FakeAgent, overrides: Partial<TestSettings> = {}): TestSettings {
  return {
    offer: testOffer(),
    voice: null,
    tools: null,
    choice: defaultChoice,
    provider,
    playout: playoutSettings,
    warmUp: new WarmUp(200),
    language: 'en',
    prompt: 'Be brief.',
    greeting: 'Hello.',
    callMaxMs: 600_000,
    onLimit: 'farewell',
    onFailure: null,
    callsMax: 10,
    callsPerCallerMax: 0,
    providerMsPerDayMax: 0,
    fallback: null,
    keys: {},
    turns: turnSettings,
    ...overrides,
  }
}

export function testOffer(overrides: Partial<Offer> = {}): Offer {
  return {
    agents: {},
    providers: ['fake'],
    pipelines: [],
    provider: 'fake',
    greeting: 'Hello.',
    prompt: 'Be brief.',
    language: 'en',
    ...overrides,
  }
}

/** That never changes. */
export function groundsOf(settings: TestSettings, world: CallWorld): () => CallGrounds {
  return () => ({ settings, world, speaker: () => settings, hold: () => ({ [Symbol.dispose]: () => {} }) })
}

export interface TestCall {
  readonly call: Call
  readonly world: FakeWorld
  readonly agent: FakeAgent
  readonly pbx: FakePbx
  readonly leg: FakeLeg
}

export interface TestCallOptions {
  readonly plan?: Partial<CallPlan>
  readonly world?: FakeWorld
  readonly agent?: FakeAgent
}

/** A call that has just been admitted: ringing, without its leg, its session being opened. */
export function ringingCall(options: TestCallOptions = {}): TestCall {
  const world = options.world ?? fakeWorld()
  const agent = options.agent ?? fakeAgent()
  const pbx = new FakePbx()
  const call = new Call(
    {
      ...callSettings(agent),
      id: 'call-1',
      caller: { number: '+4312345', name: 'Ada', dialled: '100' },
      origin: 'ari',
      transport: 'audiosocket',
      wire: 'slin',
      pbx,
      ...options.plan,
    },
    world,
  )
  return { call, world, agent, pbx, leg: new FakeLeg(8000) }
}
