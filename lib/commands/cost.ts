/**
 * `facex cost`: parameters, multiply-adds and memory of backbones.
 * @module
 */
import { readConf } from '../backbones/conf.js'
import type { ConfEntry } from '../backbones/conf.js'
import { BACKBONES, buildBackbone } from '../backbones/index.js'
import type { Backbone } from '../backbones/index.js'
import { resolveRun } from '../config/resolve.js'
import { applySettings } from '../config/set.js'
import { ConfigTree } from '../config/tree.js'
import { FacexError, unknownName } from '../errors.js'
import { cost } from '../graph/cost.js'
import { stepMemory } from '../graph/memory.js'
import type { Precision } from '../graph/memory.js'
import { loadExtensions } from '../model/extensions.js'
import { parseOptions, wholeNumber } from './options.js'

export const usage = `Usage: facex cost --backbone NAME [--set KEY=VALUE]... [OPTIONS]
       facex cost --config FILE [--set KEY=VALUE]... [OPTIONS]
       facex cost --all [OPTIONS]

Prints what a backbone costs:
  parameters   of the whole state dict, and how many of them no output depends on (dead)
  MACs         multiply-adds of convolutions and linear layers for one image; with a plus, those of attention's
               matrix products, which have no weights
  activations  memory of a training step between forward and backward, estimated from the graph
  weights      parameters, their gradients and the optimizer's momentum

--backbone NAME            a backbone of \`facex backbones\` or an entry of backbone_conf.yaml
--config FILE              the backbone of a training configuration
--all                      every entry of backbone_conf.yaml
--backbone_conf_file FILE  another file than the one that facex ships
--set KEY=VALUE            one option: of the backbone, or with --config of the configuration
--batch_size N             images of a step, 64 by default
--precision P              fp32, bf16 or fp16; fp32 by default
--json                     for machines
`

const PRECISIONS = ['fp32', 'bf16', 'fp16']

export async function run(argv: string[]): Promise<number> {
  const { values } = parseOptions(argv, {
    all: { type: 'boolean' },
    backbone: { type: 'string' },
    backbone_conf_file: { type: 'string' },
    batch_size: { type: 'string' },
    config: { type: 'string' },
    json: { type: 'boolean' },
    precision: { type: 'string' },
    set: { type: 'string', multiple: true },
  })
  const given = [values.all, values.backbone, values.config].filter((value) => value !== undefined)
  if (given.length !== 1) throw new FacexError('ERR_USAGE', `expected one of --backbone, --config and --all\n\n${usage}`)
  const batch = wholeNumber('batch_size', values.batch_size) ?? 64
  const precision = values.precision ?? 'fp32'
  if (!PRECISIONS.includes(precision)) throw new FacexError('ERR_USAGE', unknownName('precision', precision, PRECISIONS))
  const rows = (await entries(values)).map((entry) => row(entry, batch, precision as Precision))
  process.stdout.write(values.json ? `${JSON.stringify(values.all ? rows : rows[0], null, 2)}\n` : table(rows, batch, precision))
  return 0
}

interface Request {
  readonly all?: boolean
  readonly backbone?: string
  readonly backbone_conf_file?: string
  readonly config?: string
  readonly set?: string[]
}

interface Entry extends ConfEntry {
  readonly table?: readonly Backbone[]
}

async function entries(request: Request): Promise<Entry[]> {
  if (request.config !== undefined) {
    const { backbone, extensions } = resolveRun({ file: request.config, set: request.set }).config
    const { type, ...config } = backbone
    return [{ name: type, type, config, table: (await loadExtensions(extensions)).backbones }]
  }
  const conf = readConf(request.backbone_conf_file)
  if (request.backbone === undefined) return conf
  const name = request.backbone
  const plain = BACKBONES.some((backbone) => backbone.name === name) ? { name, type: name, config: {} } : undefined
  const entry = conf.find((candidate) => candidate.name === name) ?? plain
  if (entry === undefined) throw new FacexError('ERR_CONFIG', unknownName('backbone', name, conf.map((candidate) => candidate.name)))
  const tree = new ConfigTree(structuredClone(entry.config), name)
  applySettings(tree, request.set ?? [])
  return [{ ...entry, config: tree.get() as Record<string, unknown> }]
}

function row({ name, type, config, table }: Entry, batch: number, precision: Precision) {
  const { graph, input } = buildBackbone(type, config, { table })
  const memory = stepMemory(graph, batch, precision)
  return { name, backbone: type, input, ...cost(graph), batch_size: batch, precision, memory }
}

function table(rows: readonly ReturnType<typeof row>[], batch: number, precision: string): string {
  const millions = (count: number) => (count / 1e6).toFixed(count < 5000 ? 4 : 2)
  const mebibytes = (bytes: number) => (bytes / 2 ** 20).toFixed(0)
  const head = ['backbone', 'input', 'params M', 'dead M', 'MACs M', `activations MiB (${batch} x ${precision})`, 'weights MiB']
  const lines = rows.map(({ name, input, params, deadParams, macs, attentionMacs, memory }) => [
    name,
    `${input[1]} x ${input[2]}`,
    millions(params),
    deadParams === 0 ? '' : millions(deadParams),
    attentionMacs === 0 ? millions(macs) : `${millions(macs)} + ${millions(attentionMacs)}`,
    mebibytes(memory.activations),
    mebibytes(memory.weights + 2 * memory.gradients),
  ])
  const widths = head.map((title, column) => Math.max(title.length, ...lines.map((line) => line[column]!.length)))
  const align = (cells: readonly string[]) => cells.map((cell, i) => (i === 0 ? cell.padEnd(widths[i]!) : cell.padStart(widths[i]!))).join('  ')
  return `${[head, ...lines].map(align).join('\n')}\n`
}
