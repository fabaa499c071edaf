/**
 * The memory of a run from its configuration alone: nothing is allocated, no image is opened, and the data need not be
 * there when the number of identities is given.
 * @module
 */
import type { ResolvedRun } from '../config/resolve.js'
import type { RunConfig } from '../config/run.js'
import { openDataset, type Dataset } from '../data/dataset.js'
import { FacexError } from '../errors.js'
import { runMemory, type RunMemory } from './memory.js'
import { planRun } from './plan-run.js'

export interface RunEstimate {
  readonly backbone: string
  readonly head: string
  readonly classes: number
  readonly batch_size: number
  readonly precision: RunConfig['precision']
  readonly device: 'cpu' | 'cuda'
  readonly processes: number
  /** Of one process, the first. */
  readonly memory: RunMemory
}

/**
 * Predicts the memory of a run.
 * @param classes identities to assume; without it the training lists are opened and counted
 * @param ranks processes that share the run
 * @throws FacexError ERR_CONFIG, ERR_DATA, ERR_GRAPH as training would
 */
export async function estimateRun(resolved: ResolvedRun, device: 'cpu' | 'cuda', classes?: number, ranks = 1): Promise<RunEstimate> {
  const { config } = resolved
  if (config.batch_size % ranks !== 0) throw new FacexError('ERR_CONFIG', `batch_size: expected a multiple of the ${ranks} processes, which share it; got ${config.batch_size}`)
  const count = classes ?? drawnClasses(config)
  const dataset = count === undefined ? await openDataset(config.data.train) : imagined(count, config)
  const run = await planRun(resolved, dataset)
  return {
    backbone: run.model.backbone.name,
    head: run.model.head.name,
    classes: dataset.classCount,
    batch_size: config.batch_size,
    precision: config.precision,
    device,
    processes: ranks,
    // Nobody knows the length of a list that is not there.
    memory: runMemory({ ...run, dataset: count === undefined ? dataset : { size: 0 }, input: run.model.preprocessing, ranks }, device),
  }
}

/** Identities of sources that a program draws, which need not be drawn for this. */
function drawnClasses({ data }: RunConfig): number | undefined {
  const counts = data.train.map((source) => (source.kind === 'synthetic' ? source.identities : Number.NaN))
  const total = counts.reduce((sum, count) => sum + count, 0)
  return Number.isNaN(total) ? undefined : total
}

/** A data set without images: enough samples of every class for a step of any mode. */
function imagined(classCount: number, { batch_size, accumulate }: RunConfig): Dataset {
  const size = Math.max(2 * classCount, 2 * batch_size * accumulate)
  const labels = Int32Array.from({ length: size }, (_, index) => index % classCount)
  return {
    source: { kind: 'files', root: '', paths: new Uint8Array(), labels },
    size,
    labels,
    classCount,
    classMapHash: '',
    parts: [{ first: 0, size, weight: 1, firstLabel: 0 }],
    notes: [],
    describe: (indices) => indices.map((index) => `sample ${index}`),
  }
}
