/**
 * Knowledge distillation: the network learns identities with its head and, beside that, to be like a trained teacher: in
 * its embeddings, in its class probabilities (Hinton, Vinyals, Dean, arXiv:1503.02531), or in the features of chosen
 * layers (FitNets, Romero et al., arXiv:1412.6550).
 *
 * The teacher is always in evaluation mode: running statistics, no dropout, no gradient.
 * @module
 */
import { z } from 'zod'

import { FacexError } from '../../errors.js'
import { layerResult, withLayerOutputs } from '../../graph/outputs.js'
import type { Graph, Shape } from '../../graph/types.js'
import { formatShape } from '../../graph/shape.js'
import type { HeadPieces } from '../../heads/index.js'
import { embeddingSize } from '../../model/build.js'
import type { NativeTensor } from '../../native.js'
import { accumulate, backward, batch, forward, loss, type Verb } from '../program.js'
import { requireCentres } from './class-centres.js'
import { defineMode, type ModeContext, type TrainedNetwork } from './mode.js'

const TEACHER = { gradient: false, batchStatistics: false, stochastic: false } as const

const factor = (what: string) => z.number().positive().default(1).describe(`factor on ${what} in the loss`)

const OPTIONS = {
  teacher: z.string().min(1).describe('checkpoint of the teacher, or its run folder for the best one'),
  distance: z
    .enum(['cosine', 'l2', 'none'])
    .default('cosine')
    .describe('between the embeddings: 1 - cos, the mean squared difference of their elements, or not part of the loss'),
  weight: factor('that distance'),
  logits: z
    .strictObject({
      temperature: z.number().positive().default(4).describe('T, that both sides are divided by before softmax; the loss is multiplied by its square'),
      scale: z.number().positive().default(32).describe('factor on the cosines with the class centres, which have no margin here'),
      weight: factor('the divergence of the class probabilities'),
    })
    .optional()
    .describe("learn the teacher's class probabilities too; it must have been trained on the same identities"),
  hints: z
    .array(
      z.strictObject({
        student: z.string().min(1).describe('layer of the network, such as layer3'),
        teacher: z.string().min(1).describe('layer of the teacher, with the same height and width'),
        weight: factor('the mean squared difference of their results'),
      }),
    )
    .default([])
    .describe('layers that should give what layers of the teacher give, through a learned projection where their channels differ'),
  head_weight: z.number().min(0).default(1).describe('factor on the loss of the head; 0 learns from the teacher alone'),
}
type Options = z.output<z.ZodObject<typeof OPTIONS>>

/** One way to be like the teacher. */
interface Imitation {
  readonly head: string
  readonly pieces: HeadPieces
  /** The loss of a micro-batch with its share of the step. */
  readonly verb: (share: number) => Verb
  readonly tensors?: readonly NativeTensor[]
}

export const distillation = defineMode({
  name: 'distillation',
  summary: 'classification, and the embeddings, class probabilities or features of a trained teacher as the aim',
  options: OPTIONS,
  async create(options, context) {
    const { teacher: file, hints, head_weight: headWeight } = options
    if (headWeight > 0) requireCentres('distillation', context.head)
    const teacher = await context.loadNetwork(file, { head: options.logits !== undefined })
    const imitations = [...embeddings(options, teacher, context), ...probabilities(options, teacher, context), ...features(options, teacher, context)]
    if (imitations.length === 0) throw new FacexError('ERR_CONFIG', 'mode distillation: expected something to learn from the teacher: a distance, logits or hints')
    const names = (side: 'student' | 'teacher') => Object.fromEntries(hints.map((hint, i) => [`hint ${i}`, hint[side]]))
    const values = (side: string) => Object.fromEntries(hints.map((_, i) => [`hint ${i}`, `${side} hint ${i}`]))
    return {
      networks: { backbone: withLayerOutputs(context.graph, names('student')), teacher: withLayerOutputs(teacher.graph, names('teacher')) },
      heads: { ...Object.fromEntries(imitations.map(({ head, pieces }) => [head, pieces])), ...(needsHead(options) ? { head: context.head } : {}) },
      program: [
        ...accumulate(context.accumulate, (share) => [
          batch(['images']),
          forward('teacher', 'images', 'wanted', { ...TEACHER, also: values('teacher') }),
          forward('backbone', 'images', 'embeddings', { also: values('student') }),
          ...imitations.map(({ verb }) => verb(share)),
          ...(headWeight === 0 ? [] : [loss('head', 'embeddings', { weight: share * headWeight })]),
          backward(),
        ]),
        ...context.finish,
      ],
      order: context.order('shuffle'),
      copies: [],
      weights: { teacher: teacher.tensors, ...Object.fromEntries(imitations.flatMap(({ head, tensors }) => (tensors === undefined ? [] : [[head, tensors]]))) },
    }
  },
})

