/**
 * The one error class of facex, its codes, and the wording shared by all messages.
 *
 * A message says what was expected, where (config path, `file:line`, layer path) and what was found.
 * @module
 */

/** Machine-readable cause of a {@link FacexError}; stable across releases. */
export type ErrorCode =
  | 'ERR_USAGE' // wrong command line
  | 'ERR_CONFIG' // wrong configuration value, unknown key or name
  | 'ERR_GRAPH' // a network that cannot be built: shape or attribute mistake
  | 'ERR_DATA' // lists, images, record files
  | 'ERR_CHECKPOINT' // unreadable, damaged or mismatching weights or checkpoints
  | 'ERR_SETUP' // addon or libtorch missing or of a wrong version
  | 'ERR_DISTRIBUTED' // another process of the run is missing, dead, hanging or not the same
  | 'ERR_NATIVE' // the engine failed
  | 'ERR_NON_FINITE' // a loss or gradient became NaN or infinite
  | 'ERR_OUT_OF_MEMORY'
  | 'ERR_LOCKED' // the run folder is used by another process
  | 'ERR_ABORTED' // stopped by the user
  | 'ERR_DISPOSED' // a session or model used after dispose()

/** Exit status of the command line for each code: 1 failed, 2 wrong usage or config, the rest have their own. */
export const EXIT_STATUS: Readonly<Record<ErrorCode, number>> = {
  ERR_USAGE: 2,
  ERR_CONFIG: 2,
  ERR_GRAPH: 2,
  ERR_DATA: 1,
  ERR_CHECKPOINT: 1,
  ERR_SETUP: 1,
  ERR_NATIVE: 1,
  ERR_DISTRIBUTED: 1,
  ERR_NON_FINITE: 3,
  ERR_OUT_OF_MEMORY: 4,
  ERR_LOCKED: 1,
  ERR_ABORTED: 130,
  ERR_DISPOSED: 1,
}

/** Every error that facex throws on purpose. */
export class FacexError extends Error {
  readonly code: ErrorCode
  /** All problems found when several are reported together; the message lists them too. */
  readonly problems: readonly string[]

  constructor(code: ErrorCode, message: string, options: { cause?: unknown; problems?: readonly string[] } = {}) {
    super(message, 'cause' in options ? { cause: options.cause } : undefined)
    this.name = 'FacexError'
    this.code = code
    this.problems = options.problems ?? []
  }
}

/** An error of the addon, which carries only a code, as the FacexError that it stands for; anything else unchanged. */
export function fromNative(error: unknown): unknown {
  if (!(error instanceof Error) || error instanceof FacexError) return error
  const { code } = error as { code?: unknown }
  return typeof code === 'string' && Object.hasOwn(EXIT_STATUS, code) ? new FacexError(code as ErrorCode, error.message, { cause: error }) : error
}

/** Throws nothing when `problems` is empty, otherwise one error that lists them all (at most `limit` in the text). */
export function throwProblems(code: ErrorCode, title: string, problems: readonly string[], limit = 20): void {
  if (problems.length === 0) return
  const shown = problems.slice(0, limit).map((problem) => `  ${problem}`)
  const rest = problems.length > limit ? [`  ... and ${problems.length - limit} more`] : []
  throw new FacexError(code, [title, ...shown, ...rest].join('\n'), { problems })
}

/** `unknown head "ArcFase", did you mean "ArcFace"? Known: ...` */
export function unknownName(kind: string, name: string, known: readonly string[]): string {
  const near = nearest(name, known)
  const hint = near === undefined ? '' : `, did you mean "${near}"?`
  return `unknown ${kind} "${name}"${hint} Known: ${known.join(', ')}`
}

/** The known name closest to `name`, or undefined when none is close enough to be a likely typo. */
export function nearest(name: string, known: readonly string[]): string | undefined {
  const fold = (text: string) => text.toLowerCase().replaceAll(/[-_ ]/g, '')
  let best: string | undefined
  let bestDistance = Math.max(2, Math.floor(name.length / 3)) + 1
  for (const candidate of known) {
    const distance = editDistance(fold(name), fold(candidate))
    if (distance < bestDistance) [best, bestDistance] = [candidate, distance]
  }
  return best
}

/** Levenshtein distance with one rolling row. */
function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, j) => j)
  for (let i = 1; i <= a.length; i++) {
    const next = [i]
    for (let j = 1; j <= b.length; j++) {
      const substitution = row[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1)
      next.push(Math.min(row[j]! + 1, next[j - 1]! + 1, substitution))
    }
    row = next
  }
  return row[b.length]!
}

/** A short description of a received value for messages: `"0.5" (string)`. */
export function received(value: unknown): string {
  if (value === null) return 'null'
  if (value === undefined) return 'nothing'
  const text = typeof value === 'string' ? JSON.stringify(value) : Array.isArray(value) ? JSON.stringify(value) : String(value)
  return `${text.length > 80 ? `${text.slice(0, 77)}...` : text} (${Array.isArray(value) ? 'array' : typeof value})`
}

/** Message of anything that was thrown. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
