/**
 * Keys of the older system that this version doesn't have, so that whoever brings their file along is told what
 * became of each instead of "unknown key". A key moves out of here the day the engine honours it. A path ending in
 * `.*` stands for the section and all of it; the longest match wins.
 */
const notYet = 'It is not supported by this version: remove it'

const table: Readonly<Record<string, string>> = {
  'external_media.rtp_host': 'It is called external_media.host now.',
  'external_media.rtp_port': 'It is called external_media.port_min now.',
  'external_media.port_range': 'It is external_media.port_min and external_media.port_max now.',
  'external_media.codec': 'It is called external_media.format now.',
  'external_media.allowed_remote_hosts': 'It is called external_media.allow now.',
  'external_media.lock_remote_endpoint': 'It is called external_media.lock_remote now.',
  'external_media.direction': 'Audio always goes both ways: remove it.',
  'external_media.jitter_buffer_ms':
    'It is external_media.jitter_buffer_max_ms now, up to which the buffer grows by itself.',
  'contexts.*': `${notYet}; llm.prompt and llm.initial_greeting hold for every call.`,
  'profiles.*': `${notYet}; audiosocket.format, external_media.format and media_websocket.format set the rate of the wire.`,
  'tools.*':
    'providers.openai_realtime.tools, providers.deepgram.tools and the tools of a pipeline switch tools on, and transfer.destinations names places to transfer to.',
  'mcp.*': `${notYet}.`,
  'no_input.*': `${notYet}.`,
  config_version: 'The file has no version number: remove it.',
  farewell_hangup_delay_sec: `${notYet}.`,
  on_provider_failure: 'It is on_failure now, with context, extension and priority.',
  'asterisk.scheme': `${notYet}; ARI is reached over http.`,
  'asterisk.ssl_verify': `${notYet}; ARI is reached over http.`,
  'asterisk.ws_ping_interval_sec': 'It is called asterisk.ping_interval_ms now, in milliseconds.',
  'asterisk.ws_ping_timeout_sec': 'It is called asterisk.ping_timeout_ms now, in milliseconds.',
  'streaming.sample_rate': 'The rate follows from audiosocket.format: remove it.',
  'streaming.chunk_size_ms': 'Frames are always 20 ms, as Asterisk has them: remove it.',
  'streaming.connection_timeout_ms': `${notYet}; audiosocket.silent_peer_timeout_ms finds lost connections.`,
  'streaming.keepalive_interval_ms': 'AudioSocket needs none, since audio always flows: remove it.',
  'streaming.logging_level': 'There is one level for all: logging.level.',
  'streaming.normalizer.*': `${notYet}.`,
  'streaming.continuous_stream': `${notYet}.`,
  'streaming.egress_swap_mode': 'The byte order is fixed by the wire format: remove it.',
  'streaming.egress_force_mulaw': 'The wire format is audiosocket.format: remove it.',
  'streaming.greeting_rtp_wait_ms': 'The engine waits for the media itself: remove it.',
  'barge_in.energy_threshold':
    'Speech is told from noise by a model now, not by energy: vad.threshold is its sensitivity.',
  'barge_in.provider_fallback_enabled': `${notYet}.`,
  'barge_in.provider_output_suppress_ms': `${notYet}.`,
  'vad.webrtc_aggressiveness': 'Speech is told from noise by another model now: vad.threshold is its sensitivity.',
  'vad.webrtc_start_frames': 'It is called vad.min_speech_ms now, in milliseconds (a frame had 20).',
  'vad.webrtc_end_silence_frames': 'It is called vad.end_silence_ms now, in milliseconds (a frame had 20).',
  'vad.min_utterance_duration_ms': 'It is called vad.min_speech_ms now, and can be much shorter.',
  'vad.max_utterance_duration_ms': 'It is called vad.max_turn_ms now.',
  'vad.utterance_padding_ms': 'The beginning of speech is always kept: remove it.',
  'vad.energy_threshold': 'Speech is told from noise by a model now, not by energy: vad.threshold is its sensitivity.',
  'vad.confidence_threshold': 'It is called vad.threshold now.',
  'llm.model': 'The model belongs to its provider: providers.local.llm.model.',
  'llm.api_key': 'Keys are never in the file: providers.local.llm.api_key_env names the variable that holds the key.',
  'providers.openai_realtime.api_key':
    'Keys are never in the file: providers.openai_realtime.api_key_env names the variable that holds the key.',
  'providers.openai_realtime.organization':
    'Name it among providers.openai_realtime.headers: "OpenAI-Organization: org_…".',
  'providers.openai_realtime.project_id': 'Name it among providers.openai_realtime.headers: "OpenAI-Project: proj_…".',
  'providers.openai_realtime.instructions': 'It is llm.prompt now, for every provider.',
  'providers.openai_realtime.greeting': 'It is llm.initial_greeting now, for every provider.',
  'providers.openai_realtime.temperature': 'The server has no such setting any more: remove it.',
  'providers.openai_realtime.response_modalities': 'Replies are always audio: remove it.',
  'providers.openai_realtime.max_response_output_tokens': 'It is called max_output_tokens now.',
  'providers.openai_realtime.input_encoding': 'What travels is providers.openai_realtime.format.',
  'providers.openai_realtime.input_sample_rate_hz': 'What travels is providers.openai_realtime.format.',
  'providers.openai_realtime.provider_input_encoding': 'What travels is providers.openai_realtime.format.',
  'providers.openai_realtime.provider_input_sample_rate_hz': 'What travels is providers.openai_realtime.format.',
  'providers.openai_realtime.output_encoding': 'What travels is providers.openai_realtime.format.',
  'providers.openai_realtime.output_sample_rate_hz': 'What travels is providers.openai_realtime.format.',
  'providers.openai_realtime.target_encoding': 'The wire to Asterisk is the business of audio_transport: remove it.',
  'providers.openai_realtime.target_sample_rate_hz':
    'The wire to Asterisk is the business of audio_transport: remove it.',
  'providers.openai_realtime.egress_pacer_enabled': 'Replies are always paced: remove it.',
  'providers.openai_realtime.turn_detection.create_response': 'The engine sets it: remove it.',
  'providers.openai_realtime.turn_detection.interrupt_response': 'It follows from barge_in.confirm: remove it.',
  'providers.deepgram.api_key':
    'Keys are never in the file: providers.deepgram.api_key_env names the variable that holds the key.',
  'providers.deepgram.model': 'It is called providers.deepgram.listen.model now.',
  'providers.deepgram.tts_model': 'It is called providers.deepgram.speak.model now.',
  'providers.deepgram.instructions': 'It is llm.prompt now, for every provider.',
  'providers.deepgram.greeting': 'It is llm.initial_greeting now, for every provider.',
  'providers.deepgram.input_encoding': 'What travels, both ways, is providers.deepgram.encoding.',
  'providers.deepgram.output_encoding': 'What travels, both ways, is providers.deepgram.encoding.',
  'providers.deepgram.input_sample_rate_hz': 'It is always the rate of the wire to Asterisk: remove it.',
  'providers.deepgram.output_sample_rate_hz': 'It is always the rate of the wire to Asterisk: remove it.',
  'providers.deepgram.continuous_input': 'The agent always hears the caller: remove it.',
  'providers.deepgram.language': 'It is called providers.deepgram.listen.language now.',
  'providers.deepgram.keyterms': 'It is called providers.deepgram.listen.keyterms now.',
  'providers.deepgram.eot_threshold': 'It is called providers.deepgram.listen.eot_threshold now.',
  'providers.google_live.*': `${notYet}.`,
  'providers.elevenlabs_agent.*': `${notYet}.`,
  'providers.openai.*': 'It is providers.openai_compatible now, whose parts a pipeline takes.',
  'providers.ollama.*': 'Point providers.local.llm.base_url at it instead, for example http://127.0.0.1:11434/v1.',
  'providers.local.ws_url': 'The local models run inside the engine now: remove it.',
  'providers.local.stt_model': 'It is called providers.local.stt.model now.',
  'providers.local.llm_model': 'It is called providers.local.llm.model now.',
  'providers.local.tts_voice': 'It is called providers.local.tts.voice now.',
  'providers.local.temperature': 'It is called providers.local.llm.temperature now.',
  'providers.local.max_tokens': 'It is called providers.local.llm.max_tokens now.',
  'logging.show_tracebacks': `${notYet}.`,
}

/** What became of an older key; undefined for a key that never was. */
export function adviseOnOlderKey(path: readonly string[]): string | undefined {
  const key = path.join('.')
  if (Object.hasOwn(table, key)) return table[key]
  for (let length = path.length; length > 0; length -= 1) {
    const above = `${path.slice(0, length).join('.')}.*`
    if (Object.hasOwn(table, above)) return table[above]
  }
  return undefined
}
