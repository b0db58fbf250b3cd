/** A place in the dialplan, in Asterisk's own words. */
export interface DialplanPlace {
  readonly context: string
  readonly extension: string
  readonly priority: number
}
