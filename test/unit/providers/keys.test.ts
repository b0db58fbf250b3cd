import { describe, expect, test } from 'bun:test'
import type { Coordinator } from '#call/coordinator.ts'
import type { AgentKeyAction } from '#call/key-pad.ts'
import { coordinatedCall } from '../../fakes/coordinated-call.ts'
import { AgentBench } from '../../fakes/deepgram-agent.ts'
import { RealtimeBench } from '../../fakes/realtime-standin.ts'

// Keys of the telephone, with agents that find the turns themselves: the real sessions, and stand-ins for their servers.

const long = { text: 'A long answer to the question, which goes on for quite some time.', ms: 5000 }
const next = { text: 'The next answer.', ms: 800 }

async function openai(pace: number) {
  const standin = { greeting: { text: 'Hello.', ms: 400 }, replies: [long, next, next, next], pace }
  return await coordinatedCall(await new RealtimeBench({ tools: [], standin }).open(), 'openai_realtime')
}

async function deepgram(pace: number) {
  const standin = { greeting: { ms: 400 }, injected: { ms: 800 }, replies: [long, next, next, next], pace }
  return await coordinatedCall(await new AgentBench({ tools: [], standin }).open(), 'deepgram')
}

const textsOf = (coordinator: Coordinator) => coordinator.turns.all.map(({ outcome }) => outcome)
const say: AgentKeyAction = { do: 'say', text: 'We open at nine.' }

const vendors = [
  ['openai_realtime', openai],
  ['deepgram', deepgram],
] as const
const paces = [
  ['that is there long before it is heard', 20],
  ['that is still being made', 1.3],
] as const

describe.each([...vendors])('%s', (_name, call) => {
  describe.each([...paces])('over a reply %s', (_what, pace) => {
    async function answering() {
      const made = await call(pace)
      await made.sound(800)
      await made.bench.pass(1500, 'quiet')
      expect(made.coordinator.turnState).toBe('agent_speaking')
      return made
    }

    test('interrupt: it falls silent, and the next turn is answered', async () => {
      const { bench, coordinator, leg, sound } = await answering()
      coordinator.key({ do: 'interrupt' })
      await bench.pass(200, 'quiet')
      const before = leg.heard.filter((sample) => sample !== 0).length
      await bench.pass(1500, 'quiet')
      expect([coordinator.turnState, leg.heard.filter((sample) => sample !== 0).length]).toEqual(['listening', before])
      await sound(800)
      await bench.pass(3000, 'quiet')
      expect([textsOf(coordinator), coordinator.turns.all[1]?.agentText]).toEqual([
        ['interrupted', 'answered'],
        next.text,
      ])
    })

    test('say: it says the text instead, and the next turn is answered', async () => {
      const { bench, coordinator, ends, sound } = await answering()
      coordinator.key(say)
      await bench.pass(600, 'quiet')
      expect(coordinator.turnState).toBe('agent_speaking')
      await bench.pass(3000, 'quiet')
      expect([coordinator.turnState, textsOf(coordinator)]).toEqual(['listening', ['interrupted']])
      await sound(800)
      await bench.pass(3000, 'quiet')
      expect([textsOf(coordinator), ends]).toEqual([['interrupted', 'answered'], []])
    })

    test('repeat: its words from the beginning', async () => {
      const { bench, coordinator } = await answering()
      coordinator.key({ do: 'repeat' })
      await bench.pass(6000, 'quiet')
      const sent = JSON.stringify(sentTo(bench))
      expect(sent).toContain(long.text)
    })

    test('hang up: the farewell, and the end', async () => {
      const { bench, coordinator, ends } = await answering()
      coordinator.key({ do: 'hang_up', say: 'Goodbye.' })
      await bench.pass(300, 'quiet')
      expect(ends).toEqual([])
      await bench.pass(3000, 'quiet')
      expect(ends).toEqual(['agent'])
    })
  })

  test('say, while the caller speaks: it is heard', async () => {
    const { bench, coordinator } = await call(20)
    await bench.pass(400, 'hum')
    coordinator.speech({ type: 'speech_started', agoMs: 0 })
    await bench.pass(300, 'hum')
    coordinator.key(say)
    coordinator.speech({ type: 'speech_stopped', agoMs: 0 })
    await bench.pass(3000, 'quiet')
    expect(JSON.stringify(sentTo(bench))).toContain('We open at nine.')
    await bench.pass(4000, 'quiet')
    expect(coordinator.turnState).toBe('listening')
  })
})

/** What the server was asked for. */
function sentTo(bench: AgentBench | RealtimeBench): unknown {
  return bench instanceof AgentBench ? bench.last.record.received : bench.server.last.record.received
}
