/** Run folders as a page and as a table. */
import { readFileSync } from 'node:fs'
import path from 'node:path'

import t from 'tap'

import { facex } from '../facex.js'

const line = (event: string, values: object) => `${JSON.stringify({ event, time: '2020-01-01T00:00:00Z', ...values })}\n`

function metrics(accuracy: number): string {
  return [
    line('start', { step: 0, epoch: 1, steps: 20, backbone: 'MobileFaceNet', head: 'ArcFace', samples: 1200, classes: 60, notes: ['drawn <by> a program'] }),
    line('step', { step: 10, epoch: 1, loss: 5, lr: 0.1, images_per_second: 60, wait_share: 0.01 }),
    line('evaluation', { step: 10, epoch: 1, name: 'held_out', accuracy: accuracy - 0.1, std: 0.02, rule: 'insightface', folds: 10, pairs: 600 }),
    line('step', { step: 20, epoch: 2, loss: 1.25, lr: 0.01, images_per_second: 61, wait_share: 0.01 }),
    line('evaluation', { step: 20, epoch: 2, name: 'held_out', accuracy, std: 0.01, rule: 'insightface', folds: 10, pairs: 600 }),
    line('end', { step: 20, epoch: 2, seconds: 90, reason: 'finished' }),
    '{"event":"st',
  ].join('')
}

const folder = t.testdir({
  a: { 'metrics.jsonl': metrics(0.9), 'config.yaml': 'head: <ArcFace>\n' },
  b: { 'metrics.jsonl': metrics(0.85) },
  empty: {},
})
const runs = ['a', 'b'].map((name) => path.join(folder, name))

t.test('report writes one page that loads nothing and shows every curve', async (t) => {
  const { status, stdout, stderr } = facex(['report', ...runs])
  t.equal(status, 0, stderr)
  t.equal(stdout.trim(), path.join(folder, 'a', 'report.html'))
  const page = readFileSync(path.join(folder, 'a', 'report.html'), 'utf8')
  t.equal(page.match(/<svg/g)?.length, 5)
  t.notMatch(page, /<script|<link|src=/)
  t.match(page, 'drawn &lt;by&gt; a program')
  t.match(page, '<td>90.00% \u00b1 1.00% (insightface, 10 folds, 600 pairs)</td>')
  t.match(page, 'head: &lt;ArcFace&gt;')
})

t.test('table prints Markdown or JSON with the last figures', async (t) => {
  const table = facex(['table', ...runs])
  t.match(table.stdout, '| a | MobileFaceNet | ArcFace | 1,200 images, 60 identities | 20 of 20 | 1.250 | 61 | 1:30 | 90.00% \u00b1 1.00% (insightface, 10 folds, 600 pairs) |\n')
  t.match(JSON.parse(facex(['table', ...runs, '--format', 'json']).stdout), [{ run: 'a' }, { run: 'b', loss: '1.250' }])
})

t.test('a folder without a run is an error', async (t) => {
  t.match(facex(['report', path.join(folder, 'empty')]), { status: 1, stderr: /expected a run folder with metrics.jsonl/ })
  t.equal(facex(['table']).status, 2)
})
