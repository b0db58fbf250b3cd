import { describe, expect, test } from 'bun:test'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { modelRegistry, parseRegistry } from '#speech/model-registry.ts'

const root = join(import.meta.dir, '..', '..', '..')

const file = {
  path: 'a.onnx',
  bytes: 3,
  sha256: 'a'.repeat(64),
  sources: [{ type: 'https', url: 'https://example.com/a.onnx' }],
}
const entry = { id: 'm', kind: 'files', role: 'stt', title: 'M', licence: 'MIT', notes: 'n', files: [file] }

describe('the registry', () => {
  test('the file in the repository is what its entry says', () => {
    const vad = modelRegistry.find((candidate) => candidate.role === 'vad')
    const bytes = readFileSync(join(root, 'models', 'silero_vad.onnx'))
    const expected = vad?.kind === 'embedded' ? vad.files[0] : undefined
    expect(expected?.bytes).toBe(bytes.length)
    expect(expected?.sha256).toBe(new Bun.CryptoHasher('sha256').update(bytes).digest('hex'))
  })

  test('each role that the local providers need has a model', () => {
    const roles = modelRegistry.map((candidate) => candidate.role)
    for (const role of ['vad', 'end_of_turn', 'stt', 'tts', 'phonemizer', 'llm', 'llm_runtime'] as const)
      expect(roles).toContain(role)
  })

  test('the joe voice names both data sets', () => {
    const voice = modelRegistry.find((candidate) => candidate.role === 'tts')
    expect(voice?.notes).toContain('CC0')
    expect(voice?.notes).toContain('lessac')
  })

  test('the lockfile of the language model runtime names no registry and no graphics code', () => {
    const lock = readFileSync(join(root, 'models', 'llm-runtime', 'bun.lock'), 'utf8')
    expect(lock).not.toMatch(/https?:\/\//)
    const wanted = readFileSync(join(root, 'models', 'llm-runtime', 'package.json'), 'utf8')
    expect(wanted).not.toMatch(/cuda|vulkan/)
    // Every package is pinned by its content.
    const packages = lock.slice(lock.indexOf('"packages"')).match(/^ {4}"[^"]+": \[/gm) ?? []
    expect(packages.length).toBeGreaterThan(50)
    expect(lock.match(/"sha512-[A-Za-z0-9+/=]{88}"/g)?.length).toBe(packages.length)
  })

  test('GPL code is fetched, never embedded', () => {
    for (const model of modelRegistry) if (model.kind === 'embedded') expect(model.licence).not.toContain('GPL')
  })
})

describe('parseRegistry', () => {
  test('takes what is well formed', () => {
    expect(parseRegistry({ models: [entry] })[0]?.id).toBe('m')
  })

  const broken: [string, unknown, string][] = [
    ['a hash that was cut short', { ...entry, files: [{ ...file, sha256: 'abc' }] }, 'sha256'],
    ['a path that leaves the store', { ...entry, files: [{ ...file, path: '../../etc/passwd' }] }, 'leaves its folder'],
    ['an id that leaves the store', { ...entry, id: '../x' }, 'folder name'],
    ['a file without a source', { ...entry, files: [{ ...file, sources: [] }] }, 'no source'],
    [
      'plain http',
      { ...entry, files: [{ ...file, sources: [{ type: 'https', url: 'http://example.com' }] }] },
      'https://',
    ],
    ['an unknown role', { ...entry, role: 'cook' }, 'cook'],
    ['a size of nothing', { ...entry, files: [{ ...file, bytes: 0 }] }, 'bytes'],
  ]
  for (const [name, value, message] of broken) {
    test(`refuses ${name}, and says where`, () => {
      expect(() => parseRegistry({ models: [value] })).toThrow(message)
    })
  }

  test('refuses two models of one name', () => {
    expect(() => parseRegistry({ models: [entry, entry] })).toThrow('share an id')
  })
})
