import { join } from 'node:path'
import { cacheFolder } from '../../test/bed/asterisk-root.ts'
import { mustRun } from '../../test/bed/host.ts'

/** Runs a script beside this file, in a Python that has what `requirements.txt` names. */
export async function runPython(script: string, folder: string): Promise<void> {
  const environment = join(cacheFolder(), 'overlap-training')
  await mustRun(['python3', '-m', 'venv', environment])
  const own = join(environment, 'bin', 'python')
  const requirements = join(import.meta.dir, 'requirements.txt')
  await mustRun([own, '-m', 'pip', 'install', '--quiet', '--requirement', requirements])
  const child = Bun.spawn([own, join(import.meta.dir, script), folder], { stdout: 'inherit', stderr: 'inherit' })
  if ((await child.exited) !== 0) throw new Error(`${script} failed`)
}
