/** What of a configuration may change between the parts of a run, and what may not. @module */
import { isDeepStrictEqual } from 'node:util'

/**
 * Keys that decide the numbers of training. The rest (logging, checkpoints, evaluation, device, threads of decoding,
 * a longer schedule) is the user's to change when resuming.
 */
const FIXED = ['backbone', 'head', 'mode', 'batch_size', 'accumulate', 'seed', 'freeze', 'ema', 'precision', 'sync_batch_norm']
const FIXED_DATA = ['train', 'color', 'mean', 'std', 'crop', 'augment', 'sampler', 'on_bad_image']

/** Keys that may differ between the processes of one run: they belong to a machine. What init.weights holds is compared by itself. */
const LOCAL = ['init.weights', 'device', 'threads', 'data.threads', 'data.prefetch', 'out_dir', 'log.dir', 'log.tensorboard', 'log.tensorboard_dir', 'distributed.join_seconds', 'distributed.timeout_seconds', 'distributed.silence_seconds']

/** One line for each key whose value differs between two processes of a run. */
export function differencesBetweenRanks(mine: Readonly<Record<string, unknown>>, other: Readonly<Record<string, unknown>>, prefix = ''): string[] {
  const keys = [...new Set([...Object.keys(mine), ...Object.keys(other)])].filter((key) => !LOCAL.includes(`${prefix}${key}`))
  const isLeaf = (value: unknown) => typeof value !== 'object' || value === null || Array.isArray(value)
  return keys.flatMap((key) => {
    const [a, b] = [mine[key], other[key]]
    if (isDeepStrictEqual(plain(a), plain(b))) return []
    if (isLeaf(a) || isLeaf(b)) return [`${prefix}${key}: ${JSON.stringify(a)} against ${JSON.stringify(b)}`]
    return differencesBetweenRanks(mapping(a), mapping(b), `${prefix}${key}.`)
  })
}

/** One line for each fixed key whose value differs. */
export function changedKeys(before: Readonly<Record<string, unknown>>, now: Readonly<Record<string, unknown>>): string[] {
  return [...differences('', FIXED, before, now), ...differences('data.', FIXED_DATA, mapping(before['data']), mapping(now['data']))]
}

function differences(prefix: string, keys: readonly string[], before: Readonly<Record<string, unknown>>, now: Readonly<Record<string, unknown>>): string[] {
  return keys
    .filter((key) => !isDeepStrictEqual(plain(before[key]), plain(now[key])))
    .map((key) => `${prefix}${key}: was ${JSON.stringify(before[key])}, is now ${JSON.stringify(now[key])}`)
}

/** What JSON keeps of a value: keys set to undefined are gone. */
function plain(value: unknown): unknown {
  return value === undefined ? undefined : JSON.parse(JSON.stringify(value))
}

function mapping(value: unknown): Readonly<Record<string, unknown>> {
  return (value ?? {}) as Readonly<Record<string, unknown>>
}
