import { afterAll, beforeEach, describe, expect, test } from 'bun:test'
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { silentLog } from '#base/log.ts'
import { ProviderUseFile } from '#telemetry/provider-use-file.ts'

const folder = mkdtempSync(join(tmpdir(), 'patchcord-use-'))
const path = join(folder, 'state', 'provider-minutes.json')
afterAll(() => rmSync(folder, { recursive: true, force: true }))
beforeEach(() => rmSync(join(folder, 'state'), { recursive: true, force: true }))

const said: string[] = []
const log = {
  ...silentLog,
  warn: (message: string) => void said.push(message),
  error: (message: string) => void said.push(message),
}
const use = { day: '2026-01-02', usedMs: { deepgram: 61_000.4, local: 5 } }

describe('the minutes of providers', () => {
  test('are read again as they were kept, in whole milliseconds; nothing else is left in the folder', async () => {
    await new ProviderUseFile(path, log).save(use)
    expect(readFileSync(path, 'utf8')).toBe('{"day":"2026-01-02","used_ms":{"deepgram":61000,"local":5}}\n')
    expect(readdirSync(join(folder, 'state'))).toEqual(['provider-minutes.json'])
    const read = new ProviderUseFile(path, log).read()
    expect(read).toEqual({ day: '2026-01-02', usedMs: { deepgram: 61_000, local: 5 } })
  })

  test('are not written again as long as they have not changed', async () => {
    const file = new ProviderUseFile(path, log)
    await file.save(use)
    rmSync(path)
    await file.save(use)
    expect(readdirSync(join(folder, 'state'))).toEqual([])
  })

  test('are nobody’s at first, which is no news', () => {
    said.length = 0
    expect([new ProviderUseFile(path, log).read(), said]).toEqual([null, []])
  })

  test.each([
    [''],
    ['{"day":"2026-01-02","used_ms"'],
    ['null'],
    ['[]'],
    ['{"day":"today","used_ms":{}}'],
    ['{"day":"2026-01-02","used_ms":{"deepgram":-1}}'],
    ['{"day":"2026-01-02","used_ms":{"deepgram":"1"}}'],
    ['{"day":"2026-01-02","used_ms":[1]}'],
  ])('are counted anew where the file holds %p, which is said', async (text) => {
    await new ProviderUseFile(path, log).save(use)
    writeFileSync(path, text)
    said.length = 0
    const file = new ProviderUseFile(path, log)
    expect([file.read(), said]).toEqual([null, ['the minutes of providers are counted anew from now on']])
    await file.save(use)
    expect(new ProviderUseFile(path, log).read()?.day).toBe('2026-01-02')
  })

  test('that cannot be kept are told of once', async () => {
    writeFileSync(join(folder, 'file'), '')
    said.length = 0
    const file = new ProviderUseFile(join(folder, 'file', 'provider-minutes.json'), log)
    await file.save(use)
    await file.save({ ...use, usedMs: {} })
    expect(said).toEqual(['the minutes of providers cannot be kept'])
  })
})
