/**
 * Key maps: how another project names the weights of a network that facex has too. They are data, one YAML file each in
 * `configs/key-maps/`, so that a new one needs no code; `facex convert --key_map FILE` takes one from anywhere.
 *
 * ```yaml
 * backbone: MobileFaceNet
 * summary: where these names come from
 * rules:            # regular expression: replacement; the first that matches a name translates it
 *   '^stem\.': conv1.
 * ```
 *
 * `rules` may also be a list of such mappings: each goes over what the one before has made.
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
  /** One pass after the other. */
  readonly passes: readonly (readonly Rule[])[]
}

interface Rule {
  readonly from: RegExp
  readonly to: string
}

const mapping = z.record(z.string().min(1), z.string())

const schema = z.strictObject({
  backbone: z.string().min(1),
  summary: z.string().min(1),
  rules: z.union([mapping, z.array(mapping)]),
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
    const passes = [rules].flat().map((pass) => Object.entries(pass).map(([from, to]) => ({ from: new RegExp(from), to })))
    return { ...rest, name: path.basename(file, '.yaml'), passes }
  } catch (error) {
    throw new FacexError('ERR_CONFIG', `${file}: the key map is wrong: ${messageOf(error)}`, { cause: error })
  }
}

/** The tensors under the names of `graph`: as they are, or by the key map that makes more names agree. */
export function mapNames(graph: Graph, tensors: readonly NativeTensor[], own?: KeyMap): { tensors: readonly NativeTensor[]; keyMap: string | undefined } {
  if (own !== undefined && own.backbone !== graph.name) throw new FacexError('ERR_CONFIG', `key map ${own.name}: expected one that leads to ${graph.name}, it leads to ${own.backbone}`)
  const known = new Map(graph.state.map(({ name, shape }) => [name, shape]))
  const agreeing = (candidates: readonly NativeTensor[]) => candidates.filter(({ name }) => known.has(name)).length
  let best = { tensors, keyMap: undefined as string | undefined }
  if (agreeing(tensors) === tensors.length) return best
  for (const map of [...(own === undefined ? [] : [own]), ...listKeyMaps()].filter(({ backbone }) => backbone === graph.name)) {
    const mapped = tensors.map((tensor) => {
      const name = translate(map, tensor.name)
      return { ...tensor, name, shape: withoutKernel(tensor.shape, known.get(name)) }
    })
    if (agreeing(mapped) > agreeing(best.tensors)) best = { tensors: mapped, keyMap: map.name }
  }
  return best
}

/** The name under a key map; names that no rule knows stay. */
export function translate(map: KeyMap, name: string): string {
  return map.passes.reduce((current, rules) => {
    const rule = rules.find(({ from }) => from.test(current))
    return rule === undefined ? current : current.replace(rule.from, rule.to)
  }, name)
}

/** A 1 x 1 convolution [O, I, 1, 1] of another project may be a linear layer [O, I] here. */
function withoutKernel(shape: readonly number[], expected: readonly number[] | undefined): readonly number[] {
  const isPointwise = shape.length === 4 && expected?.length === 2 && shape[2] === 1 && shape[3] === 1
  return isPointwise ? shape.slice(0, 2) : shape
}