/** Class probabilities need the head's class centres even where its own loss does not count. */
const needsHead = (options: Options): boolean => options.head_weight > 0 || options.logits !== undefined

function embeddings({ distance, weight, teacher: file }: Options, teacher: TrainedNetwork, { head }: ModeContext): Imitation[] {
  if (distance === 'none') return []
  const size = embeddingSize(teacher.graph)
  if (size !== head.featDim) {
    throw new FacexError(
      'ERR_CONFIG',
      `mode distillation: expected embeddings of one length, ${file} gives ${size} and the backbone ${head.featDim}; set feat_dim of the backbone, or distance: none with hints: [{student: embedding, teacher: embedding}]`,
    )
  }
  return [
    {
      head: 'imitation',
      pieces: { name: 'Distillation', featDim: size, numClass: 1, values: {}, choices: { distance } },
      verb: (share) => loss('imitation', 'embeddings', { name: 'distance', weight: share * weight, gallery: 'wanted' }),
    },
  ]
}

function probabilities({ logits, teacher: file }: Options, teacher: TrainedNetwork, { head, loadHead }: ModeContext): Imitation[] {
  if (logits === undefined) return []
  const { temperature, scale, weight } = logits
  const refuse = (text: string) => new FacexError('ERR_CONFIG', `mode.logits: ${text}`)
  if (!hasCosines(head)) throw refuse(`expected a head with one class centre an identity and cosines as its logits, received ${head.name}`)
  if ((head.sampleRate ?? 1) < 1) throw refuse('expected all classes in every step; leave head.sample_rate out')
  const trained = loadHead(teacher, file)
  if (!hasCosines(trained.pieces)) throw refuse(`${file} was trained with ${trained.pieces.name}, which has no class centres with cosines`)
  const size = embeddingSize(teacher.graph)
  const centres = trained.tensors.find(({ shape }) => shape.length === 2 && shape.includes(head.numClass) && shape.includes(size))
  if (centres === undefined) throw new FacexError('ERR_CHECKPOINT', `${file}: expected class centres of ${head.numClass} identities and length ${size}, found none`)
  return [
    {
      head: 'probabilities',
      pieces: {
        name: 'LogitDistillation',
        featDim: head.featDim,
        numClass: head.numClass,
        values: { temperature, scale, teacher_dim: size },
        choices: { student_head: head.name, teacher_head: trained.pieces.name },
      },
      verb: (share) => loss('probabilities', 'embeddings', { name: 'divergence', weight: share * weight, gallery: 'wanted', centresOf: 'head' }),
      tensors: [{ ...centres, name: 'teacher' }],
    },
  ]
}

const WITHOUT_COSINES = ['Softmax', 'SubCenterArcFace', 'SST_Prototype', 'Contrastive', 'Triplet']
const hasCosines = ({ name }: HeadPieces): boolean => !WITHOUT_COSINES.includes(name)

function features({ hints }: Options, teacher: TrainedNetwork, { graph }: ModeContext): Imitation[] {
  return hints.map(({ student, teacher: wanted, weight }, i) => {
    const [own, other] = [shapeOf(graph, student), shapeOf(teacher.graph, wanted)]
    if (places(own) !== places(other)) {
      throw new FacexError('ERR_CONFIG', `mode.hints[${i}]: expected layers with the same places, ${student} gives ${formatShape(own)} and the teacher's ${wanted} ${formatShape(other)}`)
    }
    const head = `hint ${i}`
    return {
      head,
      pieces: { name: 'Hint', featDim: channels(own), numClass: 1, values: { teacher_dim: channels(other) }, choices: {} },
      verb: (share) => loss(head, `student ${head}`, { name: `loss of ${head}`, weight: share * weight, gallery: `teacher ${head}` }),
    }
  })
}

const shapeOf = (graph: Graph, layer: string): Shape => layerResult(graph, layer).shape
/** Images are [C, H, W], everything else ends with its channels. */
const channels = ({ dims }: Shape): number => (dims.length === 3 ? dims[0]! : dims.at(-1)!)
const places = ({ batch: times, dims }: Shape): string => [times, ...(dims.length === 3 ? dims.slice(1) : dims.slice(0, -1))].join('x')
