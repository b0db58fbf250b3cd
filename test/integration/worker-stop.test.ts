import { beforeAll, expect, test } from 'bun:test'
import { join } from 'node:path'
import { SystemClock } from '#base/clock.ts'
import { silentLog } from '#base/log.ts'
import { ModelStore, modelsFolder } from '#speech/model-store.ts'

/**
 * A worker that ends in the middle of a run of ONNX Runtime must not take the process with it: with the real models,
 * each part is closed while it computes. A worker that is terminated instead aborts most of these processes (134).
 */
const models = ['moonshine-tiny-en', 'piper-en-us-joe-medium', 'phonemizer']

beforeAll(async () => {
  const store = new ModelStore({
    folder: modelsFolder(process.env),
    clock: new SystemClock(),
    log: silentLog,
    env: process.env,
  })
  const fetched = await store.ensure(models, () => {})
  if (!fetched.ok) throw new Error(fetched.error.map((failure) => failure.message).join('\n'))
}, 300_000)

for (const [part, times] of [
  ['detection', 4],
  ['recognition', 3],
  ['voice', 2],
] as const) {
  test(`${part} closes while it computes, ${times} times`, async () => {
    const child = join(import.meta.dir, 'worker-stop-child.ts')
    for (let time = 0; time < times; time++) {
      const { exited } = Bun.spawn([process.execPath, '--no-env-file', child, part], {
        stdio: ['ignore', 'ignore', 'ignore'],
      })
      expect(await exited).toBe(0)
    }
  }, 30_000)
}
