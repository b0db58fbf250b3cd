import * as v from 'valibot'
import { transports } from '#call/leg.ts'
import { mutePolicies, startPolicies, stopPolicies } from '#call/turn-policies.ts'
import { agents } from './agent-schema.ts'
import { onFailure, transfer } from './dialplan-schema.ts'
import { dtmf } from './dtmf-schema.ts'
import {
  choice,
  decimalNumber,
  flag,
  milliseconds,
  port,
  requiredText,
  section,
  shapedText,
  text,
  textList,
  wholeNumber,
} from './fields.ts'
import { hostShape, isHost } from './hosts.ts'
import { limits, prices } from './limits-schema.ts'
import { audiosocket, externalMedia, filePlayback, mediaWebSocket, streaming } from './media-schema.ts'
import { pipelinesSchema } from './pipeline-schema.ts'

/**
 * The shape of the configuration, with each default stated once: here. Vendors' sections come in as a list, so that
 * this layer never imports a provider. Key names follow the older system (`docs/configuration.md` says where they
 * differ); a key is listed only once the engine honours it.
 */

/** A vendor's section under `providers`: a strict object with at least `enabled`. */
export type VendorSchema = v.GenericSchema<unknown, { readonly enabled: boolean }>
/** Every known vendor by its name in the file: `providers.<name>`. */
export type VendorSchemas = Readonly<Record<string, VendorSchema>>

const asterisk = section(
  {
    host: shapedText('127.0.0.1', isHost, hostShape, 'Where the Asterisk REST Interface (ARI) listens.', {
      env: 'ASTERISK_HOST',
    }),
    port: port(8088, "The port of Asterisk's HTTP server (http.conf: bindport).", { env: 'ASTERISK_ARI_PORT' }),
    username: requiredText('patchcord', 'The ARI user (a section of ari.conf).', { env: 'ASTERISK_ARI_USERNAME' }),
    password: text(
      '',
      'The password of the ARI user. Only from the environment: the variable ASTERISK_ARI_PASSWORD, or a file that ASTERISK_ARI_PASSWORD_FILE names.',
      { env: 'ASTERISK_ARI_PASSWORD', secret: true },
    ),
    app_name: shapedText(
      'patchcord',
      (value) => /^[A-Za-z0-9_-]{1,64}$/.test(value),
      'letters, digits, - and _, at most 64',
      'The Stasis application: what the dialplan names in Stasis(…).',
    ),
    request_timeout_ms: milliseconds(
      2000,
      { min: 100, max: 60_000 },
      'Longest wait for the answer to one ARI request.',
    ),
    variables_timeout_ms: milliseconds(
      1000,
      { min: 50, max: 60_000 },
      'Longest wait for the channel variables of a caller, who hears ringing meanwhile; then the call goes on without them.',
    ),
    ping_interval_ms: milliseconds(
      10_000,
      { min: 500, max: 300_000 },
      'Pause between two pings on the event connection.',
    ),
    ping_timeout_ms: milliseconds(
      10_000,
      { min: 500, max: 300_000 },
      'Without an answer to a ping for so long, the event connection counts as dead and is made anew.',
    ),
    reconnect_max_ms: milliseconds(
      30_000,
      { min: 500, max: 600_000 },
      'Longest pause between two attempts to reach Asterisk; the pauses grow up to it.',
    ),
  },
  'The Asterisk that this engine serves.',
  { restart: true },
)

const word = (value: string) => value.trim() !== '' && value.length <= 60

const turnTaking = section(
  {
    start: choice(
      startPolicies,
      'model',
      "What makes speech over the agent's an interruption: model (its sound and, where there are any, its words: a cough or an mm-hm does not interrupt), vad (any voice of barge_in.min_ms), transcript (words other than those of a listener), min_words (so many words). While the agent is silent any speech begins a turn.",
    ),
    min_words: wholeNumber(2, { min: 1, max: 20, unit: 'words' }, 'With start: min_words: so many words interrupt.'),
    stop: choice(
      stopPolicies,
      'model',
      "What ends the caller's turn: model (a pause of min_silence_ms where the end-of-turn model says that they have finished, else of max_silence_ms), silence (a pause of vad.end_silence_ms), provider (the word of the provider's recogniser, where it has one; else vad.end_silence_ms). A provider that finds the turns itself always decides.",
    ),
    min_silence_ms: milliseconds(
      240,
      { min: 100, max: 5000 },
      'With stop: model: the shortest pause that ends a turn; the model is asked meanwhile.',
    ),
    max_silence_ms: milliseconds(
      1600,
      { min: 200, max: 10_000 },
      'With stop: model: the pause that ends a turn which the model takes for unfinished.',
    ),
    done_probability: decimalNumber(
      0.7,
      { min: 0.05, max: 0.95 },
      'With stop: model: from this probability on, the caller has finished. Higher waits more often, lower cuts callers off more often.',
    ),
    mute: textList(
      [],
      (value) => (mutePolicies as readonly string[]).includes(value),
      `one of ${mutePolicies.join(', ')}`,
      'When the caller is not listened to: greeting (until it has been heard), tool (while a tool runs), reply (while the agent speaks).',
    ),
    check_in_after_ms: milliseconds(
      10_000,
      { min: 0, max: 600_000 },
      'Silence of the caller, while it is their turn, after which the agent checks in; 0 never does.',
    ),
    check_ins: textList(
      ['Are you still there?', 'Hello? I am afraid I cannot hear you.'],
      word,
      'a text of at most 60 characters',
      'What the agent says, one after each such silence.',
    ),
    farewell: text('Goodbye.', 'What it says after one more silence, before it hangs up.', {
      emptyMeans: 'it hangs up without a word',
    }),
    farewell_max_ms: milliseconds(
      15_000,
      { min: 500, max: 60_000 },
      'Where the agent itself ends or transfers the call: its last words are heard in full, for so long at most.',
    ),
  },
  'Who has the floor: when the caller interrupts, when a turn is over, and what happens when nobody speaks.',
)

