import { describe, expect, test } from 'bun:test'
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { loadConfiguration } from '#config/load.ts'
import { formatProblem } from '#config/problem.ts'
import { readConfigurationSource } from '#config/source.ts'
import { vendors } from './vendors.ts'

/**
 * Broken configurations and what a person who reads the file would answer. Line, column, key and cure were written
 * down from reading each fixture, not from what the code says.
 */
const folder = join(import.meta.dir, '../../fixtures/config')

interface Expected {
  readonly line: number
  readonly column?: number
  readonly key: string
  /** The name of the key, value or act that mends it must stand in the message. */
  readonly cure: RegExp
}

const table: Readonly<Record<string, readonly Expected[]>> = {
  'misspelt-key.yaml': [
    { line: 3, column: 3, key: 'streaming.min_strat_ms', cure: /Did you mean streaming\.min_start_ms\?/ },
  ],
  'wrong-section.yaml': [{ line: 4, column: 3, key: 'vad.cooldown_ms', cure: /belongs.*barge_in\.cooldown_ms/ }],
  'wrong-indentation.yaml': [{ line: 3, column: 3, key: 'asterisk.barge_in', cure: /top level.*indentation/ }],
  'wrong-type.yaml': [{ line: 4, column: 9, key: 'audiosocket.port', cure: /whole number.*without quotes: 8090/ }],
  'out-of-range.yaml': [
    { line: 2, column: 14, key: 'vad.threshold', cure: /from 0\.05 to 0\.95.*found the number 50/ },
  ],
  'unit-in-value.yaml': [{ line: 4, column: 20, key: 'drain.timeout_seconds', cure: /number alone, in s: 120\./ }],
  'number-for-text.yaml': [{ line: 2, column: 13, key: 'asterisk.username', cure: /quotes.*"1001"/ }],
  'yes-for-true.yaml': [{ line: 2, column: 16, key: 'logging.transcripts', cure: /true or false.*Write true\./ }],
  'unknown-choice.yaml': [
    { line: 2, column: 11, key: 'audiosocket.format', cure: /slin, slin16.*Did you mean slin16\?/ },
  ],
  'password-in-file.yaml': [{ line: 3, column: 13, key: 'asterisk.password', cure: /ASTERISK_ARI_PASSWORD_FILE/ }],
  'api-key-in-file.yaml': [{ line: 5, column: 7, key: 'providers.local.llm.api_key', cure: /api_key_env/ }],
  'missing-variable.yaml': [{ line: 2, column: 9, key: 'asterisk.host', cure: /Set PBX_HOST_THAT_NOBODY_SET.*:-/ }],
  'broken-reference.yaml': [{ line: 2, column: 21, key: 'llm.initial_greeting', cure: /no closing \}.*Close it/ }],
  'tab.yaml': [{ line: 3, key: '', cure: /replace the tab/i }],
  'duplicate-key.yaml': [{ line: 4, column: 3, key: 'end_silence_ms', cure: /twice.*keep one/i }],
  'unclosed-quote.yaml': [{ line: 2, column: 21, key: '', cure: /quote.*never closed/ }],
  'colon-in-text.yaml': [{ line: 2, column: 11, key: '', cure: /needs quotes/ }],
  'list-at-top.yaml': [{ line: 1, key: '', cure: /default_provider: local, found a list/ }],
  // Each alias stands for ten of the line above: 11, 121, 1,221, then 12,221 values: line 4 is past 10,000.
  'alias-bomb.yaml': [{ line: 4, key: '', cure: /10000 values.*write the values out/ }],
  'two-documents.yaml': [{ line: 2, column: 1, key: '', cure: /remove the line with ---/ }],
  'end-silence-too-short.yaml': [
    {
      line: 3,
      key: 'vad.end_silence_ms',
      cure: /end_silence_ms \(400\).*greater than vad\.min_silence_ms \(500\).*Raise/,
    },
  ],
  'port-clash.yaml': [
    { line: 2, key: 'audiosocket.port', cure: /audiosocket\.port and health\.port are both 9000.*Change one/ },
  ],
  'unknown-provider.yaml': [
    { line: 2, key: 'default_provider', cure: /local, openai_realtime, deepgram, loopback.*Did you mean local\?/ },
  ],
  'disabled-default.yaml': [
    { line: 1, key: 'default_provider', cure: /providers\.loopback\.enabled is false.*Enable it/ },
  ],
  'barge-in-too-quick.yaml': [
    { line: 2, key: 'barge_in.min_ms', cure: /at least vad\.min_speech_ms \(96\).*Raise barge_in\.min_ms/ },
  ],
  'silences-swapped.yaml': [
    {
      line: 3,
      key: 'turn_taking.min_silence_ms',
      cure: /min_silence_ms \(900\).*at most turn_taking\.max_silence_ms \(400\).*Raise/,
    },
  ],
  'unknown-mute.yaml': [
    { line: 4, column: 7, key: 'turn_taking.mute[2]', cure: /one of greeting, tool, reply.*"always"/ },
  ],
  'older-key.yaml': [{ line: 3, key: 'streaming.continuous_stream', cure: /not supported by this version: remove it/ }],
  'renamed-key.yaml': [
    { line: 3, key: 'external_media.rtp_host', cure: /called external_media\.host now/ },
    { line: 4, key: 'external_media.codec', cure: /called external_media\.format now/ },
  ],
  'bad-network.yaml': [
    { line: 4, column: 7, key: 'audiosocket.allow[2]', cure: /network such as 10\.0\.0\.0\/8.*10\.0\.0\.0\/33/ },
  ],
  'empty-value.yaml': [{ line: 2, key: 'health.port', cure: /found nothing.*default \(15000\)/ }],
  'url-without-scheme.yaml': [{ line: 4, column: 17, key: 'providers.local.llm.base_url', cure: /http or https URL/ }],
  'deadlines-swapped.yaml': [
    { line: 3, key: 'providers.local.llm', cure: /first_token_timeout_ms must not be greater than total_timeout_ms/ },
  ],
  'api-without-token.yaml': [
    {
      line: 4,
      column: 3,
      key: 'health.host',
      cure: /\(0\.0\.0\.0\).*no token is set.*Set PATCHCORD_API_TOKEN in the environment.*or set health\.api to false/,
    },
  ],
  // The default port of the audio server is 8090, and of the end of a turn 700 ms.
  'many-at-once.yaml': [
    { line: 1, key: 'defualt_provider', cure: /Did you mean default_provider\?/ },
    { line: 3, key: 'asterisk.port', cure: /whole number.*"eighty"/ },
    { line: 5, key: 'vad.end_silence_ms', cure: /\(700\).*vad\.min_silence_ms \(900\)/ },
    { line: 6, key: 'vad.silence', cure: /Did you mean .*silence_duration_ms\?/ },
    { line: 8, key: 'audiosocket.port', cure: /health\.port are both 8090/ },
  ],
}

