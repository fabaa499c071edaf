import t from 'tap'

import type { Measured } from '../../lib/commands/bench/table.js'
import { facex } from '../facex.js'

t.setTimeout(300_000)

t.test('bench backbones measures every network of a file once, each in a process of its own', (t) => {
  const cwd = t.testdir({ 'nets.yaml': 'ViT: {embed_dim: 48, depth: 1, num_heads: 4}\nSame: {type: ViT, embed_dim: 48, depth: 1, num_heads: 4}\nMobileFaceNet: {feat_dim: 64}\n' })
  const small = ['--backbone_conf_file', 'nets.yaml', '--batch_size', '2', '--classes', '10', '--steps', '1', '--threads', '1']
  const { status, stdout, stderr } = facex(['bench', 'backbones', '--json', ...small], { cwd })
  t.equal(status, 0, stderr)
  const results = JSON.parse(stdout) as Measured[]
  t.match(results, [{ backbone: 'ViT = Same', batch_size: 2, steps: 1 }, { backbone: 'MobileFaceNet' }])
  for (const { images_per_second, peak_bytes, graph_ms, first_step_ms } of results) {
    t.ok(images_per_second > 0 && peak_bytes > 1e8 && graph_ms > 0 && first_step_ms > graph_ms)
  }
  t.end()
})

t.test('a backbone that cannot be measured leaves the others alone', (t) => {
  const cwd = t.testdir({ 'nets.yaml': 'ViT: {embed_dim: 48, depth: 1, num_heads: 4}\nMobileFaceNet: {feat_dim: 64}\n' })
  const { status, stdout, stderr } = facex(['bench', 'backbones', '--json', '--backbone_conf_file', 'nets.yaml', '--batch_size', '1', '--steps', '1'], { cwd })
  t.equal(status, 1)
  t.match(JSON.parse(stdout), [{ backbone: 'ViT', error: /./ }, { backbone: 'MobileFaceNet', error: /./ }])
  t.match(stderr, /ViT: .*use a batch of 2 or more/s)
  t.end()
})

t.test('mistakes on the command line are explained', (t) => {
  t.match(facex(['bench']), { status: 2, stderr: /expected --backbone NAME, or "backbones"/ })
  t.match(facex(['bench', 'backbones', '--profile']), { status: 2, stderr: /takes neither/ })
  t.match(facex(['bench', '--backbone', 'MobileFaceNett']), { status: 2, stderr: /did you mean "MobileFaceNet"/ })
  t.end()
})
