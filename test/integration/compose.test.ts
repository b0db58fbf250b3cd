import { expect, test } from 'bun:test'
import { join } from 'node:path'
import { chrootRun, ensurePackages } from '../bed/asterisk-root.ts'
import { run } from '../bed/host.ts'

const root = join(import.meta.dir, '..', '..')

/** Docker's own plug-in where there is one; else the same program out of the test bed's Debian. No engine is needed. */
async function composeConfig(): Promise<{
  readonly exitCode: number
  readonly stdout: string
  readonly stderr: string
}> {
  const plugin = await run(['docker', 'compose', 'version']).catch(() => null)
  if (plugin?.exitCode === 0)
    return await run(['docker', 'compose', '-f', join(root, 'compose.yaml'), 'config', '--format', 'json'])
  await ensurePackages(['docker-compose'])
  return await chrootRun(
    [
      'docker-compose',
      '--project-directory',
      '/instance',
      '-f',
      '/instance/compose.yaml',
      'config',
      '--format',
      'json',
    ],
    [{ from: root, to: '/instance' }],
  )
}

test('docker compose accepts compose.yaml, and what it makes of it is what the README says', async () => {
  const { exitCode, stdout, stderr } = await composeConfig()
  expect({ exitCode, stderr: exitCode === 0 ? '' : stderr }).toEqual({ exitCode: 0, stderr: '' })
  const config = JSON.parse(stdout) as {
    services: Record<string, { command: string[]; network_mode: string; environment: Record<string, string> }>
  }
  const service = config.services.patchcord
  expect(service?.network_mode).toBe('host')
  expect(service?.command).toContain('run')
  expect(Object.keys(service?.environment ?? {})).toContain('ASTERISK_ARI_PASSWORD')
}, 120_000)