const bargeIn = section(
  {
    enabled: flag(true, 'The caller may interrupt the agent by speaking.'),
    min_ms: milliseconds(
      240,
      { min: 20, max: 5000 },
      'A voice of so long interrupts where its sound cannot be judged, or turn_taking.start is vad; shorter noise does not.',
    ),
    threshold: decimalNumber(
      0.6,
      { min: 0.05, max: 0.95 },
      'vad.threshold while the agent speaks: higher, for what comes back from a loudspeaker.',
    ),
    on_overlap: choice(
      ['duck', 'pause', 'none'],
      'duck',
      'What happens to the reply while it is not yet clear whether speech over it is an interruption: duck makes it softer and pauses it after pause_after_ms, pause holds it at once, none lets it go on. Where it is none, it goes on at the very frame where it stopped.',
    ),
    duck_db: decimalNumber(12, { min: 0, max: 40, unit: 'dB' }, 'How much softer a reply becomes.'),
    pause_after_ms: milliseconds(
      160,
      { min: 0, max: 2000 },
      'With on_overlap: duck: speech over the agent of so long, not yet judged, pauses the reply.',
    ),
    pause_max_ms: milliseconds(
      420,
      { min: 20, max: 5000 },
      'A reply that has been paused for so long without a verdict goes on, softly, until there is one.',
    ),
    initial_protection_ms: milliseconds(
      200,
      { min: 0, max: 10_000 },
      'At the start of each reply, no interruption for so long.',
    ),
    greeting_protection_ms: milliseconds(
      0,
      { min: 0, max: 60_000 },
      'At the start of the greeting, no interruption for so long.',
    ),
    post_tts_end_protection_ms: milliseconds(
      250,
      { min: 0, max: 5000 },
      "After a reply, speech that begins and ends within so long is no turn where it may be the agent's own echo.",
    ),
    cooldown_ms: milliseconds(500, { min: 0, max: 10_000 }, 'After an interruption, no other one for so long.'),
    echo_detection: flag(
      true,
      "Compares the caller's line with what was sent to it, so that the agent's own voice, back from a loudspeaker, neither interrupts nor answers.",
    ),
    confirm: flag(
      true,
      'Where the provider finds the turns itself: our own detector confirms or vetoes its interruptions; off, its word is enough.',
    ),
    backchannels: textList(
      [],
      word,
      'a text of at most 60 characters',
      "Words of listeners, beside those that are known of the call's language: they do not interrupt, and a reply that they broke off all the same is taken up again after them.",
    ),
  },
  'Whether and how the caller can interrupt.',
)

const vad = section(
  {
    threshold: decimalNumber(
      0.5,
      { min: 0.05, max: 0.95 },
      'From this probability on, a piece of audio counts as speech: higher ignores more noise, lower misses fewer quiet callers.',
    ),
    min_speech_ms: milliseconds(96, { min: 32, max: 2000 }, 'Speech of so long counts as having started.'),
    min_silence_ms: milliseconds(192, { min: 32, max: 5000 }, 'Silence of so long counts as a pause.'),
    end_silence_ms: milliseconds(
      700,
      { min: 100, max: 10_000 },
      "With turn_taking.stop: silence, and where the end-of-turn model cannot say: silence of so long ends the caller's turn, and the agent answers.",
    ),
    max_turn_ms: milliseconds(
      30_000,
      { min: 2000, max: 120_000 },
      'A turn that goes on for so long is cut and answered.',
    ),
    overlooked_voices: flag(
      true,
      'A sound that is no speech by threshold and that the judge of speech over the agent surely takes for a voice (a shout, a sung word, a hum) begins a turn as well, and interrupts where it is surely an interruption. Off, threshold alone decides.',
    ),
  },
  'When the caller speaks and when a turn is over.',
)

