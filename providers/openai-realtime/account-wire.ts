import * as v from 'valibot'

/** Answers of `GET {base}/models` → what they say of key, quota and model; pure. */
export interface Refusal {
  readonly code: string
  /** In plain words, with the cure; at most an identifier of the server's own. */
  readonly reason: string
  /** It will be the same until somebody changes something. */
  readonly hopeless: boolean
}

const modelsShape = v.looseObject({ data: v.array(v.looseObject({ id: v.string() })) })
const errorShape = v.looseObject({
  error: v.looseObject({ code: v.nullish(v.union([v.string(), v.number()])), type: v.nullish(v.string()) }),
})

/** Undefined where the answer is no such list. */
export function modelIds(body: string): readonly string[] | undefined {
  const parsed = v.safeParse(modelsShape, parse(body))
  return parsed.success ? parsed.output.data.map(({ id }) => id) : undefined
}

export function refusalOf(status: number, body: string): Refusal {
  const parsed = v.safeParse(errorShape, parse(body))
  const tags = parsed.success ? [parsed.output.error.code, parsed.output.error.type] : []
  // Anything with a space may be a sentence.
  const tag = tags.map(String).find((each) => /^[A-Za-z0-9_.-]{1,64}$/.test(each) && !/^(null|undefined)$/.test(each))
  const said = `the realtime server answered ${status}${tag === undefined ? '' : ` (${tag})`}`
  if (status === 401 || status === 403)
    return { code: 'bad_key', reason: `${said}: is the API key right, and may it use this model?`, hopeless: true }
  if (tags.some((each) => /quota|billing/.test(String(each))) || status === 402)
    return { code: 'no_quota', reason: `${said}: the account has no quota left`, hopeless: true }
  if (status === 429) return { code: 'rate_limited', reason: `${said}: too many requests`, hopeless: false }
  if (status >= 500) return { code: 'server_error', reason: said, hopeless: false }
  return { code: 'refused', reason: `${said}: is base_url right, with its version path?`, hopeless: true }
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
