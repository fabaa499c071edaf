/**
 * Prints for every margin head how many bytes this process needed at most beside what it held before, for a step with
 * many classes, as JSON. Needs --expose-gc and Linux.
 * @module
 */
import { readFileSync, writeFileSync } from 'node:fs'

import { HEADS } from '../../lib/heads/index.js'
import { addon } from '../../lib/native.js'

const [dims, batch, classes] = process.argv.slice(2).map(Number) as [number, number, number]

const resident = (key: 'VmRSS' | 'VmHWM') => Number(new RegExp(`${key}:\\s+(\\d+)`).exec(readFileSync('/proc/self/status', 'utf8'))![1]) * 1024

function growth(name: string): number {
  const definition = HEADS.find((head) => head.name === name)!
  const pieces = definition.create(definition.schema.parse({ feat_dim: dims, num_class: classes }))
  const head = new (addon().Head)({ ...pieces, dtype: 'float32', device: 'cpu' })
  head.initialise(1)
  const features = Float32Array.from({ length: batch * dims }, (_, i) => 9 * Math.sin(i * 7.13))
  const labels = BigInt64Array.from({ length: batch }, (_, i) => BigInt((i * 31) % classes))
  const before = resident('VmRSS')
  writeFileSync('/proc/self/clear_refs', '5') // the highest value starts anew
  head.step({
    embeddings: { name: 'embeddings', dtype: 'float32', shape: [batch, dims], data: features.buffer },
    labels: { name: 'labels', dtype: 'int64', shape: [batch], data: labels.buffer },
    lr: 0.01,
    momentum: 0.9,
  })
  return resident('VmHWM') - before
}

addon().setThreads(2)
const names = HEADS.filter(({ name }) => !['SST_Prototype', 'Contrastive', 'Triplet'].includes(name)).map(({ name }) => name)
const found = names.map((name) => {
  globalThis.gc!()
  return [name, growth(name)]
})
process.stdout.write(JSON.stringify(Object.fromEntries(found)))
