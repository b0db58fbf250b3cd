import { describe, expect, test } from 'bun:test'
import { mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { modelsFolder } from '#speech/model-store.ts'
import { startAsterisk } from '../bed/asterisk.ts'
import { BedEngine } from '../bed/engine.ts'
import { freeTcpPort } from '../bed/ports.ts'

// The commands as a person runs them: words in, lines and an exit code out.

const root = join(import.meta.dir, '..', '..')
const mainFile = join(root, 'src', 'main.ts')
const folder = mkdtempSync(join(tmpdir(), 'patchcord-commands-'))

function patchcord(...argv: string[]) {
  return patchcordWith({}, ...argv)
}

async function patchcordWith(
  env: Record<string, string>,
  ...argv: string[]
): Promise<{ code: number; out: string; err: string }> {
  const child = Bun.spawn([process.execPath, '--no-env-file', mainFile, ...argv], {
    cwd: folder,
    env: { ...process.env, ...env },
    stdin: 'ignore',
    stdout: 'pipe',
    stderr: 'pipe',
  })
  const [out, err, code] = await Promise.all([
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
    child.exited,
  ])
  return { code, out, err }
}

describe('the commands', () => {
  test.each(['run', 'check', 'models', 'dial', 'demo', 'health', 'reload', 'provider'])(
    '%s --help explains itself; an unknown option is refused',
    async (command) => {
      const help = await patchcord(command, '--help')
      expect([help.code, help.err]).toEqual([0, ''])
      expect(help.out).toContain(command)
      expect(help.out).toContain('--help')
      const wrong = await patchcord(command, '--no-such-option')
      expect(wrong.code).toBe(2)
      expect(wrong.err).toContain('--no-such-option')
    },
  )

  test('no command and an unknown one say what there is', async () => {
    expect((await patchcord()).code).toBe(2)
    const wrong = await patchcord('rnu')
    expect([wrong.code, wrong.err.includes('rnu'), wrong.err.includes('run ')]).toEqual([2, true, true])
  })

  test('health and dial say so when no engine answers', async () => {
    const port = String(await freeTcpPort())
    const health = await patchcord('health', '--url', `http://127.0.0.1:${port}`)
    expect([health.code, health.err.includes('is it running?')]).toEqual([1, true])
    const dial = await patchcord('dial', '--port', port)
    expect([dial.code, dial.err.includes('is it running?')]).toEqual([1, true])
  })

  test('dial names what is wrong with a file to say', async () => {
    writeFileSync(join(folder, 'text.wav'), 'no sound')
    const dial = await patchcord('dial', '--wav', 'text.wav')
    expect([dial.code, dial.err.includes('text.wav'), dial.err.includes('16-bit PCM WAV')]).toEqual([2, true, true])
  })

  test('a port that is taken is named, and the engine leaves', async () => {
    const engine = await BedEngine.start({ provider: 'loopback', yaml: 'providers:\n  local:\n    enabled: false\n' })
    try {
      writeFileSync(
        join(folder, 'same.yaml'),
        `audiosocket:\n  port: ${engine.audioSocketPort}\nhealth:\n  port: 0\ndefault_provider: loopback\n`,
      )
      const second = await patchcord('run', '--config', 'same.yaml')
      expect([second.code, second.err.includes(`127.0.0.1:${engine.audioSocketPort}`)]).toEqual([1, true])
      const health = await patchcord('health', '--live', '--url', engine.httpUrl)
      expect([health.code, health.out]).toEqual([0, 'live\n'])
    } finally {
      await engine.stop()
    }
  }, 30_000)

  test('demo does the whole way in one go: what was understood, what was answered, where the recording lies', async () => {
    const demo = await patchcord('demo', '--out', 'demo.wav')
    expect(demo.code).toBe(0)
    expect(demo.out).toMatch(/caller +It was the best of times/)
    expect(demo.out).toMatch(/agent +\w+/)
    expect(demo.out).toContain(join(folder, 'demo.wav'))
    expect(await Bun.file(join(folder, 'demo.wav')).exists()).toBe(true)
  }, 90_000)

  test('models lists what is there, and a second run ends at once', async () => {
    const models = await patchcord('models')
    expect(models.code).toBe(0)
    for (const id of ['silero-vad', 'moonshine-tiny-en', 'phonemizer']) expect(models.out).toContain(id)
    expect(models.out).not.toContain('missing')
  }, 120_000)

  test('a store that lacks only the sample speech is good enough to start; one that lacks a model is not', async () => {
    const partial = mkdtempSync(join(tmpdir(), 'patchcord-partial-'))
    const store = modelsFolder(process.env)
    const all = readdirSync(store).filter((name) => !name.startsWith('.') && name !== 'two-cities')
    for (const name of all) symlinkSync(join(store, name), join(partial, name))
    // No pip on the path, and no such source on the web.
    const models = () => patchcordWith({ PATH: '/nonexistent' }, 'models', '--dir', partial)
    expect((await models()).code).toBe(0)
    rmSync(join(partial, 'moonshine-tiny-en'))
    const lacking = await models()
    expect([lacking.code, lacking.err.includes('moonshine-tiny-en')]).toEqual([1, true])
  }, 60_000)
})

describe('two engines with one Stasis application', () => {
  test('the first says that it was taken over, and serves again when the second has left', async () => {
    const asterisk = await startAsterisk()
    const yaml = 'providers:\n  local:\n    enabled: false\n'
    const first = await BedEngine.start({ asterisk: asterisk.ari, provider: 'loopback', yaml })
    const second = await BedEngine.start({ asterisk: asterisk.ari, provider: 'loopback', yaml })
    try {
      await first.until('told', 5000, async () => !(await first.health()).ari_connected)
      expect(JSON.stringify((await first.health()).reasons)).toContain('another engine')
      expect(await first.get('/ready')).toBe(503)
      await second.stop()
      await first.until('back', 15_000, async () => (await first.health()).ari_connected)
      const call = await asterisk.call({ extension: '100', waitAfterMs: 300 })
      await call.ended
      await first.untilIdle()
      expect(first.records().length).toBe(1)
    } finally {
      await first.stop()
      if (second.running) await second.stop()
      await asterisk.stop()
    }
  }, 60_000)
})
