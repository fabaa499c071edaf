/** The weights that a run starts from. @module */
import type { NativeTensor } from '../native.js'
import type { PreparedRun } from './prepare.js'

/** Initialises every network and head from the seed, then lets the mode's copies begin as the backbone. */
export async function initialWeights(run: PreparedRun): Promise<void> {
  const { config, trainer } = run
  trainer.initialise(config.seed)
  await copyBackbone(run)
}

/** Parameters of the networks in `copies` become those of the backbone; their running statistics stay their own. */
async function copyBackbone({ plan, trainer }: PreparedRun): Promise<void> {
  if (plan.copies.length === 0) return
  const parameters = new Set(trainer.parameters().map(({ name }) => name))
  const prefix = 'backbone.'
  const values = (await trainer.state()).filter(({ name }) => name.startsWith(prefix) && parameters.has(name))
  trainer.load(plan.copies.flatMap((copy) => values.map((value): NativeTensor => ({ ...value, name: `${copy}.${value.name.slice(prefix.length)}` }))))
}
