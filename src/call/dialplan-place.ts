/** A place in the dialplan, in Asterisk's own words. */
export interface DialplanPlace {
  readonly context: string
  readonly extension: string
  readonly priority: number
}

/** Where a caller goes on whose call is over: at a place, behind `Stasis()`, or nowhere, whatever the cause says. */
export type Onward = DialplanPlace | 'next' | 'hang_up'
