import { describe, expect, test } from 'bun:test'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { patchcordResults } from '#call/admission.ts'
import { hangupCauses } from '#call/leg.ts'
import { endpoints } from '#http/api.ts'

// What the documents list must be what there is.

const root = join(import.meta.dir, '..', '..')
const read = (path: string) => readFileSync(join(root, path), 'utf8')

/** The first cells of the table under a heading, with the code marks taken off. */
function firstColumn(markdown: string, heading: string): string[] {
  const section = markdown.split(/^#+ /m).find((part) => part.startsWith(heading)) ?? ''
  const rows = section.split('\n').filter((line) => line.startsWith('|'))
  return rows.slice(2).map((row) => (row.split('|')[1] ?? '').trim().replaceAll('`', ''))
}

describe('the documents', () => {
  const readme = read('README.md')

  test('README lists every endpoint and no other', () => {
    expect(firstColumn(readme, 'Endpoints')).toEqual([...endpoints])
  })

  test('README lists every command of the binary', () => {
    const commands = [...read('src/main.ts').matchAll(/^ {4}case '([a-z]+)':$/gm)].map(([, name]) => name ?? '')
    const listed = [...readme.matchAll(/`patchcord ([a-z]+)`/g)].map(([, name]) => name ?? '')
    for (const command of commands.filter((name) => name !== 'internal' && name !== 'help')) {
      expect(listed).toContain(command)
    }
    for (const command of listed) expect(commands).toContain(command)
  })

  test('README lists every recipe of the justfile', () => {
    const recipes = [...read('justfile').matchAll(/^([a-z]+)(?: \*args)?:/gm)].map(([, name]) => name ?? '')
    const listed = firstColumn(readme, 'Commands').flatMap((cell) => cell.split(', '))
    for (const recipe of recipes.filter((name) => name !== 'default' && name !== 'install'))
      expect(listed).toContain(recipe)
    for (const recipe of listed.filter((name) => name !== '')) expect(recipes).toContain(recipe)
  })

  test('docs/asterisk.md has a row for each PATCHCORD_RESULT, and names each hangup cause', () => {
    const text = read('docs/asterisk.md')
    expect(firstColumn(text, 'PATCHCORD_RESULT')).toEqual([...patchcordResults])
    for (const cause of hangupCauses) expect(text).toContain(`\`${cause}\``)
  })

  test('every file that a document points to exists', () => {
    for (const document of [
      'README.md',
      'CONTRIBUTING.md',
      'docs/api.md',
      'docs/architecture.md',
      'docs/asterisk.md',
      'docs/audio.md',
      'docs/configuration.md',
      'docs/deepgram.md',
      'docs/limits.md',
      'docs/metrics.md',
      'docs/openai-realtime.md',
      'docs/turn-taking.md',
    ]) {
      const folder = document.includes('/') ? 'docs' : '.'
      for (const [, target = ''] of read(document).matchAll(/\]\((?!https?:)([^)#]+)\)/g)) {
        expect({ document, target, there: existing(join(root, folder, target)) }).toEqual({
          document,
          target,
          there: true,
        })
      }
    }
  })
})

function existing(path: string): boolean {
  return Bun.spawnSync(['test', '-e', path]).exitCode === 0
}
