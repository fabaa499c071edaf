/**
 * `facex train`: a run from a configuration file, FaceX-Zoo's flags, or both.
 * @module
 */
import { existsSync, statSync } from 'node:fs'
import path from 'node:path'

import { zooFlags } from '../config/flags.js'
import { resolveRun, type ResolvedRun } from '../config/resolve.js'
import { worldOf } from '../distributed/world.js'
import { FacexError } from '../errors.js'
import { startLines } from '../report/lines.js'
import { memoryLines, precisionLines, scheduleLines } from '../report/plan-lines.js'
import { progressListener } from '../report/progress.js'
import { train } from '../report/train.js'
import type { Message } from '../training/events.js'
import { INTERRUPT_STATUS, withInterrupts } from '../training/interrupts.js'
import { planTraining } from '../training/train.js'
import { parseOptions } from './options.js'

export const usage = `Usage: facex train CONFIG [OPTIONS]
       facex train --resume RUN_FOLDER [OPTIONS]

Trains what the YAML file CONFIG describes; \`facex config schema\` lists every key.

  --set KEY=VALUE   one value of the configuration, such as optimizer.lr=0.05; repeatable
  --out_dir DIR     run folder: configuration, log, metrics, checkpoints
  --resume          continue exactly where the run in the run folder stopped
  --init FILE       start from the weights of a checkpoint, safetensors or PyTorch file; without its head, or with it by
                    --set init.head=true; --set init.partial=true takes what fits
  --device NAME     cpu, cuda or auto
  --precision NAME  fp32, bf16 or fp16
  --threads N       threads of tensor operations
  --seed N          seed of weights, order and augmentation
  --dry-run         check configuration and data, print what would be done, and stop
  --explain         the same, and which part computes in which precision
  --json            print how the run ended as JSON

FaceX-Zoo's own flags work too, with or without CONFIG:
  --data_root --train_file --backbone_type --backbone_conf_file --head_type --head_conf_file --lr --epoches --step
  --batch_size --momentum --print_freq --save_freq --log_dir --tensorboardx_logdir --pretrain_model --alpha

Ctrl-C writes a checkpoint and ends with status 130; a second Ctrl-C stops at once.
`

const options = {
  ...(Object.fromEntries(Object.keys(zooFlags).map((name) => [name, { type: 'string' }])) as Record<string, { type: 'string' }>),
  set: { type: 'string', multiple: true },
  resume: { type: 'string' },
  'dry-run': { type: 'boolean' },
  explain: { type: 'boolean' },
  json: { type: 'boolean' },
} as const

export async function run(argv: string[]): Promise<number> {
  const { resolved, resume, dryRun, explain, json } = readArguments(argv)
  const leads = (worldOf(process.env)?.rank ?? 0) === 0
  if (dryRun || explain) return leads ? showPlan(resolved, explain) : 0
  const { result, interrupt } = await withInterrupts(
    (signal) => train(resolved, { resume, signal, listeners: [progressListener()] }),
    () => process.stderr.write('\nending with a checkpoint; press Ctrl-C again to stop at once\n'),
  )
  if (json && leads) process.stdout.write(`${JSON.stringify(result)}\n`)
  return result.reason === 'interrupted' && interrupt !== undefined ? INTERRUPT_STATUS[interrupt] : 0
}

/** @throws FacexError ERR_USAGE, ERR_CONFIG naming what is wrong and where */
export function readArguments(argv: readonly string[]) {
  const { values, positionals } = parseOptions(resumeWithValue(argv), options, ['CONFIG'])
  const { set, resume, 'dry-run': dryRun, explain, json, ...flags } = values as Readonly<Record<string, string | undefined>> & { set?: string[] }
  if (positionals.length === 0 && resume === undefined && set === undefined && Object.keys(flags).length === 0) {
    throw new FacexError('ERR_USAGE', `expected a configuration file, a run folder to resume, or FaceX-Zoo's flags\n\n${usage}`)
  }
  const resolved = resolveRun(request(positionals[0], resume, flags, set))
  return { resolved, resume: resume !== undefined, dryRun: Boolean(dryRun), explain: Boolean(explain), json: Boolean(json) }
}

function request(config: string | undefined, resume: string | undefined, flags: Readonly<Record<string, string | undefined>>, set: string[] | undefined) {
  const folder = resume === '' ? undefined : resume
  if (config === undefined && folder !== undefined && !existsSync(path.join(folder, 'config.yaml'))) {
    throw new FacexError('ERR_USAGE', `--resume: ${folder} holds no config.yaml, so it is no run folder, or has lost it: then "facex train CONFIG --out_dir ${folder} --resume"`)
  }
  // FaceX-Zoo resumes the head from --pretrain_model too.
  const head = flags['pretrain_model'] !== undefined && resume !== undefined ? ['init.head=true'] : []
  return {
    file: config ?? (folder === undefined ? undefined : path.join(folder, 'config.yaml')),
    flags: folder === undefined ? flags : { ...flags, out_dir: folder },
    set: [...head, ...(set ?? [])],
  }
}

/** The run folder after `--resume` may be left out; what follows is taken for one only when it is a folder. */
function resumeWithValue(argv: readonly string[]): string[] {
  return argv.flatMap((argument, index) => {
    if (argument === '--resume') return isFolder(argv[index + 1]) ? [`--resume=${argv[index + 1]}`] : ['--resume=']
    return argv[index - 1] === '--resume' && isFolder(argument) ? [] : [argument]
  })
}

function isFolder(name: string | undefined): boolean {
  return name !== undefined && (statSync(name, { throwIfNoEntry: false })?.isDirectory() ?? false)
}

async function showPlan(resolved: ResolvedRun, explain: boolean): Promise<number> {
  const say = ({ level, text }: Message) => process.stderr.write(`${level === 'warning' ? 'warning: ' : ''}${text}\n`)
  const { plan, details } = await planTraining(resolved, say)
  const lines = [...startLines(plan), ...scheduleLines(details), ...memoryLines(details.memory), ...(explain ? precisionLines(details) : [])]
  process.stdout.write(`${lines.join('\n')}\nNothing was trained (${explain ? '--explain' : '--dry-run'}).\n`)
  return 0
}
