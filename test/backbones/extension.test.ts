import { readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { pathToFileURL } from 'node:url'

import t from 'tap'

import { buildBackbone } from '../../lib/backbones/index.js'
import { loadExtensions } from '../../lib/model/extensions.js'
import { packageRoot } from '../../lib/setup/places.js'

/** Writes the example of docs/extend-backbone.md to `folder`, importing from the compiled files of this checkout. */
function writeExample(folder: string): string {
  const text = readFileSync(path.join(packageRoot(), 'docs', 'extend-backbone.md'), 'utf8')
  const code = /```js\n([^]*?)```/.exec(text)![1]!
  const lib = (file: string) => pathToFileURL(path.join(packageRoot(), 'dist', 'lib', file)).href
  const zod = import.meta.resolve('zod')
  const api = `export * as layers from '${lib('layers/index.js')}'; export { defineBackbone } from '${lib('backbones/index.js')}'; export { z } from '${zod}'`
  writeFileSync(path.join(folder, 'api.mjs'), api)
  const file = path.join(folder, 'my-net.mjs')
  writeFileSync(file, code.replace("'facex'", "'./api.mjs'"))
  return file
}

t.test('the documented example is a backbone', async (t) => {
  const { backbones } = await loadExtensions([writeExample(t.testdir())])
  const { graph, config } = buildBackbone('MyNet', { width: 8 }, { table: backbones })
  t.same(config, { width: 8, feat_dim: 128 })
  t.same(graph.state.slice(0, 3).map((entry) => entry.name), ['stem.weight', 'stem.bias', 'body.0.conv.weight'])
  t.same(graph.nodes[graph.outputs['embedding']!]!.shape.dims, [128])
  t.throws(() => buildBackbone('MyNet', { widht: 8 }, { table: backbones }), { message: /backbone\.widht: unknown key, did you mean "width"/ })
})

t.test('a module that does not load, or exports no backbone, is named', async (t) => {
  const folder = t.testdir({ 'empty.mjs': 'export const answer = 42', 'broken.mjs': 'export default (' })
  const load = (file: string) => loadExtensions([path.join(folder, file)])
  await t.rejects(load('missing.mjs'), { code: 'ERR_CONFIG', message: /extension .*missing\.mjs does not load: Cannot find module/ })
  await t.rejects(load('broken.mjs'), { code: 'ERR_CONFIG', message: /broken\.mjs does not load/ })
  await t.rejects(load('empty.mjs'), { code: 'ERR_CONFIG', message: /empty\.mjs: expected an export made with defineBackbone, .*found answer/ })
})
