import * as v from 'valibot'
import { limitPolicies } from '#call/limit-policies.ts'
import { choice, milliseconds, named, section, shapedText, text, wholeNumber } from './fields.ts'

/** The sections about how much there may be of something, and what it costs. */

export const limits = section(
  {
    calls: wholeNumber(
      20,
      { min: 1, max: 10_000, unit: 'calls' },
      'Calls at once; one more goes back to the dialplan.',
    ),
    loop_lag_ms: milliseconds(
      20,
      { min: 1, max: 1000 },
      'Where one tick in ten of the 20 ms clock comes later than this, over a second, no further call is taken.',
    ),
    pacing_lateness_ms: milliseconds(
      6,
      { min: 1, max: 1000 },
      'Where the last frame of a tick leaves later than this in half of the ticks of a second, no further call is taken: it leaves after the work for all the other calls, so this is the earlier sign.',
    ),
    calls_per_caller: wholeNumber(
      0,
      { min: 0, max: 10_000, unit: 'calls' },
      'Calls at once from one number; one more goes back to the dialplan. 0: as many as there are; withheld numbers, and any without a digit, are not counted.',
    ),
    call_seconds: wholeNumber(3600, { min: 10, max: 86_400, unit: 's' }, 'The longest call; then comes on_limit.'),
    on_limit: choice(
      limitPolicies,
      'farewell',
      'What happens then, behind a reply that sounds: farewell (the agent says limits.farewell and the call is hung up), on_failure (without a word the caller goes on in the dialplan at on_failure).',
    ),
    farewell: text(
      'I have to end this call now. Thank you, and goodbye.',
      'What the agent says where a limit ends the call; turn_taking.farewell_max_ms bounds it.',
      { emptyMeans: 'it hangs up without a word' },
    ),
    machine_talk_turns: wholeNumber(
      8,
      { min: 0, max: 100, unit: 'turns' },
      'After so many turns in a row in which both sides repeat what was said before, the caller is taken for a machine (voicemail, an announcement, another agent): the farewell, and a hang-up. 0: never.',
    ),
    provider_minutes_per_day: wholeNumber(
      0,
      { min: 0, max: 1_000_000, unit: 'min' },
      'Minutes of sessions of the provider on one day, from midnight to midnight of this machine, over all calls; calls that run go on. 0: as many as there are.',
    ),
    fallback_provider: text(
      '',
      'Who answers new calls once they are used up: a name under providers. It is loaded as well, and has no such limit.',
      { emptyMeans: 'nobody, they go back to the dialplan' },
    ),
  },
  'What the engine takes on.',
)

/** Of one provider: each price in the currency of `prices`. */
const amount = v.pipe(v.number(), v.minValue(0), v.maxValue(1_000_000))
const price = v.optional(amount, 0)
/** Left out, it is that of another kind of tokens. */
const priceOfItsOwn = v.optional(amount)

export const prices = section(
  {
    currency: shapedText(
      'USD',
      (value) => /^[A-Z]{3}$/.test(value),
      'three capital letters such as EUR',
      'The currency of all prices (ISO 4217).',
    ),
    providers: named(
      (name) => /^[A-Za-z0-9_-]{1,64}$/.test(name),
      'the name of a provider',
      {
        per_call: price,
        per_minute: price,
        per_1000_characters: price,
        per_million_input_tokens: price,
        per_million_cached_input_tokens: priceOfItsOwn,
        per_million_audio_input_tokens: priceOfItsOwn,
        per_million_cached_audio_input_tokens: priceOfItsOwn,
        per_million_output_tokens: price,
        per_million_audio_output_tokens: priceOfItsOwn,
      },
      'Prices of providers, each under its name: per_call (0), per_minute of its session (0), per_1000_characters that the agent says (0); per_million_input_tokens and per_million_output_tokens of its model (0), and for what costs another price, per_million_cached_input_tokens, per_million_audio_input_tokens, per_million_cached_audio_input_tokens, per_million_audio_output_tokens. The parts of a pipeline have the prices of their providers, where it has none itself. A provider that is not named has no cost, one without prices costs nothing; docs/limits.md has it all.',
    ),
  },
  'What a call is estimated to cost, for its record and the metric ai_agent_cost_total.',
)
