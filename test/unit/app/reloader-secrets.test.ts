import { describe, expect, test } from 'bun:test'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { FakeGenerations } from '../../fakes/generations.ts'

const deepgram = 'default_provider: deepgram'

describe('a reload', () => {
  test('learns a new secret from the environment, and shows none', async () => {
    const all = new FakeGenerations(deepgram)
    all.env = { DEEPGRAM_API_KEY: 'canary-1' }
    await all.reloader.reload('api')
    const first = all.current.provider
    all.env = { DEEPGRAM_API_KEY: 'canary-2' }
    const answer = await all.reloader.reload('api')
    expect(answer).toMatchObject({
      outcome: 'changed',
      changes: [{ key: 'DEEPGRAM_API_KEY (secret)', from: '********', to: '********' }],
    })
    expect(all.current.provider).not.toBe(first)
    expect(JSON.stringify([answer, all.lines])).not.toContain('canary')
  })

  test('learns what a file of a secret holds now, and makes anew what uses it', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'patchcord-rotated-'))
    const rotate = (name: string, content: string) => writeFileSync(join(folder, name), content)
    rotate('deepgram', 'canary-1')
    rotate('token', 'canary-2')
    const all = new FakeGenerations(`${deepgram}\nproviders: {openai_realtime: {enabled: true}}`)
    all.env = {
      DEEPGRAM_API_KEY_FILE: join(folder, 'deepgram'),
      PATCHCORD_API_TOKEN_FILE: join(folder, 'token'),
    }
    await all.reloader.reload('api')
    const { deepgram: first, openai_realtime: other } = all.current.providers
    expect(await all.reloader.reload('api')).toMatchObject({ outcome: 'unchanged' })
    rotate('deepgram', 'canary-3')
    const told = (name: string) => ({ key: `${name} (secret)`, from: '********', to: '********', restart: false })
    const answer = await all.reloader.reload('api')
    expect(answer).toMatchObject({ outcome: 'changed', changes: [told('DEEPGRAM_API_KEY')] })
    expect(all.current.providers.deepgram).not.toBe(first)
    expect(all.current.providers.openai_realtime).toBe(other)
    // Said once.
    expect(await all.reloader.reload('api')).toMatchObject({ outcome: 'unchanged' })
    rotate('token', 'canary-4')
    const second = await all.reloader.reload('api')
    expect(second).toMatchObject({ outcome: 'changed', changes: [told('PATCHCORD_API_TOKEN')] })
    expect(JSON.stringify([answer, second, all.lines])).not.toContain('canary')
    rmSync(folder, { recursive: true })
  })
})
