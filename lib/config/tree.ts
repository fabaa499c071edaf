/**
 * A configuration before it is checked: plain values, and for each the place where somebody wrote it.
 * @module
 */

/** Keys and indices from the root to a value. */
export type ConfigPath = readonly (string | number)[]

/** Says where a value was written, so that errors found long after loading still name the line. */
export interface ConfigSource {
  /**
   * Place of the value at `path` (`data.train[0].root`), or of its nearest written ancestor: `run.yaml:12:5`,
   * `--set optimizer.lr=1`, `--lr`; `config` for objects given to the API.
   */
  at(path: string): string
}

/** `['data', 'train', 0, 'root']` as `data.train[0].root`. */
export function formatPath(path: ConfigPath): string {
  return path.map((key, depth) => (typeof key === 'number' ? `[${key}]` : depth === 0 ? key : `.${key}`)).join('')
}

/** The inverse of {@link formatPath}; `data.train.0.root` means the same. */
export function parsePath(text: string): ConfigPath {
  const keys = text.replaceAll(/\[(\d+)\]/g, '.$1').split('.').filter((key) => key !== '')
  return keys.map((key) => (/^\d+$/.test(key) ? Number(key) : key))
}

/** Values with their origins. Later settings (flags, `--set`) overwrite earlier ones. */
export class ConfigTree implements ConfigSource {
  #root: unknown
  readonly #name: string
  readonly #origins: Map<string, string>

  /** `name` is the answer of {@link at} for values without an origin of their own. */
  constructor(root: unknown, name: string, origins: ReadonlyMap<string, string> = new Map()) {
    this.#root = root
    this.#name = name
    this.#origins = new Map(origins)
  }

  /** The value at `path`, the whole configuration without one; undefined where nothing is set. */
  get(path: ConfigPath = []): unknown {
    let value = this.#root
    for (const key of path) value = isContainer(value) ? (value as Record<string | number, unknown>)[key] : undefined
    return value
  }

  /** Sets one value, making the mappings above it; everything below it now comes from `origin`. */
  set(path: ConfigPath, value: unknown, origin: string): void {
    this.#root = withValue(this.#root, path, value)
    const text = formatPath(path)
    for (const known of this.#origins.keys()) if (isBelow(known, text)) this.#origins.delete(known)
    this.#origins.set(text, origin)
  }

  /** Removes the value of a key. */
  remove(path: ConfigPath): void {
    const above = path.slice(0, -1)
    const mapping = this.get(above)
    if (!isMapping(mapping)) return
    this.#root = withValue(this.#root, above, Object.fromEntries(Object.entries(mapping).filter(([key]) => key !== path.at(-1))))
  }

  /**
   * Lays `upper` over this tree: mappings merge key by key, `null` removes what was there, everything else replaces it.
   * A mapping that names another thing (`type`, `name`, `kind`) replaces the whole mapping: options belong to the thing.
   */
  overlay(upper: ConfigTree, path: ConfigPath = []): void {
    const [below, above] = [this.get(path), upper.get(path)]
    if (above === null && path.length > 0) return this.remove(path)
    if (isMapping(above) && isMapping(below) && !namesAnother(above, below)) {
      for (const key of Object.keys(above)) this.overlay(upper, [...path, key])
      return
    }
    const text = formatPath(path)
    this.set(path, withoutNulls(above), upper.at(text))
    for (const [known, origin] of upper.#origins) if (text === '' || isBelow(known, text)) this.#origins.set(known, origin)
  }

  at(path: string): string {
    for (let keys = parsePath(path); keys.length > 0; keys = keys.slice(0, -1)) {
      const origin = this.#origins.get(formatPath(keys))
      if (origin !== undefined) return origin
    }
    return this.#origins.get('') ?? this.#name
  }
}

function isBelow(path: string, ancestor: string): boolean {
  return path.startsWith(`${ancestor}.`) || path.startsWith(`${ancestor}[`)
}

/** What is taken away need not have been there. */
function withoutNulls(value: unknown): unknown {
  if (!isMapping(value)) return value
  return Object.fromEntries(Object.entries(value).flatMap(([key, below]) => (below === null ? [] : [[key, withoutNulls(below)]])))
}

function isMapping(value: unknown): value is Record<string, unknown> {
  return isContainer(value) && !Array.isArray(value)
}

/** Keys that say what the options beside them belong to. */
const SELECTORS = ['type', 'name', 'kind']

function namesAnother(above: Record<string, unknown>, below: Record<string, unknown>): boolean {
  return SELECTORS.some((key) => key in above && above[key] !== below[key])
}

function isContainer(value: unknown): value is object {
  return typeof value === 'object' && value !== null
}

/** A copy of `target` with the value at `path` replaced; what is not a container on the way gives way to one. */
function withValue(target: unknown, path: ConfigPath, value: unknown): unknown {
  const [key, ...rest] = path
  if (key === undefined) return value
  if (typeof key === 'number') {
    const copy: unknown[] = Array.isArray(target) ? [...(target as unknown[])] : []
    copy[key] = withValue(copy[key], rest, value)
    return copy
  }
  const record = isMapping(target) ? target : {}
  return { ...record, [key]: withValue(record[key], rest, value) }
}
