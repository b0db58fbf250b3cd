import { afterEach, describe, expect, test } from 'bun:test'
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { SystemClock } from '#base/clock.ts'
import { silentLog } from '#base/log.ts'
import { seededRandom } from '#base/random.ts'
import { LlmProcess, type LlmProcessDependencies } from '#providers/local/llm-process.ts'
import { parseStart } from '#providers/local/llm-wire.ts'

/** Small scripts stand in for the child, so that dying and hanging can be played; `llm.test.ts` has the real one. */
const clock = new SystemClock()
const folder = mkdtempSync(join(tmpdir(), 'patchcord-llm-process-'))
const running: LlmProcess[] = []
afterEach(async () => {
  for (const process of running.splice(0)) await process.close()
})

function child(script: string, more: Partial<LlmProcessDependencies> = {}): LlmProcess {
  const started = new LlmProcess({
    clock,
    random: seededRandom(3),
    log: silentLog,
    command: (args) => [process.execPath, '-e', script, '--', ...args],
    env: { PATH: process.env.PATH, ASTERISK_ARI_PASSWORD: 'hunter2' },
    runtimeFolder: folder,
    modelFile: '/models/tiny.gguf',
    prompt: 'You are\na baker.',
    missing: () => Promise.resolve(null),
    ...more,
  })
  running.push(started)
  return started
}

async function until(condition: () => boolean): Promise<void> {
  for (let waited = 0; waited < 5000; waited += 10) {
    if (condition()) return
    await clock.sleep(10)
  }
  throw new Error('this did not happen within 5 s')
}

function alive(pid: number | undefined): boolean {
  try {
    return pid !== undefined && process.kill(pid, 0)
  } catch {
    return false
  }
}

const obedient = `console.log('a library greets'); console.log(JSON.stringify({ port: 4711 })); for await (const _ of Bun.stdin.stream()) {}`

describe('the child process', () => {
  test('becomes ready with its port, and ends when it is closed', async () => {
    const process = child(obedient)
    expect(process.readiness().ready).toBe(false)
    expect(process.baseUrl()).toBeUndefined()
    process.start()
    process.start()
    await until(() => process.readiness().ready)
    expect(process.baseUrl()).toBe('http://127.0.0.1:4711/v1')
    const pid = process.pid
    expect(alive(pid)).toBe(true)
    await process.close()
    await process.close()
    expect(alive(pid)).toBe(false)
    expect(process.baseUrl()).toBeUndefined()
    expect(process.readiness().ready).toBe(false)
  })

  test('gets its arguments and no secret', async () => {
    const seen = join(folder, 'seen.json')
    const process = child(
      `await Bun.write(${JSON.stringify(seen)}, JSON.stringify([process.argv.slice(1), process.env, process.cwd()])); ${obedient}`,
    )
    process.start()
    await until(() => process.readiness().ready)
    const text = readFileSync(seen, 'utf8')
    expect(text).toContain(
      JSON.stringify(['internal', 'llm', '--runtime', folder, '--model', '/models/tiny.gguf']).slice(1, -1),
    )
    expect(text).not.toContain('hunter2')
    expect(text).toContain(folder)
  })

  test('is told the prompt first, where no other user of the machine can read it', async () => {
    const heard = join(folder, 'heard')
    const process = child(
      `const line = (await Bun.stdin.stream().getReader().read()).value;
      await Bun.write(${JSON.stringify(heard)}, line); console.log('{"port":1}'); setInterval(() => {}, 1000)`,
    )
    process.start()
    await until(() => process.readiness().ready)
    const line = readFileSync(heard, 'utf8')
    expect(line).toBe('"You are\\na baker."\n')
    expect(parseStart(line)).toBe('You are\na baker.')
    if (globalThis.process.platform === 'linux')
      expect(readFileSync(`/proc/${process.pid}/cmdline`, 'utf8')).not.toContain('baker')
  })

  test('one that dies is started again, and is not ready meanwhile', async () => {
    const process = child(obedient)
    process.start()
    await until(() => process.readiness().ready)
    const first = process.pid
    globalThis.process.kill(first ?? 0, 'SIGKILL')
    await until(() => !process.readiness().ready)
    expect(process.baseUrl()).toBeUndefined()
    await until(() => process.readiness().ready)
    expect(process.pid).not.toBe(first)
  })

  test('one that fails at once is tried again with growing pauses, and its last words are the reason', async () => {
    const tries = join(folder, 'tries')
    writeFileSync(tries, '')
    const process = child(
      `require('fs').appendFileSync(${JSON.stringify(tries)}, 'x'); console.error('no such library'); process.exit(1)`,
    )
    process.start()
    await until(() => {
      const state = process.readiness()
      return !state.ready && state.reason.includes('no such library')
    })
    await until(() => readFileSync(tries, 'utf8').length >= 2)
    await clock.sleep(300)
    expect(readFileSync(tries, 'utf8').length).toBeLessThanOrEqual(4)
  })

  test('one that does not obey is killed', async () => {
    const process = child(
      `process.on('SIGTERM', () => {}); console.log(JSON.stringify({ port: 1 })); setInterval(() => {}, 1000)`,
    )
    process.start()
    await until(() => process.readiness().ready)
    const pid = process.pid
    const began = clock.now()
    await process.close()
    expect(clock.now() - began).toBeLessThan(3000)
    expect(alive(pid)).toBe(false)
  })

  test('closed while it starts: nothing is left', async () => {
    const process = child(`await Bun.sleep(5000); console.log('{"port":1}')`)
    process.start()
    await until(() => process.pid !== undefined)
    const pid = process.pid
    await process.close()
    expect(alive(pid)).toBe(false)
    expect(process.readiness().ready).toBe(false)
  })

  test('a store that cannot be read is a reason, and no end of looking', async () => {
    let readable = false
    const process = child(obedient, {
      missing: () => (readable ? Promise.resolve(null) : Promise.reject(new Error('EACCES'))),
    })
    process.start()
    await until(() => {
      const state = process.readiness()
      return !state.ready && state.reason.includes('EACCES')
    })
    readable = true
    await until(() => process.readiness().ready)
  })

  test('missing models are the reason, until they are there', async () => {
    let missing: string | null = 'models not ready: run "patchcord models"'
    const process = child(obedient, { missing: () => Promise.resolve(missing) })
    process.start()
    await until(() => {
      const state = process.readiness()
      return !state.ready && state.reason.includes('patchcord models')
    })
    expect(process.pid).toBeUndefined()
    missing = null
    await until(() => process.readiness().ready)
  })

  test('a command that does not exist is a reason, not an exception', async () => {
    const process = child('', { command: () => ['/no/such/program'] })
    process.start()
    await until(() => {
      const state = process.readiness()
      return !state.ready && state.reason.includes('cannot be started')
    })
  })
})
