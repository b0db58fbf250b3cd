import { describe, expect, test } from 'bun:test'
import { join } from 'node:path'
import { rehearsal, sentences } from '../../../scripts/standin/rehearsal.ts'
import { DeepgramClient, settings } from './deepgram/deepgram-client.ts'
import { open, RealtimeClient } from './realtime-client.ts'

const script = join(import.meta.dir, '../../../scripts/standin.ts')

function standin(...args: string[]) {
  return Bun.spawn([process.execPath, '--no-env-file', script, ...args], {
    stdout: 'pipe',
    stderr: 'pipe',
    stdin: 'ignore',
  })
}

async function ended(...args: string[]) {
  const child = standin(...args)
  const [out, error] = await Promise.all([new Response(child.stdout).text(), new Response(child.stderr).text()])
  return { code: await child.exited, out, error }
}

describe('just standin', () => {
  test('runs, says how to be used, tells what happens, and ends when it is asked to', async () => {
    const child = standin(
      'openai',
      '--port',
      '0',
      '--voice',
      'tones',
      '--reply-ms',
      '200',
      '--delay',
      '0',
      '--key',
      'right',
    )
    let out = ''
    const reading = (async () => {
      for await (const chunk of child.stdout) out += new TextDecoder().decode(chunk)
    })()
    while (!out.includes('api_key_env')) await Bun.sleep(5)
    const base = /base_url: http:\/\/(127\.0\.0\.1:\d+\/v1)/.exec(out)?.[1]
    const url = `ws://${base}/realtime?model=gpt-realtime`
    const refused = new RealtimeClient(url, { authorization: 'Bearer wrong' })
    expect((await refused.closed).code).toBe(1006)
    const client = new RealtimeClient(url, { authorization: 'Bearer right' })
    await client.next('session.created')
    client.send({ type: 'response.create', response: { instructions: 'Greet.' } })
    expect((await client.next('response.done')).response.output[0].content[0].transcript).toBe(sentences[0])
    client.send({ type: 'response.cancel' })
    await client.next('error')
    child.kill('SIGTERM')
    expect((await client.closed).code).not.toBe(1000)
    expect(await child.exited).toBe(0)
    await reading
    expect(out).toContain('begins, model gpt-realtime')
    expect(out).toContain('a reply has ended: completed')
    expect(out).toContain('error response_cancel_not_active')
  })

  test('runs for Deepgram, too', async () => {
    const child = standin('deepgram', '--port', '0', '--voice', 'tones', '--reply-ms', '200', '--delay', '0')
    let out = ''
    const reading = (async () => {
      for await (const chunk of child.stdout) out += new TextDecoder().decode(chunk)
    })()
    while (!out.includes('api_key_env')) await Bun.sleep(5)
    const client = new DeepgramClient(/ws_url: (\S+)/.exec(out)?.[1] ?? '')
    await client.next('Welcome')
    client.send(settings({ greeting: 'Hello.' }))
    await client.next('AgentAudioDone')
    client.send({ type: 'InjectUserMessage', content: 'Hello.' })
    expect((await client.next('ConversationText')).role).toBe('user')
    expect((await client.next('ConversationText')).content).toStartWith('I have heard you.')
    client.send(settings())
    await client.next('Error')
    child.kill('SIGTERM')
    expect(await child.exited).toBe(0)
    await reading
    for (const line of ['begins: agent', 'a reply has ended', 'agent error SETTINGS_ALREADY_APPLIED'])
      expect(out).toContain(line)
  })

  test('prints its help', async () => {
    const { code, out } = await ended('--help')
    expect(code).toBe(0)
    expect(out).toContain('just standin openai')
  })

  const wrong: [string[], string][] = [
    [[], 'which stand-in?'],
    [['somebody'], 'there is no stand-in "somebody"'],
    [['openai', '--fault', 'boredom'], '--fault is one of bad_key'],
    [['openai', '--port', '70000'], '--port is a whole number from 0 to 65535'],
    [['openai', '--pace', 'fast'], '--pace is a number from 0 to 1000'],
    [['openai', '--format', 'mp3'], '--format is pcm24, pcmu or pcma'],
    [['openai', '--frobnicate'], 'Unknown option'],
    [['deepgram', '--azure'], 'Unknown option'],
    [['deepgram', '--fault', 'unknown_model'], '--fault is one of bad_key'],
  ]
  for (const [args, message] of wrong) {
    test(`refuses: ${args.join(' ') || 'nothing'}`, async () => {
      const { code, error } = await ended(...args)
      expect(error).toContain(message)
      expect([code, /^ +at /m.test(error)]).toEqual([2, false])
    })
  }
})

describe('a rehearsal', () => {
  const options = { voice: null, replyMs: 20, fault: null, faultAt: 2 }

  test('ends with a goodbye and the tool for it, where the session has one', async () => {
    await using world = await open({ replies: rehearsal(options) })
    const { client } = world
    const tools = [{ type: 'function', name: 'terminate_call' }]
    client.send({ type: 'session.update', session: { type: 'realtime', tools } })
    const said: string[] = []
    for (let reply = 0; reply < 6; reply += 1) {
      client.send({ type: 'response.create' })
      said.push((await client.next('response.done')).response.output[0].content[0].transcript)
    }
    expect([said[0], said[5]]).toEqual([sentences[0], sentences[4]])
    expect(new Set(said.slice(1, 5)).size).toBe(3)
    expect(client.of('response.function_call_arguments.done')).toMatchObject([{ name: 'terminate_call' }])
  })

  test('goes on for ever without the tool, and has its fault where it was asked for', async () => {
    await using world = await open({ replies: rehearsal({ ...options, fault: { kind: 'failed' } }) })
    const { client } = world
    const statuses: string[] = []
    for (let reply = 0; reply < 7; reply += 1) {
      client.send({ type: 'response.create' })
      statuses.push((await client.next('response.done')).response.status)
    }
    expect(statuses.map((status) => status === 'failed')).toEqual([false, true, false, false, false, false, false])
    expect(client.of('response.function_call_arguments.done')).toEqual([])
  })
})
