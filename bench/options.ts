/** What `npm run bench` can be told. @module */
import { availableParallelism } from 'node:os'
import { parseArgs } from 'node:util'

const BACKBONES = 'MobileFaceNet,GhostNet,EfficientNet,ReXNet,TF-NAS,ResNet50-ir'
const CUDA_BACKBONES = 'MobileFaceNet,ResNet50-ir,ResNet152-irse,Swin-T'
/** Sections that a GPU changes, and the loader that feeds it, in the order in which time is spent on them. */
const CUDA_SECTIONS = ['step', 'classes', 'loader', 'waiting', 'compile']
/** Of a GPU alone: elsewhere they are part of others, or say nothing. */
const CUDA_ONLY = ['waiting', 'compile']
/** Identities of the section heads; the last is Partial FC. */
export const HEAD_SIZES: readonly number[] = [10_000, 72_778, 500_000, 2_000_000]

export const usage = (sections: readonly string[]) => `Usage: npm run bench -- [OPTIONS]

Runs facex and PyTorch in turns on this machine and prints their ratios with spread, as Markdown. FACEX_PYTHON names a
Python with torch (and onnxruntime and cv2 for the sections that need them). The machine should be idle.

--only A,B         sections: ${sections.join(', ')};
                   all but ${CUDA_ONLY.join(' and ')} by default, ${CUDA_SECTIONS.join(', ')} with --device cuda
--device NAME      cpu (the default) or cuda
--minutes N        begins no further row after that, and says which are left out; 7 with --device cuda, without end else
--backbones A,B    of step; ${BACKBONES} by default, ${CUDA_BACKBONES} with --device cuda
--precision A,B    of step: fp32, bf16; both by default
--batch_size A,B   of step, the first of modes; 64 by default, 16 for ResNets, 128 and 512 with --device cuda
--identities A,B   of heads; all by default: ${HEAD_SIZES.join(', ')}, the last with Partial FC
--threads N        all cores by default
--rounds N         turns that each pair takes; 5 by default
--steps N          steps or batches of a turn; 3 by default, half a second of them with --device cuda
--root DIR --list FILE  images for loader; without them faces are drawn
--root DIR --pairs FILE aligned faces and pairs for evaluate (LFW's); without them faces are drawn
--weights FILE     checkpoint for evaluate; without it the network is MobileFaceNet with random weights
--gallery N        embeddings for search; 1,000,000 by default: a temporary file of 2 GB
--keep-memory      PyTorch's processes keep the memory that they free, by settings of glibc: for machines with slow page faults
--no-compile       leaves torch.compile out, which takes a minute a network
--quick            two short rounds of small batches without torch.compile: does everything run?
`

export interface BenchOptions {
  readonly only: readonly string[]
  readonly device: 'cpu' | 'cuda'
  readonly backbones: readonly string[]
  readonly precisions: readonly ('fp32' | 'bf16')[]
  readonly batchSizes: (backbone: string) => readonly number[]
  readonly threads: number
  readonly rounds: number
  readonly steps: number
  /** A turn lasts half a second, in place of so many steps. */
  readonly timedTurns: boolean
  /** When no further row begins, as performance.now() counts. */
  readonly end: number
  readonly keepMemory: boolean
  readonly compile: boolean
  readonly quick: boolean
  readonly images: { readonly root: string; readonly list: string } | undefined
  readonly pairs: { readonly root: string; readonly pairs: string } | undefined
  readonly weights: string | undefined
  readonly gallery: number | undefined
  readonly identities: readonly number[] | undefined
}

/** @throws TypeError for an unknown option, as parseArgs does; undefined where help was asked for */
export function parseBenchOptions(argv: readonly string[], sections: readonly string[]): BenchOptions | undefined {
  const { values } = parseArgs({
    args: [...argv],
    options: {
      only: { type: 'string' },
      device: { type: 'string', default: 'cpu' },
      backbones: { type: 'string' },
      precision: { type: 'string', default: 'fp32,bf16' },
      batch_size: { type: 'string' },
      threads: { type: 'string', default: String(availableParallelism()) },
      rounds: { type: 'string' },
      steps: { type: 'string' },
      root: { type: 'string' },
      list: { type: 'string' },
      pairs: { type: 'string' },
      weights: { type: 'string' },
      gallery: { type: 'string' },
      identities: { type: 'string' },
      minutes: { type: 'string' },
      'keep-memory': { type: 'boolean', default: false },
      'no-compile': { type: 'boolean', default: false },
      quick: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  })
  if (values.help) return undefined
  const { quick, device } = values
  if (device !== 'cpu' && device !== 'cuda') throw new TypeError(`--device: expected cpu or cuda; got ${device}`)
  const onGpu = device === 'cuda'
  const only = values.only?.split(',') ?? (onGpu ? CUDA_SECTIONS : sections.filter((name) => !CUDA_ONLY.includes(name)))
  for (const name of only) if (!sections.includes(name)) throw new TypeError(`--only: expected ${sections.join(', ')}; got ${name}`)
  if (onGpu && only.some((name) => !CUDA_SECTIONS.includes(name))) throw new TypeError(`--device cuda: expected --only ${CUDA_SECTIONS.join(',')}; the other sections measure the CPU`)
  if (!onGpu && only.some((name) => CUDA_ONLY.includes(name))) throw new TypeError(`--only: ${CUDA_ONLY.join(' and ')} need --device cuda`)
  const minutes = values.minutes === undefined ? (onGpu ? 7 : Infinity) : positive('minutes', values.minutes)
  const batchSizes = values.batch_size?.split(',').map((text) => positive('batch_size', text))
  const precisions = values.precision.split(',')
  for (const name of precisions) if (name !== 'fp32' && name !== 'bf16') throw new TypeError(`--precision: expected fp32 or bf16; got ${name}`)
  const { root, list, pairs } = values
  if ((root === undefined) !== (list === undefined && pairs === undefined)) throw new TypeError('--root belongs together with --list or --pairs')
  return {
    only,
    device,
    backbones: (values.backbones ?? (onGpu ? CUDA_BACKBONES : BACKBONES)).split(','),
    precisions: precisions as BenchOptions['precisions'],
    batchSizes: (backbone) => batchSizes ?? (quick ? [8] : onGpu ? [128, 512] : [backbone.startsWith('ResNet') ? 16 : 64]),
    threads: positive('threads', values.threads),
    rounds: positive('rounds', values.rounds ?? (quick ? '2' : onGpu ? '3' : '5')),
    steps: positive('steps', values.steps ?? (quick ? '1' : '3')),
    timedTurns: onGpu && values.steps === undefined && !quick,
    end: performance.now() + minutes * 60_000,
    keepMemory: values['keep-memory'],
    compile: !values['no-compile'] && !quick,
    quick,
    images: list === undefined ? undefined : { root: root!, list },
    pairs: pairs === undefined ? undefined : { root: root!, pairs },
    weights: values.weights,
    gallery: values.gallery === undefined ? undefined : positive('gallery', values.gallery),
    identities: values.identities?.split(',').map(headSize),
  }
}

function headSize(text: string): number {
  if (!HEAD_SIZES.includes(Number(text))) throw new TypeError(`--identities: expected ${HEAD_SIZES.join(', ')}; got ${text}`)
  return Number(text)
}

function positive(name: string, text: string): number {
  const value = Number(text)
  if (!Number.isInteger(value) || value < 1) throw new TypeError(`--${name}: expected a whole number from 1, got ${text}`)
  return value
}
