// The folder of one Asterisk instance: its configuration, made from the templates in `conf/`, and the folders
// that it writes to.

import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

const TEMPLATES = join(import.meta.dir, 'conf')
const FOLDERS = ['etc', 'lib', 'db', 'spool', 'run', 'log', 'calls', 'sounds']

export type BedCodec = 'ulaw' | 'alaw' | 'slin' | 'slin16' | 'g722'

/** What the templates are filled with. */
export interface InstanceSettings {
  /** The instance's folder as Asterisk names it. */
  readonly folder: string
  readonly modulesFolder: string
  readonly dataFolder: string
  readonly ariPort: number
  readonly ariUsername: string
  readonly ariPassword: string
  readonly sipPort: number
  readonly rtpPortMin: number
  readonly rtpPortMax: number
  readonly codec: BedCodec
  readonly stasisArguments: string
  readonly audioSocketHost: string
  readonly audioSocketPort: number
  readonly debugLevel: number
  readonly debugSink: string
  readonly dtmfMode: 'rfc4733' | 'info' | 'inband'
  readonly mixMonitorSync: 'S' | ''
  readonly digitMs: number
  readonly digitGapMs: number
}

/**
 * Makes the folder's files. `extra` are further configuration files by name, such as `queues.conf`; one that the
 * templates have too is appended to them, so a test can bring its own extensions or endpoints.
 */
export function writeInstanceFolder(
  folder: string,
  settings: InstanceSettings,
  extra: Readonly<Record<string, string>> = {},
): void {
  for (const name of FOLDERS) mkdirSync(join(folder, name), { recursive: true })
  const values = new Map<string, string>(Object.entries(settings).map(([name, value]) => [name, String(value)]))
  const names = readdirSync(TEMPLATES)
  for (const name of names) {
    const text = fillTemplate(readFileSync(join(TEMPLATES, name), 'utf8'), values)
    writeFileSync(join(folder, 'etc', name), `${text}\n${extra[name] ?? ''}`)
  }
  for (const [name, text] of Object.entries(extra)) {
    if (!names.includes(name)) writeFileSync(join(folder, 'etc', name), text)
  }
}

/** Replaces each `{{name}}`. Throws on a name without a value: Asterisk would read the braces as text. */
export function fillTemplate(template: string, values: ReadonlyMap<string, string>): string {
  return template.replace(/\{\{(\w+)\}\}/g, (_, name: string) => {
    const value = values.get(name)
    if (value === undefined) throw new Error(`a configuration template asks for "${name}", which has no value`)
    return value
  })
}

/** Sample rate of the sounds and recordings that go with a codec. */
export function codecRateHz(codec: BedCodec): 8000 | 16000 {
  return codec === 'slin16' || codec === 'g722' ? 16000 : 8000
}
