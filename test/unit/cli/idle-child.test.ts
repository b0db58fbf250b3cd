import { afterAll, afterEach, describe, expect, test } from 'bun:test'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { getPriority, tmpdir } from 'node:os'
import { join } from 'node:path'
import { IdleChild } from '#cli/idle-child.ts'
import { ManualClock } from '../../fakes/manual-clock.ts'

const folder = mkdtempSync(join(tmpdir(), 'patchcord-idle-child-'))
const children: IdleChild[] = []

afterEach(async () => {
  await Promise.all(children.splice(0).map((child) => child.close()))
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

/** A child that answers as the body says, of `question` and the `nth` of its life. */
function childThat(body: string) {
  const script = join(folder, `${crypto.randomUUID()}.ts`)
  writeFileSync(
    script,
    `let nth = 0
for await (const line of console) {
  const question = JSON.parse(line)
  nth += 1
  const answer = (value: unknown) => process.stdout.write(JSON.stringify(value) + '\\n')
  ${body}
}`,
  )
  const clock = new ManualClock()
  const child = new IdleChild({ command: [process.execPath, '--no-env-file', script], env: {}, clock })
  children.push(child)
  return { child, clock }
}

/** The fields of proc(5) behind the name of the command: state is the first of them. */
function scheduling(pid: number) {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ').at(-1)?.split(' ') ?? []
  return { nice: Number(fields[16]), policy: Number(fields[38]) }
}

const policyIdle = 5

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await Bun.sleep(5)
}

describe('a child of idle priority', () => {
  test('is started by the first question and kept for the next', async () => {
    const { child } = childThat('answer([nth, process.pid])')
    expect(child.pid).toBeNull()
    const first = await child.ask<number[]>({})
    const pid = first.ok ? (first.value[1] ?? 0) : 0
    expect(first).toEqual({ ok: true, value: [1, pid] })
    expect(child.pid).toBe(pid)
    expect(await child.ask<number[]>({})).toEqual({ ok: true, value: [2, pid] })
  })

  test('answers each question with its own answer, in their order', async () => {
    const { child } = childThat('await Bun.sleep(question.sleepMs); answer(question.name)')
    const asked = ['a', 'b', 'c'].map((name, place) => child.ask<string>({ name, sleepMs: 20 - 10 * place }))
    expect(await Promise.all(asked)).toEqual(['a', 'b', 'c'].map((value) => ({ ok: true, value })))
  })

  test.if(process.platform === 'linux')('takes a core only where nothing else wants it', async () => {
    const { child } = childThat('answer(process.pid)')
    const pid = await child.ask<number>({})
    const { nice, policy } = scheduling(pid.ok ? pid.value : 0)
    // Where the C library or the container forbids the policy, it is the last of all shares.
    expect(policy === policyIdle || nice === 19).toBe(true)
  })

  test('ends when nothing has been asked for a minute, and the next question starts another', async () => {
    const { child, clock } = childThat('answer(process.pid)')
    const first = await child.ask<number>({})
    clock.advance(59_000)
    const again = await child.ask<number>({})
    expect(again).toEqual(first)
    clock.advance(59_000)
    expect(child.pid).not.toBeNull()
    clock.advance(1000)
    expect(child.pid).toBeNull()
    const other = await child.ask<number>({})
    expect(other.ok && first.ok && other.value !== first.value).toBe(true)
  })

  test('that no core is left for is replaced by one that gets a share', async () => {
    const { child, clock } = childThat('if (question.stuck !== process.pid) answer(process.pid)')
    const idle = await child.ask<number>({})
    const stuck = child.ask<number>({ stuck: idle.ok ? idle.value : 0 })
    await until(() => clock.pending === 1)
    clock.advance(1500)
    const answered = await stuck
    expect(answered.ok && idle.ok && answered.value !== idle.value).toBe(true)
    expect(await child.ask<number>({})).toEqual(answered)
  })

  test.if(process.platform === 'linux')('and that one is of the usual policy and a lower share', async () => {
    const script = childThat('if (question.free) answer(1)')
    const asked = script.child.ask<number>({})
    await until(() => script.child.pid !== null && script.clock.pending === 1)
    const idle = script.child.pid
    script.clock.advance(1500)
    await until(() => script.child.pid !== null && script.child.pid !== idle)
    expect(scheduling(script.child.pid ?? 0)).toEqual({ nice: Math.max(10, getPriority()), policy: 0 })
    script.clock.advance(10_000)
    expect(await asked).toEqual({ ok: false, error: 'its reader broke, or took longer than 10 seconds' })
  })

  test('that breaks at a question fails it, and the next is answered by another', async () => {
    const { child } = childThat('if (question.fatal) process.exit(1); answer(nth)')
    expect(await child.ask<number>({})).toEqual({ ok: true, value: 1 })
    const [broken, next] = await Promise.all([child.ask<number>({ fatal: true }), child.ask<number>({})])
    expect(broken).toMatchObject({ ok: false })
    expect(next).toEqual({ ok: true, value: 1 })
  })

  test('that says no JSON is ended', async () => {
    const { child } = childThat("process.stdout.write('no JSON\\n')")
    expect(await child.ask<number>({})).toMatchObject({ ok: false })
    expect(child.pid).toBeNull()
  })

  test('that cannot be started is a failure', async () => {
    const child = new IdleChild({ command: [join(folder, 'none')], env: {}, clock: new ManualClock() })
    expect(await child.ask<number>({})).toMatchObject({ ok: false })
  })

  test('has a limit to the questions that wait', async () => {
    const { child } = childThat('answer(nth)')
    const asked = await Promise.all(Array.from({ length: 17 }, () => child.ask<number>({})))
    expect(asked.filter(({ ok }) => ok)).toHaveLength(16)
    expect(asked[16]).toEqual({ ok: false, error: 'too many questions wait for its reader' })
    expect(await child.ask<number>({})).toEqual({ ok: true, value: 17 })
  })

  test('is gone when it is closed, whatever is asked', async () => {
    const { child, clock } = childThat('await Bun.sleep(60_000); answer(nth)')
    const asked = child.ask<number>({})
    await until(() => child.pid !== null)
    const { pid } = child
    await child.close()
    expect(await asked).toEqual({ ok: false, error: 'the engine is stopping' })
    expect(() => process.kill(pid ?? 0, 0)).toThrow()
    expect(await child.ask<number>({})).toEqual({ ok: false, error: 'the engine is stopping' })
    expect(clock.pending).toBe(0)
  })
})
