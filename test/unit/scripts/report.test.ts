import { describe, expect, test } from 'bun:test'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { readFailures, readTally } from '../../../scripts/test/report.ts'

const report = `<?xml version="1.0" encoding="UTF-8"?>
<testsuites name="bun test" tests="5" assertions="3" failures="2" skipped="1" time="0.2">
  <testsuite name="a.test.ts" file="a.test.ts" tests="5" assertions="3" failures="2" skipped="1" time="0.2">
    <testcase name="good" classname="x" time="0.1" file="a.test.ts" line="3" assertions="1" />
    <testcase name="says &quot;a &lt; b&quot;" classname="x" time="0.1" file="a.test.ts" line="4" assertions="1">
      <failure type="AssertionError" message="short">AssertionError: 1 &gt; 2&#10;      at a.test.ts:5:57&#10;</failure>
    </testcase>
    <testcase name="late" classname="" time="0.1" file="a.test.ts" line="9" assertions="0">
      <failure type="TimeoutError" message="test timed out" />
    </testcase>
    <testcase name="left out" classname="" time="0" file="a.test.ts" line="12" assertions="0">
      <skipped />
    </testcase>
    <testcase name="good too" classname="x" time="0.1" file="a.test.ts" line="14" assertions="1" />
  </testsuite>
</testsuites>`

describe('the report of a test run', () => {
  test('counts what was skipped as failed', () => {
    expect(readTally(report)).toEqual({ passed: 2, failed: 3 })
  })

  test('names each test that failed or did not run, with its reason', () => {
    expect(readFailures(report)).toEqual([
      { where: 'a.test.ts:4 x > says "a < b"', why: 'AssertionError: 1 > 2\n      at a.test.ts:5:57' },
      { where: 'a.test.ts:9 late', why: 'test timed out' },
      { where: 'a.test.ts:12 left out', why: 'skipped' },
    ])
  })

  test('is refused where no test ran', () => {
    expect(() => readTally('<testsuites name="bun test" tests="0" failures="0" skipped="0">')).toThrow('no test')
    expect(() => readTally('')).toThrow('no test')
  })

  test('reads what bun itself writes', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'patchcord-report-'))
    try {
      const file = join(folder, 'a.test.ts')
      writeFileSync(file, `import { expect, test } from 'bun:test'\ntest('two', () => expect('a<"b">').toBe('c'))\n`)
      const out = join(folder, 'r.xml')
      const command = [process.execPath, 'test', file, '--reporter=junit', `--reporter-outfile=${out}`]
      await Bun.spawn(command, { cwd: folder, stdout: 'ignore', stderr: 'ignore' }).exited
      const xml = readFileSync(out, 'utf8')
      expect(readTally(xml)).toEqual({ passed: 0, failed: 1 })
      expect(readFailures(xml)[0]?.where).toEndWith('a.test.ts:2 two')
      expect(readFailures(xml)[0]?.why).toContain('Received: "a<"b">"')
    } finally {
      rmSync(folder, { recursive: true, force: true })
    }
  })
})
