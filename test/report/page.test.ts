/** Run folders as a page and as a table. */
import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync, readdirSync, writeFileSync } from 'node:fs'
import path from 'node:path'

import sharp from 'sharp'
import t from 'tap'

import { hardestPairs } from '../../lib/evaluation/hardest-pairs.js'
import { findRule } from '../../lib/evaluation/rules/index.js'
import type { ProtocolResult } from '../../lib/evaluation/protocols/protocol.js'
import { verify } from '../../lib/evaluation/verification.js'
import { readEvaluations, writeEvaluation } from '../../lib/report/evaluations/record.js'
import { facexHere } from '../facex.js'
import { uniform } from '../golden-values.js'

t.setTimeout(300_000)

const line = (event: string, values: object) => `${JSON.stringify({ event, time: '2020-01-01T00:00:00Z', ...values })}\n`

function metrics(accuracy: number): string {
  return [
    line('start', { step: 0, epoch: 1, steps: 20, backbone: 'MobileFaceNet', parameters: 1_190_000, macs: 227_570_000, head: 'ArcFace', samples: 1200, classes: 60, notes: ['drawn <by> a program'] }),
    line('step', { step: 10, epoch: 1, loss: 5, lr: 0.1, images_per_second: 60, wait_share: 0.01 }),
    line('evaluation', { step: 10, epoch: 1, name: 'held_out', figure: 'accuracy', value: accuracy - 0.1, accuracy: accuracy - 0.1, std: 0.02, rule: 'insightface', folds: 10, pairs: 600 }),
    line('step', { step: 20, epoch: 2, loss: 1.25, lr: 0.01, images_per_second: 61, wait_share: 0.01 }),
    line('evaluation', { step: 20, epoch: 2, name: 'held_out', figure: 'accuracy', value: accuracy, accuracy, std: 0.01, rule: 'insightface', folds: 10, pairs: 600 }),
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

/** Pairs of a list "lfw", pictures of plain colours. */
async function evaluated(run: string) {
  const colour = (r: number) => sharp({ create: { width: 112, height: 112, channels: 3, background: { r, g: 90, b: 120 } } }).png().toBuffer()
  const files = [await colour(10), await colour(240)]
  const genuine = Uint8Array.from({ length: 400 }, (_, i) => i % 2)
  const scores = Float64Array.from(genuine, (same, i) => (same ? 0.5 : 0.1) + uniform(`page ${run}`, i) - 0.5)
  const list = { paths: ['<a>.png', 'b.png'], first: new Uint32Array(400), second: new Uint32Array(400).fill(1), genuine, lines: new Uint32Array(400) }
  const result = verify({ scores, genuine }, { rule: findRule('insightface'), folds: 10, flip: true })
  return writeEvaluation(run, { kind: 'verification', ...result, name: 'LFW', images: 2, seconds: 1, scores, genuine, set: { name: 'LFW', files, list, place: String } }, { step: 20 })
}

const openSet: ProtocolResult = {
  kind: 'template-identification',
  name: 'IJBC_1N',
  images: 9,
  probes: 5,
  flip: false,
  weighted: true,
  galleries: [],
  ranks: [{ rank: 1, accuracy: 0.8 }],
  cmc: [0.8, 0.9],
  tpirAtFpir: [{ fpir: 0.1, tpir: 0.6 }],
  curve: [{ fpir: 0.1, tpir: 0.6 }, { fpir: 1, tpir: 1 }],
  seconds: 1,
}

t.before(async () => {
  for (const run of runs) await evaluated(run)
  await writeEvaluation(runs[0]!, { kind: 'identification', name: 'MegaFace', probes: 4, distractors: 3, masked: false, flip: false, trials: 4, ranks: [{ rank: 1, accuracy: 0.9039, interval: [0.1, 0.95] }], cmc: [0.9039, 0.95, 1], seconds: 1 }, { weights: ['x.safetensors'] })
  await writeEvaluation(runs[0]!, openSet, { step: 20 })
})

t.test('an evaluation is kept with its scores and its hardest pairs, and read back', async (t) => {
  const [, lfw, megaface] = await readEvaluations(runs[0]!)
  t.match(lfw!.figures, { name: 'LFW', kind: 'verification', rule: 'insightface', flip: true, folds: 10, pairs: 400, step: 20 })
  t.equal(lfw!.scores!.scores.length, 400)
  t.equal(lfw!.scores!.genuine.reduce((sum, value) => sum + value, 0), 200)
  t.equal(lfw!.hardest.length, 16)
  t.match(await sharp(lfw!.hardest[0]!.picture).metadata(), { width: 224, height: 112, format: 'jpeg' })
  t.match(lfw!.hardest[0], { kind: 'impostors', names: ['<a>.png', 'b.png'] })
  t.equal(megaface!.scores, undefined)
})

t.test('the hardest pairs are the most alike of two people and the least alike of one', async (t) => {
  const pairs = { scores: Float64Array.of(0.9, 0.1, 0.5, 0.6, -0.2), genuine: Uint8Array.of(1, 0, 1, 0, 1) }
  t.same(hardestPairs(pairs, 2), { impostors: [3, 1], genuine: [4, 2] })
})

t.test('report writes one page that loads nothing and shows every curve', async (t) => {
  const { status, stdout, stderr } = await facexHere(['report', ...runs])
  t.equal(status, 0, stderr)
  t.equal(stderr, '')
  t.equal(stdout, `${path.join(folder, 'a', 'report.html')}\n`)
  const page = readFileSync(path.join(folder, 'a', 'report.html'), 'utf8')
  t.equal(page.match(/<svg/g)?.length, 5 + 4 + 1 + 2, 'training; ROC, DET and a histogram a run; CMC of MegaFace; CMC and DET of an open set')
  t.equal(page.match(/<svg role="img" aria-label="[^"]+"/g)?.length, 12, 'every drawing says what it shows')
  t.notMatch(page, /<script|<link|src="(?!data:)|url\((?!#)/)
  t.equal(page.match(/<img /g)?.length, 2 * 16)
  t.equal(page.match(/<img [^>]*alt="&lt;a&gt;.png and b.png"/g)?.length, 2 * 16)
  t.match(page, 'drawn &lt;by&gt; a program')
  t.match(page, '<td>90.00% \u00b1 1.00% (insightface, 10 folds, 600 pairs)</td>')
  t.match(page, 'head: &lt;ArcFace&gt;')
})

t.test('charts may be written as pictures', async (t) => {
  const out = path.join(t.testdir(), 'png')
  const { status, stdout, stderr } = await facexHere(['report', runs[1]!, '--out', path.join(out, 'page.html'), '--png', out, '--json'])
  t.equal(status, 0, stderr)
  const { pictures } = JSON.parse(stdout) as { pictures: string[] }
  t.equal(pictures.length, 8)
  t.same(readdirSync(out).filter((name) => name.endsWith('.png')).length, 8)
  const { channels } = await sharp(pictures.find((file) => file.includes('roc'))!).stats()
  t.ok(channels[0]!.stdev > 5, 'it is not blank')
})

const chromium = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'].find(existsSync)

for (const [width, scheme] of [[390, 'dark'], [1280, 'light']] as const) {
  const skip = chromium === undefined ? 'no Chromium on this machine' : scheme === 'light' && process.env['FACEX_ALL'] === undefined ? 'FACEX_ALL=1 runs it' : false
  t.test(`a browser shows the page ${width} pixels wide without overflow, ${scheme}`, { skip, timeout: 120_000 }, async (t) => {
    // What the page measures of itself in the browser comes out as its title.
    const measured = path.join(t.testdir(), 'page.html')
    const probe = `<script>addEventListener('load', () => { document.title = JSON.stringify({ page: document.documentElement.scrollWidth, window: innerWidth, broken: [...document.images].filter((image) => image.complete && image.naturalWidth === 0).length }) })</script>`
    writeFileSync(measured, readFileSync(path.join(folder, 'a', 'report.html'), 'utf8').replace('</body>', `${probe}</body>`))
    const picture = path.join(t.testdirName, 'page.png')
    const options = ['--headless', '--no-sandbox', '--disable-gpu', '--hide-scrollbars', `--user-data-dir=${t.testdirName}/profile`, `--window-size=${width},2400`]
    const { stdout } = spawnSync(chromium!, [...options, ...(scheme === 'dark' ? ['--force-dark-mode'] : []), '--dump-dom', `--screenshot=${picture}`, `file://${measured}`], { encoding: 'utf8', timeout: 110_000 })
    const title = /<title>([^<]*)<\/title>/.exec(stdout)?.[1] ?? ''
    const sizes = JSON.parse(title.replaceAll('&quot;', '"')) as { page: number; window: number; broken: number }
    t.ok(sizes.page <= sizes.window, `${sizes.page} of ${sizes.window} pixels`)
    t.equal(sizes.broken, 0)
    const { channels } = await sharp(picture).stats()
    t.ok(channels.every(({ stdev }) => stdev > 10), 'it is not blank')
    t.ok(scheme === 'dark' ? channels[0]!.mean < 100 : channels[0]!.mean > 180, `it is ${scheme}`)
  })
}

t.test('table prints the form of published tables, or all there is', async (t) => {
  t.equal(
    (await facexHere(['table', ...runs, '--format', 'markdown'])).stdout.split('\n').slice(0, 3).join('\n'),
    ['| backbone | head | LFW | MegaFace rank-1 | held_out | IJBC_1N rank-1 | params | MACs |', '| --- | --- | --- | --- | --- | --- | --- | --- |', `| MobileFaceNet | ArcFace | ${lfwAccuracy('a')} | 90.39 | 90.00 | 80.00 | 1.19M | 227.57M |`].join('\n'),
  )
  t.match((await facexHere(['table', ...runs, '--full'])).stdout, '| a | MobileFaceNet | 1.19M | 227.57M | ArcFace | 1,200 images, 60 identities | 20 of 20 | 1.250 | 61 | 1:30 |')
  t.match(JSON.parse((await facexHere(['table', ...runs, '--json', '--full'])).stdout), [{ run: 'a' }, { run: 'b', loss: '1.250', 'MegaFace rank-1': '-' }])
})

function lfwAccuracy(run: string): string {
  return (JSON.parse(readFileSync(path.join(folder, run, 'evaluations', 'LFW', 'result.json'), 'utf8')).accuracy * 100).toFixed(2)
}

t.test('a folder without a run is an error', async (t) => {
  t.match(await facexHere(['report', path.join(folder, 'empty')]), { status: 1, stderr: /expected a run folder with metrics.jsonl/ })
  t.equal((await facexHere(['table'])).status, 2)
})
