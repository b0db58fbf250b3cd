import { AgentBench, type AgentBenchOptions } from '../../../fakes/deepgram-agent.ts'
import type { Reply } from '../../../standin/deepgram/options.ts'

/** What the server says to each turn, where nothing else is said. */
export const answer: Reply = { text: 'Yes, of course.', ms: 600 }

/** A session whose greeting has been heard. */
export async function greeted(options: AgentBenchOptions = {}): Promise<AgentBench> {
  const bench = await new AgentBench({
    ...options,
    standin: { greeting: { ms: 400 }, replies: [answer], ...options.standin },
  }).open()
  bench.send({ type: 'say', text: 'Hello.' })
  await bench.pass(600, 'quiet')
  bench.send({ type: 'reply_heard' })
  bench.taken()
  return bench
}
