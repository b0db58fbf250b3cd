import { expect, test } from 'bun:test'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { Glob } from 'bun'
import { integrationBeside, stages } from '../../../scripts/test.ts'

const root = join(import.meta.dir, '..', '..', '..')
const files = [...new Glob('test/**/*.test.ts').scanSync(root)].sort()
const stagesOf = (file: string) =>
  stages.filter(({ run }) => {
    const paths = 'tests' in run ? run.tests.map((path) => path.replace(/^\.\//, '')) : []
    return paths.some((path) => file === path || file.startsWith(path.endsWith('/') ? path : `${path}/`))
  })

test('each file of tests is run, by one stage', () => {
  expect(files.length).toBeGreaterThan(300)
  expect(files.filter((file) => stagesOf(file).length !== 1)).toEqual([])
})

test('a file that starts an Asterisk or an engine runs on a core of its own', () => {
  const beside = files.filter((file) => stagesOf(file).some((stage) => stage.beside === true))
  const named = integrationBeside.map((name) => `test/integration/${name}.test.ts`)
  expect(beside.filter((file) => file.startsWith('test/integration/'))).toEqual(named)
  const playsCalls = /from '.*\/bed\/(asterisk|engine)\.ts'/
  const playing = beside.filter((file) => playsCalls.test(readFileSync(join(root, file), 'utf8')))
  expect(playing).toEqual([])
})
