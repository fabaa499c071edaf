/**
 * Command-line options: parsing with clear mistakes, and the options that mean the same in every command.
 * @module
 */
import { parseArgs, type ParseArgsConfig } from 'node:util'

import { FacexError, nearest } from '../errors.js'

export type OptionTable = NonNullable<ParseArgsConfig['options']>

/** Values of an {@link OptionTable} by option name. */
export type OptionValues<T extends OptionTable> = {
  readonly [K in keyof T]?: T[K] extends { multiple: true } ? string[] : T[K] extends { type: 'boolean' } ? boolean : string
}

export interface ParsedOptions<T extends OptionTable> {
  readonly values: OptionValues<T>
  readonly positionals: readonly string[]
}

/**
 * Parses the arguments of a command.
 * @param positionals names of the allowed positional arguments, for messages; more than these are an error
 * @throws FacexError ERR_USAGE that suggests the nearest option
 */
export function parseOptions<const T extends OptionTable>(argv: readonly string[], options: T, positionals: readonly string[] = []): ParsedOptions<T> {
  const known = Object.keys(options)
  const joined = joinNegativeNumbers(argv, options)
  const { tokens } = parseArgs({ args: joined, options, strict: false, tokens: true, allowPositionals: true })
  for (const token of tokens) {
    if (token.kind !== 'option') continue
    if (!(token.name in options)) throw unknownOption(token.rawName, known)
    if (options[token.name]!.type === 'string' && token.value === undefined) throw new FacexError('ERR_USAGE', `${token.rawName} needs a value`)
    if (options[token.name]!.type === 'boolean' && token.value !== undefined) throw new FacexError('ERR_USAGE', `${token.rawName} takes no value, received "${token.value}"`)
  }
  const parsed = parseArgs({ args: joined, options, strict: true, allowPositionals: true })
  const extra = parsed.positionals[positionals.length]
  if (extra !== undefined) throw new FacexError('ERR_USAGE', `unexpected argument "${extra}"${positionals.length > 0 ? ` after ${positionals.join(' ')}` : ''}`)
  return parsed as ParsedOptions<T>
}

/** `--option -3` means the number: parseArgs would take `-3` for an option. */
function joinNegativeNumbers(argv: readonly string[], options: OptionTable): string[] {
  const result: string[] = []
  for (const argument of argv) {
    const option = result.at(-1)
    const takesValue = option !== undefined && option.startsWith('--') && options[option.slice(2)]?.type === 'string'
    if (takesValue && /^-\d/.test(argument)) result[result.length - 1] = `${option}=${argument}`
    else result.push(argument)
  }
  return result
}

function unknownOption(raw: string, known: readonly string[]): FacexError {
  const near = nearest(raw.replace(/^-+/, ''), known)
  return new FacexError('ERR_USAGE', `unknown option ${raw}${near === undefined ? '' : `, did you mean --${near}?`} (--help lists the options)`)
}

/** A whole number of at least `least`; undefined stays undefined. @throws FacexError ERR_USAGE */
export function wholeNumber(name: string, text: string | undefined, least = 1): number | undefined {
  if (text === undefined) return undefined
  const value = Number(text)
  if (!Number.isInteger(value) || value < least || text.trim() === '') {
    throw new FacexError('ERR_USAGE', `--${name}: expected a whole number of at least ${least}, received "${text}"`)
  }
  return value
}
