/**
 * The command line: finds the command, runs it, turns errors into a message and an exit status. It loads nothing
 * that `facex --help` does not need.
 * @module
 */
import { EXIT_STATUS, FacexError, fromNative, messageOf, unknownName } from './errors.js'
import { commands } from './commands/index.js'
import { packageVersion } from './setup/places.js'

/** Runs `facex ARGV...` and resolves with the exit status. Data goes to stdout, messages to stderr. */
export async function main(argv: readonly string[]): Promise<number> {
  try {
    return await dispatch(argv)
  } catch (thrown) {
    const error = fromNative(thrown)
    process.stderr.write(`facex: ${explain(error)}\n`)
    return error instanceof FacexError ? EXIT_STATUS[error.code] : 1
  }
}

async function dispatch([name, ...rest]: readonly string[]): Promise<number> {
  if (name === undefined) {
    process.stderr.write(help())
    return 2
  }
  if (name === '--help' || name === '-h' || (name === 'help' && rest.length === 0)) return print(help())
  if (name === '--version' || name === '-V') return print(`${packageVersion()}\n`)
  const wanted = name === 'help' ? rest[0]! : name
  const command = commands.find((row) => row.name === wanted)
  if (command === undefined) throw new FacexError('ERR_USAGE', unknownName('command', wanted, commands.map((row) => row.name)))
  const module = await command.load()
  if (name === 'help' || rest.some(isHelp)) return print(module.usage)
  return module.run(rest)
}

/** `--help` anywhere before a `--`. */
function isHelp(argument: string, index: number, all: readonly string[]): boolean {
  return (argument === '--help' || argument === '-h') && !all.slice(0, index).includes('--')
}

function help(): string {
  const width = Math.max(...commands.map((row) => row.name.length))
  const rows = commands.map((row) => `  ${row.name.padEnd(width)}  ${row.summary}`)
  return `Usage: facex COMMAND [ARGUMENTS]\n\n${rows.join('\n')}\n\n\`facex COMMAND --help\` explains a command.\n`
}

function print(text: string): number {
  process.stdout.write(text)
  return 0
}

/** The message alone for mistakes that facex understands; the stack too for bugs and with FACEX_DEBUG=1. */
function explain(error: unknown): string {
  if (!(error instanceof Error)) return messageOf(error)
  if (process.env['FACEX_DEBUG']) return error.stack ?? error.message
  return error instanceof FacexError ? error.message : (error.stack ?? error.message)
}
