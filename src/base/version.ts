import packageJson from '../../package.json' with { type: 'json' }

/** As `patchcord version` and /health say it. */
export const version: string = packageJson.version
