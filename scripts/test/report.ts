/** What one run of `bun test` came to. A test that was skipped counts as failed. */
export interface Tally {
  readonly passed: number
  readonly failed: number
}

/** One failed test, as a JUnit report tells it. */
export interface Failure {
  /** `test/unit/x.test.ts:12 group > name` */
  readonly where: string
  /** What was expected and where it was asked; `skipped` for a test that did not run. */
  readonly why: string
}

const entities: Readonly<Record<string, string>> = { lt: '<', gt: '>', quot: '"', apos: "'", amp: '&' }

/** The totals of a JUnit report's root element. */
export function readTally(xml: string): Tally {
  const root = attributesOf(/<testsuites\b[^>]*>/.exec(xml)?.[0] ?? '')
  const number = (name: string) => Number.parseInt(root.get(name) ?? '', 10)
  const [tests, failures, skipped] = [number('tests'), number('failures'), number('skipped')]
  if (!Number.isFinite(tests) || tests === 0) throw new Error('the report holds no test')
  const failed = failures + skipped
  return { passed: tests - failed, failed }
}

/** The tests of a JUnit report that failed or did not run, in its order. */
export function readFailures(xml: string): readonly Failure[] {
  const failures: Failure[] = []
  for (const [, head = '', body = ''] of xml.matchAll(
    /<testcase\b((?:[^>"]|"[^"]*")*)(?<!\/)>([\s\S]*?)<\/testcase>/g,
  )) {
    const fault = /<(failure|error|skipped)\b((?:[^>"]|"[^"]*")*?)(?:\/>|>([\s\S]*?)<\/\1>)/.exec(body)
    if (fault === null) continue
    const test = attributesOf(head)
    const group = test.get('classname')
    const name = group === undefined || group === '' ? test.get('name') : `${group} > ${test.get('name')}`
    const text = decode(fault[3] ?? '').trim()
    const message = text !== '' ? text : attributesOf(fault[2] ?? '').get('message')
    failures.push({ where: `${test.get('file')}:${test.get('line') ?? '?'} ${name}`, why: message ?? fault[1] ?? '' })
  }
  return failures
}

function attributesOf(element: string): ReadonlyMap<string, string> {
  const found = new Map<string, string>() // keyed by: attribute name; bounded by: the element's text
  for (const [, name = '', value = ''] of element.matchAll(/([\w-]+)="([^"]*)"/g)) found.set(name, decode(value))
  return found
}

function decode(text: string): string {
  return text.replace(/&(?:#(\d+)|#x([\da-f]+)|(\w+));/gi, (whole, decimal, hex, name) => {
    if (decimal !== undefined) return String.fromCodePoint(Number(decimal))
    if (hex !== undefined) return String.fromCodePoint(Number.parseInt(hex, 16))
    return entities[name] ?? whole
  })
}
