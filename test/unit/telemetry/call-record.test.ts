import { afterEach, beforeEach, describe, expect, test } from 'bun:test'
import { mkdirSync, mkdtempSync, readFileSync, rmdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { silentLog } from '#base/log.ts'
import { CallRecordFile, callRecord } from '#telemetry/call-record.ts'
import { LogFile } from '#telemetry/log-file.ts'
import { callFacts, turnRecord } from '../../fakes/call-facts.ts'

let folder = ''
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'patchcord-record-'))
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

describe('callRecord', () => {
  test('is one line: who, when, each turn with its times in whole milliseconds, how it ended', () => {
    const line = callRecord(callFacts(), true)
    expect(line).not.toContain('\n')
    expect(JSON.parse(line)).toEqual({
      call_id: 'call-id-7f3a',
      started_at: '2026-01-02T03:04:05.000Z',
      duration_ms: 61_001,
      session_ms: 60_000,
      tokens_known: false,
      usage: [],
      caller_number: '+4312345',
      caller_name: 'Ada',
      dialled: '100',
      agent: null,
      route: { rule: 'default', value: '', pattern: null },
      provider: 'local',
      chosen_by: {
        provider: 'default',
        greeting: 'default',
        prompt: 'default',
        language: 'default',
        voice: 'default',
        tools: 'default',
      },
      origin: 'ari',
      transport: 'audiosocket',
      cause: 'caller',
      steps_ms: { admitted: 0, greeting_started: 120 },
      turns: [
        {
          started_ms: 1000,
          speech_ms: 1501,
          endpointing_ms: 600,
          ended_by: 'model',
          stt_ms: 91,
          llm_first_token_ms: 200,
          response_ms: 850,
          engine_ms: 12,
          heard_ms: 1200,
          outcome: 'answered',
          caller_text: 'my secret words',
          agent_text: 'the answer to them',
        },
      ],
      turns_dropped: 0,
      spoken_characters: 320,
      barge_ins: 1,
      // Two backchannels, three noises, four echoes.
      false_interruptions: 9,
      overlaps: [{ started_ms: 4000, duration_ms: 480, paused_ms: 120, verdict: 'backchannel' }],
      faults: 3,
      incidents: [{ at_ms: 1200, code: 'timeout' }],
      dtmf_digits: 4,
      one_way: [],
      audio: {
        frames_in: 10,
        frames_out: 11,
        frames_refused: 2,
        underruns: 3,
        overruns: 4,
        fallbacks: 6,
        files_failed: 7,
        restarts: 8,
        low_frames: 9,
        depth_max_ms: 1235,
        drift_ms: -40,
        lost: 12,
        late: 13,
        duplicates: 14,
        reordered: 15,
        concealed: 16,
        detector_full: 5,
      },
    })
  })

  test('has no words where transcripts are off', () => {
    const line = callRecord(callFacts(), false)
    expect(line).not.toContain('secret')
    expect(line).not.toContain('answer to them')
    expect(line).not.toContain('_text')
    expect(line).toContain('"outcome":"answered"')
  })

  test('names what was found of one-way audio, in the order in which it was', () => {
    const line = callRecord(callFacts({ oneWay: ['no_caller_audio', 'agent_not_sent'] }), false)
    expect(JSON.parse(line)).toMatchObject({ one_way: ['no_caller_audio', 'agent_not_sent'] })
  })

  test('says null where a stage did not happen', () => {
    const turn = turnRecord({ speechMs: null, endpointingMs: null, responseMs: null, heardMs: null, stages: {} })
    expect(JSON.parse(callRecord(callFacts({ turns: [turn] }), false))).toMatchObject({
      turns: [{ speech_ms: null, endpointing_ms: null, response_ms: null, heard_ms: null }],
    })
  })
})

