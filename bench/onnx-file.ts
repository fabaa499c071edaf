/** A network of the table as an ONNX file with its first weights. @module */
import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'

import { readConf } from '../lib/backbones/conf.js'
import { buildBackbone } from '../lib/backbones/index.js'
import { encodeOnnx } from '../lib/model/export-onnx.js'
import { addon } from '../lib/native.js'

/** Writes an entry of backbone_conf.yaml into a temporary file, as `facex export` does; the caller removes it. */
export function writeNetwork(name: string): string {
  const entry = readConf().find((candidate) => candidate.name === name)
  if (entry === undefined) throw new TypeError(`there is no backbone ${name}`)
  const { graph, input } = buildBackbone(entry.type, entry.config)
  const network = new (addon().Network)(graph, { device: 'cpu', master: 'float32', compute: 'float32', pixelMean: 127.5, pixelScale: 1 / 128 })
  network.initialise(0)
  const [, height, width] = input
  const file = path.join(mkdtempSync(path.join(tmpdir(), 'facex-bench-')), 'network.onnx')
  writeFileSync(file, encodeOnnx(graph, network.state(), { color: 'rgb', mean: 127.5, std: 128, crop: 'full', height, width }))
  network.dispose()
  return file
}
