import { describe, expect, test } from 'bun:test'
import { deepgramSchemas, schemaFile, socketNames } from '../../../../scripts/deepgram-schema.ts'
import { readClientMessage, serverMessageFault } from '../../../standin/deepgram/client-message.ts'
import { settings } from './deepgram-client.ts'

/** Where two values differ, as paths: what a new version of the package has changed. */
function differences(one: unknown, other: unknown, path = ''): string[] {
  if (Object.is(one, other)) return []
  if (typeof one !== 'object' || typeof other !== 'object' || one === null || other === null) return [path]
  const names = new Set([...Object.keys(one), ...Object.keys(other)])
  return [...names].flatMap((name) => differences(Reflect.get(one, name), Reflect.get(other, name), `${path}/${name}`))
}

describe('the schemas of the official types', () => {
  test('are those of the package that is installed: else run bun scripts/deepgram-schema.ts, and read the difference', async () => {
    const made = await deepgramSchemas()
    for (const name of socketNames) {
      for (const side of ['client', 'server'] as const) {
        const committed: unknown = await Bun.file(schemaFile(name, side)).json()
        expect([name, side, differences(committed, made[name][side])]).toEqual([name, side, []])
      }
    }
  })

  test('hold a message for each that the protocol page names', async () => {
    const { agent, 'listen-v1': listen, 'listen-v2': flux, 'speak-v1': speak } = await deepgramSchemas()
    expect(Object.keys(agent.client.events)).toEqual([
      'ForceEndTurn',
      'FunctionCallResponse',
      'InjectAgentMessage',
      'InjectUserMessage',
      'KeepAlive',
      'Settings',
      'UpdateListen',
      'UpdatePrompt',
      'UpdateSpeak',
      'UpdateThink',
    ])
    expect(Object.keys(listen.client.events)).toEqual(['CloseStream', 'Finalize', 'KeepAlive'])
    expect(Object.keys(flux.client.events)).toEqual(['CloseStream', 'Configure', 'ForceEndTurn'])
    expect(Object.keys(speak.client.events)).toEqual(['Clear', 'Close', 'Flush', 'Speak'])
  })

  test('refuse a message of the server’s that has another name, another member or lacks one', () => {
    expect(serverMessageFault('agent', { type: 'Error', code: 'X', description: 'y' })).toBeNull()
    expect(serverMessageFault('agent', { type: 'Failure' })?.path).toBe('type')
    expect(serverMessageFault('agent', { type: 'Error', code: 'X' })?.kind).toBe('missing')
    expect(serverMessageFault('speak', { type: 'Flushed', sequence_id: 0, more: 1 })?.kind).toBe('unknown')
    expect(serverMessageFault('agent', { type: 'constructor' })?.path).toBe('type')
  })
})

test('a message of the client’s is taken where it has the shape, and else the place of the fault is told', () => {
  expect(readClientMessage('agent', JSON.stringify(settings())).ok).toBeTrue()
  const wrong: [object, string][] = [
    [{ type: 'UpdateSpeak', model: 'aura' }, 'speak'],
    [{ type: 'InjectUserMessage', message: 'x' }, 'content'],
    [{ type: 'InjectAgentMessage', content: 'x' }, 'message'],
    [settings({ listen: { provider: { type: 'deepgram', version: 'v1', eot_threshold: 0.7 } } }), 'eot_threshold'],
    [settings({ think: { provider: { type: 'cohere', model: 'x' } } }), 'agent.think.provider.type'],
    [settings({ context: { messages: [{ role: 'user', content: 'x' }] } }), 'agent.context.messages[0].type'],
  ]
  for (const [message, path] of wrong) {
    const read = readClientMessage('agent', JSON.stringify(message))
    expect(read.ok ? 'taken' : read.why).toContain(path)
  }
})
