import { version } from '#base/version.ts'
import { schemas } from './openapi-schemas.ts'

/**
 * What `GET /api/openapi.json` tells: each endpoint under /api, what it takes and what it answers, in OpenAPI 3.1. A test
 * walks the routes and the description against each other, and checks real answers against the schemas.
 */

type SchemaName = keyof typeof schemas

const refTo = (name: SchemaName) => ({ $ref: `#/components/schemas/${name}` })
const json = (description: string, name: SchemaName) => ({
  description,
  content: { 'application/json': { schema: refTo(name) } },
})

/** Of every endpoint: who asks, and by what name, is looked at first. */
const guards = {
  '401': json('the token is missing or wrong', 'Error'),
  '403': json('closed, or asked from elsewhere while there is no token', 'Error'),
  '421': json('asked by a name that is not this engine’s', 'Error'),
}
const guardsOfBody = {
  ...guards,
  '408': json('the body did not end in time', 'Error'),
  '413': json('the body is too large', 'Error'),
}
const badBody = { '400': json('the body is not what it should be', 'Error') }
const yamlBody = (description: string, required: boolean) => ({
  description,
  required,
  content: { 'application/yaml': { schema: { type: 'string' } } },
})
const busy = { '503': json('too many texts are being looked at; try again', 'Error') }

const paths = {
  '/api/config': {
    get: {
      summary: 'The configuration in force, key by key, with the origin of each value; secrets are masked',
      operationId: 'getConfiguration',
      responses: { '200': json('what is in force', 'Configuration'), ...guards },
    },
  },
  '/api/config/validate': {
    post: {
      summary: 'Checks a text as if it stood in the file; nothing is applied',
      operationId: 'validateConfiguration',
      requestBody: yamlBody('a whole configuration', true),
      responses: { '200': json('what is wrong with it', 'Validation'), ...guardsOfBody, ...badBody, ...busy },
    },
  },
  '/api/config/diff': {
    post: {
      summary: 'What a text, or the file as it is now, would change; nothing is applied',
      operationId: 'diffConfiguration',
      requestBody: yamlBody('a whole configuration; empty: the file', false),
      responses: {
        '200': json('what would change', 'Difference'),
        '422': json('it is wrong: nothing can be compared', 'Difference'),
        ...guardsOfBody,
        ...badBody,
        ...busy,
      },
    },
  },
  '/api/providers': {
    get: {
      summary: 'The providers that the configuration has a section for',
      operationId: 'listProviders',
      responses: { '200': json('all of them', 'Providers'), ...guards },
    },
  },
  '/api/provider': {
    put: {
      summary: 'Gives calls to another provider: changes default_provider in the file, and reads it anew',
      operationId: 'switchProvider',
      requestBody: { required: true, content: { 'application/json': { schema: refTo('Choice') } } },
      responses: {
        '200': json('the next call has it', 'Switch'),
        '409': json('the file cannot be changed, or would not decide', 'Switch'),
        '422': json('the provider is unknown, not enabled or without its key, or does not become ready', 'Switch'),
        ...guardsOfBody,
        ...badBody,
      },
    },
  },
  '/api/reload': {
    post: {
      summary: 'Reads the configuration anew; the next call has what changed',
      operationId: 'reload',
      responses: {
        '200': json('read', 'Reload'),
        '422': json('refused; what was in force stays', 'Reload'),
        ...guardsOfBody,
        ...badBody,
      },
    },
  },
  '/api/openapi.json': {
    get: {
      summary: 'This description',
      operationId: 'describe',
      responses: {
        '200': { description: 'OpenAPI 3.1', content: { 'application/json': { schema: { type: 'object' } } } },
        ...guards,
      },
    },
  },
} as const

export const openApi = {
  openapi: '3.1.0',
  info: {
    title: 'patchcord',
    version,
    description: 'What an operator asks of a running engine and does to it. On loopback without a token; else with it.',
  },
  security: [{ token: [] }, {}],
  paths,
  components: { securitySchemes: { token: { type: 'http', scheme: 'bearer' } }, schemas },
} as const
