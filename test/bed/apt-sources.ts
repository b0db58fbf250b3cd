// Which Debian mirror does this machine use? The answer is read from its own apt sources and never written
// down: behind a company's mirror the public one is often out of reach.

/** Archives that hold no whole suite: debootstrap can't start from them. */
const PARTIAL_SUITE = /-(security|updates|backports|proposed-updates)$|\/updates$/

/** One `deb` entry: where it points, and which suites it takes from there. */
export interface AptSource {
  readonly uri: string
  readonly suites: readonly string[]
}

/** Reads the deb822 form (`*.sources`): paragraphs of `Key: value` lines, continued by leading blanks. */
export function parseDeb822(text: string): AptSource[] {
  const sources: AptSource[] = []
  for (const paragraph of text.replace(/^#.*\n?/gm, '').split(/\n\s*\n/)) {
    const fields = new Map<string, string>()
    let key = ''
    for (const line of paragraph.split('\n')) {
      const field = /^([A-Za-z0-9-]+):\s*(.*)$/.exec(line)
      if (field?.[1] !== undefined) {
        key = field[1].toLowerCase()
        fields.set(key, field[2] ?? '')
      } else if (key !== '' && line.trim() !== '') {
        fields.set(key, `${fields.get(key) ?? ''} ${line.trim()}`)
      }
    }
    if (/^no$/i.test(fields.get('enabled')?.trim() ?? 'yes')) continue
    if (!words(fields.get('types')).includes('deb')) continue
    const suites = words(fields.get('suites'))
    for (const uri of words(fields.get('uris'))) sources.push({ uri, suites })
  }
  return sources
}

/** Reads the classic form (`*.list`): `deb [options] uri suite component…`. */
export function parseSourcesList(text: string): AptSource[] {
  const sources: AptSource[] = []
  for (const line of text.split('\n')) {
    const entry = /^\s*deb\s+(?:\[[^\]]*\]\s+)?(\S+)\s+(\S+)/.exec(line.replace(/#.*$/, ''))
    if (entry?.[1] !== undefined && entry[2] !== undefined) sources.push({ uri: entry[1], suites: [entry[2]] })
  }
  return sources
}

/**
 * The first source that carries a whole Debian suite, or undefined. Third-party archives (a vendor's own `stable`)
 * are told apart by the suite's name, which must be the machine's own release or one of Debian's moving names.
 */
export function pickDebianMirror(sources: readonly AptSource[], codename: string): string | undefined {
  const wholeSuites = new Set(
    [codename, 'sid', 'unstable', 'testing', 'stable', 'oldstable'].filter((name) => name !== ''),
  )
  const isWhole = (suite: string) => wholeSuites.has(suite) && !PARTIAL_SUITE.test(suite)
  const candidates = sources.filter((source) => source.suites.some(isWhole))
  const named = candidates.find((source) => /\bdebian\b/.test(source.uri)) ?? candidates[0]
  return named?.uri.replace(/\/+$/, '')
}

function words(value: string | undefined): string[] {
  return (value ?? '').split(/\s+/).filter((word) => word !== '')
}