function problemsOf(file: string) {
  const source = readConfigurationSource(folder, file)
  const loaded = source.ok ? loadConfiguration({ ...source.value, env: {}, vendors }) : source
  return loaded.ok ? [] : loaded.error
}

describe('each broken file is refused with line and cure', () => {
  test('the table and the folder hold the same files', () => {
    expect(new Set(readdirSync(folder))).toEqual(new Set(Object.keys(table)))
  })

  for (const [file, expected] of Object.entries(table)) {
    test(file, () => {
      const problems = problemsOf(file)
      expect(problems.map(({ line, key }) => ({ line, key }))).toEqual(expected.map(({ line, key }) => ({ line, key })))
      for (const [index, { line, column, cure }] of expected.entries()) {
        const problem = problems[index]
        const words = problem === undefined ? '' : formatProblem(problem)
        expect(words).toMatch(cure)
        expect(words).toStartWith(column === undefined ? `${file}:${line}:` : `${file}:${line}:${column}:`)
      }
    })
  }

  test('no message holds a secret that stood in the file', () => {
    const words = ['password-in-file.yaml', 'api-key-in-file.yaml'].flatMap(problemsOf).map(formatProblem).join('\n')
    expect(words).not.toContain('hunter2')
    expect(words).not.toContain('sk-this')
  })
})
