/**
 * The text of "path label" lists made from other lists.
 * @module
 */
export interface ListEntry {
  readonly name: string
  readonly label: number
}

/**
 * One line an entry. Labels that do not fill 0 ... K - 1 are renumbered in their order; labels that do stay as they are.
 */
export function listText(entries: readonly ListEntry[]): string {
  const labels = [...new Set(entries.map((entry) => entry.label))].sort((a, b) => a - b)
  const renumbered = new Map(labels.map((label, i) => [label, i]))
  return entries.map(({ name, label }) => `${name} ${renumbered.get(label)}\n`).join('')
}
