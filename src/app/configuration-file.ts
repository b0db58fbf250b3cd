import type { Result } from '#base/result.ts'
import type { EditedFile } from '#config/file-edit.ts'
import type { ConfigProblem } from '#config/problem.ts'
import type { LoadedConfiguration } from './generation.ts'

/** A configuration that was looked at and found good. */
export interface ExaminedConfiguration extends LoadedConfiguration {
  readonly warnings: readonly ConfigProblem[]
}

/** The file that an engine was started with. Nothing here holds up the audio of calls, and nothing rejects. */
export interface ConfigurationFile {
  /**
   * Reads and checks it as a reload would.
   * @param text instead of what the file holds; null: the file
   * @returns what is wrong with it; as a text where it has no place
   */
  examine(text: string | null): Promise<Result<ExaminedConfiguration, readonly (ConfigProblem | string)[]>>
  /** Sets a value at its top; fails with why it cannot be done, and nothing has been written then. */
  edit(path: string, name: string, key: string, value: string): Promise<Result<EditedFile, string>>
}
