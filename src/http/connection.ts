/** What the server lets a handler say about its connection. Missing where there is no server. */
export interface ConnectionBindings {
  /** The answer may be a while in coming. */
  readonly wait?: (seconds: number) => void
}
