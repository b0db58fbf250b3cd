import { expect, test } from 'bun:test'
import { fetchAsterisk } from '../../../scripts/test.ts'

const saying = (script: string) => fetchAsterisk([process.execPath, '--no-env-file', '-e', script])

test('a fetch that went well has nothing to say, whatever it printed', async () => {
  expect(await saying('console.log("unpacking"); console.error("warning: slow")')).toBeNull()
})

test('one that failed says how it ended, and the last lines of both its outputs', async () => {
  const said = await saying(
    'for (let n = 1; n <= 20; n += 1) console.log(`step ${n}`); console.error("no route to the mirror"); process.exit(3)',
  )
  expect(said).toStartWith('Asterisk was not fetched: ')
  expect(said?.split('\n').slice(1)).toEqual([
    ...Array.from({ length: 8 }, (_, index) => `    step ${index + 13}`),
    '    no route to the mirror',
  ])
  expect(said).toContain('ended with 3')
})
