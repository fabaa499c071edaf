/**
 * Key maps: how another project names the weights of a network that facex has too. They are data, one YAML file each in
 * `configs/key-maps/`, so that a new one needs no code; `facex convert --key_map FILE` takes one from anywhere.
 *
 * ```yaml
 * backbone: MobileFaceNet
 * summary: where these names come from
 * rules:            # regular expression: replacement; the first that matches a name translates it
 *   '^stem\.(.*)$': conv1.$1
 * ```
 * @module
 */
import { readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'

import { parse } from 'yaml'
import { z } from 'zod'

import { FacexError, messageOf } from '../errors.js'
import type { Graph } from '../graph/types.js'
import type { NativeTensor } from '../native.js'
import { packageRoot } from '../setup/places.js'

export interface KeyMap {
  readonly name: string
  /** Backbones that it leads to. */
  readonly backbone: string
  readonly summary: string
  readonly rules: readonly { readonly from: RegExp; readonly to: string }[]
}

const schema = z.strictObject({
  backbone: z.string().min(1),
  summary: z.string().min(1),
  rules: z.record(z.string().min(1), z.string()),
})

/** All key maps of facex, by name of the file. */
export function listKeyMaps(folder = path.join(packageRoot(), 'configs', 'key-maps')): KeyMap[] {
  const files = readdirSync(folder).filter((file) => file.endsWith('.yaml'))
  return files.sort().map((file) => readKeyMap(path.join(folder, file)))
}

/** @throws FacexError ERR_CONFIG naming the file and what is wrong */
export function readKeyMap(file: string): KeyMap {
  try {
    const { rules, ...rest } = schema.parse(parse(readFileSync(file, 'utf8')))
    return { ...rest, name: path.basename(file, '.yaml'), rules: Object.entries(rules).map(([from, to]) => ({ from: new RegExp(from), to })) }
  } catch (error) {
    throw new FacexError('ERR_CONFIG', `${file}: the key map is wrong: ${messageOf(error)}`, { cause: error })
  }
}

/** The tensors under the names of `graph`: as they are, or by the key map that makes more names agree. */
export function mapNames(graph: Graph, tensors: readonly NativeTensor[], own?: KeyMap): { tensors: readonly NativeTensor[]; keyMap: string | undefined } {
  const known = new Set(graph.state.map(({ name }) => name))
  const agreeing = (candidates: readonly NativeTensor[]) => candidates.filter(({ name }) => known.has(name)).length
  let best = { tensors, keyMap: undefined as string | undefined }
  if (agreeing(tensors) === tensors.length) return best
  for (const map of [...(own === undefined ? [] : [own]), ...listKeyMaps()].filter(({ backbone }) => backbone === graph.name)) {
    const mapped = tensors.map((tensor) => ({ ...tensor, name: translate(map, tensor.name) }))
    if (agreeing(mapped) > agreeing(best.tensors)) best = { tensors: mapped, keyMap: map.name }
  }
  return best
}

/** The name under a key map; names that no rule knows stay. */
export function translate(map: KeyMap, name: string): string {
  const rule = map.rules.find(({ from }) => from.test(name))
  return rule === undefined ? name : name.replace(rule.from, rule.to)
}
