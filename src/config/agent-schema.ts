import * as v from 'valibot'
import { toolNames } from '#tools/tools.ts'
import { entriesMax, named } from './fields.ts'

/**
 * Agents: what calls of one kind are given instead of what is said for all, and which calls these are. What an agent leaves
 * out it has as every call has it.
 */
const longText = (meaning: string) => v.optional(v.pipe(v.string(), v.maxLength(20_000), v.description(meaning)))

const shaped = (test: (value: string) => boolean, shape: string, meaning: string) =>
  v.optional(v.pipe(v.string(), v.check(test, shape), v.description(meaning)))

const name = (value: string) => value !== '' && value.length <= 64
const nameShape = 'a name of at most 64 characters'

const isPattern = (value: string) => /^[^\s*]{0,79}\*?$/.test(value) && value !== '' && value !== '*'
const patternShape = 'a value of at most 79 characters without spaces, or its beginning with * at the end'

const patterns = (meaning: string) =>
  v.optional(
    v.pipe(
      v.array(v.pipe(v.string(), v.check(isPattern, patternShape))),
      v.maxLength(entriesMax),
      v.description(meaning),
    ),
    () => [],
  )

/** A number each for some hundred departments or customers; a reload compares them within a frame of audio. */
const agentsMax = 256

export const agents = named(
  (value) => /^[A-Za-z][A-Za-z0-9_-]{0,39}$/.test(value),
  'letters, digits, - and _, at most 40, a letter first',
  {
    greeting: longText('What it says first.'),
    prompt: longText('Who it is and how it behaves.'),
    voice: shaped(name, nameShape, 'The voice it has, where what answers takes one per call.'),
    language: shaped(
      (value) => /^[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*$/.test(value),
      'a language tag such as en or de-AT',
      'The language it speaks.',
    ),
    provider: shaped(name, nameShape, 'The provider that answers for it.'),
    pipeline: shaped(name, nameShape, 'The pipeline that answers for it.'),
    tools: v.optional(
      v.pipe(
        v.array(
          v.pipe(
            v.string(),
            v.check((value) => (toolNames as readonly string[]).includes(value), `one of ${toolNames.join(', ')}`),
          ),
        ),
        v.maxLength(entriesMax),
        v.description('What its model may do, where a pipeline answers.'),
      ),
    ),
    dids: patterns('The called numbers that lead to it.'),
    extensions: patterns('The extensions of the dialplan that lead to it.'),
    contexts: patterns('The contexts of the dialplan that lead to it.'),
    callers: patterns('The callers that lead to it.'),
  },
  'What some calls are given instead, each under a name: greeting, prompt, voice, language, provider or pipeline, tools; and which calls these are: callers, dids, extensions, contexts, each a list of values, or of their beginnings with * at the end. A call goes to the agent that Stasis(…,agent=NAME) or the variable PATCHCORD_AGENT names, else by its caller, called number, extension, context, in this order; docs/pipelines.md has it all.',
  agentsMax,
)
export type AgentSection = v.InferOutput<typeof agents>[string]
