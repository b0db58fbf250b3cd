import { expect, test } from 'bun:test'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { appendLines } from '#telemetry/line-file.ts'

test('what is no file is written to and not looked into: a pipe that somebody reads, a terminal, a device', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'patchcord-lines-'))
  try {
    const pipe = join(folder, 'pipe')
    expect(Bun.spawnSync(['mkfifo', pipe]).exitCode).toBe(0)
    const reader = Bun.spawn(['sh', '-c', 'exec 3<>"$1"; head -n 2 <&3', 'reader', pipe], { stdout: 'pipe' })
    await appendLines(pipe, 'one\n', true)
    await appendLines(pipe, 'two\n', false)
    expect(await new Response(reader.stdout).text()).toBe('one\ntwo\n')
    expect(await appendLines('/dev/null', 'one\n', true)).toBe(4)
    const file = join(folder, 'deep', 'file')
    await appendLines(file, 'one\n', true)
    expect(readFileSync(file, 'utf8')).toBe('one\n')
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}, 10_000)
