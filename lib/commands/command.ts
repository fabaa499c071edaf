/**
 * What a command is: one file that parses its arguments, calls the API and prints.
 * @module
 */

/** The exports of a command's file. */
export interface CommandModule {
  /** Complete text of `facex NAME --help`. */
  readonly usage: string
  /** Runs the command and resolves with the exit status; failures are thrown as FacexError. */
  run(argv: string[]): Promise<number>
}

/** One row of the table of commands. The file is loaded only when the command is called. */
export interface Command {
  readonly name: string
  /** One line for `facex --help`. */
  readonly summary: string
  load(): Promise<CommandModule>
}
