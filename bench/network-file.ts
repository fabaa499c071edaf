/** Networks of the table with their first weights, as files that others read. @module */
import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'

import { readConf } from '../lib/backbones/conf.js'
import { buildBackbone } from '../lib/backbones/index.js'
import { encodeOnnx } from '../lib/model/export-onnx.js'
import { writeSafetensors } from '../lib/model/formats/safetensors.js'
import { addon } from '../lib/native.js'

/** An entry of backbone_conf.yaml with random weights. */
function initialised(name: string) {
  const entry = readConf().find((candidate) => candidate.name === name)
  if (entry === undefined) throw new TypeError(`there is no backbone ${name}`)
  const { graph, input } = buildBackbone(entry.type, entry.config)
  const network = new (addon().Network)(graph, { device: 'cpu', master: 'float32', compute: 'float32', pixelMean: 127.5, pixelScale: 1 / 128 })
  network.initialise(0)
  const state = network.state()
  network.dispose()
  return { graph, input, state }
}

/** Writes a network into a temporary folder of its own, as `facex export` does; the caller removes that. */
export function writeNetwork(name: string): string {
  const { graph, input, state } = initialised(name)
  const [, height, width] = input
  const file = path.join(mkdtempSync(path.join(tmpdir(), 'facex-bench-')), 'network.onnx')
  writeFileSync(file, encodeOnnx(graph, state, { color: 'rgb', mean: 127.5, std: 128, crop: 'full', height, width }))
  return file
}

/** Writes the weights alone. */
export async function writeFirstWeights(name: string, file: string): Promise<void> {
  await writeSafetensors(file, initialised(name).state)
}
