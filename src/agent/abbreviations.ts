/** Words whose full stop ends no sentence, however they are written; one list for all who cut text into sentences. */
const words = 'mr|mrs|ms|dr|st|jr|sr|vs|etc|approx|e\\.g|i\\.e|a\\.m|p\\.m|z\\.b|bzw'
/** Only with a capital: "No. 5" and an initial are abbreviations, "no." is an answer. */
const capitalised = 'No|Nr|[A-Z]'

const anyCase = new RegExp(`(?:^|[\\s(])(?:${words})\\.$`, 'i')
const exactCase = new RegExp(`(?:^|[\\s(])(?:${capitalised})\\.$`)

/** @param text up to and with a full stop: does that stop belong to an abbreviation? */
export function endsInAbbreviation(text: string): boolean {
  return anyCase.test(text) || exactCase.test(text)
}
