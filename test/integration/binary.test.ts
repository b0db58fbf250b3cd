import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { copyFileSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { decodeWav, encodeWav } from '#audio/wav.ts'
import { SystemClock } from '#base/clock.ts'
import { seededRandom } from '#base/random.ts'
import { AudioSocketCaller } from '#simulator/audiosocket-caller.ts'
import { BedEngine } from '../bed/engine.ts'

// The binary, copied alone into an empty folder: nothing of the repository is beside it.

const built = join(import.meta.dir, '..', '..', 'dist', 'patchcord')

describe('the binary alone in a folder', () => {
  let folder = ''
  let binary = ''

  const runHere = (...argv: string[]) => {
    const done = Bun.spawnSync([binary, ...argv], {
      cwd: folder,
      stdin: 'ignore',
      stdout: 'pipe',
      stderr: 'pipe',
      env: { PATH: '/usr/bin:/bin', HOME: folder },
    })
    return { code: done.exitCode, out: done.stdout.toString(), err: done.stderr.toString() }
  }

  beforeAll(() => {
    if (!existsSync(built)) throw new Error('dist/patchcord is missing: run just build')
    folder = mkdtempSync(join(tmpdir(), 'patchcord-binary-'))
    binary = join(folder, 'patchcord')
    copyFileSync(built, binary)
    // Traps of a foreign folder: each of them would show itself.
    writeFileSync(join(folder, 'bunfig.toml'), 'preload = ["./trap.ts"]\n')
    writeFileSync(
      join(folder, 'trap.ts'),
      `require('node:fs').writeFileSync(${JSON.stringify(join(folder, 'trapped'))}, '1')\n`,
    )
    writeFileSync(join(folder, '.env'), 'ASTERISK_HOST=trap.invalid\nASTERISK_ARI_PORT=not-a-port\n')
    writeFileSync(join(folder, 'package.json'), '{ "imports": { "#app": "./trap.ts" } }\n')
    writeFileSync(join(folder, 'tsconfig.json'), '{ "compilerOptions": { "paths": { "*": ["./trap.ts"] } } }\n')
  })

  afterAll(() => {
    expect(existsSync(join(folder, 'trapped'))).toBe(false)
    rmSync(folder, { recursive: true, force: true })
  })

  test('version is that of package.json', () => {
    const { version } = JSON.parse(readFileSync(join(import.meta.dir, '..', '..', 'package.json'), 'utf8')) as {
      version: string
    }
    expect(runHere('version')).toEqual({ code: 0, out: `${version}\n`, err: '' })
  })

  test('check accepts the built-in configuration, untouched by the .env beside it', () => {
    const checked = runHere('check', '--show')
    expect(checked.err).not.toContain('ERROR')
    expect(checked.code).toBe(0)
    expect(checked.out).not.toContain('trap.invalid')
  })

  test('check names line and cure of a broken file', () => {
    writeFileSync(join(folder, 'broken.yaml'), 'audiosocket:\n  prot: 8090\n')
    const checked = runHere('check', 'broken.yaml')
    expect(checked.code).toBe(1)
    expect(checked.err).toContain('broken.yaml:2:3')
    expect(checked.err).toContain('audiosocket.port')
  })

  test('run reads an env file only when told to', () => {
    writeFileSync(join(folder, 'mine.env'), 'ASTERISK_ARI_PORT=not-a-port\n')
    const run = runHere('run', '--env-file', 'mine.env')
    expect(run.code).toBe(2)
    expect(run.err).toContain('asterisk.port')
  })

  test('run takes a call with loopback, and dial gets its samples back bit for bit', async () => {
    const engine = await BedEngine.start({
      binary,
      provider: 'loopback',
      cwd: folder,
      yaml: 'providers:\n  local:\n    enabled: false\n',
    })
    try {
      const random = seededRandom(4)
      const samples = Int16Array.from({ length: 16000 }, () => Math.round((random.next() - 0.5) * 20000) || 1)
      writeFileSync(join(folder, 'in.wav'), encodeWav({ sampleRateHz: 8000, samples }))
      const dialled = runHere(
        'dial',
        '--wav',
        'in.wav',
        '--out',
        'heard.wav',
        '--json',
        '--port',
        String(engine.audioSocketPort),
        '--speak-after',
        '200',
      )
      expect(dialled.err).toBe('')
      expect(dialled.code).toBe(0)
      const timeline = JSON.parse(dialled.out) as Record<string, number | string>
      expect(timeline.ended_by).toBe('caller')
      const heard = decodeWav(readFileSync(join(folder, 'heard.wav')))
      if (!heard.ok) throw new Error(heard.error)
      const at = heard.value.samples.findIndex((sample) => sample !== 0)
      expect([...heard.value.samples.subarray(at, at + samples.length)]).toEqual([...samples])
      await engine.untilIdle()
    } finally {
      expect(await engine.stop()).toBe(0)
    }
  }, 60_000)

  test('it listens for speech by the model that is inside it', async () => {
    const engine = await BedEngine.start({ binary, cwd: folder })
    try {
      const caller = await AudioSocketCaller.connect({
        host: '127.0.0.1',
        port: engine.audioSocketPort,
        uuid: crypto.randomUUID(),
        sampleRateHz: 8000,
        clock: new SystemClock(),
        audio: () => {},
        ended: () => {},
      })
      // A window has 32 ms.
      await engine.until('50 windows judged', 10_000, async () => {
        return (await engine.metric('ai_agent_vad_windows_total')) > 50
      })
      caller.hangUp()
      await engine.untilIdle()
    } finally {
      expect(await engine.stop()).toBe(0)
    }
  }, 60_000)
})
