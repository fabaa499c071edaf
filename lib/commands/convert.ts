/**
 * `facex convert`: weights from one file format to another.
 * @module
 */
import { FacexError, received, unknownName } from '../errors.js'
import { convertWeights, type ConvertOptions } from '../model/convert.js'
import { readKeyMap } from '../model/key-maps.js'
import { namedBackbone } from '../model/network.js'
import type { WeightsFormat } from '../model/weights.js'
import { parseOptions } from './options.js'

export const usage = `Usage: facex convert IN OUT [OPTIONS]

Reads weights from IN (a facex checkpoint, safetensors or PyTorch file) and writes them to OUT. PyTorch files have the
form of FaceX-Zoo, {state_dict, epoch, batch_id}, with names backbone.* and head.*; torch.load(weights_only=True) reads
them. The optimizer of a checkpoint is left behind.

--format FORMAT    torch, safetensors or checkpoint; by OUT's extension (.pt, .pth, .ckpt, .safetensors) when left out, where
                   OUT.safetensors is a checkpoint with --color and with --deploy
--deploy           folded for use: batch norm in the weights, RepVGG's branches joined, no head; OUT cannot be trained
                   further, and every command that uses weights takes it
--no-head          the backbone only
--bare             the backbone only, its names without "backbone."
--backbone NAME    the network, also an entry of backbone_conf.yaml: names of other projects are translated to its own, and every entry must fit
--set KEY=VALUE    an option of that network
--key_map FILE     how that project names the weights: a YAML file like those in configs/key-maps/ of facex
--color rgb|bgr    with --mean X and --std X: what the network was trained with; needed, like --backbone, to make a
                   checkpoint of weights that do not describe themselves
--alignment NAME   the landmark template of its images where that is known, such as arcface
`

const FORMATS: readonly WeightsFormat[] = ['torch', 'safetensors', 'checkpoint']

export async function run(argv: string[]): Promise<number> {
  const { values, positionals } = parseOptions(
    argv,
    {
      format: { type: 'string' },
      'no-head': { type: 'boolean' },
      bare: { type: 'boolean' },
      deploy: { type: 'boolean' },
      backbone: { type: 'string' },
      set: { type: 'string', multiple: true },
      key_map: { type: 'string' },
      color: { type: 'string' },
      mean: { type: 'string' },
      std: { type: 'string' },
      alignment: { type: 'string' },
    },
    ['IN', 'OUT'],
  )
  const [input, output] = positionals
  if (input === undefined || output === undefined) throw new FacexError('ERR_USAGE', 'convert needs IN and OUT')
  for (const option of ['set', 'key_map'] as const) {
    if (values[option] !== undefined && values.backbone === undefined) throw new FacexError('ERR_USAGE', `--${option} needs --backbone`)
  }
  const format = values.format === undefined ? undefined : FORMATS.find((name) => name === values.format)
  if (values.format !== undefined && format === undefined) throw new FacexError('ERR_USAGE', unknownName('format', values.format, FORMATS))
  const keyMap = values.key_map === undefined ? undefined : readKeyMap(values.key_map)
  const backbone = values.backbone === undefined ? undefined : { ...namedBackbone(values.backbone, values.set), keyMap }
  const { from, to, tensors, keyMap: used } = await convertWeights(input, output, { format, backbone, pixels: pixelsOf(values), withoutHead: values['no-head'], bare: values.bare, deploy: values.deploy })
  process.stderr.write(`${input} (${from}) -> ${output} (${to}): ${tensors} tensors${used === undefined ? '' : `, names translated by ${used}`}\n`)
  return 0
}

function pixelsOf({ color, mean, std, alignment }: { color?: string; mean?: string; std?: string; alignment?: string }): ConvertOptions['pixels'] {
  if ([color, mean, std, alignment].every((value) => value === undefined)) return undefined
  if (color !== 'rgb' && color !== 'bgr') throw new FacexError('ERR_USAGE', `--color: expected rgb or bgr, received ${received(color)}`)
  const number = (name: string, text: string | undefined) => {
    const value = Number(text ?? Number.NaN)
    if (!Number.isFinite(value)) throw new FacexError('ERR_USAGE', `--${name}: expected a number, received ${received(text)}`)
    return value
  }
  return { color, mean: number('mean', mean), std: number('std', std), ...(alignment === undefined ? {} : { alignment }) }
}
