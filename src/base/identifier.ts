/** The text where it can be nothing but a name, else empty: anything with a space may be a sentence with somebody's words. */
export function identifier(value: string | null | undefined): string {
  return value !== null && value !== undefined && /^[A-Za-z0-9_.[\]-]{1,80}$/.test(value) ? value : ''
}