const llm = section(
  {
    initial_greeting: text(
      'Hello! You are speaking with an automated assistant. How can I help you?',
      'What the agent says first.',
      {
        emptyMeans: 'the agent waits for the caller to speak',
      },
    ),
    prompt: text(
      'You are a friendly voice assistant on the telephone. Answer in one or two short, plain spoken sentences, without lists, symbols or emoji.',
      'Who the agent is and how it behaves: the system message of every conversation.',
    ),
    apology: requiredText(
      "Sorry, I didn't get that. Could you say it again, please?",
      'What the caller hears when a turn could not be answered.',
    ),
  },
  'What every agent is told, whichever provider speaks.',
)

const drain = section(
  {
    timeout_seconds: wholeNumber(
      30,
      { min: 0, max: 3600, unit: 's' },
      'On SIGTERM running calls may go on for so long; then they are ended.',
    ),
  },
  'How the engine stops.',
)

const records = section(
  {
    file: text('', 'Where each call leaves its record, one JSON line.', {
      emptyMeans: 'patchcord/calls.jsonl in the state folder of the user',
    }),
  },
  'What is kept of a call.',
  { restart: true },
)

const models = section(
  {
    dir: text('', 'Where models are kept.', { emptyMeans: 'patchcord/models in the cache folder of the user' }),
  },
  'Local models.',
  { restart: true },
)

const health = section(
  {
    host: shapedText(
      '127.0.0.1',
      isHost,
      hostShape,
      'The address of /live, /ready, /health, /metrics and /api; on another than loopback, /api needs PATCHCORD_API_TOKEN.',
      { restart: true },
    ),
    port: port(15000, 'Their port.', { restart: true }),
    api: flag(
      true,
      'Whether /api is open. Closed, the port may be bound on any address without a token: for monitoring, and for audio that Asterisk fetches.',
    ),
    allowed_hosts: textList(
      [],
      isHost,
      hostShape,
      'Names by which /api may be asked, such as that of a reverse proxy, beside IP addresses, localhost, health.host and the name of this machine; under any other name in the header Host it answers 421.',
    ),
  },
  'The HTTP endpoints for operators.',
)

const logging = section(
  {
    level: choice(['debug', 'info', 'warn', 'error'], 'info', 'The least important lines that are still written.'),
    format: choice(['auto', 'json', 'pretty'], 'auto', 'auto is pretty on a terminal and json elsewhere.'),
    transcripts: flag(false, 'Write what callers and the agent say into the log. Off, no words are logged.'),
  },
  'The log, on standard error.',
)

/** The schema of the whole file, for these vendors. */
export function configurationSchema<const Vendors extends VendorSchemas>(vendors: Vendors) {
  return v.strictObject({
    default_provider: requiredText('local', 'The provider that answers a call: a name under providers.'),
    active_pipeline: text('', 'The pipeline that answers instead: a name under pipelines.', {
      emptyMeans: 'default_provider answers',
    }),
    audio_transport: choice(
      ['auto', ...transports],
      'auto',
      'How audio travels between Asterisk and the engine; auto takes what suits the version and modules of the Asterisk that answers.',
    ),
    downstream_mode: choice(
      ['stream', 'file'],
      'stream',
      "stream sends the agent's audio frame by frame; file lets Asterisk play each reply from a file when it is complete.",
    ),
    language: shapedText(
      'en',
      (value) => /^[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*$/.test(value),
      'a language tag such as en or de-AT',
      'The language that is spoken (BCP 47), told to the provider; the local models speak English only.',
    ),
    asterisk,
    audiosocket,
    external_media: externalMedia,
    media_websocket: mediaWebSocket,
    streaming,
    file_playback: filePlayback,
    turn_taking: turnTaking,
    barge_in: bargeIn,
    vad,
    llm,
    on_failure: onFailure,
    transfer,
    dtmf,
    providers: section(vendors, 'Each partner that can answer a call.'),
    pipelines: pipelinesSchema(vendors),
    agents,
    limits,
    prices,
    drain,
    records,
    models,
    health,
    logging,
  })
}

/** A checked configuration. Frozen: a call keeps the one it began with to its end. */
export type Configuration<Vendors extends VendorSchemas = VendorSchemas> = v.InferOutput<
  ReturnType<typeof configurationSchema<Vendors>>
>

/** What answers calls: the name of a pipeline or of a provider. */
export function answeringName(configuration: Pick<Configuration, 'active_pipeline' | 'default_provider'>): string {
  const { active_pipeline: pipeline, default_provider: provider } = configuration
  return pipeline === '' ? provider : pipeline
}
