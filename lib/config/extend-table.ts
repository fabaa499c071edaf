/** How tables of named things grow by the entries of extensions. @module */
import { FacexError } from '../errors.js'

/**
 * `table` with `entries` behind it.
 * @param kind what the table holds, for the message
 * @throws FacexError ERR_CONFIG when a name is taken: the shipped meaning of a name never changes silently
 */
export function extendTable<Entry extends { readonly name: string }>(kind: string, table: readonly Entry[], entries: readonly Entry[]): readonly Entry[] {
  const names = new Set(table.map(({ name }) => name))
  for (const { name } of entries) {
    if (names.has(name)) throw new FacexError('ERR_CONFIG', `${kind} "${name}": an extension may not take the name of another ${kind}`)
    names.add(name)
  }
  return [...table, ...entries]
}
