import { mkdirSync, writeFileSync } from 'node:fs'
import path from 'node:path'

import sharp from 'sharp'
import t from 'tap'

import { resolveRun } from '../../lib/config/resolve.js'
import { layerResult } from '../../lib/graph/outputs.js'
import { buildModel } from '../../lib/model/build.js'
import { readRecipes } from '../../lib/model/recipes.js'
import { packageRoot } from '../../lib/setup/places.js'
import { planTraining } from '../../lib/training/train.js'
import { facex } from '../facex.js'

t.setTimeout(1_800_000)

const RECIPES = readRecipes()
const MS_CELEB = 72_778

t.test('every recipe resolves and builds its network and head, and so does its small twin', async (t) => {
  for (const { file, small, summary } of RECIPES) {
    t.not(summary, '', `${file} says what it is for`)
    for (const name of [file, small]) {
      const { config, source } = resolveRun({ file: name })
      const model = buildModel(config, source, MS_CELEB)
      t.ok(model.params > 1e6, name)
    }
  }
})

t.test('hints name layers of both networks with the same places', async (t) => {
  const recipe = (name: string) => RECIPES.find((row) => row.name === name)!
  const graphOf = (file: string) => {
    const { config, source } = resolveRun({ file })
    return { graph: buildModel(config, source, 10).backbone.graph, mode: config.mode }
  }
  const { graph, mode } = graphOf(recipe('distillation-hints').file)
  const teacher = graphOf(recipe(path.basename(String(mode['teacher']))).file).graph
  const hints = mode['hints'] as { student: string; teacher: string }[]
  for (const hint of hints) t.strictSame(layerResult(graph, hint.student).shape.dims.slice(1), layerResult(teacher, hint.teacher).shape.dims.slice(1))
  t.not(hints.length, 0)
})

t.test('full size is the published setting', async (t) => {
  const full = { batch_size: 512, epochs: 18, optimizer: { name: 'sgd', lr: 0.1, momentum: 0.9, weight_decay: 1e-4 }, schedule: { milestones: [10, 13, 16] }, device: 'cuda' }
  for (const { file, name, group } of RECIPES) {
    if (group === 'heads' || (group === 'backbones' && !name.startsWith('Swin'))) t.match(resolveRun({ file }).config, full, file)
  }
})

t.test('no twin claims published results, and none writes into the folder of another run', async (t) => {
  const configs = RECIPES.flatMap(({ file, small }) => [resolveRun({ file }).config, resolveRun({ file: small }).config])
  t.equal(new Set(configs.map(({ out_dir }) => out_dir)).size, configs.length)
  for (const { small } of RECIPES) t.strictSame(resolveRun({ file: small }).config.about?.published, undefined, small)
})

t.test('what a recipe learns from is the run of another recipe', async (t) => {
  const configs = RECIPES.flatMap(({ file, small }) => [resolveRun({ file }).config, resolveRun({ file: small }).config])
  const folders = new Set(configs.map(({ out_dir }) => out_dir))
  const teachers = configs.flatMap(({ mode, out_dir }) => (mode['teacher'] === undefined ? [] : [[out_dir, String(mode['teacher'])]]))
  t.equal(teachers.length, 6)
  for (const [folder, teacher] of teachers) t.ok(folders.has(teacher!), `${folder} learns from ${teacher}`)
})

const IDENTITIES = 40

/** Every file that the small twins read, filled with a few drawn images, in a folder that becomes the working folder. */
async function writeSmallData(folder: string): Promise<void> {
  const below = (...names: string[]) => path.join(folder, ...names)
  for (const root of [below('data/lfw-view1/train'), below('data/lfw-view1/val'), below('data/faces/lfw'), below('runs/lfw-view1-masked')]) mkdirSync(root, { recursive: true })
  for (const root of ['data/lfw-view1/train', 'data/lfw-view1/val', 'data/faces', 'data/faces/lfw', 'runs/lfw-view1-masked']) {
    for (const image of [0, 1]) {
      const pixels = Uint8Array.from({ length: 112 * 112 * 3 }, (_, at) => (at * (image + 3)) % 251)
      await sharp(pixels, { raw: { width: 112, height: 112, channels: 3 } }).jpeg().toFile(below(root, `${image}.jpg`))
    }
  }
  const list = Array.from({ length: 2 * IDENTITIES }, (_, i) => `${i % 2}.jpg ${Math.floor(i / 2)}\n`).join('')
  for (const file of ['data/lfw-view1/train.txt', 'data/faces/two.chosen.txt', 'runs/lfw-view1-masked/train.txt']) writeFileSync(below(file), list)
  const pairs = Array.from({ length: 20 }, (_, i) => `0.jpg ${i % 2}.jpg ${(i + 1) % 2}\n`).join('')
  for (const file of ['data/lfw-view1/pairs.txt', 'data/faces/lfw_pairs.txt']) writeFileSync(below(file), pairs)
}

/** Networks that are built in no time; all others wait for FACEX_ALL. */
const QUICK = ['MobileFaceNet', 'MagFace', 'siamese', 'triplet', 'shallow-conventional', 'shallow-semi-siamese', 'masked', 'masked-upper-half', 'upper-half']
/** They need a trained teacher. */
const TAUGHT = ['distillation', 'distillation-hints', 'masked-distillation']

t.test('every small twin can be planned where the files are that its comments name', async (t) => {
  const folder = t.testdir()
  await writeSmallData(folder)
  const before = process.cwd()
  t.teardown(() => process.chdir(before))
  process.chdir(folder)
  delete process.env['FACEX_DATA']
  const all = process.env['FACEX_ALL'] !== undefined
  const wanted = RECIPES.filter(({ name }) => !TAUGHT.includes(name) && (all || QUICK.includes(name)))
  t.ok(QUICK.every((name) => wanted.some((recipe) => recipe.name === name)))
  for (const { name, small } of wanted) {
    const { plan, details } = await planTraining(resolveRun({ file: small, set: ['device=cpu', 'threads=1'] }), () => {})
    t.equal(plan.classes, IDENTITIES, name)
    t.ok(details.memory.peak > 0)
  }

  const [masked, semiSiamese] = ['masked-upper-half', 'shallow-semi-siamese'].map((name) => RECIPES.find((recipe) => recipe.name === name)!.small)
  t.match(facex(['train', masked!, '--dry-run'], { cwd: folder }), { status: 0, stdout: /80 images of 40 identities.*Nothing was trained \(--dry-run\)/s })
  const explained = facex(['train', masked!, '--explain', '--precision', 'bf16'], { cwd: folder })
  t.match(explained, { status: 0, stdout: /network backbone +bfloat16.*batch norm \(\d+\) +float32.*conv1\S*,.*head head +float32 +MV-Softmax.*\(--explain\)/s })
  const example = path.join(packageRoot(), 'examples', 'three-convolutions.mjs')
  const tiny = facex(['train', semiSiamese!, '--dry-run', '--set', `extensions=[${example}]`, '--set', 'backbone={type: ThreeConvolutions}', '--set', 'head.feat_dim=128'], { cwd: folder })
  t.match(tiny, { status: 0, stdout: /ThreeConvolutions \(155,136 parameters.*mode semi-siamese.*80 images of 40 identities, batch 32/s }, 'the network of docs/modes.md')
  const data = { FACEX_DATA: path.join(folder, 'elsewhere') }
  t.match(facex(['train', semiSiamese!, '--dry-run'], { cwd: folder, env: data }), { status: 1, stderr: /elsewhere\/faces\/two\.chosen\.txt/ })
})
