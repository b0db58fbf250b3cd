import { expect, test } from 'bun:test'
import { join } from 'node:path'
import { editorSchema } from '#config/json-schema.ts'
import { configurationSchema } from '#config/schema.ts'
import { vendorSchemas } from '#providers/schemas.ts'

const main = join(import.meta.dir, '..', '..', '..', 'src', 'main.ts')

/** What comes out of a pipe of the shell, which holds 64 KiB, and how the command ended. */
async function piped(argv: string, reader: string): Promise<{ out: string; code: string }> {
  const script = `{ "$0" --no-env-file "$1" ${argv}; echo $? >&2; } | ${reader}`
  const child = Bun.spawn(['sh', '-c', script, process.execPath, main], {
    cwd: '/',
    stdin: 'ignore',
    stdout: 'pipe',
    stderr: 'pipe',
  })
  const [out, err] = await Promise.all([new Response(child.stdout).text(), new Response(child.stderr).text()])
  return { out, code: err.trim() }
}

test('all that a command prints comes out of a pipe, however late it is read', async () => {
  const whole = `${JSON.stringify(editorSchema(configurationSchema(vendorSchemas)), null, 2)}\n`
  expect(whole.length).toBeGreaterThan(2 * 65_536)
  const { out, code } = await piped('check --schema', '{ sleep 0.5; cat; }')
  expect({ length: out.length, code }).toEqual({ length: whole.length, code: '0' })
  expect(out).toBe(whole)
})

test('a reader that has seen enough keeps nobody', async () => {
  expect(await piped('check --schema', 'head -n 1')).toEqual({ out: '{\n', code: '0' })
})
