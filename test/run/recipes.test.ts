import path from 'node:path'

import t from 'tap'

import { resolveRun } from '../../lib/config/resolve.js'
import { layerResult } from '../../lib/graph/outputs.js'
import { buildModel } from '../../lib/model/build.js'
import { readRecipes, type Recipe } from '../../lib/model/recipes.js'
import { planTraining } from '../../lib/training/train.js'
import { sharedPath } from '../shared.js'

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

const faces = sharedPath('data', 'lfw-view1')
/** Those that read images made by a command first, or need a teacher. */
const LATER = ['shallow', 'masked']

async function plan({ small }: Recipe, set: readonly string[]): Promise<void> {
  const data = path.dirname(faces!)
  process.env['FACEX_DATA'] = data
  await planTraining(resolveRun({ file: small, set: ['device=cpu', 'threads=1', ...set] }), () => {})
}

t.test('a small twin can be planned where its data is', { skip: faces === undefined && 'no faces here' }, async (t) => {
  const wanted = (recipe: Recipe) => !LATER.includes(recipe.group) && (process.env['FACEX_ALL'] !== undefined || ['MobileFaceNet', 'MagFace', 'triplet'].includes(recipe.name))
  for (const recipe of RECIPES.filter(wanted)) {
    if (!recipe.name.startsWith('distillation')) await t.resolves(plan(recipe, []), recipe.name)
  }
})