describe('CallRecordFile', () => {
  test('makes its folder, appends in order, and only its owner may read it', async () => {
    const path = join(folder, 'a', 'b', 'calls.jsonl')
    const file = new CallRecordFile(path, silentLog)
    for (const line of ['1', '2', '3']) file.append(line)
    await file.flushed()
    expect(readFileSync(path, 'utf8')).toBe('1\n2\n3\n')
    expect(statSync(path).mode & 0o777).toBe(0o600)
    expect([file.written, file.lost]).toEqual([3, 0])
  })

  test('half a line, as a full disk leaves it, costs no other record', async () => {
    const path = join(folder, 'calls.jsonl')
    writeFileSync(path, '1\n{"half')
    const file = new CallRecordFile(path, silentLog)
    for (const line of ['2', '3']) file.append(line)
    await file.flushed()
    expect(readFileSync(path, 'utf8')).toBe('1\n{"half\n2\n3\n')
  })

  test('a disk that fails costs records and is said once', async () => {
    writeFileSync(join(folder, 'file'), '')
    const errors: string[] = []
    const file = new CallRecordFile(join(folder, 'file', 'calls.jsonl'), { ...silentLog, error: (m) => errors.push(m) })
    file.append('1')
    file.append('2')
    await file.flushed()
    expect([file.written, file.lost, errors.length]).toEqual([0, 2, 1])
  })

  test('at most 1000 wait for a slow disk; beyond, they are lost and counted', async () => {
    const file = new CallRecordFile(join(folder, 'calls.jsonl'), silentLog)
    for (let line = 0; line < 1003; line += 1) file.append(String(line))
    expect(file.lost).toBe(3)
    await file.flushed()
    expect([file.written, file.lost]).toEqual([1000, 3])
    file.append('again')
    await file.flushed()
    expect(file.written).toBe(1001)
  })
})

describe('LogFile', () => {
  test('makes its folder and writes every line in order', async () => {
    const path = join(folder, 'state', 'engine.log')
    const file = new LogFile(path)
    for (let line = 0; line < 100; line += 1) file.append(`line ${line}`)
    await file.flushed()
    file.append('later')
    await file.flushed()
    const lines = readFileSync(path, 'utf8').split('\n')
    expect([lines.length, lines[0], lines[99], lines[100], file.dropped]).toEqual([
      102,
      'line 0',
      'line 99',
      'later',
      0,
    ])
    expect(statSync(path).mode & 0o777).toBe(0o600)
  })

  test('past 20 MB the file is set aside, once, and a new one begun', async () => {
    const path = join(folder, 'engine.log')
    writeFileSync(path, 'x'.repeat(20_000_001))
    const file = new LogFile(path)
    file.append('new')
    await file.flushed()
    expect([readFileSync(path, 'utf8'), statSync(`${path}.1`).size]).toEqual(['new\n', 20_000_001])
  })

  test('a disk that fails costs lines, and they are counted', async () => {
    writeFileSync(join(folder, 'file'), '')
    const file = new LogFile(join(folder, 'file', 'engine.log'))
    file.append('1')
    file.append('2')
    await file.flushed()
    expect(file.dropped).toBe(2)
  })

  test('what a failing disk has cost is told in the file once it is well, each line once', async () => {
    const path = join(folder, 'engine.log')
    mkdirSync(path)
    const file = new LogFile(path)
    for (const line of ['1', '2', '3']) {
      file.append(line)
      await file.flushed()
    }
    rmdirSync(path)
    writeFileSync(path, 'half a li')
    file.append('4')
    await file.flushed()
    const told = '{"level":"warn","message":"log lines lost","lines":3}'
    expect([readFileSync(path, 'utf8'), file.dropped]).toEqual([`half a li\n${told}\n4\n`, 3])
  })

  test('a million characters may wait, no more', () => {
    const file = new LogFile(join(folder, 'engine.log'))
    file.append('x'.repeat(1_000_001))
    file.append('one too many')
    expect(file.dropped).toBe(1)
    return file.flushed()
  })
})
